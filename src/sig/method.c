#include "sig/legacy/legacy.h"
#include "util/bytes.h"
#include "util/checked.h"
#include "util/log.h"

#include <stdio.h>
#include <string.h>

/* --- key --------------------------------------------------------------- */

static mih_err read_hint(struct mih_sig_bundle *bundle,
			 const struct mih_sig_json *key)
{
	uint8_t digest[32];
	const char *hint;
	mih_err err;

	if (!mih_sig_json_has(key, "hint"))
		return 0;
	err = mih_sig_json_string(key, "hint", &hint);
	if (err || !*hint)
		return err;
	err = mih_sig_json_hex(key, "hint", sizeof(digest), digest);
	if (!err)
		mih_bytes_to_hex(digest, sizeof(digest), bundle->hint);
	return err;
}

mih_err mih_sig_method_no_log(const struct mih_sig_json *material)
{
	struct mih_sig_json log;
	mih_err err;

	if (!mih_sig_json_has(material, "tlogEntries"))
		return 0;
	err = mih_sig_json_array(material, "tlogEntries", &log);
	if (!err && json_array_size(log.value) > 0)
		err = mih_sig_json_fail(&log, "",
					"must be empty for a signature by "
					"key or certificate");
	return err;
}

static mih_err key_read(struct mih_sig_bundle *bundle,
			const struct mih_sig_json *material)
{
	static const char *const known[] = { "hint", "rawBytes", "keyDetails",
					     "validFor", NULL };
	struct mih_sig_json key;
	mih_err err = mih_sig_json_object(material, "publicKey", &key);

	if (!err)
		err = mih_sig_json_only(&key, known);
	if (!err)
		err = mih_sig_method_no_log(material);
	if (!err)
		err = read_hint(bundle, &key);
	if (err)
		return err;
	bundle->carries_key = mih_sig_json_has(&key, "rawBytes");
	if (*bundle->hint)
		snprintf(bundle->signer, sizeof(bundle->signer),
			 "key sha256:%s", bundle->hint);
	else
		snprintf(bundle->signer, sizeof(bundle->signer),
			 "key (no hint)");
	return 0;
}

/* A bundle says nothing that we believe about the key; at most it helps to
 * choose among those that the operator trusts. */
static void warn_without_hint(const struct mih_sig_bundle *bundle)
{
	if (*bundle->hint)
		return;
	mih_log_warning("%s: names no key (hint)%s; every trusted key is tried",
			bundle->file,
			bundle->carries_key ? ", and the key it carries "
					      "(rawBytes) is not trusted"
					    : "");
}

mih_err mih_sig_bundle_check_signature(const struct mih_sig_bundle *bundle,
				       const struct mih_sig_trust *trust,
				       const struct mih_sig_key *key,
				       const char *by)
{
	if (mih_sig_pae_verify(&bundle->pae, key->curve->pae, key, bundle->sig,
			       bundle->sig_len))
		return 0;
	if (!mih_sig_legacy_verify(bundle, key))
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: signature: not made by %s over this "
				    "content",
				    bundle->file, by);
	if (trust->legacy.encoding)
		return 0;
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: signature: made by %s over the encoding of "
			    "model signing 0.2, which is only taken with "
			    "--compat-v0.2",
			    bundle->file, by);
}

static mih_err unknown_key(const struct mih_sig_bundle *bundle,
			   const struct mih_sig_trust *trust)
{
	if (trust->nkeys == 1)
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: key: expected sha256:%s, found "
				    "sha256:%s, which is not trusted",
				    bundle->file, trust->keys[0]->hint,
				    bundle->hint);
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: key: expected one of %zu keys, found "
			    "sha256:%s, which is not trusted",
			    bundle->file, trust->nkeys, bundle->hint);
}

/* The bundle is by one of the keys it may be by, or the last story stands. */
static mih_err try_keys(const struct mih_sig_bundle *bundle,
			const struct mih_sig_trust *trust)
{
	mih_err err = 0;

	for (size_t i = 0; i < trust->nkeys; i++) {
		const struct mih_sig_key *key = trust->keys[i];
		char by[96];

		if (*bundle->hint && strcmp(bundle->hint, key->hint))
			continue;
		if (*bundle->hint || trust->nkeys == 1)
			snprintf(by, sizeof(by), "the trusted key sha256:%s",
				 key->hint);
		else
			snprintf(by, sizeof(by), "any of %zu trusted keys",
				 trust->nkeys);
		err = mih_sig_bundle_check_signature(bundle, trust, key, by);
		if (!err || mih_sig_legacy_verify(bundle, key))
			return err;
	}
	return err ? err : unknown_key(bundle, trust);
}

static mih_err key_verify(const struct mih_sig_bundle *bundle,
			  const struct mih_sig_trust *trust,
			  struct mih_sig_moment *moment)
{
	(void)moment;
	if (trust->nkeys == 0)
		return mih_err_fail(MIH_ENOANCHOR,
				    "%s: signed with a key, but no public key "
				    "is trusted",
				    bundle->file);
	warn_without_hint(bundle);
	return try_keys(bundle, trust);
}

/* --- the table --------------------------------------------------------- */

static const struct mih_sig_method_ops key_ops = {
	MIH_SIG_KEY,
	"publicKey",
	key_read,
	key_verify,
};

static const struct mih_sig_method_ops *const methods[] = {
	&key_ops,
	&mih_sig_certificate_ops,
	&mih_sig_keyless_ops,
};

mih_err mih_sig_method_read(struct mih_sig_bundle *bundle,
			    const struct mih_sig_json *material)
{
	static const char *const known[] = {
		"publicKey",   "x509CertificateChain",	    "certificate",
		"tlogEntries", "timestampVerificationData", NULL
	};
	mih_err err = mih_sig_json_only(material, known);
	size_t n = 0;

	if (err)
		return err;
	for (size_t i = 0; i < MIH_ARRAY_LEN(methods); i++)
		if (mih_sig_json_has(material, methods[i]->member)) {
			bundle->method = methods[i];
			n++;
		}
	if (n != 1)
		return mih_sig_json_fail(
		    material, "",
		    "must hold exactly one of publicKey, "
		    "x509CertificateChain and certificate");
	return bundle->method->read(bundle, material);
}
