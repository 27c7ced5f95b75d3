/* Every case of tests/fixtures/keyless/expect.json, for the reason it says;
 * identities; and each single field of the material changed. */
#include "lib/sig.h"
#include "sig/bundle.h"
#include "util/checked.h"

#include <jansson.h>

#define NAME   "release@mihfs.test"
#define ISSUER "https://issuer.mihfs.test"

/* What our stories call the checks of expect.json. */
static const struct {
	const char *check, *words;
} steps[] = {
	{ "identity", ": identity: expected '" },
	{ "issuer", ": issuer: expected '" },
	{ "dsse-signature", ": signature: " },
	{ "statement", "predicateType" },
	{ "statement", "subject" },
	{ "root-digest", "digest" },
	{ "resource-name", "resources" },
	{ "resource-name", "config.json" },
	{ "set", ": signed entry timestamp: " },
	{ "inclusion-proof", ": inclusion proof: leads to root hash " },
	{ "checkpoint", ": checkpoint: the signature is not by log " },
	{ "sct", ": SCT: " },
	{ "log-body", ": log entry body: is for another signature" },
	{ "time", ": certificate validity: " },
	{ "chain", ": certificate chain: " },
	{ "rfc3161", ": RFC 3161 timestamp: " },
	{ "log-missing", ": transparency log: no entry" },
	{ "no-time", ": time of signing: neither" },
	{ "checkpoint-hint", ": checkpoint: no signature by log " },
	{ "body-payload", ": log entry body: is for another payload" },
	{ "body-certificate", ": log entry body: is for another certificate" },
	{ "body-kind", ": log entry body.kind is 'dsse', not 'intoto'" },
};

static const char *text(const json_t *c, const char *key)
{
	return json_string_value(json_object_get(c, key));
}

static bool names_step(const char *check)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(steps); i++)
		if (!strcmp(steps[i].check, check) &&
		    strstr(mih_err_message(), steps[i].words))
			return true;
	return false;
}

static struct mih_sig_trust *trust_of(const struct mih_sig_identity *who,
				      const char *root)
{
	struct mih_sig_trust *trust = mih_sig_trust_new();

	assert_non_null(trust);
	assert_int_equal(mih_sig_trust_set_root(trust, root), 0);
	assert_int_equal(mih_sig_trust_set_identity(trust, who), 0);
	return trust;
}

static mih_err verify(const char *path, struct mih_sig_trust *trust)
{
	struct mih_sig_bundle *bundle = NULL;
	mih_err err;

	mih_err_clear();
	err = mih_sig_bundle_read(path, &bundle);
	if (!err)
		err = mih_sig_bundle_verify(bundle, trust);
	mih_sig_bundle_free(bundle);
	mih_sig_trust_free(trust);
	return err;
}

static mih_err verify_as(const char *name, const char *issuer, bool is_regex)
{
	const struct mih_sig_identity who = { name, is_regex, issuer };

	return verify(sig_fixture("keyless/good.sig"),
		      trust_of(&who, sig_fixture("keyless/trusted_root.json")));
}

static void check_case(const char *folder, const json_t *c)
{
	const struct mih_sig_identity who = { text(c, "identity"), false,
					      text(c, "issuer") };
	bool pass = !strcmp(text(c, "expect"), "pass");
	char root[128], file[128];
	mih_err err;

	snprintf(root, sizeof(root), "%s/%s", folder, text(c, "trusted_root"));
	snprintf(file, sizeof(file), "%s/%s", folder, text(c, "bundle"));
	err = verify(sig_fixture(file), trust_of(&who, sig_fixture(root)));
	print_message("# %s: %d %s\n", text(c, "name"), err,
		      err ? mih_err_message() : "good");
	if (pass != !err)
		fail_msg("%s", text(c, "name"));
	if (err && !names_step(text(c, "check")))
		fail_msg("%s: '%s' does not speak of %s", text(c, "name"),
			 mih_err_message(), text(c, "check"));
}

