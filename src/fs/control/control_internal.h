/*
 * fs/control/control_internal.h - the hidden folder .mihfs of a mount
 *
 * Layer: src/fs.  Threads: internally locked.
 *
 * Its files (status/documents.h) are found by name but listed nowhere, so that
 * programs that take every file of a folder do not meet them. Their contents
 * are made when they are opened and stay the same until they are closed. A
 * model that has signed the name for itself is served as it was signed, and
 * there is no such folder then.
 */
#ifndef MIH_FS_CONTROL_INTERNAL_H
#define MIH_FS_CONTROL_INTERNAL_H

#include "fs/control/place.h"
#include "util/err.h"
#include "util/pool.h"

#include <fuse_lowlevel.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct mih_fs;
struct mih_fs_inodes;

/** An open file of the folder. */
struct mih_fs_control_handle;

struct mih_fs_control {
	struct fuse_lowlevel_ops beneath; /* what all else is for */
	struct mih_pool *pool; /* one thread, which writes contents; owned */
	pthread_mutex_t lock;  /* guards all below; a leaf */
	LIST_HEAD(, mih_fs_control_handle) handles; /* owned */
	size_t nhandles, nbytes;
};

/**
 * mih_fs_control_start() - begin, before the session does
 *
 * Return: 0, or -ENOMEM or -EAGAIN with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_control_start(struct mih_fs *fs);

/** mih_fs_control_look() - warn if names @inodes, served now, hide the folder.
 */
void mih_fs_control_look(const struct mih_fs *fs,
			 const struct mih_fs_inodes *inodes);

/** mih_fs_control_ops() - answer for the folder, hand on all other calls. */
void mih_fs_control_ops(struct mih_fs_control *control,
			struct fuse_lowlevel_ops *ops);

/** mih_fs_control_stop() - end; no call may come any more. */
void mih_fs_control_stop(struct mih_fs *fs);

#endif
