#include "fs/fs_internal.h"
#include "util/cleanup.h"
#include "util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words of fstab(5) that mount(8) and systemd mean for themselves, and what a
 * mihfs mount is anyway. */
static const char *const ignored[] = { "_netdev", "nofail", "auto",  "noauto",
				       "user",	  "nouser", "users", "defaults",
				       "ro",	  "nosuid", "nodev", NULL };

static const char *const refused[] = { "rw", "suid", "dev", NULL };

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(*words, word))
			return true;
	return false;
}

static bool is_ignored(const char *word)
{
	return is_one_of(word, ignored) || !strncmp(word, "x-", 2) ||
	       !strncmp(word, "comment=", 8);
}

static mih_err add(char **opts, const char *option)
{
	return fuse_opt_add_opt(opts, option) ? -ENOMEM : 0;
}

static mih_err add_one(char **opts, const char *word)
{
	if (is_one_of(word, refused))
		return mih_err_fail(
		    MIH_EUSAGE,
		    "-o %s: a verified mount is always ro,nosuid,nodev", word);
	if (!*word || is_ignored(word))
		return 0;
	return add(opts, word);
}

static mih_err add_users(char **opts, const char *text)
{
	mih_err err = 0;

	while (!err && text && *text) {
		const char *end = mih_text_option_end(text);
		mih_autofree char *word = strndup(text, (size_t)(end - text));

		err = word ? add_one(opts, word) : -ENOMEM;
		text = *end ? end + 1 : end;
	}
	return err;
}

static mih_err add_fsname(char **opts, const char *dir)
{
	mih_autofree char *whole = realpath(dir, NULL);
	mih_autofree char *option = NULL;

	if (asprintf(&option, "fsname=%s", whole ? whole : dir) < 0) {
		option = NULL;
		return -ENOMEM;
	}
	return fuse_opt_add_opt_escaped(opts, option) ? -ENOMEM : 0;
}

/* The user's options after the source's name, which they may change, and
 * before what must stand, since the last word counts. */
mih_err mih_fs_options(const struct mih_fs_params *params, char **text_out)
{
	mih_autofree char *opts = NULL;
	mih_err err = add_fsname(&opts, params->model->dir);

	if (!err)
		err = add_users(&opts, params->options);
	if (!err)
		err = add(&opts, "ro,nosuid,nodev,default_permissions,"
				 "subtype=mihfs,max_read=1048576");
	if (!err && params->debug)
		err = add(&opts, "debug");
	if (err)
		return err;
	*text_out = MIH_STEAL(&opts);
	return 0;
}