static void check_folder(const char *folder, size_t n)
{
	char file[128];
	json_t *all;
	const json_t *cases, *c;
	size_t i;

	snprintf(file, sizeof(file), "%s/expect.json", folder);
	all = json_load_file(sig_fixture(file), 0, NULL);
	cases = json_object_get(all, "cases");
	assert_int_equal(json_array_size(cases), n);
	json_array_foreach(cases, i, c) check_case(folder, c);
	json_decref(all);
}

static void test_keyless_cases(void **state)
{
	(void)state;
	check_folder("keyless", 27);
}

/* Rekor v2, every kind of entry, and both extensions of the issuer. */
static void test_keyless_kinds(void **state)
{
	(void)state;
	check_folder("keyless-kinds", 22);
}

/* --- identity ---------------------------------------------------------- */

static void test_keyless_identity_is_compared_whole(void **state)
{
	(void)state;
	assert_int_equal(verify_as(NAME, ISSUER, false), 0);
	assert_int_equal(verify_as(NAME, ISSUER "/", false), MIH_EUNTRUSTED);
	assert_int_equal(verify_as("release@mihfs.tes.", ISSUER, false),
			 MIH_EUNTRUSTED);
	sig_expect_story("expected 'release@mihfs.tes.', found '" NAME "'");
}

static void test_keyless_expressions_match_whole(void **state)
{
	static const char *const good[] = { "[a-z]+@mihfs\\.test",
					    "other|release@mihfs.test",
					    "rel|release.*", ".*",
					    "^release@mihfs.test$" };
	static const char *const bad[] = { "release", "mihfs\\.test",
					   "x|release", "release@mihfs.tes",
					   "elease@mihfs.test" };

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(good); i++)
		assert_int_equal(verify_as(good[i], ISSUER, true), 0);
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++) {
		assert_int_equal(verify_as(bad[i], ISSUER, true),
				 MIH_EUNTRUSTED);
		sig_expect_story("(expression), found '" NAME "'");
	}
}

static void test_keyless_policy_must_be_whole(void **state)
{
	static const struct mih_sig_identity bad[] = {
		{ NULL, false, ISSUER }, { "", false, ISSUER },
		{ NAME, false, NULL },	 { NAME, false, "" },
		{ "(", true, ISSUER },
	};
	struct mih_sig_trust *trust = mih_sig_trust_new();

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++)
		assert_int_equal(mih_sig_trust_set_identity(trust, &bad[i]),
				 MIH_EUSAGE);
	assert_int_equal(verify(sig_fixture("keyless/good.sig"), trust),
			 MIH_ENOANCHOR);
	sig_expect_story("no identity is trusted");
}

static void test_keyless_signer_is_named(void **state)
{
	struct mih_sig_bundle *bundle = NULL;

	(void)state;
	assert_int_equal(
	    mih_sig_bundle_read(sig_fixture("keyless/good.sig"), &bundle), 0);
	assert_string_equal(mih_sig_bundle_signer(bundle),
			    "identity '" NAME "' by " ISSUER);
	mih_sig_bundle_free(bundle);
}

/* --- one field changed ------------------------------------------------- */

static json_t *load(const char *path)
{
	json_t *json = json_load_file(path, 0, NULL);

	assert_non_null(json);
	return json;
}

static const char *save(const json_t *json)
{
	static unsigned n;
	char name[32];
	const char *path;

	snprintf(name, sizeof(name), "mutant-%u.json", n++ % 16);
	path = sig_temp(name);
	assert_int_equal(json_dump_file(json, path, 0), 0);
	return path;
}

static json_t *material(json_t *bundle)
{
	return json_object_get(bundle, "verificationMaterial");
}

/* One other character, of the same alphabet. */
static json_t *other_text(const char *was, size_t at)
{
	char *now = strdup(was);
	json_t *json;

	now[at] = now[at] == 'A' ? 'B' : 'A';
	if (was[at] >= '0' && was[at] <= '9')
		now[at] = was[at] == '9' ? '8' : (char)(was[at] + 1);
	json = json_string(now);
	free(now);
	return json;
}

