/* Every rule of the payload. Each text is read twice: as it stands, with the
 * list of resources cut out, and with the name of the list escaped, so that
 * the whole is one tree; both must say the same. */
#include "lib/sig.h"
#include "sig/sig_internal.h"
#include "util/checked.h"

#define H11  "1111111111111111111111111111111111111111111111111111111111111111"
#define H22  "2222222222222222222222222222222222222222222222222222222222222222"
#define H33  "3333333333333333333333333333333333333333333333333333333333333333"
#define NOTE "{\"tree\":\"mth4k-sha256\",\"root\":\"" H33 "\",\"size\":5}"

static const char good[] =
    "{\"_type\":\"https://in-toto.io/Statement/v1\",\n"
    "\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"5189c77d29fe5d54"
    "6a045ec46986852785fea5c13ac7da9c115ff5fb6edf817c\"}}],\n"
    "\"predicateType\":\"https://model_signing/signature/v1.0\",\n"
    "\"predicate\":{\"serialization\":{\"method\":\"files\","
    "\"hash_type\":\"sha256\",\"allow_symlinks\":true,"
    "\"ignore_paths\":[\".git\"]},\n"
    "\"resources\":[\n"
    "{\"name\":\"a.bin\",\"algorithm\":\"sha256\",\"digest\":\"" H11
    "\",\"annotations\":{\"x\":{\"resources\":[1,\"]}[,\\\"\"]},\"mihfs\":" NOTE
    "}},\n"
    "{\"name\":\"dir/b.bin\",\"algorithm\":\"sha256\",\"digest\":\"" H22
    "\"}\n]}}\n";

static mih_err parse(const char *text, struct mih_sig_manifest **m)
{
	struct mih_sig_text payload = { "p.json", text, strlen(text) };
	uint8_t root[32];

	*m = NULL;
	mih_err_clear();
	return mih_sig_statement_read(&payload, m, root);
}

static void assert_same(const struct mih_sig_manifest *a,
			const struct mih_sig_manifest *b)
{
	assert_int_equal(a->nresources, b->nresources);
	assert_int_equal(a->allow_symlinks, b->allow_symlinks);
	assert_int_equal(a->nignore_paths, b->nignore_paths);
	assert_string_equal(a->model_name, b->model_name);
	for (size_t i = 0; i < a->nresources; i++) {
		const struct mih_sig_resource *x = &a->resources[i];
		const struct mih_sig_resource *y = &b->resources[i];

		assert_string_equal(x->name, y->name);
		assert_int_equal(x->alg, y->alg);
		assert_int_equal(x->tree, y->tree);
		assert_true(x->nbytes == y->nbytes);
		assert_memory_equal(x->digest, y->digest, sizeof(x->digest));
		assert_memory_equal(x->root, y->root, sizeof(x->root));
	}
}

/* Read the text both ways, compare, and return what both said. */
static mih_err parse_both(const char *text, struct mih_sig_manifest **m_out)
{
	char *escaped =
	    sig_replace(text, "\n\"resources\"", "\n\"\\u0072esources\"");
	struct mih_sig_manifest *other;
	mih_err whole = parse(escaped, &other), cut = parse(text, m_out);

	if (whole != cut)
		fail_msg("%d as one tree, %d (%s) cut, for %s", whole, cut,
			 mih_err_message(), text);
	if (!cut)
		assert_same(*m_out, other);
	mih_sig_manifest_free(other);
	free(escaped);
	return cut;
}

struct rule {
	const char *find, *with, *story;
};

static void expect_refused(const struct rule *rule)
{
	char *text = sig_replace(good, rule->find, rule->with);
	struct mih_sig_manifest *m;

	if (parse_both(text, &m) != MIH_EFORMAT)
		fail_msg("'%s' -> '%s' was not refused: %s", rule->find,
			 rule->with, mih_err_message());
	sig_expect_story("p.json: ");
	sig_expect_story(rule->story);
	free(text);
}

