/*
 * hash/paths/ops_internal.h - what a path offers, and where the paths meet
 *
 * Layer: src/hash.  Threads: constant tables.
 *
 * A path hashes many messages of one length at once. That is all there is to
 * trees: leaves, chunks and nodes are messages of 4096, 1024, 64 or 128 bytes.
 */
#ifndef MIH_HASH_PATHS_OPS_INTERNAL_H
#define MIH_HASH_PATHS_OPS_INTERNAL_H

#include "hash/group.h"
#include "hash/path.h"

/** One message. */
struct mih_hash_msg {
	const uint8_t *data; /* borrowed */
	uint8_t *out;	     /* its digest or chaining value */
	uint64_t counter;    /* blake3 chunks: number in the file */
};

/* Values of mark besides the prefix bytes 0 and 1 of RFC 9162. */
#define MIH_HASH_MARK_LEAF   0u
#define MIH_HASH_MARK_NODE   1u
#define MIH_HASH_MARK_PARENT 4u /* blake3: two chaining values, not a chunk */
#define MIH_HASH_MARK_ROOT   8u /* blake3: the digest of a whole file */

/**
 * Hash @n messages of @len bytes each. Messages are taken in order: a digest
 * may overwrite the data of its own or of an earlier message, not of a later
 * one.
 */
typedef void mih_hash_run(const struct mih_hash_msg *msgs, size_t n,
			  uint32_t len, uint32_t mark);

enum mih_hash_core {
	MIH_HASH_CORE_SHA256,
	MIH_HASH_CORE_SHA512,
	MIH_HASH_CORE_SHA3,
	MIH_HASH_CORE_BLAKE2B, /* flat, 64 bytes; no mark */
	MIH_HASH_CORE_BLAKE3,
	MIH_HASH_CORES
};

/*
 * So many bytes ahead of a long message are fetched. The hardware does that,
 * too, but ends at each page, and whoever has read the bytes last may be
 * another core, whose cache is far: one chain over a file that others read was
 * at 1.1 GB/s without, and is at 1.7.
 */
#define MIH_HASH_FETCH 1024

struct mih_hash_ops {
	mih_hash_run *run[MIH_HASH_CORES]; /* NULL: not implemented */
	/**
	 * Run the next @nblocks blocks of @n <= segment_width segments, moving
	 * their data, nblocks and state on. NULL: not implemented.
	 */
	void (*segments)(struct mih_hash_segment *const *segments, size_t n,
			 size_t nblocks);
	size_t segment_width;
};

extern const struct mih_hash_ops mih_hash_portable_ops;
extern const struct mih_hash_ops mih_hash_avx2_ops;
extern const struct mih_hash_ops mih_hash_avx512_ops;
extern const struct mih_hash_ops mih_hash_shani_ops;

/** SHA-256 by whichever of SHA-NI and AVX-512 is faster for so many messages;
 *  where the build and the processor have both. */
extern const struct mih_hash_ops mih_hash_pair_ops;

#define MIH_HASH_PAIR_LANES 16 /* messages of AVX-512 side by side */

/** mih_hash_pair_has_lanes() - is that AVX-512 for many? Measures, once. */
bool mih_hash_pair_has_lanes(void);

/**
 * mih_hash_pair_rest() - how many of @n messages, the last ones, are SHA-NI's
 * @few: so many it hashes sooner; MIH_HASH_PAIR_LANES: any number
 */
size_t mih_hash_pair_rest(size_t n, size_t few);

/** mih_hash_pair_force() - up to @few messages are SHA-NI's. For tests; 0: as
 *  measured. */
void mih_hash_pair_force(size_t few);

/** mih_hash_core_run() - how @core is run now */
mih_hash_run *mih_hash_core_run(enum mih_hash_core core);

/** mih_hash_segment_ops() - the path that runs segments now */
const struct mih_hash_ops *mih_hash_segment_ops(void);

#endif
