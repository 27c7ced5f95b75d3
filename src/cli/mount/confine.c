#include "cli/mount/confine.h"
#include "cli/service/notify.h"
#include "fs/mount.h"
#include "gpu/footprint.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BIT(capability) ((uint64_t)1 << (capability))

/* Held open from now on: our own mount may cover the path soon, and nobody
 * answers for it yet. */
void mih_cli_confine_allow(struct mih_cli_confine *c, const char *path,
			   unsigned access)
{
	struct mih_sandbox_path *more;
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return;
	more = reallocarray(c->paths, c->npaths + 1, sizeof(*c->paths));
	if (!more) {
		close(fd);
		c->err = -ENOMEM;
		return;
	}
	c->paths = more;
	more[c->npaths++] = (struct mih_sandbox_path){ fd, access };
}

/* The folder of @file, but never the whole file system. */
static void allow_folder(struct mih_cli_confine *c, const char *file)
{
	mih_autofree char *copy = strdup(file);
	mih_autofree char *folder = copy ? realpath(dirname(copy), NULL) : NULL;

	if (!copy)
		c->err = -ENOMEM;
	else if (folder)
		mih_cli_confine_allow(c, strcmp(folder, "/") ? folder : file,
				      MIH_SANDBOX_READ);
}

/* Where it is named, and where it leads to. */
static void allow_reading(struct mih_cli_confine *c, const char *file)
{
	mih_autofree char *whole = file ? realpath(file, NULL) : NULL;

	if (!file)
		return;
	allow_folder(c, file);
	if (whole)
		allow_folder(c, whole);
}

static void allow_list(struct mih_cli_confine *c,
		       const struct mih_cli_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		allow_reading(c, list->items[i]);
}

static void allow_tree(struct mih_cli_confine *c, const char *dir)
{
	mih_autofree char *whole = dir ? realpath(dir, NULL) : NULL;

	if (whole)
		mih_cli_confine_allow(c, whole, MIH_SANDBOX_READ);
}

/* A reload looks for the model again. If a link led to it, that may then lead
 * to what lies beside either of them; else it is where it was. */
static void allow_model(struct mih_cli_confine *c, const char *model)
{
	mih_autofree char *prefix = strdup(model);
	struct stat st;

	allow_tree(c, model);
	if (!prefix)
		c->err = -ENOMEM;
	for (char *at = prefix; at && *at; at++) {
		char *end = strchrnul(at, '/');
		char kept = *end;

		*end = '\0';
		if (lstat(prefix, &st) == 0 && S_ISLNK(st.st_mode)) {
			allow_reading(c, prefix);
			allow_reading(c, model);
			return;
		}
		*end = kept;
		at = end;
		if (!kept)
			return;
	}
}

static void allow_trust(struct mih_cli_confine *c,
			const struct mih_cli_trust *trust)
{
	const char *dir = getenv("MIHFS_TRUST_DIR");

	if (trust->trust_dir)
		dir = trust->trust_dir;
	allow_tree(c, dir ? dir : MIH_SIG_TRUST_DIR);
	allow_list(c, &trust->public_keys);
	allow_list(c, &trust->certificate_chain);
	allow_list(c, &trust->crls);
	allow_reading(c, trust->trust_config);
	allow_reading(c, trust->trusted_root);
	allow_reading(c, MIH_CLI_TRUSTED_ROOT);
}

mih_err mih_cli_confine_prepare(struct mih_cli_confine *c,
				const struct mih_cli_mount_options *options)
{
	allow_model(c, options->model);
	allow_tree(c, options->symlink_root);
	allow_reading(c, options->root);
	allow_reading(c, options->tree);
	allow_trust(c, &options->trust);
	/* FUSE threads open a channel of their own; a daemon leaves its
	 * terminal when the mount answers. */
	mih_cli_confine_allow(c, "/dev/fuse",
			      MIH_SANDBOX_READ | MIH_SANDBOX_WRITE);
	mih_cli_confine_allow(c, "/dev/null",
			      MIH_SANDBOX_READ | MIH_SANDBOX_WRITE);
	return c->err ? mih_err_fail_errno(c->err, "sandbox") : 0;
}

static void allow_readahead(struct mih_cli_confine *c, dev_t dev)
{
	char file[64];

	if (!dev)
		return;
	snprintf(file, sizeof(file), "/sys/class/bdi/%u:%u/read_ahead_kb",
		 major(dev), minor(dev));
	mih_cli_confine_allow(c, file, MIH_SANDBOX_READ | MIH_SANDBOX_WRITE);
}

static void allow_pattern(struct mih_cli_confine *c, const char *pattern,
			  bool makes)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			mih_cli_confine_allow(
			    c, found.gl_pathv[i],
			    MIH_SANDBOX_READ | MIH_SANDBOX_WRITE |
				(makes ? MIH_SANDBOX_MAKE : 0));
	globfree(&found);
}

