/*
 * cli/run/supervise.h - a server, and the command that lives as long as it
 *
 * Layer: src/cli.  Threads: the main thread, while there is no other.
 */
#ifndef MIH_CLI_RUN_SUPERVISE_H
#define MIH_CLI_RUN_SUPERVISE_H

#include "util/err.h"

/** What runs; everything is borrowed. */
struct mih_cli_pair {
	/**
	 * The server: runs in a process of its own, in a session of its own
	 * so that no key of the terminal ends it; writes a line to @ready_fd
	 * when it serves. Returns an exit code.
	 */
	int (*serve)(void *context, int ready_fd);
	void *context;
	/** The command, started when the server is ready: for execvp(3). */
	char **argv;
	/** Entered anew, so that it lies in the mount; NULL: stays here. */
	const char *cwd;
	const char *name; /* of what is served, for messages */
};

/**
 * mih_cli_supervise() - run both until the command ends
 *
 * Signals that end or concern a process go to the command. If the server ends
 * first, the command is told to end, and killed ten seconds later. If this
 * process is killed, both get SIGTERM.
 *
 * Return: the exit code of the command, 128 and the signal that ended it, 126
 * or 127 if it could not be started; the server's, if that failed.
 */
int mih_cli_supervise(const struct mih_cli_pair *pair);

#endif
