#include "cli/mount/source.h"
#include "cli/commands.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void free_trust(struct mih_sig_trust **trust)
{
	mih_sig_trust_free(*trust);
}

static void close_model(struct mih_verify_model **model)
{
	mih_verify_model_close(*model);
}

/* A driver that was used before a fork is of no use after it: the devices are
 * those of a process that ends with the check. Its summary is nobody's. */
static int verify_in_child(int argc, const char **argv)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return MIH_CLI_SYSTEM;
	if (pid == 0) {
		int code = MIH_CLI_SYSTEM;

		if (freopen("/dev/null", "w", stdout))
			code = mih_cli_verify(argc, (char **)argv);
		fflush(NULL);
		_exit(code);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return MIH_CLI_SYSTEM;
	return WIFEXITED(status) ? WEXITSTATUS(status) : MIH_CLI_SYSTEM;
}

static const char **device_words(const struct mih_cli_mount_options *o,
				 const char **at)
{
	for (size_t i = 0; i < o->devices.device.n; i++) {
		*at++ = "--device";
		*at++ = o->devices.device.items[i];
	}
	return at;
}

/* --verify=mount is "mihfs verify" before anything is served. Later reads are
 * checked all the same, since the files may change at any time. */
static int verify_all(const struct mih_cli_mount_options *o,
		      struct mih_gpu_dev *dev)
{
	mih_autofree const char **argv = calloc(
	    15 + 2 * o->devices.device.n + mih_cli_trust_nwords(&o->trust),
	    sizeof(*argv));
	const char **at = argv;

	if (!argv)
		return mih_cli_fail(-ENOMEM);
	*at++ = "verify";
	*at++ = "--ignore-unsigned-files";
	*at++ = "--signature";
	*at++ = o->root;
	if (o->tree) {
		*at++ = "--tree";
		*at++ = o->tree;
	}
	if (o->allow_symlinks)
		*at++ = "--allow-symlinks";
	if (o->symlink_root) {
		*at++ = "--symlink-root";
		*at++ = o->symlink_root;
	}
	/* Who serves has threads and a sandbox, and cannot fork. */
	if (dev)
		*at++ = "--quiet";
	else
		at = device_words(o, at);
	at = mih_cli_trust_words(&o->trust, at);
	*at++ = "--"; /* it may begin with one */
	*at++ = o->model;
	return dev ? mih_cli_verify_by(dev, (int)(at - argv), (char **)argv)
		   : verify_in_child((int)(at - argv), argv);
}

static mih_err check_bytes(const struct mih_cli_mount_options *o,
			   struct mih_gpu_dev *dev)
{
	int code;

	if (o->verify != MIH_CLI_VERIFY_MOUNT)
		return 0;
	code = verify_all(o, dev);
	if (code == MIH_CLI_DONE)
		return 0;
	if (code == MIH_CLI_UNVERIFIED)
		return mih_err_fail(MIH_EDIGEST, "%s: not as signed", o->model);
	return mih_err_fail(-EIO,
			    "%s: 'mihfs verify' ended with status %d before "
			    "all of it was checked",
			    o->model, code);
}

mih_err mih_cli_source_open(const struct mih_cli_mount_options *o,
			    void (*problem)(void *context, const char *line),
			    struct mih_gpu_dev *dev,
			    struct mih_verify_model **model_out)
{
	MIH_CLEANUP(free_trust) struct mih_sig_trust *trust = NULL;
	MIH_CLEANUP(close_model) struct mih_verify_model *model = NULL;
	/* The daemon leaves this folder; a missing model is told by its name
	 * as it was typed. */
	mih_autofree char *dir = realpath(o->model, NULL);
	struct mih_verify_model_params params = {
		.bundle = o->root,
		.dir = dir ? dir : o->model,
		.sidecar = o->tree,
		.allow_symlinks = o->allow_symlinks,
		.symlink_root = o->symlink_root,
		.deny_unsigned = o->unsigned_files == MIH_CLI_UNSIGNED_DENY,
		.problem = problem,
	};
	mih_err err = mih_cli_trust_load(&o->trust, &trust);

	if (err)
		return err;
	params.trust = trust;
	err = mih_verify_model_open(&params, &model);
	if (!err)
		err = check_bytes(o, dev);
	if (err)
		return err;
	*model_out = MIH_STEAL(&model);
	return 0;
}

/* --- paths ---------------------------------------------------------------- */

/* In front of a path, its folder; links in it stay what they are, since where
 * they lead to may change. */
static mih_err settle_path(void *context, const char **path)
{
	struct mih_cli_mount_options *o = context;
	mih_autofree char *here = NULL;
	char *whole;

	if (!*path || **path == '/')
		return 0;
	here = getcwd(NULL, 0);
	if (!here)
		return mih_err_fail_errno(-errno, "%s", *path);
	if (asprintf(&whole, "%s/%s", here, *path) < 0)
		return mih_err_fail_errno(-ENOMEM, "%s", *path);
	*path = whole;
	return mih_cli_mount_options_keep(o, whole);
}

/* The environment's word for a missing option is a path as well. */
static mih_err settle_environment(struct mih_cli_mount_options *o)
{
	const char *dir = getenv("MIHFS_TRUST_DIR");
	mih_err err;

	if (!dir || !*dir)
		return 0;
	err = settle_path(o, &dir);
	if (!err && setenv("MIHFS_TRUST_DIR", dir, 1) < 0)
		err = mih_err_fail_errno(-errno, "MIHFS_TRUST_DIR");
	return err;
}

mih_err mih_cli_source_settle(struct mih_cli_mount_options *o)
{
	const char **const paths[] = { &o->root, &o->tree, &o->model,
				       &o->symlink_root };
	mih_err err = 0;

	for (size_t i = 0; !err && i < MIH_ARRAY_LEN(paths); i++)
		err = settle_path(o, paths[i]);
	if (!err)
		err = mih_cli_trust_each_path(&o->trust, settle_path, o);
	return err ? err : settle_environment(o);
}
