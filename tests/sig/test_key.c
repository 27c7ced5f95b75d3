/* Keys, passwords and trust: which files are taken, and what is said of the
 * others. */
#include "lib/sig.h"
#include "sig/sig_internal.h"
#include "util/checked.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

static size_t nasked;

static bool answer(const char *key_path, char *buf, size_t cap)
{
	assert_non_null(key_path);
	nasked++;
	snprintf(buf, cap, "secret");
	return true;
}

static bool no_answer(const char *key_path, char *buf, size_t cap)
{
	(void)key_path;
	(void)buf;
	(void)cap;
	nasked++;
	return false;
}

static mih_err load(const char *path, const char *password,
		    bool (*ask)(const char *, char *, size_t))
{
	struct mih_sig_signer signer = { path, password, ask };
	struct mih_sig_key *key = NULL;
	mih_err err;

	nasked = 0;
	mih_err_clear();
	err = mih_sig_key_load(&signer, &key);
	assert_true(!err == !!key);
	mih_sig_key_free(key);
	return err;
}

static void expect_private(const char *path, mih_err want, const char *story)
{
	assert_int_equal(load(path, NULL, NULL), want);
	sig_expect_story(path);
	sig_expect_story(story);
}

static mih_err trust(const char *path)
{
	struct mih_sig_trust *t = mih_sig_trust_new();
	mih_err err;

	assert_non_null(t);
	mih_err_clear();
	err = mih_sig_trust_add_key(t, path);
	assert_int_equal(mih_sig_trust_nkeys(t), err ? 0 : 1);
	mih_sig_trust_free(t);
	return err;
}

static void expect_public(const char *path, const char *story)
{
	assert_int_equal(trust(path), MIH_ENOANCHOR);
	sig_expect_story(path);
	sig_expect_story(story);
}

static void test_key_three_curves(void **state)
{
	static const char *const curves[] = { "p256", "p384", "p521" };
	char name[64];

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(curves); i++) {
		snprintf(name, sizeof(name), "key/%s.key.pem", curves[i]);
		assert_int_equal(load(sig_fixture(name), NULL, NULL), 0);
		snprintf(name, sizeof(name), "key/%s.pub.pem", curves[i]);
		assert_int_equal(trust(sig_fixture(name)), 0);
	}
}

static void test_key_hint_is_of_the_public_pem(void **state)
{
	struct mih_sig_signer signer = { sig_fixture("key/p256.key.pem"), NULL,
					 NULL };
	struct mih_sig_key *priv, *pub;

	(void)state;
	assert_int_equal(mih_sig_key_load(&signer, &priv), 0);
	assert_int_equal(
	    mih_sig_key_load_public(sig_fixture("key/p256.pub.pem"), &pub), 0);
	assert_string_equal(priv->hint,
			    "b167e77784a753ca5746dbeed1df6995b6ccde609f9debae69"
			    "f5d036c8541bc7");
	assert_string_equal(priv->hint, pub->hint);
	mih_sig_key_free(priv);
	mih_sig_key_free(pub);
}

static void test_key_other_algorithms_are_refused(void **state)
{
	const char *pub = sig_temp("other.pub.pem");
	const char *priv = sig_temp("other.key.pem");
	EVP_PKEY *keys[] = { EVP_EC_gen("secp256k1"), EVP_RSA_gen(1024),
			     EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
			     EVP_EC_gen("prime192v1") };
	static const char *const stories[] = {
		"an EC key on secp256k1; only P-256",
		"a key of type RSA; only EC",
		"a key of type ED25519; only EC",
		"an EC key on prime192v1; only P-256",
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(keys); i++) {
		sig_write_key(keys[i], pub, priv, NULL);
		expect_private(priv, MIH_EFORMAT, stories[i]);
		expect_public(pub, stories[i]);
		EVP_PKEY_free(keys[i]);
	}
}

static void test_key_explicit_parameters_are_refused(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("prime256v1");
	const char *pub = sig_temp("explicit.pem");
	const char *priv = sig_temp("explicit.key.pem");

	(void)state;
	assert_int_equal(
	    EVP_PKEY_set_utf8_string_param(key, "encoding", "explicit"), 1);
	sig_write_key(key, pub, priv, NULL);
	EVP_PKEY_free(key);
	expect_public(pub, "explicit parameters");
	expect_private(priv, MIH_EFORMAT, "explicit parameters");
}

