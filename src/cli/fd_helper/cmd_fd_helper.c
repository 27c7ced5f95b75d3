/*
 * mihfs fd-helper: the privileged part of a mount, and nothing of the rest. It
 * opens /dev/fuse and mounts; it reads no model, bundle or key.
 */
#include "cli/commands.h"
#include "cli/fd_helper/helper.h"
#include "cli/options.h"
#include "fs/pass/kernel_mount.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define COMMAND	 "fd-helper"
#define UIDS_MAX 16

struct options {
	const char *socket, *mode, *wait;
	struct mih_cli_list uids;
	bool mkdir;
	int log_format;
};

/* What the texts mean. */
struct settled {
	struct mih_cli_helper_params params;
	uid_t uids[UIDS_MAX];
	char *mountpoint, *source; /* owned */
};

static const char about[] =
    "Mount on MOUNTPOINT for an unprivileged 'mihfs mount ... unix:PATH', and\n"
    "hand the descriptor to it. Mounts anew for the next one when it ends;\n"
    "unmounts when told to end (SIGTERM). Reads no model and no key.";

static const char *const format_names[] = { "text", "json", NULL };

static int parse(struct options *o, int argc, char **argv, char ***operands)
{
	const struct mih_cli_option rows[] = {
		{ "socket", 0, MIH_CLI_TEXT, &o->socket, "PATH",
		  "the socket to listen on (required)", NULL },
		{ "socket-mode", 0, MIH_CLI_TEXT, &o->mode, "OCTAL",
		  "its permission bits (default: 0600)", NULL },
		{ "allow-uid", 0, MIH_CLI_LIST, &o->uids, "UID",
		  "who may serve; the first owns the socket (default: self)",
		  NULL },
		{ "wait", 0, MIH_CLI_TEXT, &o->wait, "SECONDS",
		  "end if no server came for so long (default: never)", NULL },
		{ "mkdir", 0, MIH_CLI_FLAG, &o->mkdir, NULL,
		  "make MOUNTPOINT if it is missing", NULL },
		{ "log-format", 0, MIH_CLI_CHOICE, &o->log_format, "FORMAT",
		  "text or json", format_names },
		{ .name = NULL },
	};
	const struct mih_cli_syntax syntax = {
		.command = COMMAND,
		.synopsis = "--socket PATH [options] MOUNTPOINT",
		.about = about,
		.options = rows,
		.min_operands = 1,
		.max_operands = 1,
	};

	return mih_cli_options_parse(&syntax, argc, argv, operands);
}

/* A whole number in @base, and nothing else. */
static bool parse_number(const char *text, int base, long max, long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtol(text, &end, base);
	return !errno && !*end && *out <= max;
}

static int settle_uids(const struct options *o, struct settled *s)
{
	long uid;

	s->uids[0] = geteuid();
	s->params.nuids = o->uids.n ? o->uids.n : 1;
	if (o->uids.n > UIDS_MAX)
		return mih_cli_usage(COMMAND, "at most %d --allow-uid",
				     UIDS_MAX);
	for (size_t i = 0; i < o->uids.n; i++) {
		if (!parse_number(o->uids.items[i], 10, 0xfffffffeL, &uid))
			return mih_cli_usage(COMMAND,
					     "--allow-uid '%s' is no number "
					     "of a user",
					     o->uids.items[i]);
		s->uids[i] = (uid_t)uid;
	}
	s->params.uids = s->uids;
	return MIH_CLI_GO_ON;
}

static int settle(const struct options *o, struct settled *s)
{
	long mode = 0600, wait = -1;

	if (!o->socket)
		return mih_cli_usage(COMMAND, "--socket PATH is missing");
	if (o->mode && !parse_number(o->mode, 8, 0777, &mode))
		return mih_cli_usage(
		    COMMAND, "--socket-mode '%s' is not like 0660", o->mode);
	if (o->wait && !parse_number(o->wait, 10, 1L << 30, &wait))
		return mih_cli_usage(
		    COMMAND, "--wait '%s' is no number of seconds", o->wait);
	s->params.socket = o->socket;
	s->params.mode = (mode_t)mode;
	s->params.wait_ms = wait < 0 ? -1 : (int64_t)wait * 1000;
	return settle_uids(o, s);
}

/* Its own mounts of an earlier life are known by the name of the socket. */
static mih_err settle_place(const struct options *o, const char *mountpoint,
			    struct settled *s)
{
	mih_err err;

	if (o->mkdir && mkdir(mountpoint, 0755) < 0 && errno != EEXIST)
		return mih_err_fail_errno(-errno, "%s", mountpoint);
	err = mih_fs_kernel_name(mountpoint, &s->mountpoint);
	if (!err && asprintf(&s->source, "fd-helper:%s", o->socket) < 0)
		err = -ENOMEM;
	s->params.place.mountpoint = s->mountpoint;
	s->params.place.source = s->source;
	return err;
}

static int run(const struct options *o, const char *mountpoint)
{
	struct settled s = { .mountpoint = NULL };
	int end = settle(o, &s);

	if (end == MIH_CLI_GO_ON) {
		mih_err err;

		mih_log_setup(MIH_LOG_INFO, o->log_format, MIH_LOG_TO_STDERR);
		err = settle_place(o, mountpoint, &s);
		if (!err)
			err = mih_cli_helper_run(&s.params);
		end = err ? mih_cli_fail(err) : MIH_CLI_DONE;
	}
	free(s.mountpoint);
	free(s.source);
	return end;
}

int mih_cli_fd_helper(int argc, char **argv)
{
	struct options o = { .socket = NULL };
	char **operands;
	int end = parse(&o, argc, argv, &operands);

	if (end == MIH_CLI_GO_ON)
		end = run(&o, operands[0]);
	mih_cli_list_fini(&o.uids);
	return end;
}
