/*
 * cli/mount/daemon.h - leave the terminal, but not before the work has begun
 *
 * Layer: src/cli.  Threads: fork and wait on the main thread; ready on any.
 */
#ifndef MIH_CLI_MOUNT_DAEMON_H
#define MIH_CLI_MOUNT_DAEMON_H

#include "util/err.h"

#include <stdbool.h>

/** The two ends of one pipe; each process keeps its own. */
struct mih_cli_daemon {
	int pipe;    /* owned; -1: closed, or not a daemon */
	bool parent; /* which of the two processes this is */
};

/**
 * mih_cli_daemon_fork() - continue in a child of its own session
 * @d: filled; tells the parent and the child apart
 *
 * Must be called while the process has one thread. The child's stdin and
 * stdout are /dev/null; it keeps stderr until mih_cli_daemon_ready().
 *
 * Return: 0 in both processes; -errno with a story in the only one.
 */
MIH_MUST_CHECK mih_err mih_cli_daemon_fork(struct mih_cli_daemon *d);

/**
 * mih_cli_daemon_wait() - parent: what does the child say?
 *
 * Return: 0 when it is ready; else the error and the story that it gave to
 * mih_cli_daemon_fail(), or -ECHILD with a story if it ended without a word.
 */
MIH_MUST_CHECK mih_err mih_cli_daemon_wait(struct mih_cli_daemon *d);

/**
 * mih_cli_daemon_ready() - child: tell the parent to go, leave the terminal
 *
 * A stderr that is a plain file stays, so that a log may be kept there; any
 * other (a terminal, a pipe somebody waits on) is given up.
 *
 * Return: true if stderr is still good for the log.
 */
bool mih_cli_daemon_ready(struct mih_cli_daemon *d);

/** mih_cli_daemon_fail() - child: hand error and story to the parent. */
void mih_cli_daemon_fail(struct mih_cli_daemon *d, mih_err err);

#endif