static void expect_taken(const char *find, const char *with)
{
	char *text = sig_replace(good, find, with);
	struct mih_sig_manifest *m;

	if (parse_both(text, &m))
		fail_msg("'%s' -> '%s': %s", find, with, mih_err_message());
	assert_int_equal(m->nresources, 2);
	mih_sig_manifest_free(m);
	free(text);
}

static void test_statement_good_one(void **state)
{
	struct mih_sig_manifest *m;

	(void)state;
	assert_int_equal(parse_both(good, &m), 0);
	assert_string_equal(m->model_name, "m");
	assert_true(m->allow_symlinks);
	assert_int_equal(m->nresources, 2);
	assert_int_equal(m->resources[0].tree, MIH_HASH_MTH4K_SHA256);
	assert_int_equal(m->resources[0].root[31], 0x33);
	assert_int_equal(m->resources[0].nbytes, 5);
	assert_int_equal(m->resources[1].tree, MIH_HASH_NONE);
	assert_string_equal(m->resources[1].name, "dir/b.bin");
	mih_sig_manifest_free(m);
}

static const struct rule statement_rules[] = {
	{ "Statement/v1", "Statement/v0.1", "_type is 'https" },
	{ "\"_type\"", "\"_typ\"", "_type is missing" },
	{ "\"https://in-toto.io/Statement/v1\"", "1",
	  "_type must be a string" },
	{ "signature/v1.0", "signature/v2.0", "predicateType is 'https" },
	{ "signature/v1.0", "Digests/v0.1",
	  "predicate.serialization is unknown" },
	{ "[{\"name\":\"m\"", "[{},{\"name\":\"m\"", "exactly one subject" },
	{ "\"subject\":[{", "\"subject\":[],\"x\":[{", "exactly one subject" },
	{ "\"subject\":[{", "\"subject\":{},\"x\":[{", "must be an array" },
	{ "\"name\":\"m\",", "", "subject[0].name is missing" },
	{ "\"sha256\":\"5189", "\"sha512\":\"5189",
	  "digest.sha256 is missing" },
	{ "\"5189", "\"518A", "64 lowercase hex" },
	{ "\"5189", "\"5188", "not the root digest" },
	{ "\"predicate\":", "\"x\":", "predicate is missing" },
	{ "\"predicate\":{", "\"predicate\":{\"x\":1,",
	  "predicate.x is unknown" },
	{ "\"serialization\":", "\"x\":", "is unknown here" },
	{ "\"files\"", "\"shards\"", "of the form path:start:end" },
	{ "\"files\"", "\"file\"", "method is 'file'" },
	{ "\"hash_type\":\"sha256\"", "\"hash_type\":\"sha512\"",
	  "not sha256, blake2b or blake3" },
	{ "\"hash_type\":\"sha256\"", "\"hash_type\":\"blake3\"",
	  "algorithm is 'sha256', not 'blake3'" },
	{ "\"hash_type\":\"sha256\"", "\"hash_type\":\"blake2b\"",
	  "algorithm is 'sha256', not 'blake2b'" },
	{ "\"hash_type\":\"sha256\",", "", "hash_type is missing" },
	{ ":true,", ":1,", "must be true or false" },
	{ "[\".git\"]", "[1]", "must hold strings only" },
	{ "[\".git\"]", "\".git\"", "must be an array" },
	{ "{\"method\"", "{\"salt\":1,\"method\"", "salt is unknown here" },
};