static void test_key_compressed_point_is_the_same_key(void **state)
{
	struct mih_sig_key *plain, *other;
	const char *path = sig_temp("compressed.pem");
	FILE *f = fopen(path, "w");

	(void)state;
	assert_int_equal(
	    mih_sig_key_load_public(sig_fixture("key/p384.pub.pem"), &plain),
	    0);
	EVP_PKEY_set_utf8_string_param(plain->pkey, "point-format",
				       "compressed");
	assert_int_equal(PEM_write_PUBKEY(f, plain->pkey), 1);
	fclose(f);
	assert_int_equal(mih_sig_key_load_public(path, &other), 0);
	assert_string_equal(plain->hint, other->hint);
	mih_sig_key_free(plain);
	mih_sig_key_free(other);
}

static void test_key_passwords(void **state)
{
	const char *priv = sig_temp("enc.key.pem");
	EVP_PKEY *key = EVP_EC_gen("P-521");
	char long_one[1200];

	(void)state;
	memset(long_one, 'x', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = '\0';
	sig_write_key(key, sig_temp("enc.pub.pem"), priv, "secret");
	EVP_PKEY_free(key);
	assert_int_equal(load(priv, "secret", NULL), 0);
	assert_int_equal(load(priv, NULL, answer), 0);
	assert_int_equal(nasked, 1);
	assert_int_equal(load(priv, "secret", answer), 0);
	assert_int_equal(nasked, 0);
	assert_int_equal(load(priv, "Secret", answer), MIH_EUNTRUSTED);
	sig_expect_story("wrong password");
	assert_int_equal(load(priv, "", NULL), MIH_EUNTRUSTED);
	sig_expect_story("wrong password");
	assert_int_equal(load(priv, long_one, NULL), MIH_EUNTRUSTED);
	assert_int_equal(load(priv, NULL, no_answer), MIH_EUNTRUSTED);
	sig_expect_story("encrypted, and no usable password was given");
	assert_int_equal(nasked, 1);
	expect_private(priv, MIH_EUNTRUSTED, "no usable password was given");
}

static void test_key_legacy_pem(void **state)
{
	const char *path = sig_temp("legacy.pem");
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *f = fopen(path, "w");
	BIO *bio = BIO_new_fp(f, BIO_NOCLOSE);

	(void)state;
	/* As "openssl ecparam -genkey" writes it: parameters first. */
	fputs("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
	      "-----END EC PARAMETERS-----\n",
	      f);
	fflush(f);
	assert_int_equal(PEM_write_bio_PrivateKey_traditional(
			     bio, key, EVP_aes_128_cbc(),
			     (const unsigned char *)"secret", 6, NULL, NULL),
			 1);
	BIO_free(bio);
	fclose(f);
	EVP_PKEY_free(key);
	assert_int_equal(load(path, "secret", NULL), 0);
	assert_int_equal(load(path, "wrong", NULL), MIH_EUNTRUSTED);
	sig_expect_story("wrong password");
	expect_private(path, MIH_EUNTRUSTED, "no usable password was given");
}

static void test_key_a_password_for_an_open_key_is_not_asked(void **state)
{
	(void)state;
	assert_int_equal(load(sig_fixture("key/p256.key.pem"), NULL, answer),
			 0);
	assert_int_equal(nasked, 0);
	assert_int_equal(load(sig_fixture("key/p256.key.pem"), "x", NULL), 0);
}

static void test_key_wrong_files(void **state)
{
	const char *junk = sig_temp("junk.pem");

	(void)state;
	expect_private(sig_fixture("key/p256.pub.pem"), MIH_EFORMAT,
		       "holds no private key");
	expect_public(sig_fixture("key/p256.key.pem"),
		      "holds a private key; give the public key");
	expect_private(sig_fixture("key/expect.json"), MIH_EFORMAT,
		       "not a PEM file");
	expect_public(sig_fixture("key/expect.json"), "not a PEM file");
	expect_private(sig_temp("none.pem"), -ENOENT, "No such file");
	expect_public(sig_temp("none.pem"), "No such file");
	sig_write(junk,
		  "-----BEGIN PUBLIC KEY-----\nAAAA\n"
		  "-----END PUBLIC KEY-----\n",
		  56);
	expect_public(junk, "not a PEM public key");
	sig_write(junk,
		  "-----BEGIN CERTIFICATE-----\nAAAA\n"
		  "-----END CERTIFICATE-----\n",
		  59);
	expect_public(junk, "a certificate, not a public key");
	sig_write(junk,
		  "-----BEGIN PRIVATE KEY-----\nAAAA\n"
		  "-----END PRIVATE KEY-----\n",
		  59);
	expect_private(junk, MIH_EFORMAT, "that OpenSSL can read");
}

static void test_key_two_keys_in_one_file(void **state)
{
	size_t len, len2;
	char *a = sig_read(sig_fixture("key/p256.pub.pem"), &len);
	char *b = sig_read(sig_fixture("key/p384.pub.pem"), &len2);
	char *both = malloc(len + len2 + 1);

	(void)state;
	strcpy(both, a);
	strcat(both, b);
	sig_write(sig_temp("two.pem"), both, len + len2);
	expect_public(sig_temp("two.pem"), "more than one key");
	free(a);
	free(b);
	free(both);
}

static void copy_to(const char *from, const char *to)
{
	size_t len;
	char *text = sig_read(from, &len);

	sig_write(to, text, len);
	free(text);
}

static void test_trust_dir_all_or_nothing(void **state)
{
	const char *dir = "trust.d";
	struct mih_sig_trust *t = mih_sig_trust_new();
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/%s", sig_dir, dir);
	assert_int_equal(mih_sig_trust_add_dir(t, path), MIH_ENOANCHOR);
	sig_expect_story("trust.d: No such file");
	assert_int_equal(mkdir(path, 0700), 0);
	copy_to(sig_fixture("key/README.md"), sig_path(path, "README"));
	copy_to(sig_fixture("key/README.md"), sig_path(path, ".hidden.pem"));
	copy_to(sig_fixture("key/README.md"), sig_path(path, ".pem"));
	assert_int_equal(mih_sig_trust_add_dir(t, path), MIH_ENOANCHOR);
	sig_expect_story("no public key (*.pem) in it");
	copy_to(sig_fixture("key/p256.pub.pem"), sig_path(path, "a.pem"));
	copy_to(sig_fixture("key/p521.pub.pem"), sig_path(path, "c.pem"));
	assert_int_equal(mih_sig_trust_add_dir(t, path), 0);
	assert_int_equal(mih_sig_trust_nkeys(t), 2);
	copy_to(sig_fixture("key/README.md"), sig_path(path, "b.pem"));
	assert_int_equal(mih_sig_trust_add_dir(t, path), MIH_ENOANCHOR);
	sig_expect_story("trust.d/b.pem: not a PEM file");
	mih_sig_trust_free(t);
}

/* A key behind @before bytes of other text. */
static const char *padded_key(size_t before)
{
	size_t len;
	char *pem = sig_read(sig_fixture("key/p256.key.pem"), &len);
	char *text = malloc(before + len);
	const char *path = sig_temp("padded.pem");

	assert_non_null(text);
	memset(text, '\n', before);
	memcpy(text + before, pem, len);
	sig_write(path, text, before + len);
	free(text);
	free(pem);
	return path;
}

static void test_key_files_have_a_bound(void **state)
{
	(void)state;
	assert_int_equal(load(padded_key(4000), NULL, NULL), 0);
	assert_int_equal(load(padded_key(60000), NULL, NULL), 0);
	expect_private(padded_key(70000), -EFBIG, "larger than 65536 bytes");
	expect_private(sig_temp("nowhere"), -ENOENT, "No such file");
}

/* Nothing else may hold what has been wiped, so the buffer must not move. */
static void test_key_secrets_fit_or_fail(void **state)
{
	char buf[8], *path = (char *)sig_temp("secret");
	size_t len;

	(void)state;
	sig_write(path, "1234567", 7);
	assert_int_equal(mih_io_read_secret(path, buf, sizeof(buf), &len), 0);
	assert_int_equal(len, 7);
	assert_string_equal(buf, "1234567");
	sig_write(path, "12345678", 8);
	assert_int_equal(mih_io_read_secret(path, buf, sizeof(buf), &len),
			 -EFBIG);
	sig_expect_story("larger than 7 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_three_curves),
		cmocka_unit_test(test_key_hint_is_of_the_public_pem),
		cmocka_unit_test(test_key_other_algorithms_are_refused),
		cmocka_unit_test(test_key_explicit_parameters_are_refused),
		cmocka_unit_test(test_key_compressed_point_is_the_same_key),
		cmocka_unit_test(test_key_passwords),
		cmocka_unit_test(test_key_legacy_pem),
		cmocka_unit_test(
		    test_key_a_password_for_an_open_key_is_not_asked),
		cmocka_unit_test(test_key_wrong_files),
		cmocka_unit_test(test_key_two_keys_in_one_file),
		cmocka_unit_test(test_key_files_have_a_bound),
		cmocka_unit_test(test_key_secrets_fit_or_fail),
		cmocka_unit_test(test_trust_dir_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, sig_setup, sig_teardown);
}
