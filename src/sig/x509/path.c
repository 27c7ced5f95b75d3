/*
 * From a leaf up to an anchor.
 */
#include "sig/sig_internal.h"
#include "sig/text/proto.h"
#include "sig/x509/x509.h"
#include "util/checked.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* Security bits 112: RSA of 2048 bits, P-224, no SHA-1. */
#define AUTH_LEVEL 2

static void put_store(X509_STORE **store)
{
	X509_STORE_free(*store);
}

static void put_list(STACK_OF(X509) * *list)
{
	sk_X509_free(*list);
}

static void put_ctx(X509_STORE_CTX **ctx)
{
	X509_STORE_CTX_free(*ctx);
}

static bool is_issued_by(X509 *cert, X509 *issuer)
{
	return cert != issuer && X509_cmp(cert, issuer) &&
	       X509_check_issued(issuer, cert) == X509_V_OK;
}

/* Is it below another one that was given? Then the path goes on to that. */
static bool has_issuer(X509 *cert, STACK_OF(X509) * given)
{
	if (X509_get_extension_flags(cert) & EXFLAG_SI)
		return false;
	for (int i = 0; i < sk_X509_num(given); i++)
		if (is_issued_by(cert, sk_X509_value(given, i)))
			return true;
	return false;
}

static bool add_anchors(X509_STORE *store, STACK_OF(X509) * given)
{
	int n = 0;

	for (int i = 0; i < sk_X509_num(given); i++) {
		X509 *cert = sk_X509_value(given, i);

		if (has_issuer(cert, given))
			continue;
		if (X509_STORE_add_cert(store, cert) != 1)
			return false;
		n++;
	}
	/* Certificates that vouch for each other all stand alone. */
	for (int i = 0; n == 0 && i < sk_X509_num(given); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(given, i)) != 1)
			return false;
	return true;
}

/* What may stand in between: all that is known. Its members are borrowed. */
static STACK_OF(X509) * join(const struct mih_sig_x509_path *path)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	STACK_OF(X509) *const lists[] = { path->untrusted, path->anchors };

	for (size_t k = 0; all && k < MIH_ARRAY_LEN(lists); k++)
		for (int i = 0; i < sk_X509_num(lists[k]); i++)
			if (sk_X509_push(all, sk_X509_value(lists[k], i)) <=
			    0) {
				sk_X509_free(all);
				return NULL;
			}
	return all;
}

static bool fill_store(X509_STORE *store, const struct mih_sig_x509_path *path)
{
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;

	if (path->crls)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
	if (!add_anchors(store, path->anchors))
		return false;
	for (int i = 0; i < sk_X509_CRL_num(path->crls); i++)
		if (X509_STORE_add_crl(store,
				       sk_X509_CRL_value(path->crls, i)) != 1)
			return false;
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, MIH_SIG_X509_MAX);
	X509_VERIFY_PARAM_set_time(param, (time_t)path->at);
	return X509_VERIFY_PARAM_set_flags(param, flags) == 1;
}

/* Both ends of its life, and the time that is not between them. */
static mih_err bad_time(const struct mih_sig_x509_path *path, X509 *cert,
			const char *subject)
{
	int64_t from = 0, to = 0;

	(void)mih_sig_x509_time(X509_get0_notBefore(cert), &from);
	(void)mih_sig_x509_time(X509_get0_notAfter(cert), &to);
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: certificate validity: '%s' is valid from %s "
			    "to %s, not at %s",
			    path->file, subject, mih_sig_time_text(from).text,
			    mih_sig_time_text(to).text,
			    mih_sig_time_text(path->at).text);
}

static mih_err refused(const struct mih_sig_x509_path *path,
		       X509_STORE_CTX *ctx)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	int why = X509_STORE_CTX_get_error(ctx);
	char subject[256] = "";

	if (cert)
		mih_sig_x509_subject(cert, subject, sizeof(subject));
	if (cert && (why == X509_V_ERR_CERT_HAS_EXPIRED ||
		     why == X509_V_ERR_CERT_NOT_YET_VALID))
		return bad_time(path, cert, subject);
	return mih_err_fail(MIH_EUNTRUSTED, "%s: %s: %s (certificate %d, '%s')",
			    path->file, path->step,
			    X509_verify_cert_error_string(why),
			    X509_STORE_CTX_get_error_depth(ctx), subject);
}

mih_err mih_sig_x509_path_check(const struct mih_sig_x509_path *path,
				X509 *leaf, STACK_OF(X509) * *chain_out)
{
	MIH_CLEANUP(put_store) X509_STORE *store = X509_STORE_new();
	MIH_CLEANUP(put_list) STACK_OF(X509) *between = join(path);
	MIH_CLEANUP(put_ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	mih_err err = 0;

	if (!store || !between || !ctx || !fill_store(store, path) ||
	    X509_STORE_CTX_init(ctx, store, leaf, between) != 1)
		err = mih_err_fail_errno(-ENOMEM, "%s", path->file);
	else if (X509_verify_cert(ctx) != 1)
		err = refused(path, ctx);
	ERR_clear_error();
	if (!err && chain_out) {
		*chain_out = X509_STORE_CTX_get1_chain(ctx);
		if (!*chain_out)
			err = mih_err_fail_errno(-ENOMEM, "%s", path->file);
	}
	return err;
}
