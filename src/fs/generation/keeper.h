/*
 * fs/generation/keeper.h - the thread that reloads, and frees what nobody holds
 *
 * Layer: src/fs.  Threads: internally locked; who may call says each function.
 *
 * What may take long happens here and nowhere else: reading and checking a
 * bundle, telling the kernel what to forget, ending an engine. Telling the
 * kernel waits for the lock of a folder, which a lookup holds until a FUSE
 * thread has answered it: so no FUSE thread ever waits for this one.
 */
#ifndef MIH_FS_KEEPER_H
#define MIH_FS_KEEPER_H

#include "util/err.h"

#include <pthread.h>
#include <stdbool.h>

struct mih_fs;

struct mih_fs_keeper {
	pthread_mutex_t lock;
	pthread_cond_t change; /* of any of the fields below */
	bool reload;	       /* asked for, not begun */
	bool reap;	       /* an earlier version may be free */
	bool busy;	       /* reloading */
	bool telling;	       /* the kernel: between two system calls only */
	bool stopping;
	pthread_t thread;
	bool started;
};

/** mih_fs_keeper_init() - no thread yet. */
void mih_fs_keeper_init(struct mih_fs_keeper *keeper);

/**
 * mih_fs_keeper_start() - see that the mount answers, then wait for work
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_keeper_start(struct mih_fs *fs);

/** mih_fs_keeper_reload() - soon, once, however often it is asked. */
void mih_fs_keeper_reload(struct mih_fs_keeper *keeper);

/** mih_fs_keeper_reap() - soon. Fits struct mih_fs_generations. */
void mih_fs_keeper_reap(void *keeper);

/**
 * mih_fs_keeper_quiet() - begin nothing new, and tell the kernel nothing more
 *
 * To be called while FUSE threads still answer: the kernel may wait for an
 * answer before it returns to us.
 *
 * Return: true when the kernel is not being told anything any more; false if it
 * still does not return after two seconds.
 */
bool mih_fs_keeper_quiet(struct mih_fs_keeper *keeper);

/**
 * mih_fs_keeper_rest() - wait until a reload under way has ended
 *
 * Return: false if it has not after five seconds (a storage that hangs).
 */
bool mih_fs_keeper_rest(struct mih_fs_keeper *keeper);

/** mih_fs_keeper_join() - after the mount is gone; no thread is fine. */
void mih_fs_keeper_join(struct mih_fs_keeper *keeper);

/** mih_fs_keeper_fini() - when nobody asks for anything any more. */
void mih_fs_keeper_fini(struct mih_fs_keeper *keeper);

#endif
