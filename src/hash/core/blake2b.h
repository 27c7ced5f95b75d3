/*
 * hash/core/blake2b.h - BLAKE2b
 *
 * Layer: src/hash.  Threads: no state.
 * Source: RFC 7693 sections 2 and 3.
 */
#ifndef MIH_HASH_CORE_BLAKE2B_H
#define MIH_HASH_CORE_BLAKE2B_H

#include "hash/core/port.h"

#define MIH_BLAKE2B_PARAM0 0x01010040u /* 64 bytes out, no key, no tree */

MIH_TABLE mih_u64 mih_blake2b_iv[8] = {
	MIH_U64(0x6a09e667f3bcc908), MIH_U64(0xbb67ae8584caa73b),
	MIH_U64(0x3c6ef372fe94f82b), MIH_U64(0xa54ff53a5f1d36f1),
	MIH_U64(0x510e527fade682d1), MIH_U64(0x9b05688c2b3e6c1f),
	MIH_U64(0x1f83d9abfb41bd6b), MIH_U64(0x5be0cd19137e2179),
};

#define MIH_BLAKE2B_G(a, b, c, d, x, y)                                        \
	v[a] += v[b] + w[x];                                                   \
	t = v[d] ^ v[a];                                                       \
	v[d] = MIH_ROR64(t, 32);                                               \
	v[c] += v[d];                                                          \
	t = v[b] ^ v[c];                                                       \
	v[b] = MIH_ROR64(t, 24);                                               \
	v[a] += v[b] + w[y];                                                   \
	t = v[d] ^ v[a];                                                       \
	v[d] = MIH_ROR64(t, 16);                                               \
	v[c] += v[d];                                                          \
	t = v[b] ^ v[c];                                                       \
	v[b] = MIH_ROR64(t, 63);

/* Columns, then diagonals, with the word order of one round. */
#define MIH_BLAKE2B_ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc,  \
			  sd, se, sf)                                          \
	MIH_BLAKE2B_G(0, 4, 8, 12, s0, s1)                                     \
	MIH_BLAKE2B_G(1, 5, 9, 13, s2, s3)                                     \
	MIH_BLAKE2B_G(2, 6, 10, 14, s4, s5)                                    \
	MIH_BLAKE2B_G(3, 7, 11, 15, s6, s7)                                    \
	MIH_BLAKE2B_G(0, 5, 10, 15, s8, s9)                                    \
	MIH_BLAKE2B_G(1, 6, 11, 12, sa, sb)                                    \
	MIH_BLAKE2B_G(2, 7, 8, 13, sc, sd)                                     \
	MIH_BLAKE2B_G(3, 4, 9, 14, se, sf)

/* The first word of the parameter block is @param0, the others are zero. */
MIH_FN void mih_blake2b_init(mih_w64 *state, mih_u64 param0)
{
#define MIH_INIT(i) state[i] = MIH_W64(mih_blake2b_iv[i]);
	MIH_EACH8(MIH_INIT)
#undef MIH_INIT
	state[0] ^= MIH_W64(param0);
}

/* One block @w of a message of which @count bytes end with this block; @last
 * is all ones for the last block, else zero. */
MIH_FN void mih_blake2b_compress(mih_w64 *state, const mih_w64 *w,
				 mih_u64 count, mih_u64 last)
{
	mih_w64 v[16], t;

#define MIH_COPY(i)                                                            \
	v[i] = state[i];                                                       \
	v[i + 8] = MIH_W64(mih_blake2b_iv[i]);
	MIH_EACH8(MIH_COPY)
#undef MIH_COPY
	v[12] ^= MIH_W64(count);
	v[14] ^= MIH_W64(last);
	MIH_BLAKE2B_ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
	MIH_BLAKE2B_ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
	MIH_BLAKE2B_ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
	MIH_BLAKE2B_ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
	MIH_BLAKE2B_ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
	MIH_BLAKE2B_ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
	MIH_BLAKE2B_ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
	MIH_BLAKE2B_ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
	MIH_BLAKE2B_ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
	MIH_BLAKE2B_ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
	MIH_BLAKE2B_ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
	MIH_BLAKE2B_ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
#define MIH_FOLD(i)                                                            \
	t = v[i + 8];                                                          \
	state[i] = MIH_XOR3(state[i], v[i], t);
	MIH_EACH8(MIH_FOLD)
#undef MIH_FOLD
}

/* BLAKE2b of @len bytes; @state is initialised by the caller. */
MIH_FN void mih_blake2b_message(mih_w64 *state, mih_src src, mih_u32 len)
{
	mih_w64 w[16];
	mih_u32 off, rest;

	for (off = 0; off + 128 < len; off += 128) {
		mih_load16x64(w, src, off);
		mih_blake2b_compress(state, w, off + 128, 0);
	}
	rest = len - off;
	mih_rest8x64(w, src, off, rest);
	mih_rest8x64(w + 8, src, off + 64, rest > 64 ? rest - 64 : 0);
	mih_blake2b_compress(state, w, len, MIH_U64(0xffffffffffffffff));
}

#endif
