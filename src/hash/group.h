/*
 * hash/group.h - many blocks and tree nodes at once: where the speed is
 *
 * Layer: src/hash.  Threads: no state but the chosen path (hash/path.h).
 * Format: doc/format.md section 1.  Sources: RFC 9162 2.1.1; BLAKE3 paper 2.
 *
 * A "group" is 64 KiB of a file, aligned; its "group digest" is the root of
 * the subtree above it (mth4k: RFC 9162 over its 4 KiB blocks; blake3: the
 * chaining value over its 1 KiB chunks). Layers, sidecars, devices and
 * verdicts all speak of group digests.
 */
#ifndef MIH_HASH_GROUP_H
#define MIH_HASH_GROUP_H

#include "hash/alg.h"

/** A piece of a file to be hashed group by group. */
struct mih_hash_range {
	const void *data; /* @len bytes (borrowed) */
	size_t len;	  /* only the last group of a file may be short */
	uint64_t off;	  /* where it begins in the file, in bytes; multiple
			     of MIH_HASH_GROUP (blake3 counts chunks) */
	bool is_root;	  /* the range is the whole file and len is 1 ..
			     MIH_HASH_GROUP: give the file's root digest */
};

/** mih_hash_ngroups() - groups that cover @nbytes; 0 for an empty file. */
static inline uint64_t mih_hash_ngroups(uint64_t nbytes)
{
	return nbytes / MIH_HASH_GROUP + (nbytes % MIH_HASH_GROUP != 0);
}

/**
 * mih_hash_groups() - group digests of @n ranges
 * @alg:     one with is_tree
 * @ranges:  @n ranges; len 0 is legal and gives no digest
 * @digests: for each range in order mih_hash_ngroups(len) digests, each
 *           mih_hash_info(alg)->len bytes, without gaps
 *
 * Fastest when ranges hold 1 MiB or more together: blocks of all ranges and
 * all levels share the vector lanes. Cost: one pass over the data.
 */
void mih_hash_groups(enum mih_hash_alg alg, const struct mih_hash_range *ranges,
		     size_t n, uint8_t *digests);

/**
 * mih_hash_nodes() - parents of @n independent pairs
 * @alg:     one with is_tree
 * @pairs:   @n times left and right child, 2 * @n digests without gaps
 * @n:       number of pairs
 * @is_root: blake3 only: the parent is the root of its file (n is 1)
 * @parents: @n digests; may begin at the same address as @pairs
 */
void mih_hash_nodes(enum mih_hash_alg alg, const uint8_t *pairs, size_t n,
		    bool is_root, uint8_t *parents);

/**
 * mih_hash_empty() - the root digest of an empty file
 * @alg: one with is_tree
 * @out: mih_hash_info(alg)->len bytes
 */
void mih_hash_empty(enum mih_hash_alg alg, uint8_t *out);

/** A segment of one SHA-256 message, with the states around it. */
struct mih_hash_segment {
	const void *data; /* nblocks * 64 bytes (borrowed) */
	size_t nblocks;	  /* 64-byte blocks */
	uint8_t
	    state[32]; /* in: chaining value before, out: after; big-endian */
};

/**
 * mih_hash_sha256_segments() - run @n independent segments side by side
 *
 * A step waits for the one before: one core does four messages, or sixteen,
 * in little more than the time of one.
 */
void mih_hash_sha256_segments(struct mih_hash_segment *segments, size_t n);

/** mih_hash_segment_width() - so many at a time are done soonest, 1 .. 16. */
size_t mih_hash_segment_width(void);

#endif
