#include "sig/sig_internal.h"
#include "util/bytes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/** Text that grows; failed stays set once memory ran out. */
struct out {
	char *text;
	size_t len, room;
	bool failed;
};

static void out_fini(struct out *o)
{
	free(o->text);
}

static char *out_room(struct out *o, size_t len)
{
	if (!o->failed && o->room - o->len <= len) {
		size_t room = o->len + len + o->room / 2 + 256;
		char *more = realloc(o->text, room);

		o->failed = !more;
		if (more) {
			o->text = more;
			o->room = room;
		}
	}
	return o->failed ? NULL : o->text + o->len;
}

static void put_bytes(struct out *o, const char *text, size_t len)
{
	char *at = out_room(o, len);

	if (!at)
		return;
	memcpy(at, text, len);
	o->len += len;
}

static void put(struct out *o, const char *text)
{
	put_bytes(o, text, strlen(text));
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/* A JSON string; UTF-8 passes as it is. */
static void put_string(struct out *o, const char *text)
{
	put(o, "\"");
	while (*text) {
		const char *from = text;
		char escape[8];

		while (*text && is_plain((unsigned char)*text))
			text++;
		put_bytes(o, from, (size_t)(text - from));
		if (!*text)
			break;
		snprintf(escape, sizeof(escape), "\\u%04x",
			 (unsigned char)*text++);
		put(o, escape);
	}
	put(o, "\"");
}

static void put_hex(struct out *o, const uint8_t *bytes, size_t len)
{
	char hex[2 * MIH_HASH_LEN_MAX + 1];

	mih_bytes_to_hex(bytes, len, hex);
	put(o, "\"");
	put(o, hex);
	put(o, "\"");
}

/* --- what may be signed ------------------------------------------------ */

static mih_err check_resource(const struct mih_sig_manifest *m, size_t i)
{
	const struct mih_sig_resource *res = &m->resources[i];
	const struct mih_hash_info *tree = mih_hash_info(res->tree);
	const char *bad = NULL;

	if (m->nresources > 1 || strcmp(res->name, "."))
		bad = mih_sig_name_check(res->name, strlen(res->name));
	if (!bad && res->alg != m->resources[0].alg)
		bad = "has another digest algorithm than the first file";
	if (!bad && res->alg != MIH_HASH_SHA256 &&
	    res->alg != MIH_HASH_BLAKE2B && res->alg != MIH_HASH_BLAKE3)
		bad = "has a digest that OMS does not know";
	if (!bad && res->tree != MIH_HASH_NONE && (!tree || !tree->is_tree))
		bad = "is annotated with a digest that is no tree";
	if (!bad && (res->nshards || m->is_sharded))
		bad = "is in shards, which are not written";
	if (!bad && tree && res->nbytes > MIH_SIG_SIZE_MAX)
		bad = "is too large to be signed";
	return bad ? mih_err_fail(-EINVAL, "%s: the name or file %s", res->name,
				  bad)
		   : 0;
}

static mih_err check_manifest(const struct mih_sig_manifest *m)
{
	const char *a = "", *b = "";
	mih_err err = 0;

	if (m->nresources == 0 || !m->model_name)
		return mih_err_fail(-EINVAL,
				    "statement: no files or no model name");
	for (size_t i = 0; !err && i < m->nresources; i++)
		err = check_resource(m, i);
	if (err)
		return err;
	err = mih_sig_manifest_check_paths(m, &a, &b);
	if (err == -EEXIST)
		return mih_err_fail(-EINVAL, "%s: cannot be signed beside %s",
				    b, a);
	return err ? mih_err_fail_errno(err, "statement") : 0;
}

static int compare_names(const void *pa, const void *pb)
{
	const struct mih_sig_resource *const *a = pa, *const *b = pb;

	/* Byte order of UTF-8 is code point order. */
	return strcmp((*a)->name, (*b)->name);
}

static const struct mih_sig_resource **sorted(const struct mih_sig_manifest *m)
{
	const struct mih_sig_resource **order =
	    calloc(m->nresources, sizeof(*order));

	if (!order)
		return NULL;
	for (size_t i = 0; i < m->nresources; i++)
		order[i] = &m->resources[i];
	qsort(order, m->nresources, sizeof(*order), compare_names);
	return order;
}

/* --- the statement ----------------------------------------------------- */

static void put_resource(struct out *o, const struct mih_sig_resource *res)
{
	const struct mih_hash_info *alg = mih_hash_info(res->alg);
	const struct mih_hash_info *tree = mih_hash_info(res->tree);
	char size[32];

	put(o, "{\"name\":");
	put_string(o, res->name);
	put(o, ",\"algorithm\":");
	put_string(o, alg->name);
	put(o, ",\"digest\":");
	put_hex(o, res->digest, alg->len);
	if (tree) {
		put(o, ",\"annotations\":{\"mihfs\":{\"tree\":");
		put_string(o, tree->name);
		put(o, ",\"root\":");
		put_hex(o, res->root, tree->len);
		snprintf(size, sizeof(size), ",\"size\":%" PRIu64 "}}",
			 res->nbytes);
		put(o, size);
	}
	put(o, "}");
}

static void put_serialization(struct out *o, const struct mih_sig_manifest *m)
{
	put(o, "{\"method\":\"files\",\"hash_type\":");
	put_string(o, mih_hash_info(m->resources[0].alg)->name);
	put(o, ",\"allow_symlinks\":");
	put(o, m->allow_symlinks ? "true" : "false");
	put(o, ",\"ignore_paths\":[");
	for (size_t i = 0; i < m->nignore_paths; i++) {
		put(o, i ? "," : "");
		put_string(o, m->ignore_paths[i]);
	}
	put(o, "]}");
}

static bool root_digest(const struct mih_sig_resource *const *order, size_t n,
			uint8_t root[32])
{
	size_t len = mih_hash_info(order[0]->alg)->len;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; good && i < n; i++)
		good = EVP_DigestUpdate(ctx, order[i]->digest, len) == 1;
	good = good && EVP_DigestFinal_ex(ctx, root, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

static mih_err put_statement(struct out *o, const struct mih_sig_manifest *m)
{
	mih_autofree const struct mih_sig_resource **order = sorted(m);
	uint8_t root[32];

	if (!order)
		return mih_err_fail_errno(-ENOMEM, "statement");
	if (!root_digest(order, m->nresources, root))
		return mih_err_fail(-EIO, "statement: SHA-256 failed");
	put(o, "{\"_type\":\"" MIH_SIG_STATEMENT_TYPE "\",\n"
	       "\"subject\":[{\"name\":");
	put_string(o, m->model_name);
	put(o, ",\"digest\":{\"sha256\":");
	put_hex(o, root, sizeof(root));
	put(o, "}}],\n\"predicateType\":\"" MIH_SIG_PREDICATE_TYPE "\",\n"
	       "\"predicate\":{\"serialization\":");
	put_serialization(o, m);
	put(o, ",\n\"resources\":[");
	for (size_t i = 0; i < m->nresources; i++) {
		put(o, i ? ",\n" : "\n");
		put_resource(o, order[i]);
	}
	put(o, "\n]}}\n");
	return o->failed ? mih_err_fail_errno(-ENOMEM, "statement") : 0;
}

/* --- the bundle -------------------------------------------------------- */

static void put_base64(struct out *o, const void *bytes, size_t len)
{
	char *at = out_room(o, mih_sig_base64_len(len));

	if (!at)
		return;
	mih_sig_base64_encode(bytes, len, at);
	o->len += mih_sig_base64_len(len);
}

static mih_err put_certificates(struct out *o, STACK_OF(X509) * certs)
{
	put(o, "    \"x509CertificateChain\": {\n      \"certificates\": [");
	for (int i = 0; i < sk_X509_num(certs); i++) {
		uint8_t *der = NULL;
		int len = i2d_X509(sk_X509_value(certs, i), &der);

		if (len < 0)
			return mih_err_fail(-EIO, "bundle: a certificate "
						  "cannot be encoded");
		put(o, i ? ",\n" : "\n");
		put(o, "        { \"rawBytes\": \"");
		put_base64(o, der, (size_t)len);
		put(o, "\" }");
		OPENSSL_free(der);
	}
	put(o, "\n      ]\n    },\n");
	return 0;
}

static mih_err put_signer(struct out *o, const struct mih_sig_key *key)
{
	if (key->certs)
		return put_certificates(o, key->certs);
	put(o, "    \"publicKey\": {\n      \"hint\": \"");
	put(o, key->hint);
	put(o, "\"\n    },\n");
	return 0;
}

static mih_err put_bundle(struct out *o, const struct out *payload,
			  const struct mih_sig_key *key)
{
	uint8_t sig[MIH_SIG_DER_MAX];
	struct mih_sig_pae pae;
	size_t sig_len;
	mih_err err = mih_sig_pae_init(&pae, payload->text, payload->len);

	if (!err)
		err = mih_sig_pae_sign(&pae, key, sig, &sig_len);
	if (err)
		return err;
	/* One allocation: the text is as large as the model has files. */
	out_room(o, mih_sig_base64_len(payload->len) + 2048);
	put(o, "{\n  \"mediaType\": \"" MIH_SIG_MEDIA_TYPE "\",\n"
	       "  \"verificationMaterial\": {\n");
	err = put_signer(o, key);
	if (err)
		return err;
	put(o, "    \"tlogEntries\": []\n  },\n"
	       "  \"dsseEnvelope\": {\n    \"payload\": \"");
	put_base64(o, payload->text, payload->len);
	put(o, "\",\n    \"payloadType\": \"" MIH_SIG_PAYLOAD_TYPE "\",\n"
	       "    \"signatures\": [\n      {\n        \"sig\": \"");
	put_base64(o, sig, sig_len);
	put(o, "\",\n        \"keyid\": \"\"\n      }\n    ]\n  }\n}\n");
	return o->failed ? mih_err_fail_errno(-ENOMEM, "bundle") : 0;
}

/* What we would not accept ourselves must not leave this function. */
static mih_err check_own(const struct out *o, const struct mih_sig_manifest *m,
			 const struct mih_sig_key *key)
{
	struct mih_sig_key *const keys[] = { (struct mih_sig_key *)key };
	const struct mih_sig_trust trust = { .keys =
						 (struct mih_sig_key **)keys,
					     .nkeys = 1,
					     .anchors = key->certs };
	struct mih_sig_bundle *bundle = NULL;
	char *copy = malloc(o->len + 1);
	mih_err err;

	if (!copy)
		return mih_err_fail_errno(-ENOMEM, "bundle");
	memcpy(copy, o->text, o->len);
	err = mih_sig_bundle_parse("bundle", copy, o->len, &bundle);
	if (err)
		return err == MIH_EFORMAT ? -EINVAL : err;
	err = mih_sig_bundle_verify(bundle, &trust);
	if (!err && bundle->manifest->nresources != m->nresources)
		err = mih_err_fail(-EIO, "bundle: lost files");
	mih_sig_bundle_free(bundle);
	if (err == MIH_EUNTRUSTED)
		return mih_err_fail(-EIO,
				    "bundle: the signature does not verify; "
				    "the key file's two halves do not match");
	return err;
}

mih_err mih_sig_bundle_sign(const struct mih_sig_manifest *manifest,
			    const struct mih_sig_key *key, char **text_out,
			    size_t *len_out)
{
	MIH_CLEANUP(out_fini) struct out payload = { 0 };
	MIH_CLEANUP(out_fini) struct out bundle = { 0 };
	mih_err err = check_manifest(manifest);

	if (!err)
		err = put_statement(&payload, manifest);
	if (!err)
		err = put_bundle(&bundle, &payload, key);
	out_fini(&payload);
	payload.text = NULL;
	if (!err)
		err = check_own(&bundle, manifest, key);
	if (err)
		return err;
	put_bytes(&bundle, "", 1);
	if (bundle.failed)
		return mih_err_fail_errno(-ENOMEM, "bundle");
	*len_out = bundle.len - 1;
	*text_out = MIH_STEAL(&bundle.text);
	return 0;
}
