/*
 * cli/service/mount_helper.h - a mount in the way mount(8) asks for it
 *
 * Layer: src/cli.  Threads: the main thread only.
 * Source: mount(8), "External helpers"; mount.fuse3(8).
 */
#ifndef MIH_CLI_SERVICE_MOUNT_HELPER_H
#define MIH_CLI_SERVICE_MOUNT_HELPER_H

#include <stdbool.h>

/** mih_cli_mount_helper_is() - is @program, as in argv[0], mount.mihfs? */
bool mih_cli_mount_helper_is(const char *program);

/**
 * mih_cli_mount_helper() - "mount.mihfs MODEL DIR [-fnrsvw] [-o ...] [-t ...]"
 *
 * Return: an exit code of mount(8): 0; 1 wrong words or missing permission;
 * 2 the system has no room for it; 32 not mounted.
 */
int mih_cli_mount_helper(int argc, char **argv);

/**
 * mih_cli_mount_plain() - "mihfs MODEL DIR -o ...", as mount.fuse3(8) types it
 *
 * Of what follows -o, the words are dropped that mount(8) and mount.fuse3 add
 * by themselves.
 *
 * Return: an exit code of mihfs.
 */
int mih_cli_mount_plain(int argc, char **argv);

#endif
