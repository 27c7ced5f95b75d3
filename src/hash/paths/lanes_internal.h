/*
 * hash/paths/lanes_internal.h - the cores with one message per vector lane
 *
 * Layer: src/hash.  Threads: no state.
 *
 * Included once by each vector path, which has defined MIH_LANES_BYTES, its
 * own operations, and transpose32() and transpose64(), which turn a square of
 * words over in place. Everything is static: code made with the path's flags
 * must not reach another object file.
 */
#ifndef MIH_HASH_PATHS_LANES_INTERNAL_H
#define MIH_HASH_PATHS_LANES_INTERNAL_H

#include "hash/paths/lanes_load_internal.h"
#include "hash/paths/ops_internal.h"
#include "util/checked.h"

#include "hash/core/blake2b.h"
#include "hash/core/blake3.h"
#include "hash/core/keccak.h"
#include "hash/core/sha256.h"
#include "hash/core/sha512.h"

/* Lanes without a message of their own repeat the last one. */
static void gather(struct lanes *lanes, const struct mih_hash_msg *msgs,
		   size_t n, size_t width)
{
	for (size_t i = 0; i < LANES32; i++) {
		lanes->at[i] = msgs[MIH_MIN(i, n - 1)].data;
		lanes->next[i] = msgs[MIH_MIN(i + width, n - 1)].data;
	}
}

/* The first 8 words of each lane to where its digest goes. */
static void scatter32(const mih_w32 *words, const struct mih_hash_msg *msgs,
		      size_t n)
{
	mih_w32 rows[LANES32] = { 0 };

	memcpy(rows, words, 8 * sizeof(*words));
	transpose32(rows);
	for (size_t i = 0; i < n; i++)
		memcpy(msgs[i].out, &rows[i], 32);
}

/* The first @nwords (4 or 8) words. */
static void scatter64(const mih_w64 *words, size_t nwords,
		      const struct mih_hash_msg *msgs, size_t n)
{
	for (size_t k = 0; k < nwords; k += LANES64) {
		mih_w64 rows[LANES64] = { 0 };
		size_t count = MIH_MIN(nwords - k, (size_t)LANES64);

		memcpy(rows, words + k, count * sizeof(*words));
		transpose64(rows);
		for (size_t i = 0; i < n; i++)
			memcpy(msgs[i].out + 8 * k, &rows[i], 8 * count);
	}
}

/* A lone message is faster without lanes. */
#define FOR_LOTS(core, width)                                                  \
	for (size_t lot; n; n -= lot, msgs += lot)                             \
		if (lot = MIH_MIN(n, (size_t)(width)), n == 1)                 \
			mih_hash_portable_ops.run[core](msgs, 1, len, mark);   \
		else

static void sha256_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		       uint32_t mark)
{
	struct lanes lanes;
	mih_w32 h[8];

	FOR_LOTS(MIH_HASH_CORE_SHA256, LANES32)
	{
		gather(&lanes, msgs, n, LANES32);
		mih_sha256_marked(h, &lanes, len, mark);
		for (int i = 0; i < 8; i++)
			h[i] = mih_swapped32(h[i]);
		scatter32(h, msgs, lot);
	}
}

static void sha512_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		       uint32_t mark)
{
	struct lanes lanes;
	mih_w64 h[8];

	FOR_LOTS(MIH_HASH_CORE_SHA512, LANES64)
	{
		gather(&lanes, msgs, n, LANES64);
		mih_sha512_marked(h, &lanes, len, mark);
		for (int i = 0; i < 8; i++)
			h[i] = mih_swapped64(h[i]);
		scatter64(h, 8, msgs, lot);
	}
}

static void sha3_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		     uint32_t mark)
{
	struct lanes lanes;
	mih_w64 a[25];

	FOR_LOTS(MIH_HASH_CORE_SHA3, LANES64)
	{
		gather(&lanes, msgs, n, LANES64);
		mih_sha3_marked(a, &lanes, len, mark);
		scatter64(a, 4, msgs, lot);
	}
}

