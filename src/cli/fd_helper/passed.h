/*
 * cli/fd_helper/passed.h - a mount that somebody else has made for us to serve
 *
 * Layer: src/cli.  Threads: the main thread only, but for serving().
 */
#ifndef MIH_CLI_FD_HELPER_PASSED_H
#define MIH_CLI_FD_HELPER_PASSED_H

#include "fs/pass/handover.h"

#include <stdbool.h>

/** The connection to the fd-helper, if there is one. */
struct mih_cli_passed {
	struct mih_fs_handover got; /* all -1: none */
};

/** mih_cli_passed_is() - is it "/dev/fd/N" or "unix:PATH", not a folder? */
bool mih_cli_passed_is(const char *mountpoint);

/**
 * mih_cli_passed_take() - get the descriptor, in the process that will serve
 * @mountpoint: "unix:PATH"; replaced by "/dev/fd/N"; else left as it is; owned
 *              by the caller
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_cli_passed_take(struct mih_cli_passed *p,
					   char **mountpoint);

/** mih_cli_passed_name() - where the model is seen: by the helper, or here. */
const char *mih_cli_passed_name(const struct mih_cli_passed *p,
				const char *mountpoint);

/** mih_cli_passed_serving() - tell the helper; any thread. */
void mih_cli_passed_serving(const struct mih_cli_passed *p);

#endif
