/*
 * cli/run/namespace.h - a mount namespace that only we and our children see
 *
 * Layer: src/cli.  Threads: while there is one.
 * Source: user_namespaces(7), mount_namespaces(7).
 */
#ifndef MIH_CLI_RUN_NAMESPACE_H
#define MIH_CLI_RUN_NAMESPACE_H

#include "util/err.h"

/**
 * mih_cli_namespace_enter() - leave the namespace of mounts for one of our own
 *
 * Who may not do so gets a user namespace too, in which user and group stay
 * what they are. Mounts made afterwards are seen by nobody else, and no mount
 * or unmount made elsewhere is seen here: a server must not be uncovered.
 *
 * Return: 0; -ENOENT, -EACCES ... without a /dev/fuse to use; -EPERM, -ENOSPC
 * where namespaces are forbidden; each with a story that says what to do.
 */
MIH_MUST_CHECK mih_err mih_cli_namespace_enter(void);

#endif
