/*
 * fs/pass/kernel_mount.h - mount for another process that will serve
 *
 * Layer: src/fs.  Threads: no state.
 *
 * The new mount API (fsopen(2) and friends, Linux 5.2) instead of mount(2):
 * nothing needs quoting, and a mount can be prepared before anybody sees it.
 */
#ifndef MIH_FS_PASS_KERNEL_MOUNT_H
#define MIH_FS_PASS_KERNEL_MOUNT_H

#include "util/err.h"

#include <stdbool.h>

/** Where the mounts of one helper go, and the name by which it knows them. */
struct mih_fs_kernel_place {
	const char *mountpoint; /* absolute, no links; borrowed */
	const char *source;	/* shown as the device; borrowed */
};

/**
 * mih_fs_kernel_name() - the absolute name of a folder to mount on
 * @path: a folder, or a mount whose server is gone
 * @whole_out: set on success; the caller frees it
 *
 * What is mounted is served by somebody with fewer privileges, who may be able
 * to put a link to any folder of the system in the place of this one: a name
 * with a link in it is refused.
 *
 * Return: 0; -ELOOP, -ENOENT ... with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_kernel_name(const char *path, char **whole_out);

/**
 * mih_fs_kernel_check() - may a mount be made there?
 *
 * Return: 0; -EBUSY with a story if another mihfs serves there. Mounts of
 * @place's own source, dead or alive, are none of another.
 */
MIH_MUST_CHECK mih_err
mih_fs_kernel_check(const struct mih_fs_kernel_place *place);

/**
 * mih_fs_kernel_mount() - open /dev/fuse and mount it, read-only
 * @fd_out: set on success: the descriptor that serves the mount; owned by the
 *          caller. When its last copy is closed, the mount is dead.
 *
 * An earlier mount of the same place is replaced. Where the kernel can (6.5)
 * the new one is put beneath it first, so that at no time the bare folder is
 * seen. Readers wait until somebody serves the descriptor.
 *
 * Return: 0; -errno with a story.
 */
MIH_MUST_CHECK mih_err
mih_fs_kernel_mount(const struct mih_fs_kernel_place *place, int *fd_out);

/**
 * mih_fs_kernel_unmount() - detach the mount of @place, if there is one
 *
 * Asks no server; open files end in errors once they have none.
 *
 * Return: 0, also if nothing was mounted; -errno with a story.
 */
MIH_MUST_CHECK mih_err
mih_fs_kernel_unmount(const struct mih_fs_kernel_place *place);

/**
 * mih_fs_kernel_read_ahead() - raise the readahead of the mount of @place
 *
 * Only after the kernel has the server's answer to INIT, which lowers it. A
 * failure is told in the log: reading is slower, no more.
 */
void mih_fs_kernel_read_ahead(const struct mih_fs_kernel_place *place);

#endif
