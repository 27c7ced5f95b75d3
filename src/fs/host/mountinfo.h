/*
 * fs/host/mountinfo.h - what is mounted where
 *
 * Layer: src/fs.  Threads: no state.
 *
 * Reads /proc/self/mountinfo and asks no file system, so that a hung one cannot
 * hang the caller.
 */
#ifndef MIH_FS_HOST_MOUNTINFO_H
#define MIH_FS_HOST_MOUNTINFO_H

#include "util/err.h"

#include <stdbool.h>
#include <sys/types.h>

#define MIH_FS_TYPE "fuse.mihfs" /* of our mounts */

/** One mount. */
struct mih_fs_mounted {
	char path[4096]; /* the mount point; cut if longer */
	char type[64];	 /* "fuse.mihfs" */
	char source[512];
	dev_t dev;
};

/**
 * mih_fs_mountinfo_each() - call @see for every mount, in order
 *
 * A later one may lie over an earlier one with the same path. Stops when @see
 * says false.
 *
 * Return: 0, or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_mountinfo_each(
    bool (*see)(const struct mih_fs_mounted *mounted, void *context),
    void *context);

/**
 * mih_fs_mountinfo_find() - the uppermost mount exactly on @path
 * @path: absolute, as realpath(3) gives it
 *
 * Return: true and @mounted filled, or false.
 */
bool mih_fs_mountinfo_find(const char *path, struct mih_fs_mounted *mounted);

#endif
