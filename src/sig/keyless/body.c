/*
 * What was logged must be this signature, by this certificate, over this
 * content. Each kind of entry says it in its own words.
 */
#include "sig/keyless/keyless.h"
#include "util/bytes.h"
#include "util/checked.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define AT "log entry body"

static void put_bio(BIO **bio)
{
	BIO_free(*bio);
}

static mih_err differs(const struct mih_sig_json *node, const char *what)
{
	return mih_err_fail(MIH_EUNTRUSTED, "%s: " AT ": is for another %s",
			    node->file, what);
}

/* --- parts ------------------------------------------------------------- */

/** A digest by its names in old and new entries. */
struct digest {
	const char *name, *proto;
	size_t len;
};

static const struct digest digests[] = {
	{ "sha256", "SHA2_256", 32 },
	{ "sha384", "SHA2_384", 48 },
	{ "sha512", "SHA2_512", 64 },
};

/* Which digest @node is in; the encoding as the one that speaks of it. */
static mih_err find_digest(const struct mih_sig_json *node, bool is_proto,
			   size_t *i_out)
{
	const char *name;
	mih_err err = mih_sig_json_string(node, "algorithm", &name);

	if (err)
		return err;
	for (size_t i = 0; i < MIH_ARRAY_LEN(digests); i++)
		if (!strcmp(name,
			    is_proto ? digests[i].proto : digests[i].name)) {
			*i_out = i;
			return 0;
		}
	return mih_sig_json_fail(node, "algorithm", "is unknown");
}

/* { "algorithm": .., "value": hex } or { "algorithm": .., "digest": base64 } */
static mih_err read_digest(const struct mih_sig_json *node, bool is_proto,
			   size_t *i_out, uint8_t *digest)
{
	mih_err err = find_digest(node, is_proto, i_out);

	if (err)
		return err;
	return is_proto ? mih_sig_proto_digest(node, "digest",
					       digests[*i_out].len, digest)
			: mih_sig_json_hex(node, "value", digests[*i_out].len,
					   digest);
}

static mih_err check_payload(const struct mih_sig_check *check,
			     const struct mih_sig_json *node, bool is_proto)
{
	struct mih_sig_json hash;
	uint8_t digest[64];
	size_t i = 0;
	mih_err err = mih_sig_json_object(node, "payloadHash", &hash);

	if (!err)
		err = read_digest(&hash, is_proto, &i, digest);
	if (!err && i != 0)
		err = mih_sig_json_fail(&hash, "algorithm", "is not SHA-256");
	if (!err && CRYPTO_memcmp(digest, check->bundle->payload_sha256, 32))
		err = differs(node, "payload");
	return err;
}

static mih_err check_pae(const struct mih_sig_check *check,
			 const struct mih_sig_json *hash, bool is_proto)
{
	uint8_t digest[64];
	size_t i = 0;
	mih_err err = read_digest(hash, is_proto, &i, digest);

	if (!err &&
	    CRYPTO_memcmp(digest, check->bundle->pae.md[i], digests[i].len))
		err = differs(hash, "payload");
	return err;
}

static bool is_signature(const struct mih_sig_check *check,
			 const struct mih_sig_bytes *sig)
{
	return sig->len == check->bundle->sig_len &&
	       !CRYPTO_memcmp(sig->at, check->bundle->sig, sig->len);
}

static mih_err check_signature(const struct mih_sig_check *check,
			       const struct mih_sig_json *node, const char *key)
{
	mih_autobytes struct mih_sig_bytes sig = { 0 };
	mih_err err = mih_sig_proto_bytes(node, key, 4096, &sig);

	if (!err && !is_signature(check, &sig))
		err = differs(node, "signature");
	return err;
}

/* Entries of kind intoto encode the base64 once more. */
static mih_err check_signature_twice(const struct mih_sig_check *check,
				     const struct mih_sig_json *node)
{
	mih_autobytes struct mih_sig_bytes once = { 0 }, sig = { 0 };
	mih_autofree char *text = NULL;
	mih_err err = mih_sig_proto_bytes(node, "sig", 8192, &once);

	if (err)
		return err;
	text = strndup((const char *)once.at, once.len);
	if (!text)
		return mih_err_fail_errno(-ENOMEM, "%s", node->file);
	err = mih_sig_proto_base64(node, "sig", text, 4096, &sig);
	if (!err && !is_signature(check, &sig))
		err = differs(node, "signature");
	return err;
}

static mih_err check_pem(const struct mih_sig_check *check,
			 const struct mih_sig_json *node, const char *key)
{
	mih_autobytes struct mih_sig_bytes pem = { 0 };
	MIH_CLEANUP(put_bio) BIO *bio = NULL;
	mih_autox509 X509 *cert = NULL;
	mih_err err =
	    mih_sig_proto_bytes(node, key, 2 * MIH_SIG_X509_DER_MAX, &pem);

	if (err)
		return err;
	bio = BIO_new_mem_buf(pem.at, (int)pem.len);
	if (bio)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ERR_clear_error();
	if (!cert || X509_cmp(cert, check->leaf))
		return differs(node, "certificate");
	return 0;
}