static const struct rule resource_rules[] = {
	{ "\"name\":\"a.bin\",", "", "resources[0].name is missing" },
	{ "\"a.bin\"", "\"../a\"", "resources[0].name has a '..' component" },
	{ "\"a.bin\"", "\"/a\"", "name is absolute" },
	{ "\"a.bin\"", "\"a/\"", "name ends in a slash" },
	{ "\"a.bin\"", "\"\"", "name is empty" },
	{ "\"a.bin\"", "\"a\\u0000b\"", "NUL" },
	{ "\"a.bin\"", "\"a\\ud800b\"", "not strict JSON" },
	{ "\"a.bin\"", "\"a\xff\"", "not strict JSON" },
	{ "\"a.bin\"", "\".\"", "'.' beside others" },
	{ "\"a.bin\"", "\"dir/b.bin\"", "appears twice" },
	{ "\"a.bin\"", "\"\\u0064ir/b.bin\"", "appears twice" },
	{ "\"a.bin\"", "\"dir\"", "'dir' cannot be a file while 'dir/b.bin'" },
	{ "\"algorithm\":\"sha256\"", "\"algorithm\":\"sha512\"",
	  "algorithm is 'sha512', not 'sha256'" },
	{ "\"algorithm\":\"sha256\",", "", "algorithm is missing" },
	{ "\"" H11 "\"", "\"" H11 "11\"", "64 lowercase hex" },
	{ "\"" H11 "\"", "\"" H11 "\\u0000\"", "NUL" },
	{ "\"" H11 "\"", "null", "digest must be a string" },
	{ "\"" H22 "\"", "\"" H11 "\"", "not the root digest" },
	{ "{\"x\"", "[{\"x\"", "not strict JSON" },
	{ "\"digest\":\"" H22 "\"", "\"digest\":\"" H22 "\",\"annotations\":1",
	  "resources[1].annotations must be an object" },
	{ NOTE, "1", "annotations.mihfs must be an object" },
	{ NOTE, "null", "annotations.mihfs must be an object" },
	{ NOTE, "{}", "mihfs.tree is missing" },
	{ "\"mth4k-sha256\"", "\"mth8k-sha256\"", "no tree that" },
	{ "\"mth4k-sha256\"", "\"sha256\"", "no tree that" },
	{ "\"mth4k-sha256\"", "\"mth4k-sha512\"", "128 lowercase hex" },
	{ "\"" H33 "\"", "\"33\"", "mihfs.root must be 64" },
	{ "\"size\":5", "\"size\":-1", "is -1, not the size" },
	{ "\"size\":5", "\"size\":5.0", "size must be an integer" },
	{ "\"size\":5", "\"size\":\"5\"", "size must be an integer" },
	{ "\"size\":5", "\"size\":1152921504606846977", "not the size" },
	{ "\"size\":5", "\"size\":9223372036854775808", "not strict JSON" },
	{ ",\"size\":5", "", "size must be an integer" },
};

