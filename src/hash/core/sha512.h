/*
 * hash/core/sha512.h - SHA-512 and its RFC 9162 leaves and nodes
 *
 * Layer: src/hash.  Threads: no state.
 * Sources: FIPS 180-4 section 6.4; RFC 9162 section 2.1.1.
 */
#ifndef MIH_HASH_CORE_SHA512_H
#define MIH_HASH_CORE_SHA512_H

#include "hash/core/port.h"

MIH_TABLE mih_u64 mih_sha512_iv[8] = {
	MIH_U64(0x6a09e667f3bcc908), MIH_U64(0xbb67ae8584caa73b),
	MIH_U64(0x3c6ef372fe94f82b), MIH_U64(0xa54ff53a5f1d36f1),
	MIH_U64(0x510e527fade682d1), MIH_U64(0x9b05688c2b3e6c1f),
	MIH_U64(0x1f83d9abfb41bd6b), MIH_U64(0x5be0cd19137e2179),
};

MIH_TABLE mih_u64 mih_sha512_k[80] = {
	MIH_U64(0x428a2f98d728ae22), MIH_U64(0x7137449123ef65cd),
	MIH_U64(0xb5c0fbcfec4d3b2f), MIH_U64(0xe9b5dba58189dbbc),
	MIH_U64(0x3956c25bf348b538), MIH_U64(0x59f111f1b605d019),
	MIH_U64(0x923f82a4af194f9b), MIH_U64(0xab1c5ed5da6d8118),
	MIH_U64(0xd807aa98a3030242), MIH_U64(0x12835b0145706fbe),
	MIH_U64(0x243185be4ee4b28c), MIH_U64(0x550c7dc3d5ffb4e2),
	MIH_U64(0x72be5d74f27b896f), MIH_U64(0x80deb1fe3b1696b1),
	MIH_U64(0x9bdc06a725c71235), MIH_U64(0xc19bf174cf692694),
	MIH_U64(0xe49b69c19ef14ad2), MIH_U64(0xefbe4786384f25e3),
	MIH_U64(0x0fc19dc68b8cd5b5), MIH_U64(0x240ca1cc77ac9c65),
	MIH_U64(0x2de92c6f592b0275), MIH_U64(0x4a7484aa6ea6e483),
	MIH_U64(0x5cb0a9dcbd41fbd4), MIH_U64(0x76f988da831153b5),
	MIH_U64(0x983e5152ee66dfab), MIH_U64(0xa831c66d2db43210),
	MIH_U64(0xb00327c898fb213f), MIH_U64(0xbf597fc7beef0ee4),
	MIH_U64(0xc6e00bf33da88fc2), MIH_U64(0xd5a79147930aa725),
	MIH_U64(0x06ca6351e003826f), MIH_U64(0x142929670a0e6e70),
	MIH_U64(0x27b70a8546d22ffc), MIH_U64(0x2e1b21385c26c926),
	MIH_U64(0x4d2c6dfc5ac42aed), MIH_U64(0x53380d139d95b3df),
	MIH_U64(0x650a73548baf63de), MIH_U64(0x766a0abb3c77b2a8),
	MIH_U64(0x81c2c92e47edaee6), MIH_U64(0x92722c851482353b),
	MIH_U64(0xa2bfe8a14cf10364), MIH_U64(0xa81a664bbc423001),
	MIH_U64(0xc24b8b70d0f89791), MIH_U64(0xc76c51a30654be30),
	MIH_U64(0xd192e819d6ef5218), MIH_U64(0xd69906245565a910),
	MIH_U64(0xf40e35855771202a), MIH_U64(0x106aa07032bbd1b8),
	MIH_U64(0x19a4c116b8d2d0c8), MIH_U64(0x1e376c085141ab53),
	MIH_U64(0x2748774cdf8eeb99), MIH_U64(0x34b0bcb5e19b48a8),
	MIH_U64(0x391c0cb3c5c95a63), MIH_U64(0x4ed8aa4ae3418acb),
	MIH_U64(0x5b9cca4f7763e373), MIH_U64(0x682e6ff3d6b2b8a3),
	MIH_U64(0x748f82ee5defb2fc), MIH_U64(0x78a5636f43172f60),
	MIH_U64(0x84c87814a1f0ab72), MIH_U64(0x8cc702081a6439ec),
	MIH_U64(0x90befffa23631e28), MIH_U64(0xa4506cebde82bde9),
	MIH_U64(0xbef9a3f7b2c67915), MIH_U64(0xc67178f2e372532b),
	MIH_U64(0xca273eceea26619c), MIH_U64(0xd186b8c721c0c207),
	MIH_U64(0xeada7dd6cde0eb1e), MIH_U64(0xf57d4f7fee6ed178),
	MIH_U64(0x06f067aa72176fba), MIH_U64(0x0a637dc5a2c898a6),
	MIH_U64(0x113f9804bef90dae), MIH_U64(0x1b710b35131c471b),
	MIH_U64(0x28db77f523047d84), MIH_U64(0x32caab7b40c72493),
	MIH_U64(0x3c9ebe0a15c9bebc), MIH_U64(0x431d67c49c100d4c),
	MIH_U64(0x4cc5d4becb3e42b6), MIH_U64(0x597f299cfc657e2a),
	MIH_U64(0x5fcb6fab3ad6faec), MIH_U64(0x6c44198c4a475817),
};

