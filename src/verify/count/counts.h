/*
 * verify/count/counts.h - what an engine counts while it works
 *
 * Layer: src/verify.  Threads: plain values; a snapshot belongs to its taker.
 *
 * doc/monitoring.md says what each one means to those who watch a mount.
 */
#ifndef MIH_VERIFY_COUNT_COUNTS_H
#define MIH_VERIFY_COUNT_COUNTS_H

#include <stddef.h>
#include <stdint.h>

/** Events and bytes since the engine began; none of them ever goes down. */
enum mih_verify_count {
	/* Readers. */
	MIH_VERIFY_READS,	  /* read requests */
	MIH_VERIFY_READ_HITS,	  /* answered without a load */
	MIH_VERIFY_READ_ERRORS,	  /* ended in an error */
	MIH_VERIFY_READ_BACKOFFS, /* refused by a standing verdict, unread */
	MIH_VERIFY_SERVED_BYTES,  /* that readers got */
	MIH_VERIFY_OPENS,	  /* requests to open a file */
	MIH_VERIFY_OPEN_ERRORS,	  /* ended in an error */
	MIH_VERIFY_BAD_FILES,	  /* openings that found no file as signed */
	/* Loads and what came of them. */
	MIH_VERIFY_LOADS,	/* that somebody waited for at once */
	MIH_VERIFY_LOADS_AHEAD, /* begun before anybody asked */
	MIH_VERIFY_DISK_BYTES,	/* read from the model's files */
	MIH_VERIFY_SHARD_BYTES, /* of these, to prove signed shards */
	MIH_VERIFY_GOOD_GROUPS,
	MIH_VERIFY_GOOD_BYTES,	  /* repeats counted */
	MIH_VERIFY_BAD_GROUPS,	  /* other bytes than signed, or none at all */
	MIH_VERIFY_UNREAD_GROUPS, /* of these, those that could not be read */
	MIH_VERIFY_HEALED_GROUPS, /* bad before, as signed again */
	MIH_VERIFY_EVICTED,	  /* extents dropped that were worth keeping */
	/* Whole files in sealed memory. */
	MIH_VERIFY_STAGED,   /* filled and sealed */
	MIH_VERIFY_UNSTAGED, /* opened without: no room, or no memory */
	/* Pages of the fine layer. */
	MIH_VERIFY_PAGES_SIDECAR, /* proven from the sidecar */
	MIH_VERIFY_PAGES_DATA,	  /* made from the data instead */
	MIH_VERIFY_PAGES_BAD,
	/* The device. */
	MIH_VERIFY_DEVICE_ERRORS,   /* batches it could not do */
	MIH_VERIFY_DEVICE_RECHECKS, /* it saw a mismatch: the CPU looked too */
	MIH_VERIFY_DEVICE_WRONG,    /* and found the bytes right */
	MIH_VERIFY_COUNTS,
};

/** Who hashed. */
enum mih_verify_kind {
	MIH_VERIFY_CPU,
	MIH_VERIFY_CUDA,
	MIH_VERIFY_OPENCL,
	MIH_VERIFY_KINDS,
};

/** What devices of one kind did. */
struct mih_verify_work {
	uint64_t batches, bytes;
};

/** mih_verify_kind_name() - "cpu", "cuda" or "opencl". */
const char *mih_verify_kind_name(enum mih_verify_kind kind);

/** What is timed. */
enum mih_verify_span {
	MIH_VERIFY_READ_TIME, /* a read request, until its answer */
	MIH_VERIFY_DISK_TIME, /* one load's bytes from the model's files */
	MIH_VERIFY_HASH_TIME, /* and their digests, queueing included */
	MIH_VERIFY_SPANS,
};

#define MIH_VERIFY_BUCKETS 17 /* the last one has no upper bound */

/** mih_verify_bucket_us - upper bounds of all buckets but the last. */
extern const uint32_t mih_verify_bucket_us[MIH_VERIFY_BUCKETS - 1];

/** How long something took, how often. */
struct mih_verify_histogram {
	uint64_t buckets[MIH_VERIFY_BUCKETS]; /* each alone */
	uint64_t sum_ns;
};

/** What is there now; comes and goes. */
enum mih_verify_gauge {
	MIH_VERIFY_CACHE_BYTES, /* verified extents, in flight included */
	MIH_VERIFY_CACHE_LIMIT,
	MIH_VERIFY_LAYER_BYTES, /* proven pages of the fine layer */
	MIH_VERIFY_STAGE_BYTES, /* files in sealed memory */
	MIH_VERIFY_STAGE_LIMIT,
	MIH_VERIFY_OPEN_FILES, /* of the model, held open */
	MIH_VERIFY_INFLIGHT, /* loads, opens and answers that have not ended */
	MIH_VERIFY_QUEUE_URGENT,
	MIH_VERIFY_QUEUE_AHEAD,
	MIH_VERIFY_QUEUE_WHOLE, /* passes over whole files */
	MIH_VERIFY_DELAYED,	/* answers that wait for their time */
	MIH_VERIFY_VERDICTS,	/* groups known to be bad */
	MIH_VERIFY_GAUGES,
};

/** All figures of an engine at about one moment. */
struct mih_verify_stats {
	uint64_t counts[MIH_VERIFY_COUNTS];
	uint64_t gauges[MIH_VERIFY_GAUGES];
	struct mih_verify_histogram spans[MIH_VERIFY_SPANS];
	struct mih_verify_work work[MIH_VERIFY_KINDS];
};

#endif
