/*
 * verify/bulk.h - read whole files once and take every digest on the way
 *
 * Layer: src/verify.  Threads: one call uses a pool of its own; callbacks say
 * where they run.
 *
 * The one pass behind sign, tree, digest and verify: pieces of many files are
 * read into private buffers by all cores at once; each piece gives its group
 * digests through a device and, in file order, moves the file's flat digest
 * on. Memory is bounded by the buffers, whatever the model holds.
 */
#ifndef MIH_VERIFY_BULK_H
#define MIH_VERIFY_BULK_H

#include "gpu/device.h"
#include "hash/alg.h"
#include "sig/manifest.h"
#include "util/err.h"
#include "util/io.h"

#include <stdatomic.h>
#include <stdbool.h>

/** Bytes read at a time: without a flat digest, all groups of a file up to this
 * size come in one call of groups(). */
#define MIH_VERIFY_BULK_PIECE ((size_t)1 << 20)

/** One file to read, or shards of one, and what came out of it. */
struct mih_verify_bulk_file {
	const char *path; /* relative to the model folder (borrowed) */
	uint64_t nbytes;  /* exactly so many, or the file has failed */
	const struct mih_sig_shard *shards; /* with params.flat: read what these
			     cover, and hold each against its digest, instead
			     of flat; neighbours (borrowed); or NULL. With
			     params.tree they are all of the file */
	size_t nshards;
	const uint8_t *hints; /* with params.flat sha256: what somebody says
			     the state is at each whole MiB of the file, 32
			     bytes each (borrowed). Then pieces are checked in
			     any order; err is MIH_EDIGEST if one does not fit,
			     or a shard, which may be the fault of a hint. With
			     shards only if mih_verify_bulk_hintable(). Or
			     NULL */
	uint64_t first_hint;  /* the number of the first of them */
	mih_err err; /* out: 0; -ENODATA shorter; -EFBIG longer; -ESTALE
			written to meanwhile; -EINVAL no regular
			file; -ELOOP, -EXDEV a link; -errno */
	uint8_t flat[MIH_HASH_LEN_MAX]; /* out: valid if params.flat is set */
	size_t nbad;			/* out: shards that differ */
	size_t first_bad;		/* out: the first of them */
};

/**
 * Pieces that a device hashed and that the processor hashes again before their
 * file is complete: the first of each file, and of the others one in 16, which
 * cannot be foreseen. So of k other pieces with wrong digests all slip by with
 * a probability of (15/16)^k. Start from { 0 }; may serve one pass after the
 * other.
 */
struct mih_verify_bulk_samples {
	uint64_t npieces; /* out: that a device hashed */
	uint64_t ndrawn;  /* out: of these, hashed again */
	bool differ;	  /* out: in one of them, so the device's other digests
			     are worth nothing either, whenever it gave them */
	uint8_t random[128]; /* not yet used */
	size_t nrandom;
};

struct mih_verify_bulk {
	int dirfd;			  /* model folder (borrowed) */
	const struct mih_io_links *links; /* what becomes of symbolic links */
	struct mih_verify_bulk_file *files;
	size_t nfiles;
	enum mih_hash_alg flat;	 /* digest of whole files, or NONE */
	enum mih_hash_alg tree;	 /* group digests, or NONE */
	struct mih_gpu_dev *dev; /* for the group digests; owner of the
				    buffers, so needed in any case */
	struct mih_verify_bulk_samples *samples; /* to find out a device that
				    is wrong; NULL: something else does */
	size_t nthreads;			 /* 0: one per core */
	void *context;				 /* for the callbacks */
	/** Group digests of one piece. Any thread, any order, many at once. */
	mih_err (*groups)(void *context, size_t file, uint64_t first,
			  const uint8_t *digests, size_t n);
	/** SHA-256 state at (@i + 1) MiB, of the shard where there are some;
	 *  NULL: no hints wanted. */
	mih_err (*hint)(void *context, size_t file, uint64_t i,
			const uint8_t state[32]);
	/** File @file is complete (see its err). Any thread, once per file,
	 *  after all other calls for that file. */
	mih_err (*file_done)(void *context, size_t file);
	atomic_bool by_device;	    /* out: not all group digests are the
				       processor's */
	_Atomic uint64_t *progress; /* bytes done so far, or NULL */
	const atomic_bool *cancel;  /* set: stop with -ECANCELED; or NULL */
};

/**
 * mih_verify_bulk_hintable() - can hints be of use for these shards?
 *
 * A state exists only after whole blocks of 64 bytes, so a shard that goes on
 * beyond a MiB must begin at a multiple of that.
 */
bool mih_verify_bulk_hintable(const struct mih_sig_shard *shards, size_t n);

/**
 * mih_verify_bulk_run() - do it all; every byte is read exactly once
 *
 * A file that cannot be read or has another size gets its err and the rest
 * goes on; a callback that fails stops everything.
 *
 * Return: 0; -ECANCELED; -ENOMEM; MIH_EBACKEND a sample differs, and the device
 * whose digests they were is out of use, which the log says; or the callback's
 * error.
 */
MIH_MUST_CHECK mih_err mih_verify_bulk_run(struct mih_verify_bulk *bulk);

#endif
