/* What the short way takes, the JSON library takes with the same result; and
 * it does take what signers write. */
#include "lib/sig.h"
#include "sig/sig_internal.h"
#include "util/bytes.h"
#include "util/checked.h"

#define H1   "1111111111111111111111111111111111111111111111111111111111111111"
#define H3   "3333333333333333333333333333333333333333333333333333333333333333"
#define NOTE "{\"mihfs\":{\"tree\":\"mth4k-sha256\",\"root\":\"" H3 "\","

/* As other tools write it, as we do, and with the freedoms of JSON. */
static const char *const plain[] = {
	"{\"name\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"" H1 "\"}",
	" {\"digest\": \"" H1 "\", \"algorithm\": \"sha256\", \"name\": \"d/e"
	" f\"}\n",
	"{\"name\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"" H1
	"\",\"annotations\":" NOTE "\"size\":612}}}",
	"{\t\"name\" : \"a\" ,\r\n\"annotations\" : " NOTE
	"\"size\" : 0 } } , \"algorithm\":\"sha256\",\"digest\":\"" H1 "\" }",
};

#define WITH(name, rest)                                                       \
	"{\"name\":\"" name "\",\"algorithm\":\"sha256\",\"digest\":\"" H1     \
	"\"" rest "}"
#define SIZE(size) WITH("a", ",\"annotations\":" NOTE "\"size\":" size "}}")

/* Left to the library, whatever it will say. */
static const char *const not_plain[] = {
	"",
	" ",
	"{}",
	"[]",
	"null",
	"\"a\"",
	WITH("a", "") "x",
	WITH("a", "") WITH("b", ""),
	WITH("a", ",") "",
	WITH("\\u0061", ""),
	WITH("a\\\\b", ""),
	WITH("a\tb", ""),
	WITH("a\t", ""),
	WITH("a\n", ""),
	WITH("a\r\n", ""),
	"{\"name\n\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"" H1 "\"}",
	"{\"name\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"" H1 "\r\"}",
	WITH("a\x7f", ""),
	WITH("\xc3\xa9", ""),
	WITH("\xff", ""),
	WITH("", ""),
	WITH("/a", ""),
	WITH("..", ""),
	WITH(".", ""),
	WITH("a", ",\"name\":\"b\""),
	WITH("a", ",\"digest\":\"" H3 "\""),
	WITH("a", ",\"more\":1"),
	WITH("a", ",\"annotations\":{}"),
	WITH("a", ",\"annotations\":null"),
	WITH("a", ",\"annotations\":{\"x\":{}}"),
	WITH("a", ",\"annotations\":" NOTE "\"more\":2,\"size\":1}}"),
	WITH("a", ",\"annotations\":" NOTE "\"size\":1,\"size\":1}}"),
	WITH("a", ",\"annotations\":{\"mihfs\":{\"size\":1}}"),
	SIZE("01"),
	SIZE("-1"),
	SIZE("1.0"),
	SIZE("1e3"),
	SIZE("1E3"),
	SIZE("0x1"),
	SIZE("+1"),
	SIZE(""),
	SIZE("\"1\""),
	SIZE("1 1"),
	SIZE("1152921504606846977"),
	SIZE("99999999999999999999999"),
	"{\"name\":\"a\",\"algorithm\":\"sha512\",\"digest\":\"" H1 "\"}",
	"{\"name\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"11\"}",
	"{\"name\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"A" H1 "\"}",
	"{\"name\":\"a\",\"algorithm\":\"sha256\"}",
	"{\"name\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"" H1 "\"",
	"{\"name\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"" H1,
	"{\"name\":1,\"algorithm\":\"sha256\",\"digest\":\"" H1 "\"}",
	"{\"name\":\"a\" \"algorithm\":\"sha256\",\"digest\":\"" H1 "\"}",
};

static bool read_exactly(const char *text, size_t len,
			 struct mih_sig_resource *res)
{
	/* Without a byte behind it, for the sanitizers to watch. */
	char *copy = malloc(len + 1);
	struct mih_sig_text whole = { "p.json", copy + 1, len };
	bool is_plain;

	assert_non_null(copy);
	memcpy(copy + 1, text, len);
	is_plain = mih_sig_plain_read(&whole, MIH_HASH_SHA256, res);
	free(copy);
	return is_plain;
}

static void test_plain_takes_what_signers_write(void **state)
{
	uint8_t h1[32], h3[32];

	(void)state;
	memset(h1, 0x11, sizeof(h1));
	memset(h3, 0x33, sizeof(h3));
	for (size_t i = 0; i < MIH_ARRAY_LEN(plain); i++) {
		struct mih_sig_resource res;

		assert_true(read_exactly(plain[i], strlen(plain[i]), &res));
		assert_string_equal(res.name, i == 1 ? "d/e f" : "a");
		assert_int_equal(res.alg, MIH_HASH_SHA256);
		assert_memory_equal(res.digest, h1, sizeof(h1));
		assert_int_equal(res.tree,
				 i < 2 ? MIH_HASH_NONE : MIH_HASH_MTH4K_SHA256);
		assert_int_equal(res.nbytes, i == 2 ? 612 : 0);
		if (i >= 2)
			assert_memory_equal(res.root, h3, sizeof(h3));
		free(res.name);
	}
}