/* What the scanner must not be fooled by. */
static const struct rule syntax_rules[] = {
	{ "\n]}}\n", ",\n]}}\n", "not strict JSON" },
	{ "\"resources\":[\n", "\"resources\":[,\n", "not strict JSON" },
	{ "}},\n{", "}},,\n{", "not strict JSON" },
	{ "}},\n{", "}}\n{", "not strict JSON" },
	{ "}},\n{", "}}x,\n{", "not strict JSON" },
	{ "}},\n{", "}},x\n{", "not strict JSON" },
	{ "}},\n{", "}}:\n{", "not strict JSON" },
	{ "}},\n{", "}},1,\n{", "resources[1]" },
	{ "}},\n{", "}},[],\n{", "resources[1]" },
	{ "}},\n{", "}},\"\",\n{", "resources[1]" },
	{ "}},\n{", "}},null,\n{", "resources[1]" },
	{ "}},\n{", "}]},\n{", "not strict JSON" },
	{ "}},\n{", "}]}},\n{", "not strict JSON" },
	{ "\n]}}\n", "\n}}}\n", "not strict JSON" },
	{ "\n]}}\n", "\n]}\n", "not strict JSON" },
	{ "\n]}}\n", "\n]}}}\n", "not strict JSON" },
	{ "\n]}}\n", "\n]}}x", "not strict JSON" },
	{ "\n]}}\n", "\n]}}{}", "not strict JSON" },
	{ "\n]}}\n", "\n],\"resources\":[]}}", "duplicate" },
	{ "\n]}}\n", "\n],\"\\u0072esources\":[]}}", "duplicate" },
	{ "\"predicate\":", "\"predicate\":{\"resources\":[]},\"predicate\":",
	  "duplicate" },
	{ "\"predicate\":", "\"predicate\":1,\"pr\\u0065dicate\":",
	  "duplicate" },
	{ "\"name\":\"m\"", "\"name\":\"m\",\"name\":\"m\"", "duplicate" },
	{ "\"name\":\"dir/b.bin\"", "\"name\":\"d\",\"name\":\"dir/b.bin\"",
	  "duplicate" },
	{ "\"size\":5", "\"size\":5,\"size\":5", "duplicate" },
	{ "\"x\":{", "\"x\":{\"y\":1,\"y\":1,", "duplicate" },
	{ "\"resources\":[\n", "\"resources\":{\"a\":[\n", "not strict JSON" },
	{ "\"dir/b.bin\"", "\"dir/b.bin", "not strict JSON" },
	{ "\"a.bin\"", "\"a.bin\\\"", "not strict JSON" },
	{ "\"a.bin\"", "'a.bin'", "not strict JSON" },
	{ "\"a.bin\"", "\"a\nbin\"", "not strict JSON" },
	{ "true", "True", "not strict JSON" },
	{ "{\"_type\"", "\xef\xbb\xbf{\"_type\"", "not strict JSON" },
	{ "{\"_type\"", "[{\"_type\"", "not strict JSON" },
	{ "{\"_type\"", "{{\"_type\"", "not strict JSON" },
	{ "{\"_type\"", "]{\"_type\"", "not strict JSON" },
	{ "{\"_type\"", "// c\n{\"_type\"", "not strict JSON" },
};

static void test_statement_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(statement_rules); i++)
		expect_refused(&statement_rules[i]);
}

static void test_statement_resource_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(resource_rules); i++)
		expect_refused(&resource_rules[i]);
}

static void test_statement_syntax_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(syntax_rules); i++)
		expect_refused(&syntax_rules[i]);
}

static void test_statement_what_may_vary(void **state)
{
	(void)state;
	expect_taken("{\"_type\"", "{\"x\":[{\"y\":null}],\"_type\"");
	expect_taken("\"predicateType\"",
		     "\"x\":{\"predicate\":{\"resources\":[1,2]},"
		     "\"resources\":[{\"a\":\"]\"}]},\"predicateType\"");
	expect_taken("\"subject\"", "\"resources\":[3],\"subject\"");
	expect_taken("\"subject\"", "\"k\":\"predicate\",\"subject\"");
	expect_taken("\"subject\"", "\"k\":\"\\\\\",\"subject\"");
	expect_taken("\"subject\"", "\"k\":\"\\\\\\\"{[\",\"subject\"");
	expect_taken("\"allow_symlinks\":true,", "");
	expect_taken(",\"ignore_paths\":[\".git\"]", "");
	expect_taken("[\".git\"]", "null");
	expect_taken("{\"x\":{\"resources\":[1,\"]}[,\\\"\"]},\"mihfs\":" NOTE
		     "}",
		     "null");
	expect_taken("\"size\":5", "\"size\":1152921504606846976,\"new\":1");
	expect_taken("\"a.bin\"", "\"\\u0061.bin\"");
	expect_taken("\"dir/b.bin\"", "\"dir\\/\xc3\xa9 \\n:0:1\"");
	expect_taken("}},\n{", "}}\r\n\t ,{");
}

/* --- shards ------------------------------------------------------------ */

