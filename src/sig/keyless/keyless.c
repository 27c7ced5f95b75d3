/*
 * The keyless method: a short-lived certificate for an identity, and public
 * logs that saw it and the signature in time. All of it must be there.
 */
#include "sig/keyless/keyless.h"
#include "util/bytes.h"
#include "util/checked.h"

#include <stdio.h>
#include <string.h>

static void describe(struct mih_sig_bundle *bundle)
{
	X509 *leaf = sk_X509_value(bundle->certs, 0);
	mih_autofree char *name = mih_sig_identity_name(leaf);
	mih_autofree char *issuer = mih_sig_identity_issuer(leaf);

	snprintf(bundle->signer, sizeof(bundle->signer),
		 "identity '%.300s' by %.150s", name ? name : "",
		 issuer ? issuer : "nobody");
	mih_sig_x509_printable(bundle->signer);
}

static mih_err read_leaf(struct mih_sig_bundle *bundle,
			 const struct mih_sig_json *material)
{
	struct mih_sig_json node;
	mih_autox509 X509 *leaf = NULL;
	mih_err err = mih_sig_json_object(material, "certificate", &node);

	if (!err)
		err = mih_sig_x509_from_json(&node, &leaf);
	if (err)
		return err;
	bundle->certs = sk_X509_new_null();
	if (!bundle->certs || sk_X509_push(bundle->certs, leaf) <= 0)
		return mih_err_fail_errno(-ENOMEM, "%s", bundle->file);
	(void)MIH_STEAL(&leaf);
	return mih_sig_bundle_read_leaf_key(bundle);
}

static mih_err keyless_read(struct mih_sig_bundle *bundle,
			    const struct mih_sig_json *material)
{
	mih_err err = read_leaf(bundle, material);

	if (!err)
		err = mih_sig_proof_read(material, &bundle->proof);
	if (!err)
		describe(bundle);
	return err;
}

/* --- verifying --------------------------------------------------------- */

static mih_err prove_times(const struct mih_sig_check *check,
			   struct mih_sig_times *times)
{
	const struct mih_sig_proof *proof = check->bundle->proof;
	mih_err err = 0;

	for (size_t i = 0; !err && i < proof->nentries; i++)
		err = mih_sig_set_check(check, &proof->entries[i], times);
	for (size_t i = 0; !err && i < proof->nstamps; i++)
		err = mih_sig_timestamp_check(check, &proof->stamps[i], times);
	if (!err && times->n == 0)
		err = mih_err_fail(MIH_EUNTRUSTED,
				   "%s: time of signing: neither a signed "
				   "entry timestamp nor an RFC 3161 timestamp "
				   "proves one",
				   check->bundle->file);
	return err;
}

/* The certificate lives for minutes: each proven time must be one of them. */
static mih_err check_certificate(const struct mih_sig_check *check,
				 const struct mih_sig_times *times)
{
	mih_err err = 0;

	for (size_t i = 0; !err && i < times->n; i++) {
		mih_autox509 X509 *issuer = NULL;

		err = mih_sig_fulcio_check(check, times->at[i], &issuer);
		if (!err)
			err = mih_sig_sct_check(check, issuer, times->at[i]);
	}
	return err;
}

static mih_err check_entry(const struct mih_sig_check *check,
			   const struct mih_sig_entry *entry,
			   const struct mih_sig_times *times)
{
	const struct mih_sig_log *log =
	    mih_sig_log_find(&check->root->rekor, entry->log_id);
	mih_err err;

	for (size_t i = 0; i < times->n; i++)
		if (!mih_sig_window_has(&log->window, times->at[i]))
			return mih_err_fail(
			    MIH_EUNTRUSTED,
			    "%s: transparency log: %s was not in use at %s",
			    check->bundle->file, log->host,
			    mih_sig_time_text(times->at[i]).text);
	err = mih_sig_inclusion_check(check, entry);
	if (!err)
		err = mih_sig_checkpoint_check(check, entry, log);
	return err ? err : mih_sig_body_check(check, entry);
}

/* Every entry, as none should be there that cannot be believed. */
static mih_err find_logs(const struct mih_sig_check *check)
{
	const struct mih_sig_proof *proof = check->bundle->proof;
	char hex[65];

	if (proof->nentries == 0)
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: transparency log: no entry "
				    "(tlogEntries is empty)",
				    check->bundle->file);
	for (size_t i = 0; i < proof->nentries; i++) {
		const uint8_t *id = proof->entries[i].log_id;

		if (mih_sig_log_find(&check->root->rekor, id))
			continue;
		mih_bytes_to_hex(id, 32, hex);
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: transparency log: %s is not in the "
				    "trusted root",
				    check->bundle->file, hex);
	}
	return 0;
}

/* All of them lie in the minutes that the certificate lives, so that nobody
 * can make an old signature new by another timestamp. */
static struct mih_sig_moment earliest(const struct mih_sig_times *times)
{
	struct mih_sig_moment moment = { true, times->at[0] };

	for (size_t i = 1; i < times->n; i++)
		moment.at = MIH_MIN(moment.at, times->at[i]);
	return moment;
}

static mih_err keyless_verify(const struct mih_sig_bundle *bundle,
			      const struct mih_sig_trust *trust,
			      struct mih_sig_moment *moment)
{
	const struct mih_sig_check check = {
		.bundle = bundle,
		.root = trust->root,
		.leaf = sk_X509_value(bundle->certs, 0),
	};
	struct mih_sig_times times = { .n = 0 };
	mih_err err;

	if (!trust->root || !trust->policy)
		return mih_err_fail(MIH_ENOANCHOR,
				    "%s: signed keyless (Sigstore), but no "
				    "identity is trusted",
				    bundle->file);
	if (trust->log_fingerprints)
		mih_sig_x509_log_chain(bundle->file, bundle->certs);
	err = find_logs(&check);
	if (!err)
		err = prove_times(&check, &times);
	if (!err)
		err = check_certificate(&check, &times);
	if (!err)
		err = mih_sig_identity_check(bundle->file, trust->policy,
					     check.leaf);
	if (!err)
		err = mih_sig_bundle_check_leaf_signature(bundle, trust);
	for (size_t i = 0; !err && i < bundle->proof->nentries; i++)
		err = check_entry(&check, &bundle->proof->entries[i], &times);
	if (!err)
		*moment = earliest(&times);
	return err;
}

const struct mih_sig_method_ops mih_sig_keyless_ops = {
	MIH_SIG_KEYLESS,
	"certificate",
	keyless_read,
	keyless_verify,
};
