#include "sig/keyless/keyless.h"
#include "sig/sig_internal.h"

#include <dirent.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

struct mih_sig_trust *mih_sig_trust_new(void)
{
	return calloc(1, sizeof(struct mih_sig_trust));
}

void mih_sig_trust_free(struct mih_sig_trust *trust)
{
	if (!trust)
		return;
	for (size_t i = 0; i < trust->nkeys; i++)
		mih_sig_key_free(trust->keys[i]);
	free(trust->keys);
	sk_X509_pop_free(trust->anchors, X509_free);
	sk_X509_CRL_pop_free(trust->crls, X509_CRL_free);
	ASN1_OBJECT_free(trust->eku);
	free(trust->name);
	mih_sig_root_free(trust->root);
	mih_sig_policy_free(trust->policy);
	free(trust);
}

size_t mih_sig_trust_nkeys(const struct mih_sig_trust *trust)
{
	return trust->nkeys;
}

mih_err mih_sig_trust_add_key(struct mih_sig_trust *trust, const char *path)
{
	struct mih_sig_key **more =
	    reallocarray(trust->keys, trust->nkeys + 1, sizeof(trust->keys[0]));
	mih_err err;

	if (!more)
		return mih_err_fail_errno(-ENOMEM, "%s", path);
	trust->keys = more;
	err = mih_sig_key_load_public(path, &trust->keys[trust->nkeys]);
	if (err)
		return MIH_ENOANCHOR; /* the story stands */
	trust->nkeys++;
	return 0;
}

static int is_pem(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 &&
	       !strcmp(entry->d_name + len - 4, ".pem");
}

static mih_err add_entry(struct mih_sig_trust *trust, const char *dir,
			 const char *name)
{
	mih_autofree char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return mih_err_fail_errno(-ENOMEM, "%s", dir);
	}
	return mih_sig_trust_add_key(trust, path);
}

mih_err mih_sig_trust_add_dir(struct mih_sig_trust *trust, const char *path)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, is_pem, alphasort);
	mih_err err = 0;

	if (n < 0) {
		err = -errno;
		mih_err_fail_errno(err, "%s", path);
		return MIH_ENOANCHOR;
	}
	if (n == 0)
		err = mih_err_fail(MIH_ENOANCHOR,
				   "%s: no public key (*.pem) in it", path);
	for (int i = 0; i < n; i++) {
		if (!err)
			err = add_entry(trust, path, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return err;
}

/* --- certificates ------------------------------------------------------ */

/* What cannot be used as an anchor is none, whatever the cause. */
static mih_err no_anchor(mih_err err)
{
	return err ? MIH_ENOANCHOR : 0; /* the story stands */
}

mih_err mih_sig_trust_add_chain(struct mih_sig_trust *trust, const char *path)
{
	if (!trust->anchors)
		trust->anchors = sk_X509_new_null();
	if (!trust->anchors)
		return mih_err_fail_errno(-ENOMEM, "%s", path);
	return no_anchor(mih_sig_x509_read_pem(path, trust->anchors));
}

mih_err mih_sig_trust_add_crl(struct mih_sig_trust *trust, const char *path)
{
	if (!trust->crls)
		trust->crls = sk_X509_CRL_new_null();
	if (!trust->crls)
		return mih_err_fail_errno(-ENOMEM, "%s", path);
	return no_anchor(mih_sig_x509_read_crls(path, trust->crls));
}

mih_err mih_sig_trust_set_rules(struct mih_sig_trust *trust,
				const struct mih_sig_certificate_rules *rules)
{
	trust->at_signing_time = rules->at_signing_time;
	trust->log_fingerprints = rules->log_fingerprints;
	if (rules->name) {
		free(trust->name);
		trust->name = strdup(rules->name);
		if (!trust->name)
			return mih_err_fail_errno(-ENOMEM, "trust");
	}
	if (rules->eku) {
		ASN1_OBJECT_free(trust->eku);
		trust->eku = OBJ_txt2obj(rules->eku, 0);
		ERR_clear_error();
		if (!trust->eku)
			return mih_err_fail(MIH_EUSAGE,
					    "%s: not an extended key usage",
					    rules->eku);
	}
	return 0;
}

void mih_sig_trust_set_legacy(struct mih_sig_trust *trust,
			      const struct mih_sig_legacy *legacy)
{
	trust->legacy = *legacy;
}

/* --- keyless ----------------------------------------------------------- */

mih_err mih_sig_trust_set_identity(struct mih_sig_trust *trust,
				   const struct mih_sig_identity *identity)
{
	mih_sig_policy_free(trust->policy);
	trust->policy = NULL;
	return mih_sig_policy_new(identity, &trust->policy);
}

mih_err mih_sig_trust_set_root(struct mih_sig_trust *trust, const char *path)
{
	mih_sig_root_free(trust->root);
	trust->root = NULL;
	return no_anchor(mih_sig_root_read(path, &trust->root));
}