/* Names of three entries, in the order of the payload. */
static mih_err parse_shards(const char *const names[3],
			    struct mih_sig_manifest **m)
{
	static const char *const digests[] = { H11, H22, H33 };
	static const char *const algorithms[] = { "", "-sharded-4",
						  "-sharded-10" };
	char text[2048];
	int n = snprintf(
	    text, sizeof(text),
	    "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":"
	    "[{\"name\":\"m\",\"digest\":{\"sha256\":\"%s\"}}],"
	    "\"predicateType\":\"https://model_signing/signature/v1.0\","
	    "\"predicate\":{\"serialization\":{\"method\":\"shards\","
	    "\"hash_type\":\"sha256\",\"shard_size\":4},"
	    "\n\"resources\":[",
	    /* of the three digests */
	    "8cfa0e55b092114ec1d274d633d317f8dbce497239ae76722c0add142278ff5e");

	for (int i = 0; i < 3; i++)
		n +=
		    snprintf(text + n, sizeof(text) - (size_t)n,
			     "%s{\"name\":\"%s\",\"algorithm\":\"sha256%s\","
			     "\"digest\":\"%s\"}",
			     i ? "," : "", names[i], algorithms[i], digests[i]);
	snprintf(text + n, sizeof(text) - (size_t)n, "]}}");
	return parse_both(text, m);
}

static void test_statement_shards(void **state)
{
	/* As Python sorts them: text before number. */
	static const char *const names[] = { "d:1/f:10:12", "a:0:4",
					     "d:1/f:0:10" };
	struct mih_sig_manifest *m;

	(void)state;
	assert_int_equal(parse_shards(names, &m), 0);
	assert_true(m->is_sharded);
	assert_int_equal(m->nresources, 2);
	assert_string_equal(m->resources[0].name, "a");
	assert_int_equal(m->resources[0].nbytes, 4);
	assert_string_equal(m->resources[1].name, "d:1/f");
	assert_int_equal(m->resources[1].nbytes, 12);
	assert_int_equal(m->resources[1].nshards, 2);
	assert_int_equal(m->resources[1].shards[0].end, 10);
	assert_int_equal(m->resources[1].shards[0].digest[0], 0x33);
	assert_int_equal(m->resources[1].shards[1].digest[31], 0x11);
	assert_true(mih_sig_resource_is_sized(&m->resources[0]));
	mih_sig_manifest_free(m);
}

static void test_statement_shard_rules(void **state)
{
	static const struct {
		const char *names[3], *story;
	} bad[] = {
		{ { "a:0:4", "a:5:6", "b:0:1" }, "5:6 of 'a' leaves a gap" },
		{ { "a:0:4", "a:3:6", "b:0:1" }, "3:6 of 'a' leaves a gap" },
		{ { "a:0:4", "a:0:4", "b:0:1" }, "0:4 of 'a' leaves a gap" },
		{ { "a:1:4", "b:0:4", "c:0:1" }, "1:4 of 'a' leaves a gap" },
		{ { "a:0:0", "b:0:4", "c:0:1" }, "0:0 of 'a' has another" },
		{ { "a:0:0", "a:0:4", "c:0:1" }, "of 'a' leaves a gap" },
		{ { "a:0:0", "a:0:0", "c:0:1" }, "0:0 of 'a' leaves a gap" },
		{ { "a:0:4", "a:4:4", "c:0:1" }, "4:4 of 'a' leaves a gap" },
		{ { "a:4:4", "b:0:4", "c:0:1" }, "4:4 of 'a' leaves a gap" },
		{ { "a:4:0", "b:0:4", "c:0:1" }, "4:0 of 'a' leaves a gap" },
		{ { "a", "b:0:4", "c:0:1" }, "of the form path:start:end" },
		{ { "a:4", "b:0:4", "c:0:1" }, "of the form path:start:end" },
		{ { "a:0:", "b:0:4", "c:0:1" }, "of the form path:start:end" },
		{ { "a::4", "b:0:4", "c:0:1" }, "of the form path:start:end" },
		{ { "a:00:4", "b:0:4", "c:0:1" }, "of the form path" },
		{ { "a:0:04", "b:0:4", "c:0:1" }, "of the form path" },
		{ { "a:-1:4", "b:0:4", "c:0:1" }, "of the form path" },
		{ { "a:0:+4", "b:0:4", "c:0:1" }, "of the form path" },
		{ { "a:0:4 ", "b:0:4", "c:0:1" }, "of the form path" },
		{ { "a:0:9999999999999999999", "b:0:4", "c:0:1" },
		  "of the form path" },
		{ { ":0:4", "b:0:4", "c:0:1" }, "name is empty" },
		{ { "../a:0:4", "b:0:4", "c:0:1" }, "'..' component" },
		{ { "/a:0:4", "b:0:4", "c:0:1" }, "name is absolute" },
		{ { "a:0:4", "a/b:0:4", "c:0:1" }, "cannot be a file while" },
		{ { ".:0:4", "b:0:4", "c:0:1" }, "'.' beside others" },
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++) {
		struct mih_sig_manifest *m;

		if (parse_shards(bad[i].names, &m) != MIH_EFORMAT)
			fail_msg("%s was not refused", bad[i].names[0]);
		sig_expect_story("p.json: ");
		sig_expect_story(bad[i].story);
	}
}

