/*
 * cli/fd_helper/helper.h - mount for an unprivileged server, as often as needed
 *
 * Layer: src/cli.  Threads: the main thread only.
 */
#ifndef MIH_CLI_FD_HELPER_HELPER_H
#define MIH_CLI_FD_HELPER_HELPER_H

#include "fs/pass/kernel_mount.h"
#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What the helper is told; borrowed texts. */
struct mih_cli_helper_params {
	struct mih_fs_kernel_place place;
	const char *socket;
	const uid_t *uids; /* who may serve */
	size_t nuids;	   /* at least 1; the first owns the socket */
	mode_t mode;	   /* of the socket */
	int64_t wait_ms;   /* for the next server; -1: as long as it takes */
};

/**
 * mih_cli_helper_run() - serve descriptors until SIGTERM or SIGINT
 *
 * A server connects and gets the descriptor of a fresh mount; the helper keeps
 * no copy, so that the mount dies with the server. Until the next one connects
 * readers get ENOTCONN, never a bare folder. In the end the mount is detached.
 *
 * Return: 0 after an orderly end, or when no server came within wait_ms;
 * -errno with a story.
 */
MIH_MUST_CHECK mih_err
mih_cli_helper_run(const struct mih_cli_helper_params *params);

#endif
