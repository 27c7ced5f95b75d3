/*
 * hash/core/blake3.h - BLAKE3 chunks and parents
 *
 * Layer: src/hash.  Threads: no state.
 * Source: the BLAKE3 paper (O'Connor et al., 2020), sections 2.1 to 2.5.
 */
#ifndef MIH_HASH_CORE_BLAKE3_H
#define MIH_HASH_CORE_BLAKE3_H

#include "hash/core/port.h"

#define MIH_BLAKE3_START  1u
#define MIH_BLAKE3_END	  2u
#define MIH_BLAKE3_PARENT 4u
#define MIH_BLAKE3_ROOT	  8u

MIH_TABLE mih_u32 mih_blake3_iv[8] = {
	0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
	0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
};

#define MIH_BLAKE3_G(a, b, c, d, x, y)                                         \
	v[a] = MIH_SUM32(v[a], w[x]) + v[b];                                   \
	t = v[d] ^ v[a];                                                       \
	v[d] = MIH_ROR32(t, 16);                                               \
	v[c] += v[d];                                                          \
	t = v[b] ^ v[c];                                                       \
	v[b] = MIH_ROR32(t, 12);                                               \
	v[a] = MIH_SUM32(v[a], w[y]) + v[b];                                   \
	t = v[d] ^ v[a];                                                       \
	v[d] = MIH_ROR32(t, 8);                                                \
	v[c] += v[d];                                                          \
	t = v[b] ^ v[c];                                                       \
	v[b] = MIH_ROR32(t, 7);

/* Columns, then diagonals, with the word order of one round. */
#define MIH_BLAKE3_ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc,   \
			 sd, se, sf)                                           \
	MIH_BLAKE3_G(0, 4, 8, 12, s0, s1)                                      \
	MIH_BLAKE3_G(1, 5, 9, 13, s2, s3)                                      \
	MIH_BLAKE3_G(2, 6, 10, 14, s4, s5)                                     \
	MIH_BLAKE3_G(3, 7, 11, 15, s6, s7)                                     \
	MIH_BLAKE3_G(0, 5, 10, 15, s8, s9)                                     \
	MIH_BLAKE3_G(1, 6, 11, 12, sa, sb)                                     \
	MIH_BLAKE3_G(2, 7, 8, 13, sc, sd)                                      \
	MIH_BLAKE3_G(3, 4, 9, 14, se, sf)

/* What a compression depends on besides chaining value and block. */
struct mih_blake3_block {
	mih_w32 lo, hi; /* chunk number */
	mih_u32 len;	/* bytes in the block */
	mih_u32 flags;
};

/* One block: @cv becomes the first eight words of the output. */
MIH_FN void mih_blake3_compress(mih_w32 *cv, const mih_w32 *w,
				struct mih_blake3_block at)
{
	mih_w32 v[16], t;

#define MIH_COPY(i) v[i] = cv[i];
	MIH_EACH8(MIH_COPY)
#undef MIH_COPY
	v[8] = MIH_W32(mih_blake3_iv[0]);
	v[9] = MIH_W32(mih_blake3_iv[1]);
	v[10] = MIH_W32(mih_blake3_iv[2]);
	v[11] = MIH_W32(mih_blake3_iv[3]);
	v[12] = at.lo;
	v[13] = at.hi;
	v[14] = MIH_W32(at.len);
	v[15] = MIH_W32(at.flags);
	MIH_BLAKE3_ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
	MIH_BLAKE3_ROUND(2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
	MIH_BLAKE3_ROUND(3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1)
	MIH_BLAKE3_ROUND(10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6)
	MIH_BLAKE3_ROUND(12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4)
	MIH_BLAKE3_ROUND(9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7)
	MIH_BLAKE3_ROUND(11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13)
#define MIH_FOLD(i) cv[i] = v[i] ^ v[i + 8];
	MIH_EACH8(MIH_FOLD)
#undef MIH_FOLD
}

MIH_FN void mih_blake3_init(mih_w32 *cv)
{
#define MIH_INIT(i) cv[i] = MIH_W32(mih_blake3_iv[i]);
	MIH_EACH8(MIH_INIT)
#undef MIH_INIT
}

/*
 * Chaining value of a chunk of @len <= 1024 bytes. @at brings its number and,
 * in flags, MIH_BLAKE3_ROOT if the chunk is the whole file, else 0.
 */
MIH_FN void mih_blake3_chunk(mih_w32 *cv, mih_src src, mih_u32 len,
			     struct mih_blake3_block at)
{
	mih_w32 w[16];
	mih_u32 off, mark = at.flags;

	at.len = 64;
	at.flags = MIH_BLAKE3_START;
	mih_blake3_init(cv);
	for (off = 0; off + 64 < len; off += 64) {
		mih_load16x32(w, src, off);
		mih_blake3_compress(cv, w, at);
		at.flags = 0;
	}
	at.len = len - off;
	at.flags |= MIH_BLAKE3_END | mark;
	mih_rest16x32(w, src, off, at.len);
	mih_blake3_compress(cv, w, at);
}

/*
 * Chaining value over two children, which lie behind each other at @src.
 * @mark: MIH_BLAKE3_ROOT if they cover the whole file, else 0
 */
MIH_FN void mih_blake3_parent(mih_w32 *cv, mih_src src, mih_u32 mark)
{
	struct mih_blake3_block at;
	mih_w32 w[16];

	at.lo = MIH_W32(0);
	at.hi = MIH_W32(0);
	at.len = 64;
	at.flags = MIH_BLAKE3_PARENT | mark;
	mih_blake3_init(cv);
	mih_load16x32(w, src, 0);
	mih_blake3_compress(cv, w, at);
}

#endif
