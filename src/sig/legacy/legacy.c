/*
 * What model signing 0.2 wrote: a statement without a predicate of its own,
 * and a signature over an encoding that was meant to be DSSE's. Both are read
 * by everybody and believed only on request.
 */
#include "sig/legacy/legacy.h"
#include "util/checked.h"

#include <stdio.h>
#include <string.h>

/* --- the statement ----------------------------------------------------- */

/* The digest stands under the name of sha256 whatever it is of. */
static mih_err check_algorithm(const struct mih_sig_json *subject)
{
	static const char member[] = "actual_hash_algorithm";
	struct mih_sig_json annotations;
	mih_err err;

	if (!mih_sig_json_has(subject, "annotations"))
		return 0;
	err = mih_sig_json_object(subject, "annotations", &annotations);
	if (err || !mih_sig_json_has(&annotations, member))
		return err;
	return mih_sig_json_is(&annotations, member, "file-sha256");
}

static mih_err read_name(const struct mih_sig_json *subject, char **name_out)
{
	const char *name, *bad = NULL;
	mih_err err = mih_sig_json_string(subject, "name", &name);

	if (err)
		return err;
	if (strcmp(name, "."))
		bad = mih_sig_name_check(name, strlen(name));
	if (bad)
		return mih_sig_json_fail(subject, "name", "%s: '%.120s'", bad,
					 name);
	*name_out = strdup(name);
	return *name_out ? 0 : mih_err_fail_errno(-ENOMEM, "%s", subject->file);
}

static mih_err read_subject(const struct mih_sig_json *array, size_t i,
			    struct mih_sig_resource *res)
{
	struct mih_sig_json subject, digest;
	mih_err err = mih_sig_json_element(array, i, &subject);

	if (!err)
		err = check_algorithm(&subject);
	if (!err)
		err = mih_sig_json_object(&subject, "digest", &digest);
	if (!err)
		err = mih_sig_json_hex(&digest, "sha256", 32, res->digest);
	if (!err)
		err = read_name(&subject, &res->name);
	res->alg = MIH_HASH_SHA256;
	return err;
}

/* Nothing is known of other members than the one that stood there for want of
 * a better one, so they are refused. */
static mih_err check_predicate(const struct mih_sig_json *top)
{
	static const char *const known[] = { "unused", NULL };
	struct mih_sig_json predicate;
	mih_err err = mih_sig_json_object(top, "predicate", &predicate);

	return err ? err : mih_sig_json_only(&predicate, known);
}

static mih_err read_subjects(const struct mih_sig_json *top,
			     struct mih_sig_manifest *m)
{
	struct mih_sig_json array;
	mih_err err = mih_sig_json_array(top, "subject", &array);
	size_t n;

	if (err)
		return err;
	n = json_array_size(array.value);
	if (n == 0)
		return mih_sig_json_fail(&array, "",
					 "is empty: a model has at least one "
					 "file");
	m->model_name = strdup("");
	m->resources = calloc(n, sizeof(*m->resources));
	if (!m->model_name || !m->resources)
		return mih_err_fail_errno(-ENOMEM, "%s", top->file);
	for (; !err && m->nresources < n; m->nresources++)
		err = read_subject(&array, m->nresources,
				   &m->resources[m->nresources]);
	return err;
}

static void put_md_ctx(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

/* Without a root of its own it gets the one that today's statements have. */
static mih_err make_root(const struct mih_sig_manifest *m, const char *file,
			 uint8_t root[32])
{
	MIH_CLEANUP(put_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; good && i < m->nresources; i++)
		good = EVP_DigestUpdate(ctx, m->resources[i].digest, 32) == 1;
	if (!good || EVP_DigestFinal_ex(ctx, root, NULL) != 1)
		return mih_err_fail(-EIO, "%s: SHA-256 failed", file);
	return 0;
}

mih_err mih_sig_legacy_read(const struct mih_sig_json *top,
			    struct mih_sig_manifest *m, uint8_t root[32])
{
	mih_err err = check_predicate(top);

	m->is_legacy = true;
	if (!err)
		err = read_subjects(top, m);
	return err ? err : make_root(m, top->file, root);
}

/* --- the encoding ------------------------------------------------------ */

/* Python's repr() of the bytes, which got in by mistake: at most four
 * characters for each. */
static char *put_repr(char *at, const char *payload, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char quote = memchr(payload, '\'', len) && !memchr(payload, '"', len)
			 ? '"'
			 : '\'';

	*at++ = 'b';
	*at++ = quote;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)payload[i];
		const char *escape = strchr("\tt\nn\rr", c);

		if (c == (unsigned char)quote || c == '\\') {
			*at++ = '\\';
			*at++ = (char)c;
		} else if (c && c < ' ' && escape) {
			*at++ = '\\';
			*at++ = escape[1];
		} else if (c < ' ' || c >= 0x7f) {
			*at++ = '\\';
			*at++ = 'x';
			*at++ = hex[c >> 4];
			*at++ = hex[c & 15];
		} else {
			*at++ = (char)c;
		}
	}
	*at++ = quote;
	return at;
}

mih_err mih_sig_legacy_pae(struct mih_sig_pae *pae, const char *payload,
			   size_t len)
{
	mih_autofree char *text = NULL;
	char head[96];
	uint64_t room;

	snprintf(head, sizeof(head), "DSSEV1 %zu %s %zu ",
		 strlen(MIH_SIG_PAYLOAD_TYPE), MIH_SIG_PAYLOAD_TYPE, len);
	if (mih_checked_mul(len, 4, &room) && mih_checked_add(room, 3, &room))
		text = malloc(room);
	if (!text)
		return mih_err_fail_errno(-ENOMEM, "DSSE digest");
	return mih_sig_pae_hash(pae, head, text,
				(size_t)(put_repr(text, payload, len) - text));
}

/* 0.2 took SHA-256 for every curve; later versions that read its signatures
 * take the curve's own hash. */
bool mih_sig_legacy_verify(const struct mih_sig_bundle *bundle,
			   const struct mih_sig_key *key)
{
	const size_t mds[] = { 0, key->curve->pae };
	bool good = false;

	for (size_t i = 0; i < MIH_ARRAY_LEN(mds); i++)
		good =
		    good || (bundle->legacy_pae &&
			     mih_sig_pae_verify(bundle->legacy_pae, mds[i], key,
						bundle->sig, bundle->sig_len));
	return good;
}

/* --- whether to believe them ------------------------------------------- */

mih_err mih_sig_legacy_check(const struct mih_sig_bundle *bundle,
			     const struct mih_sig_trust *trust)
{
	if (!bundle->manifest->is_legacy || trust->legacy.statement)
		return 0;
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: statement: predicateType is that of model "
			    "signing 0.2 (Digests/v0.1), which is only taken "
			    "with --compat-v0.1",
			    bundle->file);
}