static void blake2b_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
			uint32_t mark)
{
	struct lanes lanes;
	mih_w64 h[8];

	FOR_LOTS(MIH_HASH_CORE_BLAKE2B, LANES64)
	{
		gather(&lanes, msgs, n, LANES64);
		mih_blake2b_init(h, MIH_BLAKE2B_PARAM0);
		mih_blake2b_message(h, &lanes, len);
		scatter64(h, 8, msgs, lot);
	}
}

static struct mih_blake3_block chunk_numbers(const struct mih_hash_msg *msgs,
					     size_t n, uint32_t mark)
{
	struct mih_blake3_block at = { .flags = mark & MIH_HASH_MARK_ROOT };

	for (size_t i = 0; i < LANES32; i++) {
		uint64_t counter = msgs[MIH_MIN(i, n - 1)].counter;

		at.lo[i] = (uint32_t)counter;
		at.hi[i] = (uint32_t)(counter >> 32);
	}
	return at;
}

static void blake3_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		       uint32_t mark)
{
	struct lanes lanes;
	mih_w32 cv[8];

	FOR_LOTS(MIH_HASH_CORE_BLAKE3, LANES32)
	{
		gather(&lanes, msgs, n, LANES32);
		if (mark & MIH_HASH_MARK_PARENT)
			mih_blake3_parent(cv, &lanes,
					  mark & MIH_HASH_MARK_ROOT);
		else
			mih_blake3_chunk(cv, &lanes, len,
					 chunk_numbers(msgs, n, mark));
		scatter32(cv, msgs, lot);
	}
}

/* --- segments of flat SHA-256 messages ------------------------------------ */

static void states_load(struct mih_hash_segment *const *segments, size_t n,
			mih_w32 *h)
{
	mih_w32 rows[LANES32] = { 0 };

	for (size_t i = 0; i < n; i++)
		memcpy(&rows[i], segments[i]->state, 32);
	transpose32(rows);
	for (int i = 0; i < 8; i++)
		h[i] = mih_swapped32(rows[i]);
}

static void states_store(struct mih_hash_segment *const *segments, size_t n,
			 const mih_w32 *h)
{
	mih_w32 rows[LANES32] = { 0 };

	for (int i = 0; i < 8; i++)
		rows[i] = mih_swapped32(h[i]);
	transpose32(rows);
	for (size_t i = 0; i < n; i++)
		memcpy(segments[i]->state, &rows[i], 32);
}

static void segments_run(struct mih_hash_segment *const *segments, size_t n,
			 size_t nblocks)
{
	struct lanes lanes;
	mih_w32 h[8], w[16];

	if (n == 1) {
		mih_hash_portable_ops.segments(segments, n, nblocks);
		return;
	}
	for (size_t i = 0; i < LANES32; i++) {
		lanes.at[i] = segments[MIH_MIN(i, n - 1)]->data;
		lanes.next[i] = lanes.at[i] + MIH_HASH_FETCH;
	}
	states_load(segments, n, h);
	for (size_t b = 0; b < nblocks; b++) {
		mih_load16x32(w, &lanes, 0);
		for (int i = 0; i < 16; i++)
			w[i] = mih_swapped32(w[i]);
		mih_sha256_compress(h, w);
		for (size_t i = 0; i < LANES32; i++) {
			lanes.at[i] += 64;
			lanes.next[i] += 64;
		}
	}
	states_store(segments, n, h);
	for (size_t i = 0; i < n; i++) {
		segments[i]->data = lanes.at[i];
		segments[i]->nblocks -= nblocks;
	}
}

#define LANES_OPS                                                                \
	{                                                                        \
		.run = {                                                       \
			[MIH_HASH_CORE_SHA256] = sha256_run,                   \
			[MIH_HASH_CORE_SHA512] = sha512_run,                   \
			[MIH_HASH_CORE_SHA3] = sha3_run,                       \
			[MIH_HASH_CORE_BLAKE2B] = blake2b_run,                 \
			[MIH_HASH_CORE_BLAKE3] = blake3_run,                   \
		},                                                             \
		.segments = segments_run,                                      \
		.segment_width = LANES32, \
	}

#endif
