/*
 * verify/engine/cache_internal.h - extents, the slots that hold them, the loads
 * that fill them
 *
 * Layer: src/verify.  Threads: each structure says which lock guards it.
 */
#ifndef MIH_VERIFY_ENGINE_CACHE_INTERNAL_H
#define MIH_VERIFY_ENGINE_CACHE_INTERNAL_H

#include "gpu/device.h"
#include "util/pool.h"
#include "verify/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#define EXTENT_GROUPS ((unsigned)(MIH_VERIFY_EXTENT / MIH_HASH_GROUP))
#define NSHARDS	      16
#define NBUCKETS      1024		 /* per shard */
#define SPARE_MAX     ((size_t)32 << 20) /* bytes of slots kept for reuse */
#define READ_MAX      ((size_t)32 << 20) /* and of extents read through */
#define FLIGHT_MAX    ((size_t)96 << 20) /* and of the budget, never kept */
#define STALE_NS      10000000000u /* unused for so long: room for others */
#define NCLASSES      7 /* slot sizes: 4 KiB, 16 KiB, 64 KiB .. 1 MiB */

struct mih_verify_backing;
struct mih_verify_engine;
struct mih_verify_fill;

/**
 * One load's bytes: private memory, read once, hashed, then only read.
 * Nobody writes to it after its load has ended.
 */
struct mih_verify_slot {
	struct mih_verify_engine *engine;
	struct mih_verify_slot *next; /* while spare */
	atomic_uint refs;
	unsigned size_class;
	uint64_t off;  /* file offset of data[0] */
	uint8_t *data; /* owned */
};

enum mih_verify_worth {
	MIH_VERIFY_PASSED, /* read through: the first to go */
	MIH_VERIFY_KEPT,
	MIH_VERIFY_WORTHS,
};

/** 1 MiB of a file; guarded by its shard's lock. */
struct mih_verify_extent {
	TAILQ_ENTRY(mih_verify_extent) lru; /* while nloads is 0 */
	struct mih_verify_extent *hash_next;
	uint64_t used_ns;
	uint64_t index;
	uint32_t file;
	uint16_t good; /* bit per group: slots[] is set */
	uint16_t loading;
	enum mih_verify_worth worth; /* and so its list */
	unsigned nloads;
	LIST_HEAD(, mih_verify_load) loads;
	struct mih_verify_wait *waits;
	struct mih_verify_slot *slots[EXTENT_GROUPS]; /* counted */
};

TAILQ_HEAD(mih_verify_lru, mih_verify_extent);

/** Extents by age; guarded by the shard's lock. */
struct mih_verify_ages {
	struct mih_verify_lru lru;  /* oldest first */
	_Atomic uint64_t oldest_ns; /* UINT64_MAX when empty */
};

struct mih_verify_shard {
	pthread_mutex_t lock;
	struct mih_verify_ages ages[MIH_VERIFY_WORTHS];
	struct mih_verify_extent *buckets[NBUCKETS];
};

/** One pread, one item of a device batch: neighbouring groups of an extent. */
struct mih_verify_load {
	LIST_ENTRY(mih_verify_load) link; /* extent->loads; shard lock */
	struct mih_pool_work work;	/* its place in the lane it began in */
	struct mih_pool_work hurry;	/* and in the urgent one, if somebody
					   came to wait for it */
	struct mih_pool_work resume;	/* after its page was proven, or its
					   bytes were hashed by a device */
	struct mih_verify_load *parked; /* next on the same page */
	struct mih_verify_load *then;	/* same thread, when this is read */
	struct mih_verify_engine *engine;
	struct mih_verify_extent *extent; /* it is for this, or else: */
	struct mih_verify_fill *fill;
	struct mih_verify_backing *backing; /* counted */
	struct mih_verify_slot *slot;	    /* counted; NULL: into fill->to */
	uint8_t *data;			    /* where its bytes lie */
	uint8_t *copy;	   /* of them, for a device; or NULL; owned */
	atomic_uint refs;  /* tickets in the pool, and itself */
	atomic_bool taken; /* one ticket has begun it */
	bool urgent;	   /* shard lock */
	bool retry;	   /* a group had a verdict before */
	bool may_wait;	   /* on a thread that may read a whole shard */
	bool by_device;	   /* its end comes on a thread of a device */
	uint32_t file;
	uint64_t group; /* first group, in the file */
	unsigned ngroups;
	uint64_t off; /* bytes */
	size_t len;
	uint16_t bad;	   /* bit per group of the load */
	mih_err err;	   /* why, when it was not a digest */
	mih_err hash_err;  /* the device's */
	uint64_t begun_ns; /* its hashing */
	struct mih_hash_range range;
	struct mih_gpu_batch batch;
	uint8_t want[EXTENT_GROUPS * MIH_HASH_LEN_MAX];
	uint8_t got[EXTENT_GROUPS * MIH_HASH_LEN_MAX];
};

