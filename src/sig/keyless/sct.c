/*
 * Certificate transparency: the leaf was shown to a public log before it was
 * finished. OpenSSL has this check too, but takes logs from files only.
 */
#include "sig/keyless/keyless.h"
#include "util/bytes.h"

#include <openssl/ct.h>
#include <openssl/err.h>
#include <string.h>

/* A log's clock may be ahead of the others. */
#define SLACK_S 300

static void put_scts(STACK_OF(SCT) * *scts)
{
	SCT_LIST_free(*scts);
}

/** What a log signs. */
struct entry {
	uint8_t issuer_key[32];
	uint8_t *tbs; /* the certificate without the extension; owned */
	size_t tbs_len;
};

static void entry_fini(struct entry *e)
{
	OPENSSL_free(e->tbs);
}

/* The log saw the certificate before it could hold the log's answer. */
static bool make_entry(X509 *leaf, X509 *issuer, struct entry *e)
{
	mih_autox509 X509 *bare = X509_dup(leaf);
	uint8_t *spki = NULL;
	int at, len;

	if (!bare)
		return false;
	at = X509_get_ext_by_NID(bare, NID_ct_precert_scts, -1);
	if (at < 0)
		return false;
	X509_EXTENSION_free(X509_delete_ext(bare, at));
	len = i2d_re_X509_tbs(bare, &e->tbs);
	if (len <= 0 || len >= 1 << 24)
		return false;
	e->tbs_len = (size_t)len;
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &spki);
	if (len <= 0)
		return false;
	at = EVP_Q_digest(NULL, "SHA256", NULL, spki, (size_t)len,
			  e->issuer_key, NULL);
	OPENSSL_free(spki);
	return at == 1;
}

static uint8_t *put_be(uint8_t *at, uint64_t v, int len)
{
	while (len-- > 0)
		*at++ = (uint8_t)(v >> (8 * len));
	return at;
}

/* RFC 6962, 3.2: digitally-signed struct of a precert_entry. */
static bool is_signed(const struct mih_sig_log *log, const SCT *sct,
		      const struct entry *e)
{
	uint8_t *sig, *ext;
	size_t sig_len = SCT_get0_signature(sct, &sig);
	size_t ext_len = SCT_get0_extensions(sct, &ext);
	mih_autofree uint8_t *text = NULL;
	uint8_t *at;

	if (ext_len > UINT16_MAX)
		return false;
	at = text = malloc(64 + e->tbs_len + ext_len);
	if (!text)
		return false;
	at = put_be(at, 0, 1); /* v1 */
	at = put_be(at, 0, 1); /* certificate_timestamp */
	at = put_be(at, SCT_get_timestamp(sct), 8);
	at = put_be(at, 1, 2); /* precert_entry */
	memcpy(at, e->issuer_key, sizeof(e->issuer_key));
	at = put_be(at + sizeof(e->issuer_key), e->tbs_len, 3);
	memcpy(at, e->tbs, e->tbs_len);
	at = put_be(at + e->tbs_len, ext_len, 2);
	if (ext_len)
		memcpy(at, ext, ext_len);
	at += ext_len;
	return mih_sig_log_verify(log, sig, sig_len, text, (size_t)(at - text));
}

static const struct mih_sig_log *find_log(const struct mih_sig_root *root,
					  const SCT *sct)
{
	uint8_t *id;

	if (SCT_get_version(sct) != SCT_VERSION_V1 ||
	    SCT_get0_log_id(sct, &id) != 32)
		return NULL;
	return mih_sig_log_find(&root->ct, id);
}

static mih_err check_one(const char *file, const struct mih_sig_log *log,
			 const SCT *sct, const struct entry *e)
{
	int64_t at = (int64_t)(SCT_get_timestamp(sct) / 1000);

	if (!is_signed(log, sct, e))
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: SCT: not by certificate log %s over "
				    "this certificate",
				    file, log->host);
	if (!mih_sig_window_has(&log->window, at))
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: SCT: certificate log %s was not in "
				    "use at %s",
				    file, log->host,
				    mih_sig_time_text(at).text);
	return 0;
}

static mih_err check_all(const struct mih_sig_check *check,
			 STACK_OF(SCT) * scts, const struct entry *e,
			 int64_t at)
{
	const char *file = check->bundle->file;
	size_t good = 0;
	mih_err err = 0;

	for (int i = 0; !err && i < sk_SCT_num(scts); i++) {
		const SCT *sct = sk_SCT_value(scts, i);
		const struct mih_sig_log *log = find_log(check->root, sct);

		if (!log)
			continue;
		good++;
		err = check_one(file, log, sct, e);
		if (!err &&
		    SCT_get_timestamp(sct) / 1000 > (uint64_t)at + SLACK_S)
			err = mih_err_fail(MIH_EUNTRUSTED,
					   "%s: SCT: made after %s", file,
					   mih_sig_time_text(at).text);
	}
	if (!err && !good)
		err = mih_err_fail(MIH_EUNTRUSTED,
				   "%s: SCT: the certificate has none by a "
				   "certificate log of the trusted root",
				   file);
	return err;
}

mih_err mih_sig_sct_check(const struct mih_sig_check *check, X509 *issuer,
			  int64_t at)
{
	MIH_CLEANUP(put_scts)
	STACK_OF(SCT) *scts =
	    X509_get_ext_d2i(check->leaf, NID_ct_precert_scts, NULL, NULL);
	MIH_CLEANUP(entry_fini) struct entry e = { .tbs = NULL };

	ERR_clear_error();
	if (!scts)
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: SCT: the certificate has none, or a "
				    "malformed one",
				    check->bundle->file);
	if (!make_entry(check->leaf, issuer, &e))
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: SCT: the certificate cannot be put "
				    "back as the log saw it",
				    check->bundle->file);
	return check_all(check, scts, &e, at);
}