static mih_err verify_json(const json_t *bundle, const json_t *root)
{
	static const struct mih_sig_identity who = { NAME, false, ISSUER };

	return verify(save(bundle), trust_of(&who, save(root)));
}

/** All strings of a document, in turn. */
struct mutation {
	json_t *bundle, *root;
	size_t tried;
};

static void mutate(struct mutation *m, json_t *container, const char *key,
		   size_t index)
{
	bool is_object = json_is_object(container);
	json_t *was = json_incref(is_object ? json_object_get(container, key)
					    : json_array_get(container, index));
	size_t len = json_string_length(was);

	for (size_t i = 0; len && i < 3; i++) {
		json_t *now =
		    other_text(json_string_value(was), (len - 1) * i / 2);

		if (is_object)
			json_object_set_new(container, key, now);
		else
			json_array_set_new(container, index, now);
		if (!verify_json(m->bundle, m->root))
			fail_msg("'%s' may be changed at %zu", key,
				 (len - 1) * i / 2);
		m->tried++;
	}
	if (is_object)
		json_object_set(container, key, was);
	else
		json_array_set(container, index, was);
	json_decref(was);
}

static void mutate_all(struct mutation *m, json_t *node)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(node, key, value)
	{
		if (json_is_string(value))
			mutate(m, node, key, 0);
		else
			mutate_all(m, value);
	}
	json_array_foreach(node, i, value)
	{
		if (json_is_string(value))
			mutate(m, node, "array", i);
		else
			mutate_all(m, value);
	}
}

static void test_keyless_every_text_of_the_material_counts(void **state)
{
	struct mutation m = {
		.bundle = load(sig_fixture("keyless/good.sig")),
		.root = load(sig_fixture("keyless/trusted_root.json")),
	};

	(void)state;
	assert_int_equal(verify_json(m.bundle, m.root), 0);
	mutate_all(&m, material(m.bundle));
	assert_true(m.tried >= 40);
	assert_int_equal(verify_json(m.bundle, m.root), 0);
	json_decref(m.bundle);
	json_decref(m.root);
}

/* Take one member away; the story must hold @words. */
static void expect_needed(json_t *node, const char *key, json_t *bundle,
			  const char *words)
{
	json_t *root = load(sig_fixture("keyless/trusted_root.json"));
	json_t *was = json_incref(json_object_get(node, key));

	assert_non_null(was);
	json_object_del(node, key);
	assert_int_not_equal(verify_json(bundle, root), 0);
	sig_expect_story(words);
	json_object_set_new(node, key, was);
	json_decref(root);
}

static void test_keyless_missing_parts_are_named(void **state)
{
	json_t *bundle = load(sig_fixture("keyless/good-uri.sig"));
	json_t *entry =
	    json_array_get(json_object_get(material(bundle), "tlogEntries"), 0);
	json_t *proof = json_object_get(entry, "inclusionProof");

	(void)state;
	expect_needed(material(bundle), "tlogEntries", bundle,
		      ": transparency log: no entry");
	expect_needed(entry, "inclusionProof", bundle,
		      "inclusionProof is missing");
	expect_needed(entry, "inclusionPromise", bundle,
		      ": time of signing: neither");
	expect_needed(entry, "canonicalizedBody", bundle,
		      "canonicalizedBody is missing");
	expect_needed(entry, "logId", bundle, "logId is missing");
	expect_needed(proof, "checkpoint", bundle, "checkpoint is missing");
	expect_needed(proof, "hashes", bundle, ": identity: ");
	json_decref(bundle);
}

