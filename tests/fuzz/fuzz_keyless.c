/*
 * libFuzzer target: any bytes as each part of keyless material that has a form
 * of its own: certificate, checkpoint, timestamp, log entry, trusted root.
 * contrib/fuzz.sh runs it; seed_keyless.py cuts seeds from the fixtures.
 */
#include "sig/keyless/keyless.h"
#include "util/checked.h"

#include <openssl/err.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool see(const char *name, void *arg)
{
	size_t *total = arg;

	*total += strlen(name);
	return false;
}

static void try_certificate(const struct mih_sig_check *base,
			    const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	mih_autox509 X509 *cert = d2i_X509(NULL, &at, (long)size);
	struct mih_sig_check check = *base;
	char text[64], hex[65];
	size_t total = 0;

	ERR_clear_error();
	if (!cert)
		return;
	check.leaf = cert;
	mih_sig_x509_each_name(cert, see, &total);
	mih_sig_x509_subject(cert, text, sizeof(text));
	mih_sig_x509_common_name(cert, text, sizeof(text));
	mih_sig_x509_fingerprint(cert, hex);
	(void)mih_sig_x509_may_sign(cert);
	free(mih_sig_identity_name(cert));
	free(mih_sig_identity_issuer(cert));
	if (!mih_sig_sct_check(&check, cert, 0))
		abort(); /* no log is trusted */
}

static void try_checkpoint(const char *text)
{
	struct mih_sig_checkpoint note;

	if (mih_sig_checkpoint_parse(text, &note))
		return;
	if (note.signed_len + 1 != (size_t)(note.signatures - text) ||
	    note.origin_len >= note.signed_len || note.size < 0)
		abort();
}

static void try_timestamp(const struct mih_sig_check *check,
			  const uint8_t *data, size_t size)
{
	const struct mih_sig_bytes stamp = { (uint8_t *)data, size };
	struct mih_sig_times times = { .n = 0 };

	if (!mih_sig_timestamp_check(check, &stamp, &times) || times.n)
		abort(); /* no authority is trusted */
}

/* Nothing can be about a bundle whose certificate is empty. */
static void try_body(const struct mih_sig_check *check, const uint8_t *data,
		     size_t size)
{
	static const char *const kinds[][2] = {
		{ "dsse", "0.0.1" },	     { "dsse", "0.0.2" },
		{ "intoto", "0.0.2" },	     { "hashedrekord", "0.0.1" },
		{ "hashedrekord", "0.0.2" },
	};

	for (size_t i = 0; i < MIH_ARRAY_LEN(kinds); i++) {
		const struct mih_sig_entry entry = {
			.kind = (char *)kinds[i][0],
			.version = (char *)kinds[i][1],
			.body = { (uint8_t *)data, size },
		};

		if (!mih_sig_body_check(check, &entry))
			abort();
	}
}

static void try_root(const char *text, size_t size)
{
	const struct mih_sig_text all = { "fuzz", text, size };
	struct mih_sig_root *root = NULL;

	if (!mih_sig_root_parse(&all, &root) &&
	    (root->rekor.n == 0 || root->fulcio.n == 0))
		abort();
	mih_sig_root_free(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mih_sig_bundle bundle = { .file = (char *)"fuzz" };
	struct mih_sig_root root = { .rekor.n = 0 };
	mih_autox509 X509 *empty = X509_new();
	const struct mih_sig_check check = { &bundle, &root, empty };
	char *text = malloc(size + 1);

	if (!text || !empty)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	try_certificate(&check, data, size);
	try_checkpoint(text);
	try_timestamp(&check, data, size);
	try_body(&check, data, size);
	try_root(text, size);
	free(text);
	return 0;
}
