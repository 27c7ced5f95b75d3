/* The reference: every core in scalar C, one message after the other. */
#include "hash/paths/ops_internal.h"
#include "hash/core/blake2b.h"
#include "hash/core/blake3.h"
#include "hash/core/keccak.h"
#include "hash/core/sha256.h"
#include "hash/core/sha512.h"
#include "util/bytes.h"

static void put_be32(uint8_t *out, const uint32_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t be = htobe32(words[i]);

		memcpy(out + 4 * i, &be, sizeof(be));
	}
}

static void put_be64(uint8_t *out, const uint64_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t be = htobe64(words[i]);

		memcpy(out + 8 * i, &be, sizeof(be));
	}
}

static void put_le64(uint8_t *out, const uint64_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mih_bytes_put64(out + 8 * i, words[i]);
}

static void sha256_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		       uint32_t mark)
{
	uint32_t state[8];

	for (size_t i = 0; i < n; i++) {
		mih_sha256_marked(state, msgs[i].data, len, mark);
		put_be32(msgs[i].out, state, 8);
	}
}

static void sha512_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		       uint32_t mark)
{
	uint64_t state[8];

	for (size_t i = 0; i < n; i++) {
		mih_sha512_marked(state, msgs[i].data, len, mark);
		put_be64(msgs[i].out, state, 8);
	}
}

static void sha3_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		     uint32_t mark)
{
	uint64_t state[25];

	for (size_t i = 0; i < n; i++) {
		mih_sha3_marked(state, msgs[i].data, len, mark);
		put_le64(msgs[i].out, state, 4);
	}
}

static void blake2b_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
			uint32_t mark)
{
	uint64_t state[8];

	(void)mark;
	for (size_t i = 0; i < n; i++) {
		mih_blake2b_init(state, MIH_BLAKE2B_PARAM0);
		mih_blake2b_message(state, msgs[i].data, len);
		put_le64(msgs[i].out, state, 8);
	}
}

static void blake3_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		       uint32_t mark)
{
	uint32_t cv[8];

	for (size_t i = 0; i < n; i++) {
		struct mih_blake3_block at = {
			.lo = (uint32_t)msgs[i].counter,
			.hi = (uint32_t)(msgs[i].counter >> 32),
			.flags = mark & MIH_HASH_MARK_ROOT,
		};

		if (mark & MIH_HASH_MARK_PARENT)
			mih_blake3_parent(cv, msgs[i].data, at.flags);
		else
			mih_blake3_chunk(cv, msgs[i].data, len, at);
		for (size_t j = 0; j < 8; j++)
			mih_bytes_put32(msgs[i].out + 4 * j, cv[j]);
	}
}

static void segment_run(struct mih_hash_segment *segment, size_t nblocks)
{
	const uint8_t *p = segment->data;
	uint32_t state[8], w[16];

	for (size_t i = 0; i < 8; i++) {
		memcpy(&state[i], segment->state + 4 * i, 4);
		state[i] = be32toh(state[i]);
	}
	for (size_t b = 0; b < nblocks; b++, p += 64) {
		memcpy(w, p, sizeof(w));
		for (size_t i = 0; i < 16; i++)
			w[i] = be32toh(w[i]);
		mih_sha256_compress(state, w);
	}
	put_be32(segment->state, state, 8);
	segment->data = p;
	segment->nblocks -= nblocks;
}

static void segments_run(struct mih_hash_segment *const *segments, size_t n,
			 size_t nblocks)
{
	for (size_t i = 0; i < n; i++)
		segment_run(segments[i], nblocks);
}

const struct mih_hash_ops mih_hash_portable_ops = {
	.run = {
		[MIH_HASH_CORE_SHA256] = sha256_run,
		[MIH_HASH_CORE_SHA512] = sha512_run,
		[MIH_HASH_CORE_SHA3] = sha3_run,
		[MIH_HASH_CORE_BLAKE2B] = blake2b_run,
		[MIH_HASH_CORE_BLAKE3] = blake3_run,
	},
	.segments = segments_run,
	.segment_width = 1,
};
