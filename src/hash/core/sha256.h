/*
 * hash/core/sha256.h - SHA-256 and its RFC 9162 leaves and nodes
 *
 * Layer: src/hash.  Threads: no state.
 * Sources: FIPS 180-4 section 6.2; RFC 9162 section 2.1.1.
 */
#ifndef MIH_HASH_CORE_SHA256_H
#define MIH_HASH_CORE_SHA256_H

#include "hash/core/port.h"

MIH_TABLE mih_u32 mih_sha256_iv[8] = {
	0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
	0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
};

MIH_TABLE mih_u32 mih_sha256_k[64] = {
	0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu,
	0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u, 0xd807aa98u, 0x12835b01u,
	0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u,
	0xc19bf174u, 0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu,
	0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau, 0x983e5152u,
	0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u,
	0x06ca6351u, 0x14292967u, 0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu,
	0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
	0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u,
	0xd6990624u, 0xf40e3585u, 0x106aa070u, 0x19a4c116u, 0x1e376c08u,
	0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu,
	0x682e6ff3u, 0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u,
	0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
};

#define MIH_SHA256_ROUND(a, b, c, d, e, f, g, h, i)                            \
	x = MIH_ROR32(e, 6);                                                   \
	y = MIH_ROR32(e, 11);                                                  \
	z = MIH_ROR32(e, 25);                                                  \
	h = MIH_SUM32(h, w[i]);                                                \
	h = MIH_SUM32(h, mih_sha256_k[k + i]);                                 \
	h += MIH_CHOOSE(e, f, g);                                              \
	h = MIH_SUM32(h, MIH_XOR3(x, y, z));                                   \
	d += h;                                                                \
	x = MIH_ROR32(a, 2);                                                   \
	y = MIH_ROR32(a, 13);                                                  \
	z = MIH_ROR32(a, 22);                                                  \
	h += MIH_MAJORITY(a, b, c);                                            \
	h = MIH_SUM32(h, MIH_XOR3(x, y, z));

#define MIH_SHA256_8(i)                                                        \
	MIH_SHA256_ROUND(a, b, c, d, e, f, g, h, i + 0)                        \
	MIH_SHA256_ROUND(h, a, b, c, d, e, f, g, i + 1)                        \
	MIH_SHA256_ROUND(g, h, a, b, c, d, e, f, i + 2)                        \
	MIH_SHA256_ROUND(f, g, h, a, b, c, d, e, i + 3)                        \
	MIH_SHA256_ROUND(e, f, g, h, a, b, c, d, i + 4)                        \
	MIH_SHA256_ROUND(d, e, f, g, h, a, b, c, i + 5)                        \
	MIH_SHA256_ROUND(c, d, e, f, g, h, a, b, i + 6)                        \
	MIH_SHA256_ROUND(b, c, d, e, f, g, h, a, i + 7)

/* Sixteen words of the schedule replace the sixteen before them. */
#define MIH_SHA256_EXPAND(i)                                                   \
	s = w[(i + 1) & 15];                                                   \
	t = w[(i + 14) & 15];                                                  \
	x = MIH_ROR32(s, 7);                                                   \
	y = MIH_ROR32(s, 18);                                                  \
	z = s >> 3;                                                            \
	w[i] = MIH_SUM32(w[i], w[(i + 9) & 15]);                               \
	w[i] += MIH_XOR3(x, y, z);                                             \
	x = MIH_ROR32(t, 17);                                                  \
	y = MIH_ROR32(t, 19);                                                  \
	z = t >> 10;                                                           \
	w[i] = MIH_SUM32(w[i], MIH_XOR3(x, y, z));

MIH_FN void mih_sha256_init(mih_w32 *state)
{
#define MIH_INIT(i) state[i] = MIH_W32(mih_sha256_iv[i]);
	MIH_EACH8(MIH_INIT)
#undef MIH_INIT
}

/* One block: @w holds its sixteen words in native order and is overwritten. */
MIH_FN void mih_sha256_compress(mih_w32 *state, mih_w32 *w)
{
	mih_w32 a = state[0], b = state[1], c = state[2], d = state[3];
	mih_w32 e = state[4], f = state[5], g = state[6], h = state[7];
	mih_w32 s, t, x, y, z;
	mih_u32 k = 0;

	MIH_SHA256_8(0)
	MIH_SHA256_8(8)
	MIH_UNROLL_ALL
	for (k = 16; k < 64; k += 16) {
		MIH_EACH16(MIH_SHA256_EXPAND)
		MIH_SHA256_8(0)
		MIH_SHA256_8(8)
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

/* Move all words one byte on; @carry brings the byte before them in its top
 * byte, the raw last word is returned as the next carry. */
MIH_FN mih_w32 mih_sha256_shift(mih_w32 *w, mih_w32 carry)
{
	mih_w32 last = w[15];

#define MIH_SHIFT(i) w[i] = MIH_SHIFT_BE32(w[i - 1], w[i]);
	MIH_DOWN15(MIH_SHIFT)
#undef MIH_SHIFT
	w[0] = MIH_SHIFT_BE32(carry, w[0]);
	return last;
}

/* The last one or two blocks: @rest < 64 bytes, the 0x80 byte, the length. */
MIH_FN void mih_sha256_finish(mih_w32 *state, mih_src src, mih_u32 len,
			      mih_w32 carry)
{
	mih_w32 w[16];
	mih_u32 rest = len & 63, end = 0x80u << (8 * (rest & 3));

	mih_rest16x32(w, src, len - rest, rest);
#define MIH_END(i) w[i] |= MIH_W32(rest >> 2 == i ? end : 0);
	MIH_EACH16(MIH_END)
#undef MIH_END
	carry = mih_sha256_shift(w, carry);
	if (rest > 54) {
		mih_sha256_compress(state, w);
#define MIH_ZERO(i) w[i] = MIH_W32(0);
		MIH_EACH16(MIH_ZERO)
#undef MIH_ZERO
		w[0] = carry & MIH_W32(0xff000000u);
	}
	w[15] = MIH_W32((len + 1) * 8);
	mih_sha256_compress(state, w);
}

/* H(@mark, @len bytes): a leaf with mark 0, a node with mark 1 and len 64. */
MIH_FN void mih_sha256_marked(mih_w32 *state, mih_src src, mih_u32 len,
			      mih_u32 mark)
{
	mih_w32 w[16];
	mih_w32 carry = MIH_W32(mark << 24);
	mih_u32 off;

	mih_sha256_init(state);
	for (off = 0; off + 64 <= len; off += 64) {
		mih_load16x32(w, src, off);
		carry = mih_sha256_shift(w, carry);
		mih_sha256_compress(state, w);
	}
	mih_sha256_finish(state, src, len, carry);
}

#endif
