/*
 * Lines of the log and of errors: long paths, cut characters, bytes of no
 * encoding.
 */
#include "lib/test.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/text.h"

#include <string.h>
#include <unistd.h>

#define NAIVE "na\xc3\xafve"
#define SMILE "\xf0\x9f\x98\x80"

static void test_characters_of_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{ "", 0 },
		{ "a", 1 },
		{ "\xc3\xaf", 2 },
		{ "\xe2\x82\xac", 3 },
		{ SMILE, 4 },
		{ "\x80", 0 },		   /* no beginning */
		{ "\xc3", 0 },		   /* no end */
		{ "\xf0\x9f\x98", 0 },	   /* no end */
		{ "\xc0\xaf", 0 },	   /* overlong */
		{ "\xe0\x9f\xbf", 0 },	   /* overlong */
		{ "\xf0\x8f\xbf\xbf", 0 }, /* overlong */
		{ "\xed\xa0\x80", 0 },	   /* surrogate */
		{ "\xf4\x90\x80\x80", 0 }, /* over U+10FFFF */
		{ "\xff", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(mih_text_char(rows[i].text), rows[i].len);
}

MIH_PRINTF(3, 4)
static void format(char *line, size_t cap, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	mih_text_format(line, cap, fmt, args);
	va_end(args);
}

static void test_lines_end_with_whole_characters(void **state)
{
	char line[16];

	(void)state;
	format(line, sizeof(line), "a\nb\x7f%s", NAIVE);
	assert_string_equal(line, "a?b?" NAIVE);
	for (size_t cap = 3; cap < 3 + 4; cap++) {
		format(line, cap, "ab%s", SMILE);
		assert_string_equal(line, "ab");
	}
	format(line, 7, "ab%s", SMILE "c");
	assert_string_equal(line, "ab" SMILE);
	/* What was no character before is not our doing. */
	format(line, 5, "ab\x80\x80\x80");
	assert_string_equal(line, "ab\x80\x80");
}

/* Names come from bundles that nobody has checked, and end on terminals. */
static void test_lines_turn_no_terminal(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{ "\x1b[31m", "?[31m" },
		{ "a\xc2\x9b"
		  "31m",
		  "a?31m" }, /* CSI in one character */
		{ "\xc2\xa0\xc3\x9b", "\xc2\xa0\xc3\x9b" },
		{ "a\xe2\x80\xaegpj.exe", "a?gpj.exe" }, /* right to left */
		{ "\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "???" },
		{ "\xe2\x81\xa6\xe2\x81\xa9\xe2\x80\xa8", "???" },
		{ "\xe2\x80\x94\xe2\x81\xaa" SMILE,
		  "\xe2\x80\x94\xe2\x81\xaa" SMILE },
		{ "\xd7\xa9\x9b", "\xd7\xa9\x9b" }, /* Hebrew, and no UTF-8 */
	};
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *file = tmpfile();
		size_t n;

		format(line, sizeof(line), "%s", rows[i].text);
		assert_string_equal(line, rows[i].line);
		assert_non_null(file);
		mih_text_print(file, rows[i].text);
		rewind(file);
		n = fread(line, 1, sizeof(line) - 1, file);
		line[n] = '\0';
		assert_string_equal(line, rows[i].line);
		fclose(file);
	}
}

static void test_json_of_any_bytes(void **state)
{
	char json[64];

	(void)state;
	assert_int_equal(mih_text_json("a\"\\\xff" NAIVE, json, sizeof(json)),
			 1 + 2 + 2 + 5 + 6);
	assert_string_equal(json, "a\\\"\\\\\\\\xff" NAIVE);
	mih_text_json("\n", json, sizeof(json));
	assert_string_equal(json, "\\u000a");
	assert_int_equal(mih_text_json("ab\"", json, 4), 2);
	assert_string_equal(json, "ab");
}

static void test_options_end_at_bare_commas(void **state)
{
	(void)state;
	assert_string_equal(mih_text_option_end("a,b"), ",b");
	assert_string_equal(mih_text_option_end("a=b\\,c,d"), ",d");
	assert_string_equal(mih_text_option_end("a\\"), "");
	assert_string_equal(mih_text_option_end(""), "");
}

/* What mih_log() writes to the standard error. */
static void capture(char *out, size_t cap, const char *path)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	mih_log_error("%s: bytes 0-65535 differ, the end", path);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	n = pread(fileno(file), out, cap - 1, 0);
	assert_true(n > 0);
	out[n] = '\0';
	fclose(file);
}

#define PATH_BYTES 4095

static void check_log(enum mih_log_format format_, char fill, const char *end)
{
	mih_autofree char *out = calloc(1, 65536);
	char path[PATH_BYTES + 1];

	assert_non_null(out);
	memset(path, fill, PATH_BYTES);
	path[PATH_BYTES] = '\0';
	mih_log_setup(MIH_LOG_INFO, format_, MIH_LOG_TO_STDERR);
	capture(out, 65536, path);
	assert_true(strlen(out) > strlen(end) + PATH_BYTES);
	assert_string_equal(out + strlen(out) - strlen(end), end);
}

static void test_log_keeps_what_follows_long_paths(void **state)
{
	(void)state;
	check_log(MIH_LOG_TEXT, 'p', ": bytes 0-65535 differ, the end\n");
	check_log(MIH_LOG_JSON, 'p', ": bytes 0-65535 differ, the end\"}\n");
	check_log(MIH_LOG_JSON, '"', ": bytes 0-65535 differ, the end\"}\n");
	check_log(MIH_LOG_JSON, '\xff', ": bytes 0-65535 differ, the end\"}\n");
}

static void test_stories_keep_two_long_paths(void **state)
{
	char path[PATH_BYTES + 1];

	(void)state;
	memset(path, 'p', PATH_BYTES);
	path[PATH_BYTES] = '\0';
	assert_int_equal(mih_err_fail(-EIO, "%s: %s: the end", path, path),
			 -EIO);
	assert_int_equal(strlen(mih_err_message()), 2 * PATH_BYTES + 11);
	/* An argument may be the old story. */
	assert_int_equal(mih_err_fail(-EIO, "x%s", mih_err_message()), -EIO);
	assert_int_equal(strlen(mih_err_message()), 2 * PATH_BYTES + 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters_of_utf8),
		cmocka_unit_test(test_lines_end_with_whole_characters),
		cmocka_unit_test(test_lines_turn_no_terminal),
		cmocka_unit_test(test_json_of_any_bytes),
		cmocka_unit_test(test_options_end_at_bare_commas),
		cmocka_unit_test(test_log_keeps_what_follows_long_paths),
		cmocka_unit_test(test_stories_keep_two_long_paths),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