#define MIH_SHA512_ROUND(a, b, c, d, e, f, g, h, i)                            \
	x = MIH_ROR64(e, 14);                                                  \
	y = MIH_ROR64(e, 18);                                                  \
	z = MIH_ROR64(e, 41);                                                  \
	h += w[i] + mih_sha512_k[k + i];                                       \
	h += MIH_CHOOSE(e, f, g);                                              \
	h += MIH_XOR3(x, y, z);                                                \
	d += h;                                                                \
	x = MIH_ROR64(a, 28);                                                  \
	y = MIH_ROR64(a, 34);                                                  \
	z = MIH_ROR64(a, 39);                                                  \
	h += MIH_MAJORITY(a, b, c);                                            \
	h += MIH_XOR3(x, y, z);

#define MIH_SHA512_8(i)                                                        \
	MIH_SHA512_ROUND(a, b, c, d, e, f, g, h, i + 0)                        \
	MIH_SHA512_ROUND(h, a, b, c, d, e, f, g, i + 1)                        \
	MIH_SHA512_ROUND(g, h, a, b, c, d, e, f, i + 2)                        \
	MIH_SHA512_ROUND(f, g, h, a, b, c, d, e, i + 3)                        \
	MIH_SHA512_ROUND(e, f, g, h, a, b, c, d, i + 4)                        \
	MIH_SHA512_ROUND(d, e, f, g, h, a, b, c, i + 5)                        \
	MIH_SHA512_ROUND(c, d, e, f, g, h, a, b, i + 6)                        \
	MIH_SHA512_ROUND(b, c, d, e, f, g, h, a, i + 7)

/* Sixteen words of the schedule replace the sixteen before them. */
#define MIH_SHA512_EXPAND(i)                                                   \
	s = w[(i + 1) & 15];                                                   \
	t = w[(i + 14) & 15];                                                  \
	x = MIH_ROR64(s, 1);                                                   \
	y = MIH_ROR64(s, 8);                                                   \
	z = s >> 7;                                                            \
	w[i] += MIH_XOR3(x, y, z) + w[(i + 9) & 15];                           \
	x = MIH_ROR64(t, 19);                                                  \
	y = MIH_ROR64(t, 61);                                                  \
	z = t >> 6;                                                            \
	w[i] += MIH_XOR3(x, y, z);

MIH_FN void mih_sha512_init(mih_w64 *state)
{
#define MIH_INIT(i) state[i] = MIH_W64(mih_sha512_iv[i]);
	MIH_EACH8(MIH_INIT)
#undef MIH_INIT
}

/* One block: @w holds its sixteen words in native order and is overwritten. */
MIH_FN void mih_sha512_compress(mih_w64 *state, mih_w64 *w)
{
	mih_w64 a = state[0], b = state[1], c = state[2], d = state[3];
	mih_w64 e = state[4], f = state[5], g = state[6], h = state[7];
	mih_w64 s, t, x, y, z;
	mih_u32 k = 0;

	MIH_SHA512_8(0)
	MIH_SHA512_8(8)
	for (k = 16; k < 80; k += 16) {
		MIH_EACH16(MIH_SHA512_EXPAND)
		MIH_SHA512_8(0)
		MIH_SHA512_8(8)
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
MIH_FN mih_w64 mih_sha512_shift(mih_w64 *w, mih_w64 carry)
{
	mih_w64 last = w[15];

#define MIH_SHIFT(i) w[i] = MIH_SHIFT_BE64(w[i - 1], w[i]);
	MIH_DOWN15(MIH_SHIFT)
#undef MIH_SHIFT
	w[0] = MIH_SHIFT_BE64(carry, w[0]);
	return last;
}

/* The last one or two blocks: rest < 128 bytes, the 0x80 byte, the length. */
MIH_FN void mih_sha512_finish(mih_w64 *state, mih_src src, mih_u32 len,
			      mih_w64 carry)
{
	mih_w64 w[16];
	mih_u32 rest = len & 127, off = len - rest;
	mih_u64 end = (mih_u64)0x80 << (8 * (rest & 7));

	mih_rest8x64(w, src, off, rest);
	mih_rest8x64(w + 8, src, off + 64, rest > 64 ? rest - 64 : 0);
#define MIH_END(i) w[i] |= MIH_W64(rest >> 3 == i ? end : 0);
	MIH_EACH16(MIH_END)
#undef MIH_END
	carry = mih_sha512_shift(w, carry);
	if (rest > 110) {
		mih_sha512_compress(state, w);
#define MIH_ZERO(i) w[i] = MIH_W64(0);
		MIH_EACH16(MIH_ZERO)
#undef MIH_ZERO
		w[0] = carry & MIH_W64(MIH_U64(0xff00000000000000));
	}
	w[15] = MIH_W64((mih_u64)(len + 1) * 8);
	mih_sha512_compress(state, w);
}

/* H(@mark, @len bytes): a leaf with mark 0, a node with mark 1 and len 128. */
MIH_FN void mih_sha512_marked(mih_w64 *state, mih_src src, mih_u32 len,
			      mih_u32 mark)
{
	mih_w64 w[16];
	mih_w64 carry = MIH_W64((mih_u64)mark << 56);
	mih_u32 off;

	mih_sha512_init(state);
	for (off = 0; off + 128 <= len; off += 128) {
		mih_load16x64(w, src, off);
		carry = mih_sha512_shift(w, carry);
		mih_sha512_compress(state, w);
	}
	mih_sha512_finish(state, src, len, carry);
}

#endif
