/*
 * cli/mount/source.h - what a mount serves, as its options name it
 *
 * Layer: src/cli.  Threads: one at a time.
 */
#ifndef MIH_CLI_MOUNT_SOURCE_H
#define MIH_CLI_MOUNT_SOURCE_H

#include "cli/mount/mount_options.h"
#include "verify/model.h"

/**
 * mih_cli_source_open() - load trust, check the signature, see every file
 * @problem: as in struct mih_verify_model_params; context is NULL
 * @dev:     a server's, which has threads (borrowed); else NULL
 *
 * Looks at every path anew, whatever was found there before. With
 * --verify=mount all bytes are read and checked too, and what is wrong with
 * them told on stderr: by the devices of @options, in a process of its own,
 * with progress where that is a terminal; for a server by @dev.
 *
 * Return: as mih_cli_trust_load() and mih_verify_model_open().
 */
MIH_MUST_CHECK mih_err mih_cli_source_open(
    const struct mih_cli_mount_options *options,
    void (*problem)(void *context, const char *line), struct mih_gpu_dev *dev,
    struct mih_verify_model **model_out);

/**
 * mih_cli_source_settle() - make the paths in @options good in any folder
 *
 * For a daemon that leaves its folder and will look at them again.
 *
 * Return: 0; -errno with a story.
 */
MIH_MUST_CHECK mih_err
mih_cli_source_settle(struct mih_cli_mount_options *options);

#endif
