/*
 * cli/mount/mount_options.h - the words of a mount, from the command line and
 * from "-o"
 *
 * Layer: src/cli.  Threads: the main thread only.
 */
#ifndef MIH_CLI_MOUNT_OPTIONS_H
#define MIH_CLI_MOUNT_OPTIONS_H

#include "cli/export/export.h"
#include "cli/trust_options.h"
#include "util/log.h"

#include <stdint.h>

/** Values of the options; texts are borrowed from argv or from owned. */
struct mih_cli_mount_options {
	const char *command;		/* "mount" */
	const char *model, *mountpoint; /* the operands */
	const char *root, *tree;
	struct mih_cli_trust trust;
	struct mih_cli_device_options devices;
	uint64_t memory;
	uint64_t stage_memory; /* UINT64_MAX: half of what is free */
	int serve, verify, unsigned_files, on_mismatch, log_format, sandbox;
	const char *symlink_root;
	bool allow_symlinks, foreground, debug, clear_dead, mkdir;
	const char *log_level, *ready_fd_text;
	enum mih_log_level level; /* of log_level and debug */
	int ready_fd;		  /* -1: none */
	struct mih_cli_export_options export;
	struct mih_cli_list o;
	char *fuse;		    /* what "-o" says to FUSE, or NULL; owned */
	struct mih_cli_list long_o; /* "--root=x" from "-o root=x"; the texts
				       are owned too */
};

enum {
	MIH_CLI_SERVE_AUTO,
	MIH_CLI_SERVE_CACHE,
	MIH_CLI_SERVE_DIRECT,
	MIH_CLI_SERVE_STAGE
};
enum { MIH_CLI_VERIFY_LAZY, MIH_CLI_VERIFY_OPEN, MIH_CLI_VERIFY_MOUNT };
enum { MIH_CLI_UNSIGNED_HIDE, MIH_CLI_UNSIGNED_DENY };
enum { MIH_CLI_MISMATCH_EIO, MIH_CLI_MISMATCH_STOP };
enum { MIH_CLI_SANDBOX_ON, MIH_CLI_SANDBOX_OFF, MIH_CLI_SANDBOX_REQUIRE };

/** A command that takes the options of a mount, and perhaps more. */
struct mih_cli_mount_form {
	const char *command, *synopsis, *about;
	int least, most; /* operands; most -1: any number */
	const struct mih_cli_option
	    *more; /* rows up to an empty one; or NULL */
};

/**
 * mih_cli_mount_options_parse() - read the whole command line
 * @o: caller's memory; finish with mih_cli_mount_options_fini()
 * @form: the command; must outlive @o
 * @operands_out: set to the operands within @argv, NULL-terminated; which of
 *                them are model and mountpoint, the command knows
 *
 * "-o root=signed.json" means "--root signed.json", and so for every long
 * option, because fstab(5) knows nothing but "-o". In it "\," stands for a
 * comma. What is no option of ours is left for FUSE.
 *
 * Return: MIH_CLI_GO_ON, or the exit code with which the command ends now.
 */
int mih_cli_mount_options_parse(struct mih_cli_mount_options *o,
				const struct mih_cli_mount_form *form, int argc,
				char **argv, char ***operands_out);

/** mih_cli_mount_options_know() - is @word, "name" or "name=value", of ours? */
bool mih_cli_mount_options_know(const char *word);

/**
 * mih_cli_mount_options_keep() - free @text together with the options
 * @text: taken over, also on failure
 *
 * Return: 0; -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err
mih_cli_mount_options_keep(struct mih_cli_mount_options *o, char *text);

/** mih_cli_mount_options_fini() - release what it owns. */
void mih_cli_mount_options_fini(struct mih_cli_mount_options *o);

#endif
