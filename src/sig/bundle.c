#include "sig/keyless/keyless.h"
#include "sig/legacy/legacy.h"
#include "sig/text/proto.h"
#include "util/io.h"

#include <stdio.h>
#include <string.h>

static const struct mih_sig_member payload_member = { "dsseEnvelope", "payload",
						      '"' };

static void put_bundle(struct mih_sig_bundle **bundle)
{
	mih_sig_bundle_free(*bundle);
}

/** The text of a bundle, from file to payload in one buffer. */
struct source {
	char *text; /* owned */
	struct mih_sig_text whole;
	struct mih_sig_span payload; /* base64 inside text; empty: see tree */
};

static void source_fini(struct source *s)
{
	free(s->text);
}

/* Whatever the signer liked and nobody ever looked at; but a text. */
static mih_err check_keyid(const struct mih_sig_json *signature)
{
	const char *text;

	return mih_sig_json_has(signature, "keyid")
		   ? mih_sig_json_string(signature, "keyid", &text)
		   : 0;
}

static mih_err read_signature(struct mih_sig_bundle *bundle,
			      const struct mih_sig_json *envelope)
{
	static const char *const known[] = { "sig", "keyid", NULL };
	struct mih_sig_json array, signature;
	uint8_t der[MIH_SIG_DER_MAX + 3];
	const char *text, *bad;
	mih_err err = mih_sig_json_array(envelope, "signatures", &array);

	if (err)
		return err;
	if (json_array_size(array.value) != 1)
		return mih_sig_json_fail(&array, "",
					 "must hold exactly one signature, "
					 "not %zu",
					 json_array_size(array.value));
	err = mih_sig_json_element(&array, 0, &signature);
	if (!err)
		err = mih_sig_json_only(&signature, known);
	if (!err)
		err = check_keyid(&signature);
	if (!err)
		err = mih_sig_json_string(&signature, "sig", &text);
	if (err)
		return err;
	if (!*text || strlen(text) > mih_sig_base64_len(MIH_SIG_DER_MAX))
		return mih_sig_json_fail(&signature, "sig",
					 "is not as long as a signature");
	bad = mih_sig_base64_decode(text, strlen(text), der, &bundle->sig_len);
	if (bad || bundle->sig_len > sizeof(bundle->sig))
		return mih_sig_json_fail(&signature, "sig", "%s",
					 bad ? bad : "is too long");
	memcpy(bundle->sig, der, bundle->sig_len);
	return 0;
}

/* Where the base64 is depends on how it was written: still in the text, or,
 * with escapes in it, in the tree. Either way it ends up in s->text alone. */
static mih_err take_payload(struct source *s,
			    const struct mih_sig_json *envelope,
			    struct mih_sig_text *payload_out)
{
	const char *base64, *bad;
	size_t len;
	mih_err err = mih_sig_json_string(envelope, "payload", &base64);

	if (err)
		return err;
	len = strlen(base64);
	if (s->payload.to > s->payload.from) {
		base64 = s->text + s->payload.from;
		len = s->payload.to - s->payload.from;
	}
	bad = mih_sig_base64_decode(base64, len, (uint8_t *)s->text, &len);
	if (bad)
		return mih_sig_json_fail(envelope, "payload", "%s", bad);
	*payload_out = (struct mih_sig_text){ .file = s->whole.file,
					      .text = s->text,
					      .len = len };
	return 0;
}

static mih_err read_envelope(struct mih_sig_bundle *bundle, struct source *s,
			     const struct mih_sig_json *top,
			     struct mih_sig_text *payload_out)
{
	static const char *const known[] = { "payload", "payloadType",
					     "signatures", NULL };
	struct mih_sig_json envelope;
	mih_err err = mih_sig_json_object(top, "dsseEnvelope", &envelope);

	if (!err)
		err = mih_sig_json_only(&envelope, known);
	if (!err)
		err = mih_sig_json_is(&envelope, "payloadType",
				      MIH_SIG_PAYLOAD_TYPE);
	if (!err)
		err = read_signature(bundle, &envelope);
	return err ? err : take_payload(s, &envelope, payload_out);
}

static mih_err read_container(struct mih_sig_bundle *bundle, struct source *s,
			      struct mih_sig_text *payload_out)
{
	static const char *const known[] = { "mediaType",
					     "verificationMaterial",
					     "dsseEnvelope", NULL };
	struct mih_sig_json top = { .file = bundle->file }, material;
	mih_autojson json_t *json = NULL;
	mih_err err =
	    mih_sig_json_find(&s->whole, &payload_member, &s->payload);

