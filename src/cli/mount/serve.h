/*
 * cli/mount/serve.h - one mount, from its options to its end
 *
 * Layer: src/cli.  Threads: the main thread, while there is no other.
 */
#ifndef MIH_CLI_MOUNT_SERVE_H
#define MIH_CLI_MOUNT_SERVE_H

#include "cli/mount/mount_options.h"

/**
 * mih_cli_mount_serve() - check the signature and serve, as @o says
 * @o: as parsed, with model and mountpoint; finished by this call
 *
 * Return: the exit code of the command.
 */
int mih_cli_mount_serve(struct mih_cli_mount_options *o);

#endif
