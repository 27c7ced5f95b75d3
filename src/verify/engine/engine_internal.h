/*
 * verify/engine/engine_internal.h - what the parts of the engine share
 *
 * Layer: src/verify.  Threads: each structure says which lock guards it.
 *
 *   engine.c   start, stop, counters          extent.c  cache of extents
 *   open.c     open, close, backing files     load.c    read, hash, compare
 *   proof.c    what a file is held against    verdict.c bad groups, delays
 *   layer.c    pages of the fine layer        read.c    requests, answers
 *   ahead.c    which bytes are wanted next, by what ../ahead/ makes of them
 *
 * Locks, outermost first. Whoever holds one may take those below it only:
 *   1. evict_lock (taken by trylock)
 *   2. shard->lock
 *   3. verdicts.lock
 *   4. file->lock
 *   5. pages.ends (held over the folding of a page)
 * Leaves, under which nothing else is taken: pages.lock, spare.lock,
 * stages.lock, timer.lock, the locks inside the pools, and the lock of a
 * whole-file pass.
 * No other lock is held over disk I/O, hashing, a log line or a done().
 */
#ifndef MIH_VERIFY_ENGINE_INTERNAL_H
#define MIH_VERIFY_ENGINE_INTERNAL_H

#include "tree/shape.h"
#include "util/host/clock.h"
#include "verify/engine/cache_internal.h"
#include "verify/engine/file_internal.h"
#include "verify/engine/layer_internal.h"
#include "verify/engine/verdict_internal.h"
#include "verify/count/tally_internal.h"
#include "verify/stage/stage_internal.h"

#include <time.h>

#define container_of(ptr, type, member)                                        \
	((type *)((char *)(ptr)-offsetof(type, member)))

#define MIH_VERIFY_SLOW 4 /* sizes of passes over whole files */

struct mih_verify_engine {
	const struct mih_verify_model *model;
	struct mih_gpu_dev *dev;
	atomic_size_t memory;
	bool keep_read;
	bool whole; /* prove whole files when they are opened */
	unsigned retry_ms;
	void (*failed)(void *context, const struct mih_log_event *event,
		       const char *line);
	void *context;

	struct mih_pool *pool;			/* loads, opens */
	struct mih_pool *slow[MIH_VERIFY_SLOW]; /* passes over whole files and
						     shards, by size */
	struct mih_pool *answers; /* to who waits for a device; NULL: the
				     processor does it all */
	atomic_uint handing;	  /* threads of a device that fill it */
	atomic_int hashed;	  /* loads by devices lately, less others */
	size_t ncores;
	atomic_bool stopping;	/* also cancels whole-file passes */
	atomic_bool diagnosed;	/* one line about the whole sidecar */
	atomic_size_t inflight; /* loads, opens, works of @answers */

	struct mih_verify_file_run *files;
	struct mih_verify_shard *shards; /* NSHARDS */
	pthread_mutex_t evict_lock;
	struct mih_verify_spare spare;
	struct mih_verify_pages pages;
	struct mih_verify_verdicts verdicts;
	struct mih_verify_timer timer;
	struct mih_verify_stages stages;

	struct mih_verify_tally *tally; /* owned */
	_Atomic uint64_t cache_bytes;
	atomic_uint nopen; /* files */
};

static inline uint64_t mih_verify_mix(uint64_t file, uint64_t index)
{
	uint64_t h = (file * 0x9e3779b97f4a7c15u) ^ index;

	h *= 0xff51afd7ed558ccdu;
	return h ^ (h >> 32);
}

static inline size_t mih_verify_node_len(const struct mih_verify_file *file)
{
	return mih_hash_info(file->tree)->len;
}

/** Bytes of group @group; only the last one of a file may be short. */
static inline size_t mih_verify_group_len(const struct mih_verify_file *file,
					  uint64_t group)
{
	uint64_t left = file->nbytes - group * MIH_HASH_GROUP;

	return (size_t)MIH_MIN(left, (uint64_t)MIH_HASH_GROUP);
}

/** mih_verify_count() - @n more of @what. */
static inline void mih_verify_count(struct mih_verify_engine *engine,
				    enum mih_verify_count what, uint64_t n)
{
	mih_verify_tally_add(engine->tally, what, n);
}

/** mih_verify_took() - @span began at @begun_ns and ends now. */
static inline void mih_verify_took(struct mih_verify_engine *engine,
				   enum mih_verify_span span, uint64_t begun_ns)
{
	mih_verify_tally_time(engine->tally, span, mih_clock_ns() - begun_ns);
}

/* engine.c */

/**
 * mih_verify_report() - one line about @file, to whom it concerns
 * @what: which bytes, and what they were held against; its level and name say
 *        whether they are refused or, MIH_LOG_INFO, as signed again. The path
 *        is filled in.
 *
 * Of very many lines about one file within a minute most are dropped; the last
 * one says so. Takes file->lock.
 */
void mih_verify_report(struct mih_verify_engine *engine, uint32_t file,
		       const struct mih_log_event *what, const char *fmt, ...)
    MIH_PRINTF(4, 5);

/** What mih_verify_report() is mostly called with. */
#define MIH_VERIFY_REFUSAL .level = MIH_LOG_ERROR, .name = "refusal"
#define MIH_VERIFY_HEALED  .level = MIH_LOG_INFO, .name = "healed"

/**
 * mih_verify_slow_submit() - run @work on a thread that may take long
 * @nbytes: about so many will be read; it waits for nothing much larger
 */
void mih_verify_slow_submit(struct mih_verify_engine *engine, uint64_t nbytes,
			    struct mih_pool_work *work);

/**
 * mih_verify_note_hashed() - a load was hashed by a device, or by the processor
 *
 * As many threads read as do best with that.
 */
void mih_verify_note_hashed(struct mih_verify_engine *engine, bool by_device);

/** mih_verify_mark() - count group @group of @file as proven. */
void mih_verify_mark(const struct mih_verify_file *file,
		     struct mih_verify_layers *proof, uint64_t group);

#endif
