/*
 * verify/bulk/bulk_internal.h - one file of a pass, from opening to its end
 *
 * Layer: src/verify.  Threads: one thread opens; any may read; one checks.
 */
#ifndef MIH_VERIFY_BULK_BULK_INTERNAL_H
#define MIH_VERIFY_BULK_BULK_INTERNAL_H

#include "hash/stream.h"
#include "verify/bulk.h"

#include <pthread.h>
#include <time.h>

#define MIH_VERIFY_BULK_HINT ((uint64_t)1 << 20) /* bytes for each hint */

/* Pieces of a file that may be ahead of its chain, and for each worker. */
#define MIH_VERIFY_BULK_AHEAD  4
#define MIH_VERIFY_BULK_GROUPS 32 /* of the largest piece */

struct mih_verify_bulk_shape {
	size_t nthreads;
	size_t piece;	/* bytes taken at a time, at most */
	size_t npieces; /* in hand at once, at most */
};

/** mih_verify_bulk_shape() - how to go about @bulk. */
struct mih_verify_bulk_shape
mih_verify_bulk_shape(const struct mih_verify_bulk *bulk);

struct mih_verify_bulk_source {
	int fd;		       /* owned; -1 when closed */
	uint64_t nbytes;       /* as promised */
	struct timespec mtime; /* when it was opened */
};

/**
 * mih_verify_bulk_source_open() - open file @file of @bulk, if it is as
 * promised
 * @src: nbytes is set by the caller; close fd in any case
 *
 * Return: 0 or the err of struct mih_verify_bulk_file, without a story.
 */
MIH_MUST_CHECK mih_err
mih_verify_bulk_source_open(const struct mih_verify_bulk *bulk, size_t file,
			    struct mih_verify_bulk_source *src);

/**
 * mih_verify_bulk_source_check() - after the last byte: was it the last?
 *
 * The file must end where it was said to, and must not have been written to
 * while its pieces were read: they would be pieces of different contents.
 *
 * Return: 0; -EFBIG; -ESTALE; or -errno, without a story.
 */
MIH_MUST_CHECK mih_err
mih_verify_bulk_source_check(const struct mih_verify_bulk_source *src);

/** The flat digests of a file, as far as they have come. */
struct mih_verify_bulk_chain {
	struct mih_hash_stream *stream; /* of the file, or of the shard at
					   hand; owned */
	size_t shard;			/* which of the file's that is */
};

/**
 * mih_verify_bulk_sample() - if @batch is a sample, hash it again
 * @batch: one range of a file, of which all digests are there; may get them
 *         from the processor
 * @lock:  held; guards bulk->samples; given up while it is hashed
 *
 * Says nothing of batches that the processor did, nor without bulk->samples.
 *
 * Return: 0; MIH_EBACKEND with a story: a digest differs, and samples->differ
 * is set.
 */
MIH_MUST_CHECK mih_err
mih_verify_bulk_sample(const struct mih_verify_bulk *bulk,
		       struct mih_gpu_batch *batch, pthread_mutex_t *lock);

/**
 * mih_verify_bulk_tell() - hand out the digests of a piece
 * @file:  number in @bulk
 * @batch: as above
 *
 * Return: what bulk->groups() says.
 */
MIH_MUST_CHECK mih_err mih_verify_bulk_tell(const struct mih_verify_bulk *bulk,
					    size_t file,
					    const struct mih_gpu_batch *batch);

/**
 * mih_verify_bulk_take() - the same for what a device did, after samples
 * @lock: held; given up for a while
 *
 * For a thread of the pass: those of devices are not to wait for what becomes
 * of digests.
 *
 * Return: as either.
 */
MIH_MUST_CHECK mih_err mih_verify_bulk_take(const struct mih_verify_bulk *bulk,
					    size_t file,
					    struct mih_gpu_batch *batch,
					    pthread_mutex_t *lock);

/** Bytes of a file. */
struct mih_verify_bulk_part {
	const uint8_t *data;
	uint64_t off;
	size_t len;
};

/**
 * mih_verify_bulk_hinted() - do a file's hints hold over @part?
 * @file: with hints
 * @part: from a multiple of a MiB, or where the file (its first shard) begins,
 *        to the next multiple or the end of the file (its last shard)
 *
 * Shards that end in @part are held against their digests. Without shards the
 * flat digest is set when @part ends the file. Neither says anything unless
 * all other parts gave 0 as well. Source: doc/format.md section 5.
 *
 * Return: 0 or MIH_EDIGEST, without a story.
 */
MIH_MUST_CHECK mih_err mih_verify_bulk_hinted(
    struct mih_verify_bulk_file *file, const struct mih_verify_bulk_part *part);

/**
 * mih_verify_bulk_shard_at() - the shard that byte @off lies in
 * @shards: @n neighbours, one of which it is
 */
const struct mih_sig_shard *
mih_verify_bulk_shard_at(const struct mih_sig_shard *shards, size_t n,
			 uint64_t off);

/**
 * mih_verify_bulk_shards() - hold bytes against the shards they lie in
 * @part: the bytes that follow those of the last call
 * @state: set to the sha256 state at the end of @part, for a hint; or NULL
 *
 * Counts shards that differ in the file's nbad.
 *
 * Return: 0; -ENOMEM; -EIO if the crypto library fails.
 */
MIH_MUST_CHECK mih_err
mih_verify_bulk_shards(const struct mih_verify_bulk *bulk, size_t file,
		       const struct mih_verify_bulk_part *part,
		       struct mih_verify_bulk_chain *chain, uint8_t *state);

#endif
