/*
 * RFC 3161: an authority saw the signature at a time.
 */
#include "sig/keyless/keyless.h"

#include <openssl/err.h>
#include <openssl/ts.h>

#define STEP "RFC 3161 timestamp"

static void put_resp(TS_RESP **resp)
{
	TS_RESP_free(*resp);
}

static void put_ctx(TS_VERIFY_CTX **ctx)
{
	TS_VERIFY_CTX_free(*ctx); /* and all that it was given */
}

static mih_err refuse(const struct mih_sig_check *check, const char *why)
{
	ERR_clear_error();
	return mih_err_fail(MIH_EUNTRUSTED, "%s: " STEP ": %s",
			    check->bundle->file, why);
}

/* A weak digest could be of another signature as well. */
static bool is_strong(TS_TST_INFO *info)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(
	    &oid, NULL, NULL,
	    TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info)));
	switch (OBJ_obj2nid(oid)) {
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
		return true;
	default:
		return false;
	}
}

/* The last certificate is trusted, the signer's must lead to it. */
static X509_STORE *make_store(const struct mih_sig_authority *tsa, int64_t at)
{
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param = store ? X509_STORE_get0_param(store) : NULL;
	int last = sk_X509_num(tsa->chain) - 1;

	if (!store)
		return NULL;
	X509_VERIFY_PARAM_set_time(param, (time_t)at);
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	if (X509_STORE_add_cert(store, sk_X509_value(tsa->chain, last)) == 1)
		return store;
	X509_STORE_free(store);
	return NULL;
}

static STACK_OF(X509) * share(STACK_OF(X509) * list)
{
	STACK_OF(X509) *copy = sk_X509_dup(list);

	for (int i = 0; i < sk_X509_num(copy); i++)
		X509_up_ref(sk_X509_value(copy, i));
	return copy;
}

static bool is_by(const struct mih_sig_check *check, TS_RESP *resp,
		  const struct mih_sig_authority *tsa, int64_t at)
{
	MIH_CLEANUP(put_ctx) TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	const struct mih_sig_bundle *bundle = check->bundle;
	X509_STORE *store = make_store(tsa, at);
	STACK_OF(X509) *certs = share(tsa->chain);
	BIO *data = BIO_new_mem_buf(bundle->sig, (int)bundle->sig_len);

	if (!ctx || !store || !certs || !data) {
		X509_STORE_free(store);
		sk_X509_pop_free(certs, X509_free);
		BIO_free(data);
		return false;
	}
	TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_DATA |
					 TS_VFY_SIGNATURE);
	TS_VERIFY_CTX_set_store(ctx, store);
	TS_VERIFY_CTX_set_certs(ctx, certs);
	TS_VERIFY_CTX_set_data(ctx, data);
	return TS_RESP_verify_response(ctx, resp) == 1;
}

/* The root of an authority may vouch for other authorities too: where the
 * trusted root names the signer, it is that one. */
static bool is_signer(TS_RESP *resp, const struct mih_sig_authority *tsa)
{
	STACK_OF(X509) *signers =
	    PKCS7_get0_signers(TS_RESP_get_token(resp), tsa->chain, 0);
	X509 *named = sk_X509_value(tsa->chain, 0);
	bool is;

	is = sk_X509_num(signers) == 1 &&
	     ((X509_get_extension_flags(named) & EXFLAG_CA) ||
	      !X509_cmp(sk_X509_value(signers, 0), named));
	sk_X509_free(signers);
	return is;
}

/* OpenSSL's own words for what it found last. */
static mih_err not_verified(const struct mih_sig_check *check, int64_t at,
			    bool tried)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	if (!tried)
		why = "no authority of the trusted root was in use then";
	mih_err_fail(MIH_EUNTRUSTED, "%s: " STEP ": of %s: %s",
		     check->bundle->file, mih_sig_time_text(at).text,
		     why ? why : "not by a trusted authority");
	ERR_clear_error();
	return MIH_EUNTRUSTED;
}

mih_err mih_sig_timestamp_check(const struct mih_sig_check *check,
				const struct mih_sig_bytes *stamp,
				struct mih_sig_times *times)
{
	const struct mih_sig_authorities *all = &check->root->tsa;
	const uint8_t *der = stamp->at;
	MIH_CLEANUP(put_resp)
	TS_RESP *resp = d2i_TS_RESP(NULL, &der, (long)stamp->len);
	TS_TST_INFO *info = resp ? TS_RESP_get_tst_info(resp) : NULL;
	bool tried = false;
	int64_t at;

	if (!resp || der != stamp->at + stamp->len || !info)
		return refuse(check, "not a response with a token");
	if (!mih_sig_x509_time(TS_TST_INFO_get_time(info), &at))
		return refuse(check, "it has no time");
	if (!is_strong(info))
		return refuse(check, "it is over a weak digest");
	ERR_clear_error();
	for (size_t i = 0; i < all->n; i++) {
		if (!mih_sig_window_has(&all->at[i].window, at))
			continue;
		tried = true;
		if (is_by(check, resp, &all->at[i], at) &&
		    is_signer(resp, &all->at[i])) {
			times->at[times->n++] = at;
			ERR_clear_error();
			return 0;
		}
	}
	return not_verified(check, at, tried);
}
