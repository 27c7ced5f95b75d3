#include "lib/sig.h"
#include "sig/sig_internal.h"
#include "util/checked.h"

static char long_name[5000];

static void expect_name(const char *name, size_t len, const char *why)
{
	const char *bad = mih_sig_name_check(name, len);

	if (!why && bad)
		fail_msg("'%s' refused: %s", name, bad);
	if (why && (!bad || !strstr(bad, why)))
		fail_msg("'%s': '%s', not '%s'", name, bad ? bad : "taken",
			 why);
}

static void test_name_good_ones(void **state)
{
	static const char *const good[] = {
		"a",
		"a/b",
		".git",
		"..a",
		"a..",
		"...",
		"a b",
		"a\nb",
		"-rf",
		"a:0:1",
		"a\\b",
		"\xc3\xa9",
		"\xe2\x82\xac",
		"\xf0\x9f\x98\x80/x",
		"\xf4\x8f\xbf\xbf",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xe0\xa0\x80",
		"\xf0\x90\x80\x80",
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(good); i++)
		expect_name(good[i], strlen(good[i]), NULL);
}

static void test_name_bad_forms(void **state)
{
	static const struct {
		const char *name, *why;
	} bad[] = {
		{ "", "is empty" },
		{ "/a", "is absolute" },
		{ "/", "is absolute" },
		{ "a/", "ends in a slash" },
		{ "a//b", "empty component" },
		{ ".", "'.' component" },
		{ "./a", "'.' component" },
		{ "a/./b", "'.' component" },
		{ "a/.", "'.' component" },
		{ "..", "'..' component" },
		{ "../a", "'..' component" },
		{ "a/../b", "'..' component" },
		{ "a/..", "'..' component" },
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++)
		expect_name(bad[i].name, strlen(bad[i].name), bad[i].why);
	expect_name("a\0b", 3, "holds a NUL");
	expect_name("a\0", 2, "holds a NUL");
}

static void test_name_bad_utf8(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"a\xbf",
		"\xc0\xaf",
		"\xc1\xbf",
		"\xc3",
		"\xc3(",
		"\xe0\x80\xaf",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xe2\x82",
		"\xf0\x80\x80\xaf",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xf0\x9f\x98",
		"a/\xe2\x28\xa1/b",
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++)
		expect_name(bad[i], strlen(bad[i]), "UTF-8");
}

static void test_name_lengths(void **state)
{
	(void)state;
	memset(long_name, 'x', sizeof(long_name));
	expect_name(long_name, 255, NULL);
	expect_name(long_name, 256, "over 255 bytes");
	for (size_t i = 255; i < sizeof(long_name); i += 256)
		long_name[i] = '/';
	expect_name(long_name, 4095, NULL);
	expect_name(long_name, 4097, "over 4095 bytes");
}

/* Build a manifest on borrowed names and ask. */
static mih_err check(const char *const *names, size_t n)
{
	struct mih_sig_resource res[8] = { 0 };
	struct mih_sig_manifest m = { .resources = res, .nresources = n };
	const char *a = "", *b = "";

	for (size_t i = 0; i < n; i++)
		res[i].name = (char *)names[i];
	return mih_sig_manifest_check_paths(&m, &a, &b);
}

static void test_paths_clashes_are_found(void **state)
{
	static const char *const twice[] = { "b", "a", "c", "b" };
	static const char *const both[] = { "a/b/c", "a-b", "a.txt", "a/b" };
	static const char *const deep[] = { "x", "x y", "x!", "x/y/z/w" };
	static const char *const utf8[] = { "\xc3\xa9/b", "\xc3\xa9",
					    "\xc3\xa8" };

	(void)state;
	assert_int_equal(check(twice, 4), -EEXIST);
	assert_int_equal(check(both, 4), -EEXIST);
	assert_int_equal(check(deep, 4), -EEXIST);
	assert_int_equal(check(utf8, 3), -EEXIST);
}

static void test_paths_neighbours_are_no_clash(void **state)
{
	static const char *const names[] = { "a/b", "a-b", "ab",    "a.txt",
					     "a b", "A",   "a/b-c", "b/a" };
	static const char *const one[] = { "." };

	(void)state;
	assert_int_equal(check(names, 8), 0);
	assert_int_equal(check(one, 1), 0);
	assert_int_equal(check(one, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_good_ones),
		cmocka_unit_test(test_name_bad_forms),
		cmocka_unit_test(test_name_bad_utf8),
		cmocka_unit_test(test_name_lengths),
		cmocka_unit_test(test_paths_clashes_are_found),
		cmocka_unit_test(test_paths_neighbours_are_no_clash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
