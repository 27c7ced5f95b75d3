/*
 * fs/host/mountpoint.h - folders on which a mihfs is mounted, or was
 *
 * Layer: src/fs.  Threads: no state.
 */
#ifndef MIH_FS_HOST_MOUNTPOINT_H
#define MIH_FS_HOST_MOUNTPOINT_H

#include "util/err.h"

/**
 * mih_fs_mountpoint_name() - the absolute name of a folder to mount on
 * @path: a folder, or a mount whose server is gone
 * @whole_out: set on success; the caller frees it
 *
 * Return: 0; -ENOENT ... with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_mountpoint_name(const char *path,
					      char **whole_out);

/**
 * mih_fs_mountpoint_detach() - unmount a mihfs, whoever still uses it
 * @path: its mount point
 *
 * Asks no server, so that none can keep it from going; what is open gives
 * errors once the server is gone. As root by a system call, else by
 * fusermount3(1).
 *
 * Return: 0; -ENOENT if no mihfs is mounted there; -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_mountpoint_detach(const char *path);

/**
 * mih_fs_mountpoint_clear() - detach it if its server is gone
 * @path: where something shall be mounted
 *
 * Return: 0, also if nothing was to be done; -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_mountpoint_clear(const char *path);

#endif
