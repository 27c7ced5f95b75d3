/* Sign, read back, verify; and what must not be signed. */
#include "lib/sig.h"
#include "sig/sig_internal.h"
#include "util/checked.h"

static struct mih_sig_key *load(const char *path)
{
	struct mih_sig_signer signer = { path, NULL, NULL };
	struct mih_sig_key *key;

	if (mih_sig_key_load(&signer, &key))
		fail_msg("%s", mih_err_message());
	return key;
}

/* Four files in no order, two of them annotated. */
static struct mih_sig_resource files[4];
static char *ignored[] = { (char *)".git", (char *)"a \"quoted\"\n" };

static struct mih_sig_manifest make_manifest(void)
{
	static const char *const names[] = { "b/c d", "a\n\"\\\x01\x7f",
					     "\xf0\x9f\x98\x80", "b-\xc3\xa9" };

	for (size_t i = 0; i < MIH_ARRAY_LEN(files); i++) {
		files[i] = (struct mih_sig_resource){ .name = (char *)names[i],
						      .alg = MIH_HASH_SHA256 };
		mih_test_fill(files[i].digest, 32, i);
	}
	files[0].tree = MIH_HASH_MTH4K_SHA512;
	files[0].nbytes = (uint64_t)1 << 60;
	mih_test_fill(files[0].root, 64, 99);
	files[3].tree = MIH_HASH_BLAKE3;
	return (struct mih_sig_manifest){
		.model_name = (char *)"my \"model\"",
		.resources = files,
		.nresources = MIH_ARRAY_LEN(files),
		.allow_symlinks = true,
		.ignore_paths = ignored,
		.nignore_paths = 2,
	};
}

static void assert_resource(const struct mih_sig_resource *got,
			    const struct mih_sig_resource *want)
{
	assert_string_equal(got->name, want->name);
	assert_int_equal(got->alg, want->alg);
	assert_int_equal(got->tree, want->tree);
	assert_true(got->nbytes == want->nbytes);
	assert_memory_equal(got->digest, want->digest, MIH_HASH_LEN_MAX);
	assert_memory_equal(got->root, want->root, MIH_HASH_LEN_MAX);
}

static struct mih_sig_bundle *sign_and_read(const struct mih_sig_manifest *m,
					    const struct mih_sig_key *key)
{
	struct mih_sig_bundle *bundle;
	char *text;
	size_t len;

	if (mih_sig_bundle_sign(m, key, &text, &len))
		fail_msg("%s", mih_err_message());
	assert_int_equal(strlen(text), len);
	sig_write(sig_temp("signed.json"), text, len);
	free(text);
	if (mih_sig_bundle_read(sig_temp("signed.json"), &bundle))
		fail_msg("%s", mih_err_message());
	return bundle;
}

static void round_trip(const char *priv, const char *pub, const char *other)
{
	struct mih_sig_manifest m = make_manifest();
	struct mih_sig_key *key = load(priv);
	struct mih_sig_trust *trust = mih_sig_trust_new();
	struct mih_sig_trust *stranger = mih_sig_trust_new();
	struct mih_sig_bundle *bundle = sign_and_read(&m, key);
	const struct mih_sig_manifest *got = mih_sig_bundle_manifest(bundle);

	assert_int_equal(mih_sig_trust_add_key(trust, pub), 0);
	assert_int_equal(mih_sig_trust_add_key(stranger, other), 0);
	assert_int_equal(mih_sig_bundle_verify(bundle, trust), 0);
	assert_int_equal(mih_sig_bundle_verify(bundle, stranger),
			 MIH_EUNTRUSTED);
	assert_string_equal(got->model_name, m.model_name);
	assert_true(got->allow_symlinks);
	assert_int_equal(got->nignore_paths, 2);
	assert_string_equal(got->ignore_paths[1], ignored[1]);
	assert_int_equal(got->nresources, 4);
	assert_resource(&got->resources[0], &files[1]);
	assert_resource(&got->resources[1], &files[3]);
	assert_resource(&got->resources[2], &files[0]);
	assert_resource(&got->resources[3], &files[2]);
	mih_sig_bundle_free(bundle);
	mih_sig_trust_free(trust);
	mih_sig_trust_free(stranger);
	mih_sig_key_free(key);
}

static void test_sign_round_trip_on_three_curves(void **state)
{
	(void)state;
	round_trip(sig_fixture("key/p256.key.pem"),
		   sig_fixture("key/p256.pub.pem"),
		   sig_fixture("key/other-p256.pub.pem"));
	round_trip(sig_fixture("key/p384.key.pem"),
		   sig_fixture("key/p384.pub.pem"),
		   sig_fixture("key/p256.pub.pem"));
	round_trip(sig_fixture("key/p521.key.pem"),
		   sig_fixture("key/p521.pub.pem"),
		   sig_fixture("key/p384.pub.pem"));
}

static void test_sign_other_digests(void **state)
{
	static const enum mih_hash_alg algs[] = { MIH_HASH_BLAKE3,
						  MIH_HASH_BLAKE2B };
	struct mih_sig_key *key = load(sig_fixture("key/p256.key.pem"));

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(algs); i++) {
		struct mih_sig_manifest m = make_manifest();
		struct mih_sig_bundle *bundle;

		for (size_t k = 0; k < MIH_ARRAY_LEN(files); k++) {
			files[k].alg = algs[i];
			files[k].tree = MIH_HASH_NONE;
			files[k].nbytes = 0;
			memset(files[k].root, 0, sizeof(files[k].root));
			mih_test_fill(files[k].digest,
				      mih_hash_info(algs[i])->len, k);
		}
		bundle = sign_and_read(&m, key);
		assert_resource(&mih_sig_bundle_manifest(bundle)->resources[2],
				&files[0]);
		mih_sig_bundle_free(bundle);
	}
	mih_sig_key_free(key);
}