static void test_plain_leaves_the_rest(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(not_plain); i++) {
		struct mih_sig_resource res = { 0 };

		if (read_exactly(not_plain[i], strlen(not_plain[i]), &res))
			fail_msg("taken: %s", not_plain[i]);
		assert_null(res.name);
	}
}

/* No prefix is plain, and none reads beyond its end. */
static void test_plain_cut_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(plain); i++) {
		size_t len = strlen(plain[i]) - (i == 1);
		struct mih_sig_resource res = { 0 };

		for (size_t n = 0; n < len; n++)
			assert_false(read_exactly(plain[i], n, &res));
	}
}

/* Change one byte in all ways: still plain only if the library agrees. */
static void test_plain_agrees_with_the_library(void **state)
{
	const char *from = plain[2];
	size_t len = strlen(from), ntaken = 0;
	char text[512];

	(void)state;
	assert_true(len < sizeof(text));
	for (size_t at = 0; at < len; at++)
		for (int c = 0; c < 256; c++) {
			struct mih_sig_resource res = { 0 };
			json_t *json, *name;

			memcpy(text, from, len);
			text[at] = (char)c;
			if (!read_exactly(text, len, &res))
				continue;
			ntaken++;
			json =
			    json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
			name = json_object_get(json, "name");
			assert_string_equal(json_string_value(name), res.name);
			json_decref(json);
			free(res.name);
		}
	assert_true(ntaken > len);
}

/* What matters to a reader of JSON, and a little that does not. */
static const char *const splices[] = {
	"\"",
	"\\",
	"\\\"",
	"\\u0061",
	"\\ud800",
	"\\ud83d\\ude00",
	"\n",
	"\t",
	"\r",
	" ",
	"\x01",
	"\xc3\xa9",
	"\xed\xa0\x80",
	"\x7f",
	"{",
	"}",
	"[",
	"]",
	",",
	":",
	"0",
	"-",
	".",
	"e9",
	"99999999999999999",
	"null",
	"//",
	"/*",
	"..",
	"/",
	"\"name\":\"b\",",
	"\"size\":1,",
	"\"annotations\":{},",
	"\\u0000",
};

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Put a splice in, take some bytes out, or both. */
static size_t mutate(char *text, size_t len, uint32_t *seed)
{
	size_t which = next_random(seed) % MIH_ARRAY_LEN(splices);
	const char *in = next_random(seed) % 4 ? splices[which] : "";
	size_t at = next_random(seed) % (len + 1), n = strlen(in);
	size_t out = next_random(seed) % 3 ? 0 : next_random(seed) % 4;

	out = MIH_MIN(out, len - at);
	memmove(text + at + n, text + at + out, len - at - out);
	memcpy(text + at, in, n);
	return len + n - out;
}

static void check_text(json_t *object, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(object, key));

	assert_non_null(got);
	assert_string_equal(got, want);
}

static void check_hex(json_t *object, const char *key, const uint8_t *want)
{
	char hex[65];

	mih_bytes_to_hex(want, 32, hex);
	check_text(object, key, hex);
}

/* All that was read stands there, and nothing else does. */
static void check_same(const char *text, size_t len,
		       const struct mih_sig_resource *res)
{
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *notes = json_object_get(json, "annotations"), *note;

	if (!json)
		fail_msg("taken, but no JSON: %.*s", (int)len, text);
	check_text(json, "name", res->name);
	check_text(json, "algorithm", "sha256");
	check_hex(json, "digest", res->digest);
	assert_int_equal(json_object_size(json), notes ? 4 : 3);
	assert_int_equal(res->tree != MIH_HASH_NONE, notes != NULL);
	if (notes) {
		note = json_object_get(notes, "mihfs");
		assert_int_equal(json_object_size(notes), 1);
		assert_int_equal(json_object_size(note), 3);
		check_text(note, "tree", mih_hash_info(res->tree)->name);
		check_hex(note, "root", res->root);
		assert_int_equal(
		    json_integer_value(json_object_get(note, "size")),
		    res->nbytes);
	}
	json_decref(json);
}

static void test_plain_agrees_with_the_library_at_random(void **state)
{
	uint32_t seed = 20260317;
	size_t ntaken = 0;

	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		const char *from = plain[i % MIH_ARRAY_LEN(plain)];
		size_t len = strlen(from);
		struct mih_sig_resource res = { 0 };
		char text[1024];

		memcpy(text, from, len);
		for (size_t n = 1 + next_random(&seed) % 3; n > 0; n--)
			len = mutate(text, len, &seed);
		if (!read_exactly(text, len, &res))
			continue;
		ntaken++;
		check_same(text, len, &res);
		free(res.name);
	}
	assert_true(ntaken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_takes_what_signers_write),
		cmocka_unit_test(test_plain_leaves_the_rest),
		cmocka_unit_test(test_plain_cut_short),
		cmocka_unit_test(test_plain_agrees_with_the_library),
		cmocka_unit_test(test_plain_agrees_with_the_library_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