static void test_keyless_unknown_members_are_refused(void **state)
{
	static const char *const owners[] = { "logId", "kindVersion",
					      "inclusionPromise",
					      "inclusionProof" };
	json_t *bundle = load(sig_fixture("keyless/good.sig"));
	json_t *root = load(sig_fixture("keyless/trusted_root.json"));
	json_t *entry =
	    json_array_get(json_object_get(material(bundle), "tlogEntries"), 0);

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(owners); i++) {
		json_t *owner = json_object_get(entry, owners[i]);

		json_object_set_new(owner, "more", json_null());
		assert_int_equal(verify_json(bundle, root), MIH_EFORMAT);
		sig_expect_story(".more is unknown here");
		json_object_del(owner, "more");
	}
	assert_int_equal(verify_json(bundle, root), 0);
	json_decref(bundle);
	json_decref(root);
}

/* --- the trusted root -------------------------------------------------- */

static mih_err verify_good_with(const json_t *root)
{
	json_t *bundle = load(sig_fixture("keyless/good.sig"));
	mih_err err = verify_json(bundle, root);

	json_decref(bundle);
	return err;
}

static json_t *first(json_t *root, const char *list)
{
	return json_array_get(json_object_get(root, list), 0);
}

static json_t *certificates(json_t *root, const char *list)
{
	return json_object_get(json_object_get(first(root, list), "certChain"),
			       "certificates");
}

static void close_window(json_t *owner, const char *words)
{
	json_t *window = json_object_get(owner, "validFor");

	json_object_set_new(window, "end", json_string("2026-03-14T09:00:00Z"));
	(void)words;
}

static void expect_closed(const char *list, bool in_key, const char *words)
{
	json_t *root = load(sig_fixture("keyless/trusted_root.json"));
	json_t *owner = first(root, list);

	if (in_key)
		owner = json_object_get(owner, "publicKey");
	close_window(owner, words);
	assert_int_equal(verify_good_with(root), MIH_EUNTRUSTED);
	sig_expect_story(words);
	json_decref(root);
}

static void test_keyless_windows_of_trust_are_kept(void **state)
{
	(void)state;
	expect_closed("certificateAuthorities", false,
		      ": certificate chain: no authority");
	expect_closed("timestampAuthorities", false,
		      ": RFC 3161 timestamp: of 2026-03-14T09:26:55Z: no "
		      "authority");
	expect_closed("ctlogs", true,
		      ": SCT: certificate log ctfe.mihfs.test "
		      "was not in use at ");
	expect_closed("tlogs", true,
		      ": transparency log: rekor.mihfs.test was "
		      "not in use at ");
}

