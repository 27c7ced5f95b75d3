/* Every case of tests/fixtures/cert/expect.json, for the reason it says; rules
 * beside the chain; and signing with a certificate. */
#include "lib/sig.h"
#include "sig/bundle.h"
#include "util/checked.h"

#include <jansson.h>
#include <openssl/x509v3.h>

/* What our stories call the checks of expect.json. */
static const struct {
	const char *check, *words;
} steps[] = {
	{ "leaf-time", ": certificate validity: " },
	{ "leaf-usage", ": certificate usage: " },
	{ "chain", ": certificate chain: " },
	{ "dsse-signature", ": signature: " },
	{ "resource-name", "predicate.resources[0].name" },
	{ "material", "x509CertificateChain.certificates is empty" },
};

static const char *text(const json_t *c, const char *key)
{
	return json_string_value(json_object_get(c, key));
}

static bool names_step(const char *check)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(steps); i++)
		if (!strcmp(steps[i].check, check))
			return strstr(mih_err_message(), steps[i].words);
	return false;
}

static struct mih_sig_trust *trust_of(const char *chain)
{
	struct mih_sig_trust *trust = mih_sig_trust_new();

	assert_non_null(trust);
	assert_int_equal(mih_sig_trust_add_chain(trust, chain), 0);
	return trust;
}

static mih_err verify(const char *path, struct mih_sig_trust *trust,
		      const struct mih_sig_certificate_rules *rules)
{
	struct mih_sig_bundle *bundle = NULL;
	mih_err err = 0;

	mih_err_clear();
	if (rules)
		err = mih_sig_trust_set_rules(trust, rules);
	if (!err)
		err = mih_sig_bundle_read(path, &bundle);
	if (!err)
		err = mih_sig_bundle_verify(bundle, trust);
	mih_sig_bundle_free(bundle);
	mih_sig_trust_free(trust);
	return err;
}

/* A wrong order is seen at the usage of what then comes first. */
static bool is_for_the_reason(const json_t *c)
{
	const json_t *also = json_object_get(c, "also_fails"), *word;
	size_t i;

	if (names_step(text(c, "check")))
		return true;
	json_array_foreach(also, i, word)
	{
		if (names_step(json_string_value(word)))
			return true;
	}
	return false;
}

static void check_case(const json_t *c)
{
	/* The one case of a fixed time is within the year of its leaf. */
	const struct mih_sig_certificate_rules rules = {
		.at_signing_time = json_object_get(c, "verify_time"),
	};
	char chain[128], file[128];
	bool pass = !strcmp(text(c, "expect"), "pass");
	mih_err err;

	snprintf(chain, sizeof(chain), "cert/%s", text(c, "certificate_chain"));
	snprintf(file, sizeof(file), "cert/%s", text(c, "bundle"));
	err = verify(sig_fixture(file), trust_of(sig_fixture(chain)), &rules);
	print_message("# %s: %d %s\n", text(c, "name"), err,
		      err ? mih_err_message() : "good");
	if (pass != !err)
		fail_msg("%s", text(c, "name"));
	if (err && !is_for_the_reason(c))
		fail_msg("%s: '%s' does not speak of %s", text(c, "name"),
			 mih_err_message(), text(c, "check"));
}

static void test_certificate_cases(void **state)
{
	json_t *all = json_load_file(sig_fixture("cert/expect.json"), 0, NULL);
	const json_t *cases = json_object_get(all, "cases"), *c;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(cases), 19);
	json_array_foreach(cases, i, c) check_case(c);
	json_decref(all);
}

static mih_err verify_good(const struct mih_sig_certificate_rules *rules)
{
	return verify(sig_fixture("cert/good.sig"),
		      trust_of(sig_fixture("cert/root.pem")), rules);
}

