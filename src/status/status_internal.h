/*
 * status/status_internal.h - what the files of src/status share
 *
 * Layer: src/status.  Threads: see struct mih_status.
 */
#ifndef MIH_STATUS_STATUS_INTERNAL_H
#define MIH_STATUS_STATUS_INTERNAL_H

#include "status/snapshot.h"
#include "util/out/buffer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

/** A generation that is served now. */
struct mih_status_served {
	STAILQ_ENTRY(mih_status_served) next;
	uint64_t number;
	const struct mih_verify_model *model; /* borrowed */
	struct mih_verify_engine *engine;     /* borrowed */
};

/** The last refusals. */
struct mih_status_failures {
	pthread_mutex_t lock;			/* a leaf; guards all below */
	STAILQ_HEAD(, mih_status_failure) list; /* oldest first; owned */
	size_t n, nbytes;
	uint64_t total; /* so far */
};

struct mih_status {
	struct mih_status_failures failures;
	char *mountpoint, *bundle; /* owned */
	time_t started;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	atomic_bool ready;
	pthread_mutex_t lock; /* guards all below; no lock of the engine is
				 held when it is taken */
	STAILQ_HEAD(, mih_status_served) served; /* newest first */
	uint64_t ngenerations;			 /* so far */
	struct mih_status_reloads reloads;
	char *reload_error;	      /* which reloads.error is; owned */
	struct mih_verify_stats past; /* of those that have ended */
};

/** mih_status_sum() - add the counters of @one to @sum; not what comes and
 * goes, unless @gauges. */
void mih_status_sum(struct mih_verify_stats *sum,
		    const struct mih_verify_stats *one, bool gauges);

/** mih_status_write_time() - a moment in UTC, as JSON. */
void mih_status_write_time(struct mih_buffer *out, const char *name,
			   time_t when);

/** mih_status_failures_init() - none yet. */
void mih_status_failures_init(struct mih_status_failures *f);

/** mih_status_failures_fini() - forget them. */
void mih_status_failures_fini(struct mih_status_failures *f);

#endif