static mih_err check_der(const struct mih_sig_check *check,
			 const struct mih_sig_json *signature)
{
	struct mih_sig_json verifier, node;
	mih_autox509 X509 *cert = NULL;
	mih_err err = mih_sig_json_object(signature, "verifier", &verifier);

	if (!err)
		err = mih_sig_json_object(&verifier, "x509Certificate", &node);
	if (!err)
		err = mih_sig_x509_from_json(&node, &cert);
	if (!err && X509_cmp(cert, check->leaf))
		err = differs(signature, "certificate");
	return err;
}

static mih_err one_of(const struct mih_sig_json *node, const char *key,
		      struct mih_sig_json *one)
{
	struct mih_sig_json array;
	mih_err err = mih_sig_json_array(node, key, &array);

	if (!err && json_array_size(array.value) != 1)
		err = mih_sig_json_fail(&array, "", "must hold exactly one");
	return err ? err : mih_sig_json_element(&array, 0, one);
}

/* --- kinds ------------------------------------------------------------- */

static mih_err check_dsse(const struct mih_sig_check *check,
			  const struct mih_sig_json *spec)
{
	struct mih_sig_json one;
	mih_err err = check_payload(check, spec, false);

	if (!err)
		err = one_of(spec, "signatures", &one);
	if (!err)
		err = check_signature(check, &one, "signature");
	return err ? err : check_pem(check, &one, "verifier");
}

static mih_err check_dsse_v2(const struct mih_sig_check *check,
			     const struct mih_sig_json *spec)
{
	struct mih_sig_json inner, one;
	mih_err err = mih_sig_json_object(spec, "dsseV002", &inner);

	if (!err)
		err = check_payload(check, &inner, true);
	if (!err)
		err = one_of(&inner, "signatures", &one);
	if (!err)
		err = check_signature(check, &one, "content");
	return err ? err : check_der(check, &one);
}

static mih_err check_intoto(const struct mih_sig_check *check,
			    const struct mih_sig_json *spec)
{
	struct mih_sig_json content, envelope, one;
	mih_err err = mih_sig_json_object(spec, "content", &content);

	if (!err)
		err = check_payload(check, &content, false);
	if (!err)
		err = mih_sig_json_object(&content, "envelope", &envelope);
	if (!err)
		err = mih_sig_json_is(&envelope, "payloadType",
				      MIH_SIG_PAYLOAD_TYPE);
	if (!err)
		err = one_of(&envelope, "signatures", &one);
	if (!err)
		err = check_signature_twice(check, &one);
	return err ? err : check_pem(check, &one, "publicKey");
}

static mih_err check_hashed(const struct mih_sig_check *check,
			    const struct mih_sig_json *spec)
{
	struct mih_sig_json data, hash, sig, key;
	mih_err err = mih_sig_json_object(spec, "data", &data);

	if (!err)
		err = mih_sig_json_object(&data, "hash", &hash);
	if (!err)
		err = check_pae(check, &hash, false);
	if (!err)
		err = mih_sig_json_object(spec, "signature", &sig);
	if (!err)
		err = check_signature(check, &sig, "content");
	if (!err)
		err = mih_sig_json_object(&sig, "publicKey", &key);
	return err ? err : check_pem(check, &key, "content");
}

static mih_err check_hashed_v2(const struct mih_sig_check *check,
			       const struct mih_sig_json *spec)
{
	struct mih_sig_json inner, data, sig;
	mih_err err = mih_sig_json_object(spec, "hashedRekordV002", &inner);

	if (!err)
		err = mih_sig_json_object(&inner, "data", &data);
	if (!err)
		err = check_pae(check, &data, true);
	if (!err)
		err = mih_sig_json_object(&inner, "signature", &sig);
	if (!err)
		err = check_signature(check, &sig, "content");
	return err ? err : check_der(check, &sig);
}

static const struct {
	const char *kind, *version;
	mih_err (*check)(const struct mih_sig_check *check,
			 const struct mih_sig_json *spec);
} kinds[] = {
	{ "dsse", "0.0.1", check_dsse },
	{ "dsse", "0.0.2", check_dsse_v2 },
	{ "intoto", "0.0.2", check_intoto },
	{ "hashedrekord", "0.0.1", check_hashed },
	{ "hashedrekord", "0.0.2", check_hashed_v2 },
};

mih_err mih_sig_body_check(const struct mih_sig_check *check,
			   const struct mih_sig_entry *entry)
{
	const struct mih_sig_text text = { .file = check->bundle->file,
					   .text = (char *)entry->body.at,
					   .len = entry->body.len };
	struct mih_sig_json top = { .file = text.file, .at = AT }, spec;
	mih_autojson json_t *json = NULL;
	mih_err err = mih_sig_json_load_at(&text, AT, &json);

	top.value = json;
	if (!err)
		err = mih_sig_json_is(&top, "kind", entry->kind);
	if (!err)
		err = mih_sig_json_is(&top, "apiVersion", entry->version);
	if (!err)
		err = mih_sig_json_object(&top, "spec", &spec);
	if (err)
		return err;
	for (size_t i = 0; i < MIH_ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].kind, entry->kind) &&
		    !strcmp(kinds[i].version, entry->version))
			return kinds[i].check(check, &spec);
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: " AT ": entries of kind '%.40s' %.40s are "
			    "unknown",
			    text.file, entry->kind, entry->version);
}
