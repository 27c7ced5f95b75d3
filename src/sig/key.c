#include "sig/sig_internal.h"
#include "util/bytes.h"
#include "util/checked.h"
#include "util/io.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define KEY_FILE_MAX ((size_t)64 << 10)

static const struct mih_sig_curve curves[] = {
	{ "prime256v1", "P-256", "SHA-256", 0 },
	{ "secp384r1", "P-384", "SHA-384", 1 },
	{ "secp521r1", "P-521", "SHA-512", 2 },
};

/** The text of a PEM file, wiped when it goes. */
struct pem {
	char *text; /* KEY_FILE_MAX + 1 bytes */
	size_t len;
};

static void wipe_pem(struct pem *pem)
{
	if (pem->text)
		OPENSSL_cleanse(pem->text, KEY_FILE_MAX + 1);
	free(pem->text);
}

static void put_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void put_key(struct mih_sig_key **key)
{
	mih_sig_key_free(*key);
}

void mih_sig_key_free(struct mih_sig_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey); /* wipes the private number */
	sk_X509_pop_free(key->certs, X509_free);
	free(key);
}

static mih_err find_curve(struct mih_sig_key *key, const char *path)
{
	char group[64];
	int explicit = 0;

	if (!EVP_PKEY_is_a(key->pkey, "EC"))
		return mih_err_fail(MIH_EFORMAT,
				    "%s: a key of type %s; only EC keys on "
				    "P-256, P-384 and P-521 sign models",
				    path, EVP_PKEY_get0_type_name(key->pkey));
	/* Parameters spelled out may name a curve and yet be another one. */
	if (EVP_PKEY_get_int_param(
		key->pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
		&explicit) == 1 &&
	    explicit)
		return mih_err_fail(MIH_EFORMAT,
				    "%s: an EC key with explicit parameters "
				    "instead of a named curve",
				    path);
	if (EVP_PKEY_get_group_name(key->pkey, group, sizeof(group), NULL) != 1)
		group[0] = '\0';
	for (size_t i = 0; i < MIH_ARRAY_LEN(curves); i++)
		if (!strcmp(curves[i].group, group))
			key->curve = &curves[i];
	if (!key->curve)
		return mih_err_fail(MIH_EFORMAT,
				    "%s: an EC key on %s; only P-256, P-384 "
				    "and P-521 sign models",
				    path, *group ? group : "an unnamed curve");
	return 0;
}

/* OMS names a key by the text that this very call writes; a key that came in
 * with a compressed point is the same key. */
static mih_err make_hint(struct mih_sig_key *key, const char *path)
{
	MIH_CLEANUP(put_bio) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t md[32];
	char *text;
	long len;

	EVP_PKEY_set_utf8_string_param(
	    key->pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
	    OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED);
	if (!bio || PEM_write_bio_PUBKEY(bio, key->pkey) != 1)
		return mih_err_fail(-EIO, "%s: no public key in it", path);
	len = BIO_get_mem_data(bio, &text);
	if (EVP_Q_digest(NULL, "SHA256", NULL, text, (size_t)len, md, NULL) !=
	    1)
		return mih_err_fail(-EIO, "%s: SHA-256 failed", path);
	mih_bytes_to_hex(md, sizeof(md), key->hint);
	return 0;
}

static mih_err check_point(const struct mih_sig_key *key, const char *path)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	bool good = ctx && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good ? 0
		    : mih_err_fail(MIH_EFORMAT,
				   "%s: its public point is not a valid one",
				   path);
}

/* pkey is taken over. */
static mih_err finish(EVP_PKEY *pkey, const char *path,
		      struct mih_sig_key **key_out)
{
	MIH_CLEANUP(put_key)
	struct mih_sig_key *key = calloc(1, sizeof(*key));
	mih_err err;

	if (!key) {
		EVP_PKEY_free(pkey);
		return mih_err_fail_errno(-ENOMEM, "%s", path);
	}
	key->pkey = pkey;
	err = find_curve(key, path);
	if (!err)
		err = check_point(key, path);
	if (!err)
		err = make_hint(key, path);
	ERR_clear_error();
	if (!err)
		*key_out = MIH_STEAL(&key);
	return err;
}

static mih_err read_pem(const char *path, struct pem *pem)
{
	mih_err err;

	pem->text = calloc(1, KEY_FILE_MAX + 1);
	if (!pem->text)
		return mih_err_fail_errno(-ENOMEM, "%s", path);
	err = mih_io_read_secret(path, pem->text, KEY_FILE_MAX + 1, &pem->len);
	if (err)
		return err;
	if (!strstr(pem->text, "-----BEGIN "))
		return mih_err_fail(MIH_EFORMAT, "%s: not a PEM file", path);
	return 0;
}