static void test_statement_depth_is_bounded(void **state)
{
	char deep[300];
	struct rule rule = { "\"x\":", deep, "nested deeper than" };

	(void)state;
	strcpy(deep, "\"x\":");
	for (int i = 0; i < 100; i++)
		strcat(deep, "[");
	for (int i = 0; i < 100; i++)
		strcat(deep, "]");
	strcat(deep, ",\"z\":");
	expect_refused(&rule);
	rule.find = "\"subject\":";
	strcpy(deep + strlen(deep) - 4, "\"subject\":");
	expect_refused(&rule);
}

/* Put each byte that matters to the scanner in the place of byte @i. */
static void replace_byte(char *text, size_t i)
{
	static const char with[] = "\"[]{},:\\ ";

	for (size_t k = 0; k < sizeof(with) - 1; k++) {
		struct mih_sig_manifest *m;

		strcpy(text, good);
		text[i] = with[k];
		/* The name of the list is how parse_both() finds it. */
		if (strstr(text, "\n\"resources\"") && !parse_both(text, &m))
			mih_sig_manifest_free(m);
	}
}

static void test_statement_both_ways_agree_on_damage(void **state)
{
	size_t len = strlen(good);
	char *text = malloc(len + 1);
	struct mih_sig_manifest *m;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < len - 1; i++) {
		strcpy(text, good);
		text[i] = '\0';
		assert_int_equal(parse(text, &m), MIH_EFORMAT);
		replace_byte(text, i);
	}
	free(text);
}

static const char single[] =
    "{\"_type\":\"https://in-toto.io/Statement/v1\","
    "\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"02d449a31fbb267c"
    "8f352e9968a79e3e5fc95c1bbeaa502fd6454ebde5a4bedc\"}}],"
    "\"predicateType\":\"https://model_signing/signature/v1.0\","
    "\"predicate\":{\"serialization\":{\"method\":\"files\","
    "\"hash_type\":\"blake3\"},\n"
    "\"resources\":[{\"name\":\".\",\"algorithm\":\"blake3\",\"digest\":\"" H11
    "\",\"annotations\":{\"mihfs\":{\"tree\":\"blake3\",\"root\":\"" H11
    "\",\"size\":7}}}]}}";

