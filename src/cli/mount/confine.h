/*
 * cli/mount/confine.h - what a mount needs while it serves, and nothing else
 *
 * Layer: src/cli.  Threads: the main thread, before there are others.
 */
#ifndef MIH_CLI_MOUNT_CONFINE_H
#define MIH_CLI_MOUNT_CONFINE_H

#include "cli/mount/mount_options.h"
#include "sandbox/sandbox.h"
#include "verify/model.h"

/** Paths that stay open to the server. */
struct mih_cli_confine {
	struct mih_sandbox_path *paths; /* owned, with their
						    descriptors */
	size_t npaths;
	mih_err err;   /* of collecting them */
	char *missing; /* what is not possible here, or NULL; owned */
};

/**
 * mih_cli_confine_prepare() - open the paths, while they lead to the right
 * place: before the mount, and before a daemon leaves its folder
 *
 * Of each file that a reload may read anew, the folder counts, because a new
 * version of it is another file.
 *
 * Return: 0 or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_cli_confine_prepare(
    struct mih_cli_confine *c, const struct mih_cli_mount_options *options);

/**
 * mih_cli_confine_allow() - one more path
 * @access: of enum mih_sandbox_access
 *
 * A path that does not exist is left out.
 * Out of memory is told by mih_cli_confine_enter().
 */
void mih_cli_confine_allow(struct mih_cli_confine *c, const char *path,
			   unsigned access);

/**
 * mih_cli_confine_enter() - enter the sandbox, as --sandbox says
 * @dev: of the mount, 0 if it is not known
 *
 * Return: 0; with --sandbox=require -errno with a story when something of it is
 * not possible here.
 */
MIH_MUST_CHECK mih_err mih_cli_confine_enter(
    struct mih_cli_confine *c, const struct mih_cli_mount_options *options,
    const struct mih_verify_model *model, dev_t dev);

/** mih_cli_confine_say() - log in one line what is in force. */
void mih_cli_confine_say(const struct mih_cli_confine *c);

/** mih_cli_confine_fini() - release the paths. */
void mih_cli_confine_fini(struct mih_cli_confine *c);

#endif
