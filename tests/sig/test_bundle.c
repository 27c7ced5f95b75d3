/* The container's rules, and that no changed bit of a bundle passes. */
#include "lib/sig.h"
#include "sig/sig_internal.h"
#include "util/checked.h"

static char *good; /* key/good-p256.sig */
static size_t good_len;
static struct mih_sig_trust *trusted; /* p256 */

static int setup(void **state)
{
	(void)state;
	good = sig_read(sig_fixture("key/good-p256.sig"), &good_len);
	trusted = mih_sig_trust_new();
	return mih_sig_trust_add_key(trusted, sig_fixture("key/p256.pub.pem"));
}

static int teardown(void **state)
{
	(void)state;
	free(good);
	mih_sig_trust_free(trusted);
	return 0;
}

static mih_err parse(const char *text, size_t len, struct mih_sig_bundle **b)
{
	char *copy = malloc(len + 1);

	*b = NULL;
	assert_non_null(copy);
	memcpy(copy, text, len);
	mih_err_clear();
	return mih_sig_bundle_parse("b.json", copy, len, b);
}

static mih_err verify(const char *text, size_t len)
{
	struct mih_sig_bundle *bundle;
	mih_err err = parse(text, len, &bundle);

	if (!err)
		err = mih_sig_bundle_verify(bundle, trusted);
	mih_sig_bundle_free(bundle);
	return err;
}

struct rule {
	const char *find, *with, *story;
};

#define HINT "b167e77784a753ca5746dbeed1df6995b6ccde609f9debae69f5d036c8541bc7"

static const struct rule rules[] = {
	{ "v0.3+json", "v0.2+json", "mediaType is 'application" },
	{ "\"mediaType\"", "\"mediaTyp\"", "mediaTyp is unknown here" },
	{ "{\n", "{\"x\":1,", "x is unknown here" },
	{ "{\n", "{\"mediaType\":1,", "duplicate" },
	{ "{\n", "[{\n", "not strict JSON" },
	{ "{\n", "// x\n{", "not strict JSON" },
	{ "{\n", "{\"payload\":{\"x\":", "not strict JSON" },
	{ "\"verificationMaterial\": {", "\"verificationMaterial\": {\"x\":1,",
	  "verificationMaterial.x is unknown" },
	{ "\"verificationMaterial\": {",
	  "\"verificationMaterial\": {\"certificate\":{},",
	  "exactly one of publicKey" },
	{ "\"publicKey\": {", "\"timestampVerificationData\": {",
	  "exactly one of publicKey" },
	{ "\"tlogEntries\": []", "\"tlogEntries\": [{}]", "must be empty" },
	{ "\"tlogEntries\": []", "\"tlogEntries\": {}", "must be an array" },
	{ "\"tlogEntries\": []", "\"tlogEntries\": [],\"tlogEntries\": []",
	  "duplicate" },
	{ "\"hint\": \"" HINT "\"", "\"hint\": 1", "must be a string" },
	{ "\"hint\": \"b", "\"hint\": \"B", "64 lowercase hex" },
	{ "\"hint\": \"b", "\"hint\": \"", "64 lowercase hex" },
	{ "\"hint\": \"b", "\"hint\": \"\",\"hint\": \"b", "duplicate" },
	{ "\"hint\"", "\"hunt\"", "publicKey.hunt is unknown here" },
	{ "in-toto+json", "in-toto",
	  "payloadType is 'application/vnd.in-toto'" },
	{ "\"payloadType\"", "\"pt\"", "dsseEnvelope.pt is unknown" },
	{ "\"payload\": \"", "\"payload\": \"=", "not base64" },
	{ "\"payload\": \"", "\"payload\": \"\\u0041", "not base64" },
	{ "\"payload\": \"", "\"payload\": \"Zm9v\",\"payload\": \"",
	  "duplicate" },
	{ "\"payload\": \"", "\"payload\": \"Zm9v\",\"p\\u0061yload\": \"",
	  "duplicate" },
	{ "\"payload\": \"", "\"payload\": 1, \"keyid\": \"",
	  "dsseEnvelope.keyid is unknown" },
	{ "\"payload\": \"", "\"payload\": \"\", \"x\": \"", "x is unknown" },
	{ "\"signatures\": [", "\"signatures\": [{},",
	  "exactly one signature" },
	{ "\"signatures\": [", "\"signatures\": [1,", "exactly one signature" },
	{ "\"signatures\": [", "\"signatures\": {\"x\": [", "not strict" },
	{ "\"sig\": \"", "\"sig\": \"\", \"x\": \"", "x is unknown here" },
	{ "\"sig\": \"", "\"sig\": \"A", "not base64" },
	{ "\"sig\"", "\"signature\"", "signature is unknown here" },
	{ "\"keyid\": \"\"", "\"sig\": \"\"", "duplicate" },
	{ "\"keyid\": \"\"", "\"keyid\": 1", "keyid must be a string" },
	{ "\"keyid\": \"\"", "\"keyid\": {}", "keyid must be a string" },
};

static void test_bundle_rules(void **state)
{
	struct mih_sig_bundle *bundle;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(rules); i++) {
		char *text = sig_replace(good, rules[i].find, rules[i].with);

		if (parse(text, strlen(text), &bundle) != MIH_EFORMAT)
			fail_msg("%s -> %s", rules[i].find, rules[i].with);
		sig_expect_story("b.json: ");
		sig_expect_story(rules[i].story);
		free(text);
	}
}

