/*
 * fs/generation/generation.h - the versions of the model that are being served
 *
 * Layer: src/fs.  Threads: internally locked.
 *
 * A reload makes a new version, complete and checked, beside the one that is
 * served; then it becomes the current one in one step. Names are looked up in
 * the current version only. Whoever opened something of an earlier one goes on
 * with that: its model, engine and descriptors live until the last open file
 * or folder of it is closed.
 */
#ifndef MIH_FS_GENERATION_H
#define MIH_FS_GENERATION_H

#include "fs/generation/follow.h"
#include "fs/mount.h"
#include "verify/engine.h"

#include <pthread.h>
#include <stdatomic.h>

/** So many earlier versions may be held open before a reload is refused. */
#define MIH_FS_EARLIER_MAX 8

struct mih_fs_generations;

/** One version. All but refs and older is immutable once it is published. */
struct mih_fs_generation {
	struct mih_fs_generations *all;	  /* it is one of them, or will be */
	struct mih_verify_model *model;	  /* owned */
	struct mih_verify_engine *engine; /* owned */
	struct mih_status *status; /* that looks at the engine; borrowed */
	struct mih_fs_inodes inodes;
	uint64_t serial;  /* 0: that of the mount; counts reloads */
	atomic_uint refs; /* requests, open files and folders; and one for being
			     current */
	struct mih_fs_generation *older; /* guarded by the lock of all */
};

struct mih_fs_generations {
	pthread_mutex_t lock;
	struct mih_fs_generation *current; /* the earlier ones follow */
	/** An earlier version may be freed. Any thread; no lock is held. */
	void (*unused)(void *context);
	void *context;
};

/** A node and the version that it belongs to, which is counted. */
struct mih_fs_found {
	struct mih_fs_generation *generation; /* NULL: nothing was found */
	const struct mih_fs_node *node;
};

/** mih_fs_generations_init() - none yet. */
void mih_fs_generations_init(struct mih_fs_generations *all);

/**
 * mih_fs_generations_stop() - end every engine and so all requests under way
 *
 * Nothing may be opened or read any more; closing is still right.
 */
void mih_fs_generations_stop(struct mih_fs_generations *all);

/** mih_fs_generations_fini() - release them all, whoever still counts on one.
 */
void mih_fs_generations_fini(struct mih_fs_generations *all);

/**
 * mih_fs_generation_new() - a version of @model, without an engine yet
 * @all:   what it will belong to (kept)
 * @model: taken over, also on failure
 *
 * Return: 0; -ENOMEM; MIH_EFORMAT with a story when the names make no tree.
 */
MIH_MUST_CHECK mih_err mih_fs_generation_new(
    struct mih_fs_generations *all, struct mih_verify_model *model,
    struct mih_fs_generation **generation_out);

/**
 * mih_fs_generation_start() - make its engine, and let the status see both
 *
 * Return: 0; what params->start() says; -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_generation_start(
    struct mih_fs_generation *generation, const struct mih_fs_params *params);

/** mih_fs_generation_free() - one that was never published; NULL is legal. */
void mih_fs_generation_free(struct mih_fs_generation *generation);

/** mih_fs_generation_publish() - make it the current one; takes it over. */
void mih_fs_generation_publish(struct mih_fs_generation *generation);

/** mih_fs_generations_reap() - free the earlier ones that nobody holds. */
void mih_fs_generations_reap(struct mih_fs_generations *all);

/** mih_fs_generations_earlier() - how many are alive but not current? */
size_t mih_fs_generations_earlier(struct mih_fs_generations *all);

/** mih_fs_generation_current() - the current one, counted. */
struct mih_fs_generation *
mih_fs_generation_current(struct mih_fs_generations *all);

/** mih_fs_generation_get() - count one more; who calls holds one already. */
struct mih_fs_generation *
mih_fs_generation_get(struct mih_fs_generation *generation);

/** mih_fs_generation_put() - count one less; never waits; NULL is legal. */
void mih_fs_generation_put(struct mih_fs_generation *generation);

/** mih_fs_find_current() - @ino in the current version; else nothing. */
struct mih_fs_found mih_fs_find_current(struct mih_fs_generations *all,
					uint64_t ino);

/** mih_fs_find_serial() - @ino in version @serial, if that is alive. */
struct mih_fs_found mih_fs_find_serial(struct mih_fs_generations *all,
				       uint64_t ino, uint64_t serial);

/** mih_fs_find() - @ino in the newest version that has it; else nothing. */
struct mih_fs_found mih_fs_find(struct mih_fs_generations *all, uint64_t ino);

#endif
