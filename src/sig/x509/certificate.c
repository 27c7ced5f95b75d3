/*
 * The certificate method: the signer's chain stands in the bundle, its end is
 * trusted because the operator says so.
 */
#include "sig/sig_internal.h"
#include "sig/text/proto.h"
#include "util/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- reading ----------------------------------------------------------- */

static void describe(struct mih_sig_bundle *bundle, X509 *leaf)
{
	char subject[256], hex[65];

	mih_sig_x509_subject(leaf, subject, sizeof(subject));
	mih_sig_x509_fingerprint(leaf, hex);
	snprintf(bundle->signer, sizeof(bundle->signer),
		 "certificate '%s' sha256:%s", subject, hex);
}

mih_err mih_sig_bundle_read_leaf_key(struct mih_sig_bundle *bundle)
{
	X509 *leaf = sk_X509_value(bundle->certs, 0);
	mih_autofree char *name = NULL;

	if (asprintf(&name, "%s: the signer's certificate", bundle->file) < 0) {
		name = NULL;
		return mih_err_fail_errno(-ENOMEM, "%s", bundle->file);
	}
	return mih_sig_key_from_certificate(leaf, name, &bundle->leaf_key);
}

static mih_err certificate_read(struct mih_sig_bundle *bundle,
				const struct mih_sig_json *material)
{
	static const char *const known[] = { "certificates", NULL };
	struct mih_sig_json chain;
	mih_err err =
	    mih_sig_json_object(material, "x509CertificateChain", &chain);

	if (!err)
		err = mih_sig_json_only(&chain, known);
	if (!err)
		err = mih_sig_method_no_log(material);
	if (!err)
		err = mih_sig_x509_list_from_json(&chain, &bundle->certs);
	if (!err)
		err = mih_sig_bundle_read_leaf_key(bundle);
	if (!err)
		describe(bundle, sk_X509_value(bundle->certs, 0));
	return err;
}

/* --- verifying --------------------------------------------------------- */

void mih_sig_x509_log_chain(const char *file, STACK_OF(X509) * chain)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *cert = sk_X509_value(chain, i);
		char subject[256], hex[65];

		mih_sig_x509_subject(cert, subject, sizeof(subject));
		mih_sig_x509_fingerprint(cert, hex);
		mih_log_info("%s: certificate %d sha256:%s '%s'", file, i, hex,
			     subject);
	}
}

static mih_err check_usage(const char *file, X509 *leaf)
{
	char subject[256];

	if (mih_sig_x509_may_sign(leaf))
		return 0;
	mih_sig_x509_subject(leaf, subject, sizeof(subject));
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: certificate usage: '%s' is for neither "
			    "digital signatures nor code signing",
			    file, subject);
}

static bool is_name(const char *name, void *want)
{
	return !strcmp(name, want);
}

static mih_err check_pins(const struct mih_sig_bundle *bundle,
			  const struct mih_sig_trust *trust)
{
	X509 *leaf = sk_X509_value(bundle->certs, 0);
	char name[256], oid[128];

	mih_sig_x509_common_name(leaf, name, sizeof(name));
	if (trust->name && strcmp(name, trust->name) &&
	    !mih_sig_x509_each_name(leaf, is_name, trust->name)) {
		mih_sig_x509_subject(leaf, name, sizeof(name));
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: certificate name: expected '%s', "
				    "found '%s'",
				    bundle->file, trust->name, name);
	}
	if (!trust->eku || mih_sig_x509_has_eku(leaf, trust->eku))
		return 0;
	OBJ_obj2txt(oid, sizeof(oid), trust->eku, 0);
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: certificate usage: extended key usage %s is "
			    "missing",
			    bundle->file, oid);
}

static mih_err check_path(const struct mih_sig_bundle *bundle,
			  const struct mih_sig_trust *trust)
{
	X509 *leaf = sk_X509_value(bundle->certs, 0);
	mih_autox509list STACK_OF(X509) *chain = NULL;
	struct mih_sig_x509_path path = {
		.file = bundle->file,
		.step = "certificate chain",
		.anchors = trust->anchors,
		.untrusted = bundle->certs,
		.crls = trust->crls,
		.at = (int64_t)time(NULL),
	};
	mih_err err;

	if (trust->at_signing_time &&
	    !mih_sig_x509_time(X509_get0_notBefore(leaf), &path.at))
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: certificate validity: no time of "
				    "beginning",
				    bundle->file);
	err = mih_sig_x509_path_check(&path, leaf, &chain);
	if (trust->log_fingerprints)
		mih_sig_x509_log_chain(bundle->file,
				       err ? bundle->certs : chain);
	return err;
}

mih_err mih_sig_bundle_check_leaf_signature(const struct mih_sig_bundle *bundle,
					    const struct mih_sig_trust *trust)
{
	return mih_sig_bundle_check_signature(bundle, trust, bundle->leaf_key,
					      "the key of the certificate");
}

static mih_err certificate_verify(const struct mih_sig_bundle *bundle,
				  const struct mih_sig_trust *trust,
				  struct mih_sig_moment *moment)
{
	mih_err err;

	(void)moment;
	if (!trust->anchors)
		return mih_err_fail(MIH_ENOANCHOR,
				    "%s: signed with a certificate, but no "
				    "certificate chain is trusted",
				    bundle->file);
	err = check_path(bundle, trust);
	if (!err)
		err =
		    check_usage(bundle->file, sk_X509_value(bundle->certs, 0));
	if (!err)
		err = check_pins(bundle, trust);
	return err ? err : mih_sig_bundle_check_leaf_signature(bundle, trust);
}

const struct mih_sig_method_ops mih_sig_certificate_ops = {
	MIH_SIG_CERTIFICATE,
	"x509CertificateChain",
	certificate_read,
	certificate_verify,
};

/* --- signing ----------------------------------------------------------- */

/* What every verifier would refuse is refused here, before the long work. */
static mih_err check_own(const struct mih_sig_key *key, const char *path)
{
	X509 *leaf = sk_X509_value(key->certs, 0);
	mih_autox509list STACK_OF(X509) *anchors = sk_X509_dup(key->certs);
	struct mih_sig_x509_path up = { .file = path,
					.step = "certificate chain",
					.anchors = anchors,
					.untrusted = key->certs,
					.at = (int64_t)time(NULL) };

	if (!anchors)
		return mih_err_fail_errno(-ENOMEM, "%s", path);
	/* Each list owns its references. */
	for (int i = 0; i < sk_X509_num(anchors); i++)
		X509_up_ref(sk_X509_value(anchors, i));
	if (EVP_PKEY_eq(X509_get0_pubkey(leaf), key->pkey) != 1)
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: the certificate is not for this "
				    "private key",
				    path);
	if (sk_X509_num(anchors) > 1)
		X509_free(sk_X509_shift(anchors));
	if (mih_sig_x509_path_check(&up, leaf, NULL))
		return MIH_EUNTRUSTED; /* the story stands */
	return check_usage(path, leaf);
}

mih_err mih_sig_key_load_certificates(const struct mih_sig_signer *signer,
				      struct mih_sig_key *key)
{
	mih_err err;

	key->certs = sk_X509_new_null();
	if (!key->certs)
		return mih_err_fail_errno(-ENOMEM, "%s",
					  signer->certificate_path);
	err = mih_sig_x509_read_pem(signer->certificate_path, key->certs);
	for (size_t i = 0; !err && i < signer->nchain; i++)
		err = mih_sig_x509_read_pem(signer->chain_paths[i], key->certs);
	return err ? err : check_own(key, signer->certificate_path);
}