static void test_bundle_what_may_vary(void **state)
{
	static const struct rule ok[] = {
		{ "\"keyid\": \"\"", "\"keyid\": \"anything\"" },
		{ "\"keyid\": \"\"", "\"keyid\": null" },
		{ ",\n        \"keyid\": \"\"", "" },
		{ ",\n    \"tlogEntries\": []", "" },
		{ "\"tlogEntries\": []", "\"tlogEntries\": null" },
		{ "\"tlogEntries\": []",
		  "\"tlogEntries\":[],\"timestampVerificationData\":{}" },
		{ "\"verificationMaterial\": {",
		  "\"verificationMaterial\": {\"certificate\":null," },
		{ HINT, "" },
		{ "\"" HINT "\"", "null" },
		{ "\"payload\": \"e", "\"payload\": \"\\u0065" },
		{ "\"payload\"", "\"\\u0070ayload\"" },
		{ "dsseEnvelope", "dss\\u0065Envelope" },
	};

	(void)state;
	assert_int_equal(verify(good, good_len), 0);
	for (size_t i = 0; i < MIH_ARRAY_LEN(ok); i++) {
		char *text = sig_replace(good, ok[i].find, ok[i].with);

		if (verify(text, strlen(text)))
			fail_msg("%s: %s", ok[i].with, mih_err_message());
		free(text);
	}
}

/* Not even in the parts that are not signed: one bit makes no white space of
 * another, and every name and text of the container is fixed. */
static void test_bundle_no_flipped_bit_passes(void **state)
{
	char *text = malloc(good_len + 1);

	(void)state;
	for (size_t bit = 0; bit < 8 * good_len; bit++) {
		memcpy(text, good, good_len);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		if (!verify(text, good_len))
			fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
	}
	free(text);
}

/* Put a changed payload back under the old signature. */
static void test_bundle_no_changed_payload_passes(void **state)
{
	const char *base64 = strstr(good, "\"payload\": \"") + 12;
	size_t from = (size_t)(base64 - good);
	size_t len64 = strcspn(base64, "\""), len, passed = 0;
	uint8_t *payload = malloc(len64);
	char *text = malloc(good_len + 1);

	(void)state;
	memcpy(text, good, good_len + 1);
	assert_null(mih_sig_base64_decode(base64, len64, payload, &len));
	for (size_t i = 0; i < len; i++) {
		payload[i] ^= 1 << i % 8;
		mih_sig_base64_encode(payload, len, text + from);
		passed += !verify(text, good_len);
		payload[i] ^= 1 << i % 8;
	}
	mih_sig_base64_encode(payload, len, text + from);
	assert_int_equal(verify(text, good_len), 0);
	assert_int_equal(passed, 0);
	free(payload);
	free(text);
}

static void test_bundle_cut_or_longer(void **state)
{
	char *text = malloc(good_len + 8);

	(void)state;
	for (size_t len = 0; len + 2 < good_len; len++)
		assert_int_equal(verify(good, len), MIH_EFORMAT);
	memcpy(text, good, good_len);
	memcpy(text + good_len, "\n \t\r", 4);
	assert_int_equal(verify(text, good_len + 4), 0);
	text[good_len] = '\0';
	assert_int_equal(verify(text, good_len + 1), MIH_EFORMAT);
	text[good_len] = '}';
	assert_int_equal(verify(text, good_len + 1), MIH_EFORMAT);
	free(text);
}

static void test_bundle_several_keys(void **state)
{
	struct mih_sig_trust *t = mih_sig_trust_new();
	static const char *const keys[] = { "key/other-p256.pub.pem",
					    "key/p384.pub.pem",
					    "key/p256.pub.pem" };
	static const char *const names[] = { "key/good-p256.sig",
					     "key/good-rawbytes.sig",
					     "key/good-p384.sig",
					     "key/good-p521.sig" };
	static const mih_err want[3][4] = {
		{ MIH_EUNTRUSTED, MIH_EUNTRUSTED, MIH_EUNTRUSTED,
		  MIH_EUNTRUSTED },
		{ MIH_EUNTRUSTED, MIH_EUNTRUSTED, 0, MIH_EUNTRUSTED },
		{ 0, 0, 0, MIH_EUNTRUSTED },
	};

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(mih_sig_trust_add_key(t, sig_fixture(keys[k])),
				 0);
		for (size_t i = 0; i < 4; i++) {
			struct mih_sig_bundle *b;

			assert_int_equal(
			    mih_sig_bundle_read(sig_fixture(names[i]), &b), 0);
			assert_int_equal(mih_sig_bundle_verify(b, t),
					 want[k][i]);
			mih_sig_bundle_free(b);
		}
	}
	mih_sig_trust_free(t);
}

static void test_bundle_without_any_key(void **state)
{
	struct mih_sig_trust *nobody = mih_sig_trust_new();
	struct mih_sig_bundle *bundle;

	(void)state;
	assert_int_equal(parse(good, good_len, &bundle), 0);
	assert_int_equal(mih_sig_bundle_verify(bundle, nobody), MIH_ENOANCHOR);
	sig_expect_story("b.json: signed with a key, but no public key is");
	mih_sig_bundle_free(bundle);
	mih_sig_trust_free(nobody);
}

static void test_bundle_missing_file(void **state)
{
	struct mih_sig_bundle *bundle;

	(void)state;
	assert_int_equal(mih_sig_bundle_read("/nonexistent/s.json", &bundle),
			 -ENOENT);
	sig_expect_story("/nonexistent/s.json: ");
	assert_int_equal(mih_sig_bundle_read("/", &bundle), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bundle_rules),
		cmocka_unit_test(test_bundle_what_may_vary),
		cmocka_unit_test(test_bundle_no_flipped_bit_passes),
		cmocka_unit_test(test_bundle_no_changed_payload_passes),
		cmocka_unit_test(test_bundle_cut_or_longer),
		cmocka_unit_test(test_bundle_several_keys),
		cmocka_unit_test(test_bundle_without_any_key),
		cmocka_unit_test(test_bundle_missing_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