static void test_sign_single_file(void **state)
{
	struct mih_sig_manifest m = make_manifest();
	struct mih_sig_key *key = load(sig_fixture("key/p256.key.pem"));
	struct mih_sig_bundle *bundle;

	(void)state;
	m.nresources = 1;
	files[0].name = (char *)".";
	bundle = sign_and_read(&m, key);
	assert_resource(mih_sig_bundle_manifest(bundle)->resources, &files[0]);
	mih_sig_bundle_free(bundle);
	mih_sig_key_free(key);
}

static const struct mih_sig_key *signing_key;

static void expect_refused(const struct mih_sig_manifest *m, const char *story)
{
	char *text = NULL;
	size_t len;

	mih_err_clear();
	assert_int_equal(mih_sig_bundle_sign(m, signing_key, &text, &len),
			 -EINVAL);
	assert_null(text);
	sig_expect_story(story);
}

static void test_sign_refuses_names(void **state)
{
	static const struct {
		const char *name, *story;
	} bad[] = {
		{ "/a", "is absolute" },     { "..", "'..' component" },
		{ "a/", "ends in a slash" }, { "", "is empty" },
		{ ".", "'.' component" },    { "\xff", "not valid UTF-8" },
		{ "b", "b/c d: cannot be" }, { "b/c d", "cannot be signed" },
		{ "b/c d/e", "cannot be" },
	};
	struct mih_sig_key *key = load(sig_fixture("key/p256.key.pem"));

	(void)state;
	signing_key = key;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++) {
		struct mih_sig_manifest m = make_manifest();

		files[3].name = (char *)bad[i].name;
		expect_refused(&m, bad[i].story);
	}
	mih_sig_key_free(key);
}

static void test_sign_refuses_other_nonsense(void **state)
{
	struct mih_sig_key *key = load(sig_fixture("key/p256.key.pem"));
	struct mih_sig_manifest m = make_manifest();

	(void)state;
	signing_key = key;
	files[0].nbytes = MIH_SIG_SIZE_MAX + 1;
	expect_refused(&m, "too large");
	m = make_manifest();
	files[0].tree = MIH_HASH_SHA256;
	expect_refused(&m, "no tree");
	m = make_manifest();
	files[2].alg = MIH_HASH_BLAKE3;
	expect_refused(&m, "another digest algorithm");
	m = make_manifest();
	for (size_t i = 0; i < MIH_ARRAY_LEN(files); i++)
		files[i].alg = MIH_HASH_SHA512;
	expect_refused(&m, "OMS does not know");
	m = make_manifest();
	m.nresources = 0;
	expect_refused(&m, "no files");
	m = make_manifest();
	m.model_name = (char *)"\xff";
	expect_refused(&m, "not strict JSON");
	mih_sig_key_free(key);
}

/* DER of a PKCS#8 key on P-256; its last 64 bytes are the public point. */
static int read_der(const char *path, unsigned char **der)
{
	FILE *f = fopen(path, "r");
	PKCS8_PRIV_KEY_INFO *info;
	int len;

	assert_non_null(f);
	info = PEM_read_PKCS8_PRIV_KEY_INFO(f, NULL, NULL, NULL);
	assert_non_null(info);
	fclose(f);
	*der = NULL;
	len = i2d_PKCS8_PRIV_KEY_INFO(info, der);
	assert_true(len > 64);
	PKCS8_PRIV_KEY_INFO_free(info);
	return len;
}

static void test_sign_key_of_two_halves_is_found_out(void **state)
{
	struct mih_sig_manifest m = make_manifest();
	const char *path = sig_temp("halves.pem");
	unsigned char *a, *b;
	int na = read_der(sig_fixture("key/p256.key.pem"), &a);
	int nb = read_der(sig_fixture("key/other-p256.key.pem"), &b);
	FILE *f = fopen(path, "w");
	struct mih_sig_key *key;
	char *text = NULL;
	size_t len;

	(void)state;
	memcpy(a + na - 64, b + nb - 64, 64);
	assert_true(PEM_write(f, "PRIVATE KEY", "", a, na) > 0);
	fclose(f);
	OPENSSL_free(a);
	OPENSSL_free(b);
	key = load(path);
	assert_int_equal(mih_sig_bundle_sign(&m, key, &text, &len), -EIO);
	assert_null(text);
	sig_expect_story("two halves do not match");
	mih_sig_key_free(key);
}

/* What is written does not hang on the order in which files were found. */
static void test_sign_payload_is_the_same_in_any_order(void **state)
{
	struct mih_sig_key *key = load(sig_fixture("key/p256.key.pem"));
	struct mih_sig_manifest m = make_manifest();
	struct mih_sig_bundle *a = sign_and_read(&m, key), *b;
	struct mih_sig_resource first = files[0];

	(void)state;
	files[0] = files[2];
	files[2] = first;
	b = sign_and_read(&m, key);
	assert_memory_equal(&a->pae, &b->pae, sizeof(a->pae));
	mih_sig_bundle_free(a);
	mih_sig_bundle_free(b);
	mih_sig_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_round_trip_on_three_curves),
		cmocka_unit_test(test_sign_other_digests),
		cmocka_unit_test(test_sign_single_file),
		cmocka_unit_test(test_sign_refuses_names),
		cmocka_unit_test(test_sign_refuses_other_nonsense),
		cmocka_unit_test(test_sign_key_of_two_halves_is_found_out),
		cmocka_unit_test(test_sign_payload_is_the_same_in_any_order),
	};

	return cmocka_run_group_tests(tests, sig_setup, sig_teardown);
}