static void test_certificate_needs_its_kind_of_trust(void **state)
{
	struct mih_sig_trust *trust = mih_sig_trust_new();

	(void)state;
	assert_int_equal(
	    mih_sig_trust_add_key(trust, sig_fixture("key/p256.pub.pem")), 0);
	assert_int_equal(verify(sig_fixture("cert/good.sig"), trust, NULL),
			 MIH_ENOANCHOR);
	sig_expect_story("no certificate chain is trusted");
	assert_int_equal(verify(sig_fixture("key/good-p256.sig"),
				trust_of(sig_fixture("cert/root.pem")), NULL),
			 MIH_ENOANCHOR);
}

static void test_certificate_name_and_usage_can_be_pinned(void **state)
{
	struct mih_sig_certificate_rules rules = { .eku = "codeSigning",
						   .log_fingerprints = true };

	(void)state;
	assert_int_equal(verify_good(&rules), 0);
	rules.eku = "1.3.6.1.5.5.7.3.3";
	assert_int_equal(verify_good(&rules), 0);
	rules.eku = "serverAuth";
	assert_int_equal(verify_good(&rules), MIH_EUNTRUSTED);
	sig_expect_story(": certificate usage: extended key usage");
	rules.eku = "no such usage";
	assert_int_equal(verify_good(&rules), MIH_EUSAGE);
	rules = (struct mih_sig_certificate_rules){ .name = "someone else" };
	assert_int_equal(verify_good(&rules), MIH_EUNTRUSTED);
	sig_expect_story(": certificate name: expected 'someone else'");
}

static void expect_no_chain(const char *path, const char *words)
{
	struct mih_sig_trust *trust = mih_sig_trust_new();

	assert_int_equal(mih_sig_trust_add_chain(trust, path), MIH_ENOANCHOR);
	sig_expect_story(words);
	mih_sig_trust_free(trust);
}

static void test_certificate_files_are_refused_if_not_certificates(void **state)
{
	char *pem;
	size_t len;
	const char *broken = sig_temp("broken.pem");

	(void)state;
	expect_no_chain(sig_temp("none.pem"), "none.pem");
	expect_no_chain(sig_fixture("key/p256.pub.pem"), "no PEM certificate");
	expect_no_chain(sig_fixture("cert/root.key.pem"), "private key");
	pem = sig_read(sig_fixture("cert/root.pem"), &len);
	memcpy(strchr(pem, '\n') + 10, "%%%%", 4);
	sig_write(broken, pem, len);
	expect_no_chain(broken, "cannot be read");
	free(pem);
}

/* --- revocation -------------------------------------------------------- */

static X509 *load_cert(const char *path)
{
	FILE *f = fopen(path, "r");
	X509 *cert = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

	assert_non_null(cert);
	fclose(f);
	return cert;
}

static EVP_PKEY *load_key(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

	assert_non_null(key);
	fclose(f);
	return key;
}

/* The certificates of a bundle, as PEM files of their own. */
static const char *bundle_cert(const char *bundle, size_t i)
{
	json_t *json = json_load_file(sig_fixture(bundle), 0, NULL);
	const json_t *list = json_object_get(
	    json_object_get(json_object_get(json, "verificationMaterial"),
			    "x509CertificateChain"),
	    "certificates");
	const char *base64 = json_string_value(
	    json_object_get(json_array_get(list, i), "rawBytes"));
	char name[64];
	const char *path;
	FILE *f;

	snprintf(name, sizeof(name), "cert-%zu.pem", i);
	path = sig_temp(name);
	f = fopen(path, "w");
	assert_non_null(base64);
	fprintf(f, "-----BEGIN CERTIFICATE-----\n");
	for (size_t at = 0; at < strlen(base64); at += 64)
		fprintf(f, "%.64s\n", base64 + at);
	fprintf(f, "-----END CERTIFICATE-----\n");
	fclose(f);
	json_decref(json);
	return path;
}