static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* What else people put where a public key belongs. */
static mih_err check_public_pem(const char *path, const struct pem *pem)
{
	const char *first = strstr(pem->text, "-----BEGIN ");

	if (strstr(pem->text, "PRIVATE KEY-----"))
		return mih_err_fail(MIH_EFORMAT,
				    "%s: holds a private key; give the public "
				    "key (openssl pkey -pubout)",
				    path);
	if (strstr(pem->text, "BEGIN CERTIFICATE-----"))
		return mih_err_fail(
		    MIH_EFORMAT, "%s: a certificate, not a public key", path);
	if (strstr(first + 1, "-----BEGIN "))
		return mih_err_fail(MIH_EFORMAT, "%s: holds more than one key",
				    path);
	return 0;
}

mih_err mih_sig_key_load_public(const char *path, struct mih_sig_key **key_out)
{
	MIH_CLEANUP(wipe_pem) struct pem pem = { 0 };
	MIH_CLEANUP(put_bio) BIO *bio = NULL;
	EVP_PKEY *pkey = NULL;
	mih_err err = read_pem(path, &pem);

	if (!err)
		err = check_public_pem(path, &pem);
	if (err)
		return err;
	bio = BIO_new_mem_buf(pem.text, (int)pem.len);
	if (bio)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	ERR_clear_error();
	if (!pkey)
		return mih_err_fail(MIH_EFORMAT, "%s: not a PEM public key",
				    path);
	return finish(pkey, path, key_out);
}

mih_err mih_sig_key_from_certificate(X509 *cert, const char *name,
				     struct mih_sig_key **key_out)
{
	EVP_PKEY *pkey = X509_get_pubkey(cert);

	ERR_clear_error();
	if (!pkey)
		return mih_err_fail(MIH_EFORMAT, "%s: holds no usable key",
				    name);
	return finish(pkey, name, key_out);
}

/** What OpenSSL asks for, and whether it did. */
struct password {
	const struct mih_sig_signer *signer;
	char text[1024];
	bool asked, given;
};

static void wipe_password(struct password *p)
{
	OPENSSL_cleanse(p->text, sizeof(p->text));
}

/* A NUL at the end proves that nothing was cut off. */
static bool find_password(struct password *p)
{
	const struct mih_sig_signer *signer = p->signer;
	size_t cap = sizeof(p->text);

	if (signer->password) {
		if (strlen(signer->password) >= cap)
			return false;
		strcpy(p->text, signer->password);
		return true;
	}
	return signer->ask_password &&
	       signer->ask_password(signer->key_path, p->text, cap) &&
	       memchr(p->text, '\0', cap);
}

/* OpenSSL may call this more than once; the operator is asked once. */
static int give_password(char *buf, int size, int writing, void *arg)
{
	struct password *p = arg;
	size_t len;

	(void)writing;
	if (!p->asked)
		p->given = find_password(p);
	p->asked = true;
	if (!p->given)
		return -1;
	len = strlen(p->text);
	if (len > (size_t)size)
		return -1;
	memcpy(buf, p->text, len);
	return (int)len;
}

static mih_err private_failed(const char *path, const struct pem *pem,
			      const struct password *p)
{
	if (p->given)
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: wrong password for this private key",
				    path);
	if (p->asked)
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: the private key is encrypted, and no "
				    "usable password was given",
				    path);
	if (!strstr(pem->text, "PRIVATE KEY-----"))
		return mih_err_fail(MIH_EFORMAT, "%s: holds no private key",
				    path);
	return mih_err_fail(
	    MIH_EFORMAT, "%s: not a private key that OpenSSL can read", path);
}

static mih_err load_private(const struct mih_sig_signer *signer,
			    struct mih_sig_key **key_out)
{
	MIH_CLEANUP(wipe_password) struct password p = { .signer = signer };
	MIH_CLEANUP(wipe_pem) struct pem pem = { 0 };
	MIH_CLEANUP(put_bio) BIO *bio = NULL;
	const char *path = signer->key_path;
	EVP_PKEY *pkey = NULL;
	mih_err err = read_pem(path, &pem);

	if (err)
		return err;
	bio = BIO_new_mem_buf(pem.text, (int)pem.len);
	if (bio)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, give_password, &p);
	ERR_clear_error();
	if (!pkey)
		return private_failed(path, &pem, &p);
	return finish(pkey, path, key_out);
}

mih_err mih_sig_key_load(const struct mih_sig_signer *signer,
			 struct mih_sig_key **key_out)
{
	MIH_CLEANUP(put_key) struct mih_sig_key *key = NULL;
	mih_err err = load_private(signer, &key);

	if (!err && signer->certificate_path)
		err = mih_sig_key_load_certificates(signer, key);
	if (!err)
		*key_out = MIH_STEAL(&key);
	return err;
}
