/*
 * libFuzzer target: any bytes as a bundle, and as the payload of one.
 *
 * A payload is read twice, with its list of resources cut out by the scanner
 * and, the name of the list escaped, as one tree: a difference is a crash.
 * What could be a bundle is then verified against the keys, the authority and
 * the trusted root of the fixtures, so that mutants of good bundles get far.
 * contrib/fuzz.sh runs it.
 */
#include "sig/sig_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAIN	"\"resources\""
#define ESCAPED "\"\\u0072esources\""

static char *copy(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Every name (or text) "resources" written with an escape means the same. */
static char *escape(const char *text, size_t size, size_t *len_out)
{
	char *out = malloc(2 * size + 1);
	size_t n = 0;

	if (!out)
		abort();
	for (size_t at = 0; at < size;) {
		if (size - at >= strlen(PLAIN) &&
		    !memcmp(text + at, PLAIN, strlen(PLAIN))) {
			memcpy(out + n, ESCAPED, strlen(ESCAPED));
			n += strlen(ESCAPED);
			at += strlen(PLAIN);
		} else {
			out[n++] = text[at++];
		}
	}
	*len_out = n;
	return out;
}

static void compare(const struct mih_sig_manifest *a,
		    const struct mih_sig_manifest *b)
{
	if (a->nresources != b->nresources ||
	    a->nignore_paths != b->nignore_paths ||
	    a->allow_symlinks != b->allow_symlinks ||
	    strcmp(a->model_name, b->model_name))
		abort();
	for (size_t i = 0; i < a->nresources; i++) {
		const struct mih_sig_resource *x = &a->resources[i];
		const struct mih_sig_resource *y = &b->resources[i];

		if (strcmp(x->name, y->name) || x->alg != y->alg ||
		    x->tree != y->tree || x->nbytes != y->nbytes ||
		    memcmp(x->digest, y->digest, sizeof(x->digest)) ||
		    memcmp(x->root, y->root, sizeof(x->root)))
			abort();
	}
}

static void try_payload(const uint8_t *data, size_t size)
{
	struct mih_sig_manifest *cut = NULL, *whole = NULL;
	struct mih_sig_text a = { "fuzz", copy(data, size), size };
	struct mih_sig_text b = { .file = "fuzz" };
	uint8_t root[32];
	mih_err err;

	b.text = escape(a.text, a.len, &b.len);
	err = mih_sig_statement_read(&a, &cut, root);
	if (err != mih_sig_statement_read(&b, &whole, root))
		abort();
	if (!err)
		compare(cut, whole);
	mih_sig_manifest_free(cut);
	mih_sig_manifest_free(whole);
	free((char *)a.text);
	free((char *)b.text);
}

static const char *fixture(const char *name)
{
	static char path[1024];
	const char *top = getenv("top_srcdir");

	snprintf(path, sizeof(path), "%s/tests/fixtures/%s", top ? top : ".",
		 name);
	return path;
}

/* Everybody that the good fixtures are by. */
static const struct mih_sig_trust *trust(void)
{
	static const struct mih_sig_identity identity = {
		.name = ".*",
		.is_regex = true,
		.issuer = "https://issuer.mihfs.test",
	};
	static const struct mih_sig_legacy legacy = { true, true };
	static struct mih_sig_trust *all;

	if (all)
		return all;
	all = mih_sig_trust_new();
	if (!all || mih_sig_trust_add_key(all, fixture("key/p256.pub.pem")) ||
	    mih_sig_trust_add_key(all, fixture("key/p521.pub.pem")) ||
	    mih_sig_trust_add_chain(all, fixture("cert/root.pem")) ||
	    mih_sig_trust_set_identity(all, &identity) ||
	    mih_sig_trust_set_root(all, fixture("keyless/trusted_root.json")))
		abort();
	mih_sig_trust_set_legacy(all, &legacy);
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mih_sig_bundle *bundle = NULL;

	if (mih_sig_bundle_parse("fuzz", copy(data, size), size, &bundle) == 0)
		(void)!mih_sig_bundle_verify(bundle, trust());
	mih_sig_bundle_free(bundle);
	try_payload(data, size);
	return 0;
}
