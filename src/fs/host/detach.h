/*
 * fs/host/detach.h - unmount what was seen, not what a name leads to
 *
 * Layer: src/fs.  Threads: no state.
 */
#ifndef MIH_FS_HOST_DETACH_H
#define MIH_FS_HOST_DETACH_H

#include "util/err.h"

#include <sys/types.h>

/**
 * mih_fs_host_detach() - umount2(2) of one mount and no other
 * @mountpoint: absolute
 * @dev:   of the mount, as mih_fs_mountinfo_find() told; 0: it could not, and
 *         the name is believed
 * @flags: MNT_DETACH, and MNT_FORCE
 *
 * Who may rename what stands above a mount point can have its name lead to a
 * mount of somebody else. Asks no server.
 *
 * Return: 0; -EINVAL when another mount, or none, is there; -EPERM ...
 */
MIH_MUST_CHECK mih_err mih_fs_host_detach(const char *mountpoint, dev_t dev,
					  int flags);

#endif
