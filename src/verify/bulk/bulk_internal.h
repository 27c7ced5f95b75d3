/*
 * verify/bulk/bulk_internal.h - what a pass does with one file, or one piece
 *
 * Layer: src/verify.  Threads: no state of its own but the caller's.
 *
 *   bulk.c    the pass: who reads what, when (pass_internal.h)
 *   flat.c    which links of flat digests a worker takes at a time
 *   link.c    how links are hashed, with hints and without
 *   shape.c   how many threads, how much at a time
 *   source.c  one file, from opening to its end
 *   sample.c  digests of devices, and whether to believe them
 */
#ifndef MIH_VERIFY_BULK_BULK_INTERNAL_H
#define MIH_VERIFY_BULK_BULK_INTERNAL_H

#include "hash/stream.h"
#include "verify/bulk.h"

#include <pthread.h>
#include <time.h>

#define MIH_VERIFY_BULK_HINT ((uint64_t)1 << 20) /* bytes for each hint */

#define MIH_VERIFY_BULK_GROUPS 32 /* of the largest piece */

struct mih_verify_bulk_shape {
	size_t nthreads;
	size_t piece;	/* bytes taken at a time, at most */
	size_t npieces; /* in hand at once, at most */
	/* With flat digests: */
	size_t width;  /* links that a thread takes at a time */
	size_t nfiles; /* open at once, at most */
	size_t link;   /* bytes of a chain taken at a time */
	size_t ahead;  /* pieces of a file that may be ahead of its chain */
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

/** The flat digests of a file, as far as they have come. */
struct mih_verify_bulk_chain {
	struct mih_hash_stream *stream; /* of the file, or of the shard at
					   hand; owned */
	size_t shard;			/* which of the file's that is */
};

/**
 * A part of a file, to move its flat digest on.
 *
 * Without hints it must follow the last one of its chain. With hints it may be
 * any, from a multiple of a MiB, or where the file (its first shard) begins, to
 * the next multiple or the end of the file (its last shard); it says nothing
 * unless all others have err 0 as well. Source: doc/format.md section 5.
 */
struct mih_verify_bulk_link {
	struct mih_verify_bulk_file *file;
	enum mih_hash_alg flat;
	struct mih_verify_bulk_part part;
	struct mih_verify_bulk_chain *chain; /* the file's; NULL: by hints */
	bool wants_state; /* sha256: the state at its end, for a hint */
	uint8_t state[MIH_HASH_SHA256_STATE]; /* out */
	mih_err err; /* out, without a story: 0; MIH_EDIGEST it does not lead
			to the hint at its end, or a shard that ends in it
			differs; -ENOMEM; -EIO the crypto library fails */
};

#define MIH_VERIFY_BULK_LINKS 16 /* at a time, at most */

/**
 * mih_verify_bulk_links() - hash @n links side by side
 * @links: of different chains
 *
 * Without shards the flat digest is set when a link ends the file. A shard
 * that ends is held against its digest: without hints it is counted in the
 * file's nbad.
 */
void mih_verify_bulk_links(struct mih_verify_bulk_link *links, size_t n);

/**
 * mih_verify_bulk_width() - so many links at a time for each of @nthreads
 *
 * As many as a core does sooner together, unless their pieces took too much
 * memory.
 */
size_t mih_verify_bulk_width(enum mih_hash_alg flat, size_t nthreads);

/**
 * mih_verify_bulk_shard_at() - the shard that byte @off lies in
 * @shards: @n neighbours, one of which it is
 */
const struct mih_sig_shard *
mih_verify_bulk_shard_at(const struct mih_sig_shard *shards, size_t n,
			 uint64_t off);

#endif
