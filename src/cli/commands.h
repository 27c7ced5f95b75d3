/*
 * cli/commands.h - the commands of mihfs and how they end
 *
 * Layer: src/cli.  Threads: the main thread only.
 *
 * A command is a function of the shape of main(); argv[0] is its own name (for
 * a mount perhaps that of the program) and is not looked at.
 */
#ifndef MIH_CLI_COMMANDS_H
#define MIH_CLI_COMMANDS_H

#include "util/err.h"

/** What the process says to its parent (mihfs(1), "EXIT STATUS"). */
enum mih_cli_exit {
	MIH_CLI_DONE = 0,
	MIH_CLI_UNVERIFIED = 1, /* signature, digest, missing or extra file */
	MIH_CLI_USAGE = 2,
	MIH_CLI_SYSTEM = 3,    /* the system or I/O failed */
	MIH_CLI_NO_ANCHOR = 4, /* nobody is trusted to sign */
};

/** mih_cli_exit_code() - the one place where an error becomes an exit code. */
int mih_cli_exit_code(mih_err err);

/**
 * mih_cli_fail() - print the story of @err as one line on stderr
 *
 * Return: mih_cli_exit_code(@err).
 */
int mih_cli_fail(mih_err err);

/** A command's main(); each lives in a file cmd_<name>.c. */
typedef int (*mih_cli_main)(int argc, char **argv);

/** One row of the list of commands. */
struct mih_cli_command {
	const char *name;
	const char *what; /* one line for --help */
	mih_cli_main run; /* returns an exit code */
};

/**
 * mih_cli_commands - every command; a row without a name ends the list
 *
 * The only such list: 'mihfs --help', the completions of the shells and the
 * check of the manual pages read it.
 */
extern const struct mih_cli_command mih_cli_commands[];

/** mih_cli_mount() - check the signature and serve the model. */
int mih_cli_mount(int argc, char **argv);

/** mih_cli_run() - run a command that sees the model verified. */
int mih_cli_run(int argc, char **argv);

/** mih_cli_umount() - unmount, also what is dead or does not answer. */
int mih_cli_umount(int argc, char **argv);

/** mih_cli_sign() - sign a model directory. */
int mih_cli_sign(int argc, char **argv);

/** mih_cli_verify() - check the signature and every byte of a model. */
int mih_cli_verify(int argc, char **argv);

struct mih_gpu_dev;

/** mih_cli_verify_by() - the same by devices that are open already, whatever
 *  @argv says of any; on any one thread. */
int mih_cli_verify_by(struct mih_gpu_dev *dev, int argc, char **argv);

/** mih_cli_digest() - print the digest of every file. */
int mih_cli_digest(int argc, char **argv);

/** mih_cli_tree() - build the sidecar of a signed model again. */
int mih_cli_tree(int argc, char **argv);

/** mih_cli_inspect() - show what a bundle claims. */
int mih_cli_inspect(int argc, char **argv);

/** mih_cli_fd_helper() - mount for an unprivileged server. */
int mih_cli_fd_helper(int argc, char **argv);

/** mih_cli_status() - show what mounts have verified and refused. */
int mih_cli_status(int argc, char **argv);

/** mih_cli_doctor() - say what this host offers, and what to do. */
int mih_cli_doctor(int argc, char **argv);

/** mih_cli_bench() - measure what this host can hash and verify. */
int mih_cli_bench(int argc, char **argv);

#endif
