/* Every case of tests/fixtures/key/expect.json, read and verified. None of its
 * bad cases needs the bytes of the model: each must fail here already. */
#include "lib/sig.h"
#include "sig/bundle.h"

#include <jansson.h>

static mih_err verify(const char *bundle_path, const char *key_path)
{
	struct mih_sig_trust *trust = mih_sig_trust_new();
	struct mih_sig_bundle *bundle = NULL;
	mih_err err;

	assert_non_null(trust);
	mih_err_clear();
	assert_int_equal(mih_sig_trust_add_key(trust, key_path), 0);
	err = mih_sig_bundle_read(bundle_path, &bundle);
	if (!err)
		err = mih_sig_bundle_verify(bundle, trust);
	mih_sig_bundle_free(bundle);
	mih_sig_trust_free(trust);
	return err;
}

static const char *text(const json_t *c, const char *key)
{
	return json_string_value(json_object_get(c, key));
}

static void check_case(const json_t *c)
{
	char key[128], file[128];
	bool pass = !strcmp(text(c, "expect"), "pass");
	mih_err err;

	snprintf(key, sizeof(key), "key/%s", text(c, "public_key"));
	snprintf(file, sizeof(file), "key/%s", text(c, "bundle"));
	err = verify(sig_fixture(file), sig_fixture(key));
	print_message("# %s: %d %s\n", text(c, "name"), err,
		      err ? mih_err_message() : "good");
	if (pass != !err)
		fail_msg("%s", text(c, "name"));
	if (err)
		assert_true(err == MIH_EFORMAT || err == MIH_EUNTRUSTED);
	if (err)
		sig_expect_story(".sig: ");
}

static void test_fixtures_key_cases(void **state)
{
	json_t *all = json_load_file(sig_fixture("key/expect.json"), 0, NULL);
	const json_t *cases = json_object_get(all, "cases"), *c;
	size_t i;

	(void)state;
	assert_true(json_array_size(cases) >= 40);
	json_array_foreach(cases, i, c) check_case(c);
	json_decref(all);
}

static void expect_refused(const char *name, enum mih_sig_method method,
			   const char *words)
{
	struct mih_sig_bundle *bundle = NULL;
	struct mih_sig_trust *trust = mih_sig_trust_new();

	assert_int_equal(
	    mih_sig_trust_add_key(trust, sig_fixture("key/p256.pub.pem")), 0);
	assert_int_equal(mih_sig_bundle_read(sig_fixture(name), &bundle), 0);
	assert_int_equal(mih_sig_bundle_method(bundle), method);
	assert_int_equal(mih_sig_bundle_verify(bundle, trust), MIH_ENOANCHOR);
	sig_expect_story(words);
	mih_sig_bundle_free(bundle);
	mih_sig_trust_free(trust);
}

static void test_fixtures_other_methods_need_other_trust(void **state)
{
	static const char cert[] = "signed with a certificate, but no "
				   "certificate chain is trusted";
	static const char keyless[] = "signed keyless (Sigstore), but no "
				      "identity is trusted";

	(void)state;
	expect_refused("cert/good.sig", MIH_SIG_CERTIFICATE, cert);
	expect_refused("cert/good-p384.sig", MIH_SIG_CERTIFICATE, cert);
	expect_refused("keyless/good.sig", MIH_SIG_KEYLESS, keyless);
	expect_refused("keyless/good-uri.sig", MIH_SIG_KEYLESS, keyless);
}

static void test_fixtures_manifest_is_what_was_signed(void **state)
{
	const struct mih_sig_manifest *m;
	struct mih_sig_bundle *bundle = NULL;

	(void)state;
	assert_int_equal(
	    mih_sig_bundle_read(sig_fixture("key/good-escapes.sig"), &bundle),
	    0);
	m = mih_sig_bundle_manifest(bundle);
	assert_string_equal(m->model_name, "model");
	assert_int_equal(m->nresources, 4);
	assert_string_equal(m->resources[0].name, "config.json");
	assert_string_equal(m->resources[3].name, "weights/model.bin");
	assert_int_equal(m->resources[3].alg, MIH_HASH_SHA256);
	assert_int_equal(m->resources[3].tree, MIH_HASH_NONE);
	assert_int_equal(m->resources[3].digest[0], 0x0c);
	assert_int_equal(m->resources[3].digest[31], 0x95);
	assert_false(m->allow_symlinks);
	assert_int_equal(m->nignore_paths, 4);
	assert_string_equal(m->ignore_paths[3], ".gitignore");
	assert_string_equal(mih_sig_bundle_signer(bundle),
			    "key sha256:b167e77784a753ca5746dbeed1df6995b6ccde"
			    "609f9debae69f5d036c8541bc7");
	mih_sig_bundle_free(bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixtures_key_cases),
		cmocka_unit_test(test_fixtures_other_methods_need_other_trust),
		cmocka_unit_test(test_fixtures_manifest_is_what_was_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
