/*
 * fs/fs_internal.h - what the files of src/fs share
 *
 * Layer: src/fs.  Threads: struct mih_fs is immutable while the mount
 * serves, except for what has a lock of its own.
 */
#ifndef MIH_FS_INTERNAL_H
#define MIH_FS_INTERNAL_H

#include <fuse_lowlevel.h>

#include "fs/control/control_internal.h"
#include "fs/generation/generation.h"
#include "fs/generation/keeper.h"
#include "fs/mount.h"
#include "fs/serve/mode.h"
#include "fs/unmount/unmounter.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* The kernel may keep what it was told until it is told to forget it: seconds,
 * about 31 years. */
#define MIH_FS_FOREVER 1e9

/* What is asked for at most in one request; 1 MiB is the kernel's own limit. */
#define MIH_FS_READ_MAX 1048576

struct mih_fs_folder;

/** One mount. */
struct mih_fs {
	const struct mih_fs_params *params; /* borrowed */
	struct mih_fs_generations generations;
	struct mih_fs_keeper keeper;
	struct mih_fs_modes modes; /* of open files */
	pthread_mutex_t folders_lock;
	struct mih_fs_folder *folders; /* open ones; owned */
	char *mountpoint;	       /* absolute; owned */
	dev_t beneath;		       /* device the mount point is on */
	dev_t dev;		       /* of the mount; 0: not known */
	dev_t mounted;		       /* the same, as the kernel's table says
					  it from the start */
	struct fuse_session *session;  /* owned */
	struct mih_fs_control control;
	struct mih_fs_unmounter unmounter;
	uid_t uid;
	gid_t gid;
	sem_t begun; /* posted when the kernel begins to talk, or never will */
	atomic_bool talking;
	atomic_bool stopping; /* it was said that the end begins */
};

/** mih_fs_of() - the mount that a request belongs to. */
static inline struct mih_fs *mih_fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* reply.c */

/**
 * mih_fs_errno() - what a reader sees of an error: a positive errno
 *
 * Whatever says that bytes are not the signed ones is EIO; so is everything
 * that no reader of a file expects. Never 0.
 */
int mih_fs_errno(mih_err err);

/** mih_fs_reply_err() - end @req with mih_fs_errno(@err). */
void mih_fs_reply_err(fuse_req_t req, mih_err err);

/* names.c */

/** mih_fs_names_ops() - lookup, getattr and statfs. */
void mih_fs_names_ops(struct fuse_lowlevel_ops *ops);

/**
 * mih_fs_fill_entry() - what the kernel is told about a node
 * @inodes: the table that @node is in
 */
void mih_fs_fill_entry(const struct mih_fs *fs,
		       const struct mih_fs_inodes *inodes,
		       const struct mih_fs_node *node,
		       struct fuse_entry_param *entry);

/* folder.c */

/** A listing of a folder while it is written. */
struct mih_fs_listing {
	fuse_req_t req;
	char *buf; /* of @room bytes */
	size_t room, used;
	bool plus; /* with attributes, as readdirplus wants them */
};

/**
 * mih_fs_list_entry() - append one entry
 * @next: position of the one behind it
 *
 * Return: false when it does not fit any more.
 */
bool mih_fs_list_entry(struct mih_fs_listing *l, const char *name,
		       const struct fuse_entry_param *entry, off_t next);

/** mih_fs_folder_ops() - opendir, readdir and releasedir. */
void mih_fs_folder_ops(struct fuse_lowlevel_ops *ops);

/** mih_fs_folders_free() - those that are open when the mount ends. */
void mih_fs_folders_free(struct mih_fs *fs);

/* readonly.c */

/** mih_fs_readonly_ops() - every call that would change something: EROFS. */
void mih_fs_readonly_ops(struct fuse_lowlevel_ops *ops);

/* data.c */

/** mih_fs_data_ops() - open, read and release. */
void mih_fs_data_ops(struct fuse_lowlevel_ops *ops);

/* xattr.c */

/** mih_fs_xattr_ops() - getxattr and listxattr. */
void mih_fs_xattr_ops(struct fuse_lowlevel_ops *ops);

/* options.c */

/**
 * mih_fs_options() - the "-o" text that libfuse gets
 * @params: whose options are filtered
 * @text_out: set on success; the caller frees it
 *
 * Return: 0; -EINVAL for what a verified mount cannot be (rw, suid, dev), with
 * a story; -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_fs_options(const struct mih_fs_params *params,
				      char **text_out);

/** mih_fs_is_dead() - does errno @err say that a mount's server is gone? */
static inline bool mih_fs_is_dead(int err)
{
	return err == ENOTCONN || err == ECONNABORTED;
}

/* mount.c */

/**
 * mih_fs_is_passed() - is it /dev/fd/N, mounted by somebody else?
 *
 * Then nothing is known of where it is mounted, and unmounting is not ours.
 */
bool mih_fs_is_passed(const struct mih_fs *fs);

/** mih_fs_say_stopping() - tell params->stopping() once. */
void mih_fs_say_stopping(struct mih_fs *fs);

/* stop.c */

/** The thread that turns signals into an end of bounded length. */
struct mih_fs_stopper {
	struct mih_fs *fs;
	pthread_t loop; /* runs the session; woken by SIGUSR2 */
	pthread_t thread;
	atomic_bool looping;
	atomic_bool ended; /* said by SIGUSR1 */
	sigset_t saved;	   /* mask of the caller */
};

/**
 * mih_fs_stopper_block() - block the signals that stop a mount
 *
 * Before any thread starts, so that only the stopper's thread gets them.
 */
void mih_fs_stopper_block(struct mih_fs_stopper *stopper);

/**
 * mih_fs_stopper_start() - wait for SIGTERM or SIGINT, to end, and SIGHUP, to
 * reload, from now on
 *
 * The calling thread is the one that will run the session.
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_stopper_start(struct mih_fs_stopper *stopper,
					    struct mih_fs *fs);

/** mih_fs_stopper_finish() - after everything else; restores the mask. */
void mih_fs_stopper_finish(struct mih_fs_stopper *stopper, bool started);

/* unmount/leave.c */

/**
 * mih_fs_confine() - enter the sandbox, if params->confine says so
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_confine(struct mih_fs *fs);

/**
 * mih_fs_force() - free the mount point, end every call of every reader, leave
 * @why: for the log
 *
 * A passed descriptor is only left: whoever mounted it unmounts it.
 */
_Noreturn void mih_fs_force(const struct mih_fs *fs, const char *why);

/**
 * mih_fs_detach() - free the mount point at once, whoever still uses it
 *
 * Nothing for a passed descriptor: whoever mounted it unmounts it.
 */
void mih_fs_detach(const struct mih_fs *fs);

/** mih_fs_unmount() - at the end, when no request is under way. */
void mih_fs_unmount(struct mih_fs *fs);

/* answer.c */

/**
 * mih_fs_answer() - wait until the mount answers
 *
 * Not for a FUSE thread. Then raises its readahead and calls params->ready().
 *
 * Return: false if it was unmounted before it ever answered.
 */
bool mih_fs_answer(struct mih_fs *fs);

/** mih_fs_read_ahead() - raise the readahead of mount @dev, or log why not. */
void mih_fs_read_ahead(dev_t dev);

#endif
