/*
 * libFuzzer target: any bytes as a timestamp, the body of a log entry, or a
 * trusted root. contrib/fuzz.sh runs it; seed_keyless.py cuts seeds from the
 * fixtures.
 */
#include "sig/keyless/keyless.h"
#include "util/checked.h"

#include <openssl/err.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	try_timestamp(&check, data, size);
	try_body(&check, data, size);
	try_root(text, size);
	free(text);
	return 0;
}