static void test_statement_single_file_and_blake3(void **state)
{
	struct mih_sig_manifest *m;
	char *other = sig_replace(single, "\"root\":\"1", "\"root\":\"2");

	(void)state;
	if (parse_both(single, &m))
		fail_msg("%s", mih_err_message());
	assert_string_equal(m->resources[0].name, ".");
	assert_int_equal(m->resources[0].alg, MIH_HASH_BLAKE3);
	assert_int_equal(m->resources[0].tree, MIH_HASH_BLAKE3);
	mih_sig_manifest_free(m);
	assert_int_equal(parse_both(other, &m), MIH_EFORMAT);
	sig_expect_story("differs from the digest of the same algorithm");
	free(other);
}

static void test_statement_without_resources(void **state)
{
	static const char *const lists[] = { "[]}}", "[ \n ]}}", "{}}}",
					     "null}}" };
	size_t head = (size_t)(strstr(good, "\n\"resources\":") - good) +
		      strlen("\n\"resources\":");
	char text[1024];
	struct mih_sig_manifest *m;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(lists); i++) {
		snprintf(text, sizeof(text), "%.*s%s", (int)head, good,
			 lists[i]);
		assert_int_equal(parse_both(text, &m), MIH_EFORMAT);
		sig_expect_story("predicate.resources");
	}
}

/* Sixteen megabytes of "{}," would take more than a gigabyte of memory. */
static void test_statement_values_are_bounded(void **state)
{
	static const char *const values[] = { "{},", "[],", "0,",
					      "[0],[1],\"\"," };
	struct mih_sig_manifest *m;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(values); i++) {
		size_t len = strlen(values[i]), n = MIH_SIG_JSON_VALUES_MAX;
		char *list = malloc(16 + n * len + 16), *at = list, *text;

		assert_non_null(list);
		at = stpcpy(at, "{\"more\":[");
		for (size_t k = 0; k < n; k++)
			at = stpcpy(at, values[i]);
		strcpy(at, "0],");
		text = sig_replace(good, "{", list);
		assert_int_equal(parse(text, &m), MIH_EFORMAT);
		sig_expect_story("more than 524288 values in one piece");
		free(text);
		free(list);
	}
}

/* The list may be as long as the model; what is read as one tree may not. */
static void test_statement_one_tree_is_bounded(void **state)
{
	size_t len = MIH_SIG_JSON_TREE_MAX;
	char *space = malloc(len + 2), *with, *text;
	struct mih_sig_manifest *m;

	(void)state;
	assert_non_null(space);
	memset(space, ' ', len);
	strcpy(space + len, "{");
	text = sig_replace(good, "{", space);
	assert_int_equal(parse(text, &m), MIH_EFORMAT);
	sig_expect_story("more than 16777216 bytes of JSON");
	free(text);
	strcpy(space + len, "]");
	space[0] = '\n';
	with = sig_replace(good, "\n]", space);
	assert_int_equal(parse(with, &m), MIH_EFORMAT);
	sig_expect_story("resources[1]");
	free(with);
	/* Half of it on either side of a comma is two elements. */
	space[len / 2] = ',';
	space[len / 2 - 1] = '}';
	space[len / 2 - 2] = '}';
	space[len / 2 + 1] = '{';
	space[len] = '\0';
	text = sig_replace(good, "}},\n{", space);
	assert_int_equal(parse(text, &m), 0);
	mih_sig_manifest_free(m);
	free(text);
	free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statement_good_one),
		cmocka_unit_test(test_statement_rules),
		cmocka_unit_test(test_statement_resource_rules),
		cmocka_unit_test(test_statement_syntax_rules),
		cmocka_unit_test(test_statement_what_may_vary),
		cmocka_unit_test(test_statement_shards),
		cmocka_unit_test(test_statement_shard_rules),
		cmocka_unit_test(test_statement_depth_is_bounded),
		cmocka_unit_test(test_statement_both_ways_agree_on_damage),
		cmocka_unit_test(test_statement_single_file_and_blake3),
		cmocka_unit_test(test_statement_without_resources),
		cmocka_unit_test(test_statement_values_are_bounded),
		cmocka_unit_test(test_statement_one_tree_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
