/*
 * cli/run/above.h - who could move the mount point away
 *
 * Layer: src/cli.  Threads: no state.
 */
#ifndef MIH_CLI_RUN_ABOVE_H
#define MIH_CLI_RUN_ABOVE_H

#include "util/err.h"

/**
 * mih_cli_above_check() - refuse what lies in folders that others may change
 * @mountpoint: as realpath(3) gives it
 *
 * A mount that only one namespace has does not keep others from renaming or
 * removing what it covers: its name then leads to what they put there.
 * Before a user namespace hides whose the folders are.
 *
 * Return: 0; -EPERM with a story that names the folder; -errno.
 */
MIH_MUST_CHECK mih_err mih_cli_above_check(const char *mountpoint);

#endif
