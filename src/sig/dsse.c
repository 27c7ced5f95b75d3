#include "sig/sig_internal.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

static void put_md_ctx(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

static void put_pkey_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

/* In the order of struct mih_sig_curve.pae. */
static const EVP_MD *md_of(size_t i)
{
	switch (i) {
	case 0:
		return EVP_sha256();
	case 1:
		return EVP_sha384();
	default:
		return EVP_sha512();
	}
}

static mih_err crypto_failed(const char *what)
{
	ERR_clear_error();
	return mih_err_fail(-EIO, "%s: OpenSSL refused", what);
}

mih_err mih_sig_pae_hash(struct mih_sig_pae *pae, const char *head,
			 const void *text, size_t len)
{
	MIH_CLEANUP(put_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	for (size_t i = 0; i < 3; i++)
		if (!ctx || EVP_DigestInit_ex(ctx, md_of(i), NULL) != 1 ||
		    EVP_DigestUpdate(ctx, head, strlen(head)) != 1 ||
		    EVP_DigestUpdate(ctx, text, len) != 1 ||
		    EVP_DigestFinal_ex(ctx, pae->md[i], NULL) != 1)
			return crypto_failed("DSSE digest");
	return 0;
}

mih_err mih_sig_pae_init(struct mih_sig_pae *pae, const void *payload,
			 size_t len)
{
	char head[96];

	snprintf(head, sizeof(head), "DSSEv1 %zu %s %zu ",
		 strlen(MIH_SIG_PAYLOAD_TYPE), MIH_SIG_PAYLOAD_TYPE, len);
	return mih_sig_pae_hash(pae, head, payload, len);
}

mih_err mih_sig_payload_digest(const void *payload, size_t len,
			       uint8_t digest[32])
{
	if (EVP_Q_digest(NULL, "SHA256", NULL, payload, len, digest, NULL) != 1)
		return crypto_failed("payload digest");
	return 0;
}

mih_err mih_sig_pae_sign(const struct mih_sig_pae *pae,
			 const struct mih_sig_key *key, uint8_t *sig,
			 size_t *len_out)
{
	MIH_CLEANUP(put_pkey_ctx)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	const EVP_MD *md = md_of(key->curve->pae);

	*len_out = MIH_SIG_DER_MAX;
	if (!ctx || EVP_PKEY_sign_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, md) != 1 ||
	    EVP_PKEY_sign(ctx, sig, len_out, pae->md[key->curve->pae],
			  (size_t)EVP_MD_get_size(md)) != 1)
		return crypto_failed("signature");
	return 0;
}

bool mih_sig_pae_verify(const struct mih_sig_pae *pae, size_t i,
			const struct mih_sig_key *key, const uint8_t *sig,
			size_t len)
{
	MIH_CLEANUP(put_pkey_ctx)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	const EVP_MD *md = md_of(i);
	bool good;

	good = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
	       EVP_PKEY_verify(ctx, sig, len, pae->md[i],
			       (size_t)EVP_MD_get_size(md)) == 1;
	ERR_clear_error();
	return good;
}
