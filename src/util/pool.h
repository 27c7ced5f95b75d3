/*
 * util/pool.h - a fixed set of threads and two queues of work
 *
 * Layer: src/util.  Threads: internally locked.
 *
 * Work items live inside the caller's own structures, so submitting never
 * allocates and never fails.
 */
#ifndef MIH_UTIL_POOL_H
#define MIH_UTIL_POOL_H

#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>

struct mih_pool;

/** One piece of work; embed it, set @run, submit it. */
struct mih_pool_work {
	struct mih_pool_work *next; /* the pool's, once submitted */
	void (*run)(struct mih_pool_work *work);
};

enum mih_pool_lane {
	MIH_POOL_URGENT,     /* somebody waits for it */
	MIH_POOL_BACKGROUND, /* taken when nothing urgent is queued */
	MIH_POOL_LANES,
};

/**
 * mih_pool_new() - start @nthreads threads with all signals blocked
 * @name:     thread name, at most 15 bytes
 * @nthreads: at least 1
 * @pool_out: set on success; finish with mih_pool_free()
 *
 * Return: 0, -ENOMEM or -EAGAIN with a story.
 */
MIH_MUST_CHECK mih_err mih_pool_new(const char *name, size_t nthreads,
				    struct mih_pool **pool_out);

/**
 * mih_pool_submit() - queue @work; first in, first out within its lane
 * @work: kept until its run() is called; run() may free or resubmit it
 */
void mih_pool_submit(struct mih_pool *pool, struct mih_pool_work *work,
		     enum mih_pool_lane lane);

/**
 * mih_pool_submit_all() - the same for @first, and all that are linked to it
 * @first: by next, which is NULL in the last one; NULL: none
 */
void mih_pool_submit_all(struct mih_pool *pool, struct mih_pool_work *first,
			 enum mih_pool_lane lane);

/**
 * mih_pool_limit() - at most @nbusy threads of the pool run at once
 * @nbusy: at least 1; without this call, all of them
 *
 * The others are for those that wait, see below. At any time; of those that run
 * already none is stopped. Costs nothing if it changes nothing.
 */
void mih_pool_limit(struct mih_pool *pool, size_t nbusy);

/**
 * mih_pool_reserve() - @n threads of the pool are for urgent work alone
 * @n: fewer than it has; without this call, none
 *
 * Work in the background may wait long for what it needs, and must not take
 * all threads with it. Before anything is submitted.
 */
void mih_pool_reserve(struct mih_pool *pool, size_t n);

/**
 * mih_pool_wait_begin() - what follows needs no processor, but time
 *
 * Another thread of the pool runs meanwhile, where there is one. Nothing
 * happens on a thread of no pool.
 */
void mih_pool_wait_begin(void);

/**
 * mih_pool_wait_end() - go on as soon as fewer threads run than may
 *
 * Before all that is queued.
 */
void mih_pool_wait_end(void);

/**
 * mih_pool_nthreads() - number of threads of the pool
 */
size_t mih_pool_nthreads(const struct mih_pool *pool);

/**
 * mih_pool_queued() - pieces of work of a lane that no thread has taken yet
 */
size_t mih_pool_queued(struct mih_pool *pool, enum mih_pool_lane lane);

/**
 * mih_pool_free() - run everything queued, then stop and join the threads
 *
 * NULL is legal. Must not be called from a thread of the pool.
 */
void mih_pool_free(struct mih_pool *pool);

/**
 * mih_pool_cores() - processors this process may run on, at least 1
 */
size_t mih_pool_cores(void);

#endif
