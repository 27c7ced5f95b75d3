/*
 * verify/engine/verdict_internal.h - bad groups, and answers that are given
 * late
 *
 * Layer: src/verify.  Threads: internally locked.
 */
#ifndef MIH_VERIFY_ENGINE_VERDICT_INTERNAL_H
#define MIH_VERIFY_ENGINE_VERDICT_INTERNAL_H

#include "util/err.h"
#include "verify/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#define NVERDICTS	 65536 /* bad groups remembered at once */
#define NVERDICT_BUCKETS 1024
#define BACKOFF_MAX	 10000 /* ms before a bad group is read again */
#define DELAY_MAX	 500   /* ms that a repeated answer waits */

struct mih_verify_engine;

/** A bad group. Kept outside the extents, so that eviction forgets none. */
struct mih_verify_verdict {
	TAILQ_ENTRY(mih_verify_verdict) age;
	struct mih_verify_verdict *hash_next;
	uint32_t file;
	uint64_t group;
	uint64_t retry_ns;
	unsigned backoff_ms, delay_ms;
};

TAILQ_HEAD(mih_verify_verdict_age, mih_verify_verdict);

struct mih_verify_verdicts {
	pthread_mutex_t lock;
	atomic_uint count;
	struct mih_verify_verdict_age age; /* oldest first */
	struct mih_verify_verdict *buckets[NVERDICT_BUCKETS];
};

/** A thread that gives answers later, so that no other thread has to wait. */
struct mih_verify_timer {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct mih_verify_delay *head; /* soonest first */
	atomic_uint count;
	bool stopping;
	bool running;
	pthread_t thread;
};

/* verdict.c */

/** What verdicts say about some groups. */
struct mih_verify_refusal {
	uint16_t refused;  /* not to be read again yet */
	uint16_t retry;	   /* bad before, may be read again */
	unsigned delay_ms; /* that the answer has to wait */
};

/** Verdicts about groups @mask of extent @index. */
struct mih_verify_refusal
mih_verify_verdict_check(struct mih_verify_engine *engine, uint32_t file,
			 uint64_t index, uint16_t mask);
/** Groups of @mask with a verdict, whether it is time to read them or not. */
uint16_t mih_verify_verdict_standing(struct mih_verify_engine *engine,
				     uint32_t file, uint64_t index,
				     uint16_t mask);
/** Group is bad. Return: is that news? */
bool mih_verify_verdict_bad(struct mih_verify_engine *engine, uint32_t file,
			    uint64_t group);
/** Group is good. Return: is that news? */
bool mih_verify_verdict_good(struct mih_verify_engine *engine, uint32_t file,
			     uint64_t group);
/** None yet. */
void mih_verify_verdicts_init(struct mih_verify_verdicts *verdicts);
/** Frees all of them. */
void mih_verify_verdicts_fini(struct mih_verify_verdicts *verdicts);

/** Start its thread. Return: 0 or -EAGAIN. */
MIH_MUST_CHECK mih_err mih_verify_timer_start(struct mih_verify_timer *timer);
/** Call delay->fire() in @ms from another thread; at once when stopping. */
void mih_verify_timer_add(struct mih_verify_timer *timer,
			  struct mih_verify_delay *delay, unsigned ms);
/** Fire everything now, stop. */
void mih_verify_timer_stop(struct mih_verify_timer *timer);

/** Milliseconds that follow @ms in a doubling up to @max, from @first on. */
unsigned mih_verify_backoff(unsigned ms, unsigned first, unsigned max);

#endif