struct mih_verify_spare {
	pthread_mutex_t lock;
	size_t bytes;
	struct mih_verify_slot *slots[NCLASSES];
};

/* extent.c */

/** The shard of the cache that an extent belongs to, whether there is one. */
struct mih_verify_shard *mih_verify_shard_of(struct mih_verify_engine *engine,
					     uint32_t file, uint64_t index);
/** Find or make; shard locked. NULL: out of memory. */
struct mih_verify_extent *
mih_verify_extent_get(struct mih_verify_engine *engine,
		      struct mih_verify_shard *shard, uint32_t file,
		      uint64_t index);
/** Put in its place in the lru, or drop it if it holds nothing; locked. */
void mih_verify_extent_settle(struct mih_verify_engine *engine,
			      struct mih_verify_shard *shard,
			      struct mih_verify_extent *extent);
/** Drop the oldest extents until the budget is kept. */
void mih_verify_cache_trim(struct mih_verify_engine *engine);
/** May one more extent that is read through be kept? Takes no lock. */
bool mih_verify_cache_keeps(const struct mih_verify_engine *engine);
/** Free the slots that are kept for reuse. */
void mih_verify_spare_drop(struct mih_verify_engine *engine);
/** Return: 0 or -ENOMEM. */
MIH_MUST_CHECK mih_err mih_verify_cache_init(struct mih_verify_engine *engine);
/** After the last load has ended. */
void mih_verify_cache_fini(struct mih_verify_engine *engine);

/** The smallest class of slots that hold @len bytes. */
unsigned mih_verify_slot_class(size_t len);
/** Bytes that such a slot holds. */
size_t mih_verify_slot_room(unsigned size_class);
/** Its room must have been added to cache_bytes. NULL: out of memory. */
struct mih_verify_slot *mih_verify_slot_new(struct mih_verify_engine *engine,
					    unsigned size_class);
/** One more user. Return: @slot. */
struct mih_verify_slot *mih_verify_slot_get(struct mih_verify_slot *slot);
/** One user less; the last one gives its memory back. */
void mih_verify_slot_put(struct mih_verify_slot *slot);

/* source/fetch.c */

/** A load has begun: it will take memory. */
void mih_verify_fetch_begin(struct mih_verify_load *load);
/** Its bytes into memory; what cannot be read is bad. false: out of memory. */
bool mih_verify_fetch(struct mih_verify_load *load);
/** It has ended: it lets go of its slot, and of the copy. */
void mih_verify_fetch_end(struct mih_verify_load *load);

/* load.c */

/** What to load into one extent. */
struct mih_verify_load_job {
	struct mih_verify_engine *engine;
	struct mih_verify_extent *extent;
	struct mih_verify_backing *backing;
	uint16_t mask;	/* groups, none of them good or loading */
	uint16_t retry; /* those with an earlier verdict */
	enum mih_pool_lane lane;
	struct mih_pool_work *begun; /* to be sent */
};

/** Start loads; shard locked. Groups without memory stay as they were. */
void mih_verify_load_start(struct mih_verify_load_job *job);
/** Load extent @index for @fill, and with @two the next one, after it on the
 *  same thread; -ENOMEM: nothing was begun. */
MIH_MUST_CHECK mih_err mih_verify_load_fill(struct mih_verify_fill *fill,
					    uint64_t index, bool two);
/** Somebody waits for groups @mask of the job's extent now; shard locked. */
void mih_verify_load_hurry(struct mih_verify_load_job *job, uint16_t mask);
/** To the pool with what the job has begun, when the shard is unlocked: waking
 *  threads takes long. */
void mih_verify_load_send(struct mih_verify_load_job *job);

/* read.c */

/** Groups @mask of an extent have settled; fills @done with ended waits. */
void mih_verify_wait_serve(struct mih_verify_extent *extent, uint16_t mask,
			   mih_err err, struct mih_verify_wait **done);
/** One part of a request has ended; with the last one it is answered. */
void mih_verify_read_put(struct mih_verify_read *request);
/** The same on a thread of a device, which never answers itself. */
void mih_verify_read_hand(struct mih_verify_read *request);

#endif
