/*
 * libFuzzer target: any bytes as a certificate, with the extensions of Fulcio
 * and of certificate logs. contrib/fuzz.sh runs it; seed_keyless.py cuts seeds
 * from the fixtures.
 */
#include "sig/keyless/keyless.h"

#include <openssl/err.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool see(const char *name, void *arg)
{
	size_t *total = arg;

	*total += strlen(name);
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mih_sig_bundle bundle = { .file = (char *)"fuzz" };
	struct mih_sig_root root = { .rekor.n = 0 };
	const uint8_t *at = data;
	mih_autox509 X509 *cert = d2i_X509(NULL, &at, (long)size);
	const struct mih_sig_check check = { &bundle, &root, cert };
	char text[64], hex[65];
	size_t total = 0;

	ERR_clear_error();
	if (!cert)
		return 0;
	mih_sig_x509_each_name(cert, see, &total);
	mih_sig_x509_subject(cert, text, sizeof(text));
	mih_sig_x509_common_name(cert, text, sizeof(text));
	mih_sig_x509_fingerprint(cert, hex);
	(void)mih_sig_x509_may_sign(cert);
	free(mih_sig_identity_name(cert));
	free(mih_sig_identity_issuer(cert));
	if (!mih_sig_sct_check(&check, cert, 0))
		abort(); /* no log is trusted */
	return 0;
}
