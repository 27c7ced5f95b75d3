/*
 * hash/alg.h - the digests mihfs knows, by name, number and length
 *
 * Layer: src/hash.  Threads: constant tables.
 * Format: doc/format.md section 1; the numbers are stored in sidecar files and
 * never change.
 */
#ifndef MIH_HASH_ALG_H
#define MIH_HASH_ALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mih_hash_alg {
	MIH_HASH_NONE = 0,
	MIH_HASH_SHA256 = 1,
	MIH_HASH_SHA512 = 2,
	MIH_HASH_SHA3_256 = 3,
	MIH_HASH_BLAKE2B = 4, /* 64 bytes, no key */
	MIH_HASH_BLAKE3 = 5,  /* flat digest and tree at once */
	MIH_HASH_MTH4K_SHA256 = 6,
	MIH_HASH_MTH4K_SHA512 = 7,
	MIH_HASH_MTH4K_SHA3_256 = 8,
	MIH_HASH_ALG_END
};

#define MIH_HASH_LEN_MAX 64    /* longest digest or tree node, in bytes */
#define MIH_HASH_BLOCK	 4096  /* bytes per mth4k leaf */
#define MIH_HASH_GROUP	 65536 /* bytes per stored subtree: 16 blocks */

struct mih_hash_info {
	enum mih_hash_alg id;
	const char *name; /* "mth4k-sha256"; as in bundles and options */
	size_t len;	  /* digest (and node) length in bytes */
	bool is_flat;	  /* has a mih_hash_stream */
	bool is_tree;	  /* has groups, nodes and layers */
};

/**
 * mih_hash_info() - the row of @alg
 * @alg: MIH_HASH_SHA256 .. MIH_HASH_ALG_END - 1
 *
 * Return: borrowed constant; NULL for a number that is none of ours.
 */
const struct mih_hash_info *mih_hash_info(enum mih_hash_alg alg);

/**
 * mih_hash_by_name() - the row called @name, exactly
 *
 * Return: borrowed constant; NULL if there is none.
 */
const struct mih_hash_info *mih_hash_by_name(const char *name);

/**
 * mih_hash_eq() - are two digests equal, in time independent of where not?
 * @a, @b: @len bytes each
 */
bool mih_hash_eq(const void *a, const void *b, size_t len);

#endif
