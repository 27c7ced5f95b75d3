#include "sig/sig_internal.h"

#include <dirent.h>
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
