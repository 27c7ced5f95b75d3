/*
 * fs/serve/mode.h - how the bytes of an open file get to its readers
 *
 * Layer: src/fs.  Threads: internally locked.
 *
 * cache    the kernel keeps pages; what it lacks is asked for
 * direct   every read comes here and is answered from the verified slot;
 *          mappings go through the kernel's pages
 * stage    the file's bytes lie proven in a sealed memory file, and the kernel
 *          reads that itself
 *
 * The kernel knows one way per inode: from its first open to its last close
 * all opens of it are served alike, whichever version of the model they belong
 * to. That is sound because an inode stands for one signed content.
 */
#ifndef MIH_FS_SERVE_MODE_H
#define MIH_FS_SERVE_MODE_H

#include "fs/mount.h"
#include "util/err.h"

#include <fuse_lowlevel.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#define MIH_FS_MODE_BUCKETS 256

struct mih_fs_mode;

struct mih_fs_modes {
	enum mih_fs_serve wanted;
	bool direct;	   /* the kernel lets such files be mapped too */
	atomic_bool stage; /* the kernel reads memory files itself */
	pthread_mutex_t lock;

	LIST_HEAD(, mih_fs_mode) buckets[MIH_FS_MODE_BUCKETS];
};

/** mih_fs_modes_init() - no file is open. */
void mih_fs_modes_init(struct mih_fs_modes *modes, enum mih_fs_serve wanted);

/** mih_fs_modes_fini() - forget all that is open still. */
void mih_fs_modes_fini(struct mih_fs_modes *modes);

/**
 * mih_fs_modes_agree() - ask the kernel for what the wanted way needs
 *
 * When the connection begins. What it does not have is said in the log, with
 * what is done instead.
 */
void mih_fs_modes_agree(struct mih_fs_modes *modes,
			struct fuse_conn_info *conn);

/** mih_fs_modes_stages() - would a staged file be handed to the kernel? */
static inline bool mih_fs_modes_stages(const struct mih_fs_modes *modes)
{
	return modes->wanted == MIH_FS_STAGE && atomic_load(&modes->stage);
}

/**
 * mih_fs_mode_open() - decide for an open that is about to be answered
 * @req:    the request, not yet answered
 * @staged: memory file with the file's bytes, or -1
 * @fi:     gets the flags of the answer
 *
 * Return: 0, and mih_fs_mode_close() is to follow; -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_fs_mode_open(struct mih_fs_modes *modes,
					fuse_req_t req, fuse_ino_t ino,
					int staged, struct fuse_file_info *fi);

/** mih_fs_mode_name() - "cache", "direct" or "stage", as an open was answered.
 */
const char *mih_fs_mode_name(const struct fuse_file_info *fi);

/**
 * mih_fs_mode_close() - undo one open of @ino
 * @session: whose kernel holds the memory file
 */
void mih_fs_mode_close(struct mih_fs_modes *modes, struct fuse_session *session,
		       fuse_ino_t ino);

#endif
