/*
 * mihfs run: a command that finds the verified model where the model was, and
 * nothing else on the host does. No privilege, no mount point, no sidecar.
 */
#include "cli/commands.h"
#include "cli/mount/mount_options.h"
#include "cli/mount/serve.h"
#include "cli/run/above.h"
#include "cli/run/namespace.h"
#include "cli/run/supervise.h"
#include "util/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ENVIRONMENT "MIHFS_MOUNT"

struct run {
	struct mih_cli_mount_options options;
	const char *at;
	char **argv;	  /* of the command */
	char *mountpoint; /* absolute; owned */
	char *cwd;	  /* if the mount covers it; owned */
};

static int parse(struct run *r, int argc, char **argv)
{
	const struct mih_cli_option more[] = {
		{ "at", 0, MIH_CLI_TEXT, &r->at, "DIR",
		  "mount there, not over MODEL itself", NULL },
		{ .name = NULL },
	};
	const struct mih_cli_mount_form form = {
		.command = "run",
		.synopsis = "--root FILE [options] MODEL -- COMMAND...",
		.about =
		    "Run COMMAND with MODEL verified: mounted over itself, in "
		    "a\nnamespace of mounts that only COMMAND sees. Ends with "
		    "the exit code\nof COMMAND; $" ENVIRONMENT
		    " says where the mount is.",
		.least = 2,
		.most = -1,
		.more = more,
	};
	char **operands;
	int end = mih_cli_mount_options_parse(&r->options, &form, argc, argv,
					      &operands);

	if (end == MIH_CLI_GO_ON) {
		r->options.model = operands[0];
		r->argv = operands + 1;
	}
	return end;
}

/* Is the current folder @path, or below it? Where that cannot be told it is,
 * so that the command does not begin in what the mount covers. */
static bool covers(const char *path)
{
	mih_autofree char *cwd = getcwd(NULL, 0);
	size_t len = strlen(path);

	return !cwd || (!strncmp(cwd, path, len) &&
			(cwd[len] == '/' || cwd[len] == '\0' || len == 1));
}

/* Names that still mean the same once the mount is there. */
static mih_err settle_places(struct run *r)
{
	const char *where = r->at ? r->at : r->options.model;
	struct stat st;

	r->mountpoint = realpath(where, NULL);
	if (!r->mountpoint || stat(r->mountpoint, &st) < 0)
		return mih_err_fail_errno(-errno, "%s", where);
	if (!S_ISDIR(st.st_mode))
		return mih_err_fail(-ENOTDIR,
				    "%s: not a folder; say with --at DIR where "
				    "to mount it",
				    where);
	if (covers(r->mountpoint)) {
		r->cwd = getcwd(NULL, 0);
		if (!r->cwd)
			return mih_err_fail_errno(-errno,
						  "mihfs run: this folder");
	}
	r->options.mountpoint = r->mountpoint;
	return setenv(ENVIRONMENT, r->mountpoint, 1) < 0 ? -errno : 0;
}

/* The command may drop privileges; there is nobody else in the namespace. */
static mih_err allow_other(struct mih_cli_mount_options *o)
{
	char *text;

	if (asprintf(&text, "%s%sallow_other", o->fuse ? o->fuse : "",
		     o->fuse ? "," : "") < 0)
		return -ENOMEM;
	free(o->fuse);
	o->fuse = text;
	return 0;
}

static int serve(void *context, int ready_fd)
{
	struct run *r = context;
	mih_err err = allow_other(&r->options);

	if (err)
		return mih_cli_fail(err);
	r->options.ready_fd = ready_fd;
	r->options.foreground = true;
	return mih_cli_mount_serve(&r->options);
}

static int run(struct run *r)
{
	struct mih_cli_pair pair = {
		.serve = serve,
		.context = r,
		.argv = r->argv,
		.name = r->options.model,
	};
	mih_err err = settle_places(r);

	pair.cwd = r->cwd;
	if (!err)
		err = mih_cli_above_check(r->mountpoint);
	if (!err)
		err = mih_cli_namespace_enter();
	return err ? mih_cli_fail(err) : mih_cli_supervise(&pair);
}

int mih_cli_run(int argc, char **argv)
{
	struct run r = { .at = NULL };
	int end = parse(&r, argc, argv);

	if (end == MIH_CLI_GO_ON)
		end = run(&r);
	mih_cli_mount_options_fini(&r.options);
	free(r.mountpoint);
	free(r.cwd);
	return end;
}
