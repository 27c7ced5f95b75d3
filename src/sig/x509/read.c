/*
 * From files and JSON to certificates.
 */
#include "sig/text/proto.h"
#include "sig/x509/x509.h"
#include "util/io.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define FILE_MAX ((size_t)4 << 20)

static void put_bio(BIO **bio)
{
	BIO_free(*bio);
}

static mih_err push(const char *path, STACK_OF(X509) * list, X509 *cert)
{
	if (sk_X509_push(list, cert) > 0)
		return 0;
	X509_free(cert);
	return mih_err_fail_errno(-ENOMEM, "%s", path);
}

static mih_err check_pem(const char *path, const char *text)
{
	if (strstr(text, "PRIVATE KEY-----"))
		return mih_err_fail(MIH_EFORMAT,
				    "%s: holds a private key beside or instead "
				    "of certificates; keep it apart",
				    path);
	if (!strstr(text, "-----BEGIN CERTIFICATE-----"))
		return mih_err_fail(MIH_EFORMAT, "%s: no PEM certificate in it",
				    path);
	return 0;
}

/* Blocks of other kinds are skipped; a broken one stops. */
mih_err mih_sig_x509_read_pem(const char *path, STACK_OF(X509) * list)
{
	mih_autofree char *text = NULL;
	MIH_CLEANUP(put_bio) BIO *bio = NULL;
	size_t len;
	mih_err err = mih_io_read_file(path, FILE_MAX, &text, &len);
	X509 *cert;

	if (!err)
		err = check_pem(path, text);
	if (err)
		return err;
	bio = BIO_new_mem_buf(text, (int)len);
	while (bio && !err && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		err = push(path, list, cert);
	if (!err &&
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		err = mih_err_fail(MIH_EFORMAT,
				   "%s: a certificate in it cannot be read",
				   path);
	ERR_clear_error();
	return err;
}

static mih_err push_crl(const char *path, STACK_OF(X509_CRL) * list,
			X509_CRL *crl)
{
	if (sk_X509_CRL_push(list, crl) > 0)
		return 0;
	X509_CRL_free(crl);
	return mih_err_fail_errno(-ENOMEM, "%s", path);
}

mih_err mih_sig_x509_read_crls(const char *path, STACK_OF(X509_CRL) * list)
{
	mih_autofree char *text = NULL;
	MIH_CLEANUP(put_bio) BIO *bio = NULL;
	int before = sk_X509_CRL_num(list);
	size_t len;
	mih_err err = mih_io_read_file(path, FILE_MAX, &text, &len);
	const uint8_t *der;
	X509_CRL *crl;

	if (err)
		return err;
	if (!strstr(text, "-----BEGIN ")) {
		der = (const uint8_t *)text;
		crl = d2i_X509_CRL(NULL, &der, (long)len);
		ERR_clear_error();
		return crl ? push_crl(path, list, crl)
			   : mih_err_fail(MIH_EFORMAT,
					  "%s: not a revocation list", path);
	}
	bio = BIO_new_mem_buf(text, (int)len);
	while (bio && !err &&
	       (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)))
		err = push_crl(path, list, crl);
	if (!err &&
	    (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE ||
	     sk_X509_CRL_num(list) == before))
		err = mih_err_fail(MIH_EFORMAT, "%s: not a revocation list",
				   path);
	ERR_clear_error();
	return err;
}

mih_err mih_sig_x509_from_json(const struct mih_sig_json *node, X509 **cert_out)
{
	static const char *const known[] = { "rawBytes", NULL };
	mih_autobytes struct mih_sig_bytes der = { 0 };
	mih_autox509 X509 *cert = NULL;
	const uint8_t *at;
	mih_err err = mih_sig_json_only(node, known);

	if (!err)
		err = mih_sig_proto_bytes(node, "rawBytes",
					  MIH_SIG_X509_DER_MAX, &der);
	if (err)
		return err;
	at = der.at;
	cert = d2i_X509(NULL, &at, (long)der.len);
	ERR_clear_error();
	if (!cert || at != der.at + der.len)
		return mih_sig_json_fail(node, "rawBytes",
					 "is not a DER certificate");
	*cert_out = MIH_STEAL(&cert);
	return 0;
}

mih_err mih_sig_x509_list_from_json(const struct mih_sig_json *node,
				    STACK_OF(X509) * *list_out)
{
	mih_autox509list STACK_OF(X509) *list = sk_X509_new_null();
	struct mih_sig_json array, one;
	mih_err err = mih_sig_json_array(node, "certificates", &array);
	size_t n;

	if (err)
		return err;
	if (!list)
		return mih_err_fail_errno(-ENOMEM, "%s", node->file);
	n = json_array_size(array.value);
	if (n == 0)
		return mih_sig_json_fail(&array, "", "is empty");
	if (n > MIH_SIG_X509_MAX)
		return mih_sig_json_fail(&array, "", "has more than %d",
					 MIH_SIG_X509_MAX);
	for (size_t i = 0; !err && i < n; i++) {
		X509 *cert;

		err = mih_sig_json_element(&array, i, &one);
		if (!err)
			err = mih_sig_x509_from_json(&one, &cert);
		if (!err)
			err = push(node->file, list, cert);
	}
	if (!err)
		*list_out = MIH_STEAL(&list);
	return err;
}