/* A driver reads and runs what it likes, and writes where drivers write. */
static void allow_drivers(struct mih_cli_confine *c)
{
	mih_cli_confine_allow(c, "/", MIH_SANDBOX_READ | MIH_SANDBOX_EXECUTE);
	for (const struct mih_gpu_place *at = mih_gpu_footprint; at->path;
	     at++) {
		const char *base = at->env ? getenv(at->env) : "";
		mih_autofree char *pattern = NULL;

		if (!base || asprintf(&pattern, "%s%s", base, at->path) < 0) {
			pattern = NULL;
			continue;
		}
		/* A cache is made on first use, which is too late. */
		if (at->env && at->makes)
			(void)mkdir(pattern, 0700);
		allow_pattern(c, pattern, at->makes);
	}
}

static bool only_cpu(const struct mih_cli_list *device)
{
	bool only = mih_gpu_is_cpu(device->n ? device->items[0] : "auto");

	for (size_t i = 1; i < device->n; i++)
		only = only && mih_gpu_is_cpu(device->items[i]);
	return only;
}

struct readable {
	const struct mih_cli_confine *c;
	const struct mih_verify_model *model;
};

/* Only root may have to override permissions, to read what others keep to
 * themselves. */
static bool all_is_readable(void *context)
{
	const struct readable *r = context;

	for (size_t i = 0; i < r->c->npaths; i++)
		if (faccessat(r->c->paths[i].fd, "", R_OK,
			      AT_EACCESS | AT_EMPTY_PATH) < 0 &&
		    errno == EACCES)
			return false;
	for (size_t i = 0; i < r->model->nfiles; i++)
		if (faccessat(r->model->dirfd, r->model->files[i].path, R_OK,
			      AT_EACCESS) < 0 &&
		    errno == EACCES)
			return false;
	return true;
}

/* What is missing is said when the log is where it will stay. */
static mih_err settle(struct mih_cli_confine *c,
		      const struct mih_cli_mount_options *options, mih_err err)
{
	if (!err)
		return 0;
	if (options->sandbox == MIH_CLI_SANDBOX_REQUIRE)
		return mih_err_fail(err, "--sandbox=require: %s",
				    mih_err_message());
	c->missing = strdup(mih_err_message());
	return 0;
}

void mih_cli_confine_say(const struct mih_cli_confine *c)
{
	const struct mih_log_event full = { MIH_LOG_INFO, .name = "sandbox" };
	const struct mih_log_event weak = { MIH_LOG_WARNING,
					    .name = "sandbox" };
	char line[256];

	mih_sandbox_describe(mih_sandbox_state(), line, sizeof(line));
	if (c->missing)
		mih_log_write(&weak, "sandbox: %s; in force: %s", c->missing,
			      line);
	else
		mih_log_write(&full, "sandbox: %s", line);
}

static void release(struct mih_cli_confine *c)
{
	for (size_t i = 0; i < c->npaths; i++)
		close(c->paths[i].fd);
	free(c->paths);
	c->paths = NULL;
	c->npaths = 0;
}

mih_err mih_cli_confine_enter(struct mih_cli_confine *c,
			      const struct mih_cli_mount_options *options,
			      const struct mih_verify_model *model, dev_t dev)
{
	struct mih_sandbox_params params = { .filter = MIH_SANDBOX_SERVE };
	struct readable readable = { c, model };
	mih_err err;

	/* What is connected now can be spoken to later. */
	mih_cli_notify_connect();
	if (mih_log_connect())
		params.capabilities |= BIT(CAP_AUDIT_WRITE);
	if (!mih_sandbox_without_capabilities(all_is_readable, &readable))
		params.capabilities |= BIT(CAP_DAC_READ_SEARCH);
	/* Only who may administer the system may hand files to the kernel. */
	if (options->serve == MIH_CLI_SERVE_STAGE && mih_fs_can_stage()) {
		params.capabilities |= BIT(CAP_SYS_ADMIN);
		params.memory_files = params.stages = true;
	}
	/* A reload that reads all bytes keeps their digests meanwhile, in
	 * memory, as there is no folder to write to. */
	if (options->verify == MIH_CLI_VERIFY_MOUNT)
		params.memory_files = true;
	allow_readahead(c, dev);
	if (!only_cpu(&options->devices.device)) {
		params.filter = MIH_SANDBOX_ALL_CALLS;
		allow_drivers(c);
	}
	if (c->err)
		return mih_err_fail_errno(c->err, "sandbox");
	params.paths = c->paths;
	params.npaths = c->npaths;
	err = mih_sandbox_enter(&params);
	release(c);
	return settle(c, options, err);
}

void mih_cli_confine_fini(struct mih_cli_confine *c)
{
	release(c);
	free(c->missing);
	c->missing = NULL;
}
