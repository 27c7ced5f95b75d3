/*
 * hash/lthash.h - lthash16: a digest of a set of groups that can be updated
 *
 * Layer: src/hash.  Threads: no state.
 * Format: doc/format.md section 1.  Sources: Lewi et al., "Securing Update
 * Propagation with Homomorphic Hashing" (2019), LtHash16 with 1024 lanes;
 * BLAKE2X paper, section 2.
 *
 * The sum does not depend on order, and two sums over disjoint groups add: use
 * it to update and merge, never to check a single group.
 */
#ifndef MIH_HASH_LTHASH_H
#define MIH_HASH_LTHASH_H

#include <stddef.h>
#include <stdint.h>

#define MIH_HASH_LT_LEN	  2048 /* bytes of an element and of a sum */
#define MIH_HASH_LT_LANES 1024 /* little-endian 16-bit lanes in it */

/**
 * mih_hash_blake2xb() - extendable-output BLAKE2Xb without a key
 * @msg:    @len bytes
 * @out:    @outlen bytes
 * @outlen: 1 .. 2^32 - 2
 */
void mih_hash_blake2xb(const void *msg, size_t len, uint8_t *out,
		       uint32_t outlen);

/** A BLAKE2b message that arrives in pieces. */
struct mih_hash_blake2b {
	uint64_t state[8];
	uint64_t count; /* bytes before those in @block */
	uint8_t block[128];
	uint32_t fill; /* bytes in @block; it waits to be known not the last */
};

/**
 * mih_hash_lt_prefix() - what the elements of all groups of a file begin with
 * @path: the file's path in the model, UTF-8, NUL-terminated
 */
void mih_hash_lt_prefix(const char *path, struct mih_hash_blake2b *prefix_out);

/** mih_hash_lt_element_of() - mih_hash_lt_element() of a path's prefix. */
void mih_hash_lt_element_of(const struct mih_hash_blake2b *prefix, uint64_t off,
			    uint64_t nbytes, const uint8_t digest[32],
			    uint8_t out[MIH_HASH_LT_LEN]);

/**
 * mih_hash_lt_element() - what one group adds to the sum
 * @path:   the file's path in the model, UTF-8, NUL-terminated
 * @off:    where the group begins in the file, in bytes
 * @nbytes: bytes in the group; 0 only for an empty file
 * @digest: its mth4k-sha256 group digest (of an empty file: sha256 of nothing)
 * @out:    the element
 */
void mih_hash_lt_element(const char *path, uint64_t off, uint64_t nbytes,
			 const uint8_t digest[32],
			 uint8_t out[MIH_HASH_LT_LEN]);

/** mih_hash_lt_add() - sum += element, lane by lane modulo 2^16. */
void mih_hash_lt_add(uint8_t sum[MIH_HASH_LT_LEN],
		     const uint8_t element[MIH_HASH_LT_LEN]);

/** mih_hash_lt_sub() - sum -= element: takes a replaced group out again. */
void mih_hash_lt_sub(uint8_t sum[MIH_HASH_LT_LEN],
		     const uint8_t element[MIH_HASH_LT_LEN]);

#endif