static const char *make_crl(const char *name, X509 *issuer, const char *key,
			    X509 *revoked)
{
	X509_CRL *crl = X509_CRL_new();
	EVP_PKEY *pkey = load_key(sig_fixture(key));
	ASN1_TIME *now = X509_gmtime_adj(NULL, -3600);
	ASN1_TIME *next = X509_gmtime_adj(NULL, 3600);
	FILE *f = fopen(sig_temp(name), "w");

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, next);
	if (revoked) {
		X509_REVOKED *entry = X509_REVOKED_new();

		X509_REVOKED_set_serialNumber(entry,
					      X509_get_serialNumber(revoked));
		X509_REVOKED_set_revocationDate(entry, now);
		X509_CRL_add0_revoked(crl, entry);
	}
	assert_true(X509_CRL_sign(crl, pkey, EVP_sha384()) > 0);
	assert_int_equal(PEM_write_X509_CRL(f, crl), 1);
	fclose(f);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	EVP_PKEY_free(pkey);
	X509_CRL_free(crl);
	return sig_temp(name);
}

static mih_err verify_below(const char *chain, const char *a, const char *b)
{
	struct mih_sig_trust *trust = trust_of(sig_fixture(chain));

	assert_int_equal(mih_sig_trust_add_crl(trust, a), 0);
	if (b)
		assert_int_equal(mih_sig_trust_add_crl(trust, b), 0);
	return verify(sig_fixture("cert/good.sig"), trust, NULL);
}

static mih_err verify_with_crls(const char *a, const char *b)
{
	return verify_below("cert/root.pem", a, b);
}

static void test_certificate_revocation_is_checked_when_asked(void **state)
{
	X509 *leaf = load_cert(bundle_cert("cert/good.sig", 0));
	X509 *middle = load_cert(bundle_cert("cert/good.sig", 1));
	X509 *root = load_cert(sig_fixture("cert/root.pem"));
	const char *of_root =
	    make_crl("root.crl", root, "cert/root.key.pem", NULL);
	const char *of_middle =
	    make_crl("middle.crl", middle, "cert/intermediate.key.pem", NULL);
	const char *bad =
	    make_crl("bad.crl", middle, "cert/intermediate.key.pem", leaf);
	struct mih_sig_trust *trust = mih_sig_trust_new();

	(void)state;
	assert_int_equal(verify_with_crls(of_root, of_middle), 0);
	assert_int_equal(verify_with_crls(of_root, bad), MIH_EUNTRUSTED);
	sig_expect_story("certificate revoked");
	assert_int_equal(verify_with_crls(of_root, NULL), MIH_EUNTRUSTED);
	sig_expect_story("unable to get certificate CRL");
	/* Nobody but the root can say that the intermediate is revoked. */
	assert_int_equal(
	    verify_below("cert/root-and-intermediate.pem", of_root, of_middle),
	    0);
	assert_int_equal(verify_below("cert/root-and-intermediate.pem",
				      make_crl("gone.crl", root,
					       "cert/root.key.pem", middle),
				      of_middle),
			 MIH_EUNTRUSTED);
	sig_expect_story("certificate revoked (certificate 1, ");
	assert_int_equal(
	    mih_sig_trust_add_crl(trust, sig_fixture("cert/root.pem")),
	    MIH_ENOANCHOR);
	sig_expect_story("not a revocation list");
	mih_sig_trust_free(trust);
	X509_free(leaf);
	X509_free(middle);
	X509_free(root);
}

/* --- signing ----------------------------------------------------------- */

static struct mih_sig_manifest manifest(struct mih_sig_resource *one)
{
	*one = (struct mih_sig_resource){ .name = (char *)"a",
					  .alg = MIH_HASH_SHA256 };
	return (struct mih_sig_manifest){ .model_name = (char *)"model",
					  .resources = one,
					  .nresources = 1 };
}

static mih_err sign(const struct mih_sig_signer *signer, const char *path)
{
	struct mih_sig_resource one;
	struct mih_sig_manifest m = manifest(&one);
	struct mih_sig_key *key = NULL;
	char *json = NULL;
	size_t len;
	mih_err err = mih_sig_key_load(signer, &key);

	if (!err)
		err = mih_sig_bundle_sign(&m, key, &json, &len);
	if (!err)
		sig_write(path, json, len);
	free(json);
	mih_sig_key_free(key);
	return err;
}