static void test_keyless_logs_must_be_known(void **state)
{
	json_t *root = load(sig_fixture("keyless/trusted_root.json"));

	(void)state;
	json_array_clear(json_object_get(root, "ctlogs"));
	assert_int_equal(verify_good_with(root), MIH_EUNTRUSTED);
	sig_expect_story(": SCT: the certificate has none by");
	json_decref(root);
	root = load(sig_fixture("keyless/trusted_root.json"));
	json_object_set_new(
	    json_object_get(first(root, "tlogs"), "logId"), "keyId",
	    json_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	assert_int_equal(verify_good_with(root), MIH_EUNTRUSTED);
	sig_expect_story("is not in the trusted root");
	json_decref(root);
	root = load(sig_fixture("keyless/trusted_root.json"));
	json_object_set_new(first(root, "tlogs"), "baseUrl",
			    json_string("https://rekor.other.test/x"));
	assert_int_equal(verify_good_with(root), MIH_EUNTRUSTED);
	sig_expect_story(": checkpoint: origin is 'rekor.mihfs.test - ");
	json_decref(root);
}

static void expect_no_root(const char *words, json_t *root)
{
	struct mih_sig_trust *trust = mih_sig_trust_new();

	assert_int_equal(mih_sig_trust_set_root(trust, save(root)),
			 MIH_ENOANCHOR);
	sig_expect_story(words);
	mih_sig_trust_free(trust);
	json_decref(root);
}

/* The root of an authority also made a certificate for somebody else, who signs
 * timestamps; those of the one named are wanted. */
static void test_keyless_timestamps_are_by_the_one_named(void **state)
{
	json_t *bundle = load(sig_fixture("keyless-kinds/good-v2-dsse.sig"));
	json_t *root = load(sig_fixture("keyless-kinds/trusted_root.json"));
	json_t *other = load(sig_fixture("keyless/trusted_root.json"));
	json_t *chain = certificates(root, "timestampAuthorities");

	(void)state;
	assert_int_equal(verify_json(bundle, root), 0);
	json_array_set(
	    chain, 0,
	    json_array_get(certificates(other, "timestampAuthorities"), 0));
	assert_int_equal(verify_json(bundle, root), MIH_EUNTRUSTED);
	sig_expect_story(": not by a trusted authority");
	json_array_remove(chain, 0);
	assert_int_equal(verify_json(bundle, root), 0);
	json_decref(bundle);
	json_decref(root);
	json_decref(other);
}

static void test_keyless_bad_roots_are_refused(void **state)
{
	const char *path = sig_fixture("keyless/trusted_root.json");
	json_t *root = load(path);

	(void)state;
	json_object_set_new(root, "mediaType", json_string("text/plain"));
	expect_no_root("not that of a trusted root", root);
	root = load(path);
	json_array_clear(json_object_get(root, "certificateAuthorities"));
	expect_no_root("certificateAuthorities is empty", root);
	root = load(path);
	json_array_clear(json_object_get(root, "tlogs"));
	expect_no_root("tlogs is empty", root);
	root = load(path);
	json_object_set_new(json_object_get(first(root, "tlogs"), "publicKey"),
			    "rawBytes", json_string("AAAA"));
	expect_no_root("tlogs[0].publicKey.rawBytes is not a DER public key",
		       root);
	root = load(path);
	json_object_set_new(
	    json_object_get(first(root, "timestampAuthorities"), "validFor"),
	    "start", json_string("2025-02-30T00:00:00Z"));
	expect_no_root("validFor.start is not an RFC 3339 time", root);
}

static void test_keyless_reads_client_trust_configs(void **state)
{
	json_t *config = json_pack(
	    "{s:s, s:o, s:{}}", "mediaType",
	    "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
	    "trustedRoot", load(sig_fixture("keyless/trusted_root.json")),
	    "signingConfig");

	(void)state;
	assert_int_equal(verify_good_with(config), 0);
	json_decref(config);
}

static void test_keyless_shipped_root_is_good(void **state)
{
	const char *top = getenv("top_srcdir");
	struct mih_sig_trust *trust = mih_sig_trust_new();
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/data/sigstore/trusted_root.json",
		 top ? top : ".");
	assert_int_equal(mih_sig_trust_set_root(trust, path), 0);
	mih_sig_trust_free(trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keyless_cases),
		cmocka_unit_test(test_keyless_kinds),
		cmocka_unit_test(test_keyless_identity_is_compared_whole),
		cmocka_unit_test(test_keyless_expressions_match_whole),
		cmocka_unit_test(test_keyless_policy_must_be_whole),
		cmocka_unit_test(test_keyless_signer_is_named),
		cmocka_unit_test(
		    test_keyless_every_text_of_the_material_counts),
		cmocka_unit_test(test_keyless_missing_parts_are_named),
		cmocka_unit_test(test_keyless_unknown_members_are_refused),
		cmocka_unit_test(test_keyless_windows_of_trust_are_kept),
		cmocka_unit_test(test_keyless_logs_must_be_known),
		cmocka_unit_test(test_keyless_timestamps_are_by_the_one_named),
		cmocka_unit_test(test_keyless_bad_roots_are_refused),
		cmocka_unit_test(test_keyless_reads_client_trust_configs),
		cmocka_unit_test(test_keyless_shipped_root_is_good),
	};

	return cmocka_run_group_tests(tests, sig_setup, sig_teardown);
}