	if (!err)
		err = mih_sig_json_load_without(&s->whole, s->payload, &json);
	if (err)
		return err;
	top.value = json;
	err = mih_sig_json_only(&top, known);
	if (!err)
		err = mih_sig_json_is(&top, "mediaType", MIH_SIG_MEDIA_TYPE);
	if (!err)
		err = mih_sig_json_object(&top, "verificationMaterial",
					  &material);
	if (!err)
		err = mih_sig_method_read(bundle, &material);
	return err ? err : read_envelope(bundle, s, &top, payload_out);
}

/* Give back what base64 took more than its content. */
static void shrink(struct source *s, struct mih_sig_text *payload)
{
	char *less = realloc(s->text, payload->len + 1);

	if (less)
		payload->text = s->text = less;
}

/* Keyless signatures were over DSSE's encoding even then. */
static mih_err read_legacy(struct mih_sig_bundle *bundle,
			   const struct mih_sig_text *payload)
{
	if (!bundle->manifest->is_legacy || bundle->proof)
		return 0;
	bundle->legacy_pae = calloc(1, sizeof(*bundle->legacy_pae));
	if (!bundle->legacy_pae)
		return mih_err_fail_errno(-ENOMEM, "%s", bundle->file);
	return mih_sig_legacy_pae(bundle->legacy_pae, payload->text,
				  payload->len);
}

mih_err mih_sig_bundle_parse(const char *file, char *text, size_t len,
			     struct mih_sig_bundle **bundle_out)
{
	MIH_CLEANUP(source_fini)
	struct source s = { .text = text, .whole = { file, text, len } };
	MIH_CLEANUP(put_bundle)
	struct mih_sig_bundle *bundle = calloc(1, sizeof(*bundle));
	struct mih_sig_text payload;
	mih_err err;

	if (bundle)
		bundle->file = strdup(file);
	if (!bundle || !bundle->file)
		return mih_err_fail_errno(-ENOMEM, "%s", file);
	err = read_container(bundle, &s, &payload);
	if (err)
		return err;
	shrink(&s, &payload);
	err = mih_sig_pae_init(&bundle->pae, payload.text, payload.len);
	if (!err && bundle->proof)
		err = mih_sig_payload_digest(payload.text, payload.len,
					     bundle->payload_sha256);
	if (!err)
		err = mih_sig_statement_read(&payload, &bundle->manifest,
					     bundle->root);
	if (!err)
		err = read_legacy(bundle, &payload);
	if (!err)
		*bundle_out = MIH_STEAL(&bundle);
	return err;
}

mih_err mih_sig_bundle_read(const char *path,
			    struct mih_sig_bundle **bundle_out)
{
	char *text;
	size_t len;
	mih_err err = mih_io_read_file(path, MIH_SIG_BUNDLE_MAX, &text, &len);

	return err ? err : mih_sig_bundle_parse(path, text, len, bundle_out);
}

mih_err mih_sig_bundle_verify(const struct mih_sig_bundle *bundle,
			      const struct mih_sig_trust *trust)
{
	char when[MIH_SIG_WHEN_MAX];

	return mih_sig_bundle_verify_when(bundle, trust, when);
}

mih_err mih_sig_bundle_verify_when(const struct mih_sig_bundle *bundle,
				   const struct mih_sig_trust *trust,
				   char when[MIH_SIG_WHEN_MAX])
{
	struct mih_sig_moment moment = { .is_proven = false };
	mih_err err = mih_sig_legacy_check(bundle, trust);

	*when = '\0';
	if (!err)
		err = bundle->method->verify(bundle, trust, &moment);
	if (!err)
		err = mih_sig_demand_check(&trust->demand, bundle, &moment);
	if (!err && moment.is_proven)
		snprintf(when, MIH_SIG_WHEN_MAX, "%s",
			 mih_sig_time_text(moment.at).text);
	return err;
}

void mih_sig_bundle_free(struct mih_sig_bundle *bundle)
{
	if (!bundle)
		return;
	mih_sig_manifest_free(bundle->manifest);
	sk_X509_pop_free(bundle->certs, X509_free);
	mih_sig_key_free(bundle->leaf_key);
	mih_sig_proof_free(bundle->proof);
	free(bundle->legacy_pae);
	free(bundle->file);
	free(bundle);
}

const struct mih_sig_manifest *
mih_sig_bundle_manifest(const struct mih_sig_bundle *bundle)
{
	return bundle->manifest;
}

enum mih_sig_method mih_sig_bundle_method(const struct mih_sig_bundle *bundle)
{
	return bundle->method->id;
}

const char *mih_sig_bundle_signer(const struct mih_sig_bundle *bundle)
{
	return bundle->signer;
}

void mih_sig_bundle_root(const struct mih_sig_bundle *bundle, uint8_t root[32])
{
	memcpy(root, bundle->root, sizeof(bundle->root));
}