static void test_certificate_signs(void **state)
{
	const char *chain[] = { bundle_cert("cert/good.sig", 1) };
	struct mih_sig_signer signer = {
		.key_path = sig_fixture("cert/leaf.key.pem"),
		.certificate_path = bundle_cert("cert/good.sig", 0),
		.chain_paths = chain,
		.nchain = 1,
	};
	const char *path = sig_temp("out.sig");
	const char *root = sig_fixture("cert/root.pem");

	(void)state;
	assert_int_equal(sign(&signer, path), 0);
	assert_int_equal(verify(path, trust_of(root), NULL), 0);
	assert_int_equal(
	    verify(path, trust_of(sig_fixture("cert/other-root.pem")), NULL),
	    MIH_EUNTRUSTED);
	/* Without the chain only those who have the rest can follow. */
	signer.nchain = 0;
	assert_int_equal(sign(&signer, path), 0);
	assert_int_equal(verify(path, trust_of(root), NULL), MIH_EUNTRUSTED);
	assert_int_equal(verify(path, trust_of(chain[0]), NULL), 0);
}

static void test_certificate_that_cannot_sign_is_refused(void **state)
{
	const char *chain[] = { sig_fixture("cert/other-root.pem") };
	struct mih_sig_signer signer = {
		.key_path = sig_fixture("key/p256.key.pem"),
		.certificate_path = bundle_cert("cert/good.sig", 0),
	};
	const char *path = sig_temp("never.sig");

	(void)state;
	assert_int_equal(sign(&signer, path), MIH_EUNTRUSTED);
	sig_expect_story("not for this private key");
	signer.key_path = sig_fixture("cert/leaf.key.pem");
	signer.chain_paths = chain;
	signer.nchain = 1;
	assert_int_equal(sign(&signer, path), MIH_EUNTRUSTED);
	sig_expect_story(": certificate chain: ");
	signer.nchain = 0;
	signer.certificate_path = sig_fixture("cert/root.key.pem");
	assert_int_equal(sign(&signer, path), MIH_EFORMAT);
	signer.key_path = sig_fixture("cert/root.key.pem");
	signer.certificate_path = sig_fixture("cert/root.pem");
	assert_int_equal(sign(&signer, path), MIH_EUNTRUSTED);
	sig_expect_story(": certificate usage: ");
}

/* --- one field changed ------------------------------------------------- */

/* Any changed character of any certificate, or of the signature, is seen. */
static void test_certificate_mutations_are_refused(void **state)
{
	size_t len, tried = 0;
	char *good = sig_read(sig_fixture("cert/good.sig"), &len);
	const char *path = sig_temp("mutant.sig");
	char *end = strstr(good, "dsseEnvelope");

	(void)state;
	assert_non_null(end);
	for (char *at = strstr(good, "rawBytes"); at && at < end; at += 41) {
		char was = *at;

		*at = was == 'A' ? 'B' : 'A';
		sig_write(path, good, len);
		/* A list may end in what nobody needs: at most white space. */
		if (!verify(path, trust_of(sig_fixture("cert/root.pem")), NULL))
			assert_true(strchr(" \n", was));
		*at = was;
		tried++;
	}
	assert_true(tried > 20);
	free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_cases),
		cmocka_unit_test(test_certificate_needs_its_kind_of_trust),
		cmocka_unit_test(test_certificate_name_and_usage_can_be_pinned),
		cmocka_unit_test(
		    test_certificate_files_are_refused_if_not_certificates),
		cmocka_unit_test(
		    test_certificate_revocation_is_checked_when_asked),
		cmocka_unit_test(test_certificate_signs),
		cmocka_unit_test(test_certificate_that_cannot_sign_is_refused),
		cmocka_unit_test(test_certificate_mutations_are_refused),
	};

	return cmocka_run_group_tests(tests, sig_setup, sig_teardown);
}
