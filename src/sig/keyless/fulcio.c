/*
 * The certificate authority that made the leaf for an identity.
 */
#include "sig/keyless/keyless.h"

static mih_err check_leaf(const struct mih_sig_check *check)
{
	const ASN1_OBJECT *oid = OBJ_nid2obj(NID_code_sign);
	uint32_t usage = X509_get_key_usage(check->leaf);
	const char *bad = NULL;

	if (X509_get_extension_flags(check->leaf) & EXFLAG_CA)
		bad = "is that of an authority";
	else if (usage == UINT32_MAX || !(usage & KU_DIGITAL_SIGNATURE))
		bad = "is not for digital signatures";
	else if (!mih_sig_x509_has_eku(check->leaf, oid))
		bad = "is not for code signing";
	return bad ? mih_err_fail(MIH_EUNTRUSTED,
				  "%s: certificate usage: the certificate %s",
				  check->bundle->file, bad)
		   : 0;
}

static mih_err try_authority(const struct mih_sig_check *check, int64_t at,
			     const struct mih_sig_authority *authority,
			     X509 **issuer_out)
{
	mih_autox509list STACK_OF(X509) *chain = NULL;
	STACK_OF(X509) *anchors = sk_X509_new_null();
	struct mih_sig_x509_path path = {
		.file = check->bundle->file,
		.step = "certificate chain",
		.anchors = anchors,
		.untrusted = authority->chain,
		.at = at,
	};
	int last = sk_X509_num(authority->chain) - 1;
	mih_err err;

	if (!anchors ||
	    sk_X509_push(anchors, sk_X509_value(authority->chain, last)) <= 0) {
		sk_X509_free(anchors);
		return mih_err_fail_errno(-ENOMEM, "%s", path.file);
	}
	err = mih_sig_x509_path_check(&path, check->leaf, &chain);
	sk_X509_free(anchors);
	if (!err && sk_X509_num(chain) < 2)
		err = mih_err_fail(MIH_EUNTRUSTED,
				   "%s: certificate chain: has no issuer",
				   path.file);
	if (err)
		return err;
	*issuer_out = sk_X509_value(chain, 1);
	X509_up_ref(*issuer_out);
	return 0;
}

mih_err mih_sig_fulcio_check(const struct mih_sig_check *check, int64_t at,
			     X509 **issuer_out)
{
	const struct mih_sig_authorities *all = &check->root->fulcio;
	mih_err err =
	    mih_err_fail(MIH_EUNTRUSTED,
			 "%s: certificate chain: no authority of the "
			 "trusted root was in use at %s",
			 check->bundle->file, mih_sig_time_text(at).text);

	for (size_t i = 0; err && i < all->n; i++)
		if (mih_sig_window_has(&all->at[i].window, at))
			err = try_authority(check, at, &all->at[i], issuer_out);
	return err ? err : check_leaf(check);
}
