/*
 * hash/core/keccak.h - SHA3-256 and its RFC 9162 leaves and nodes
 *
 * Layer: src/hash.  Threads: no state.
 * Sources: FIPS 202 sections 3.2, 4 and 6.1; RFC 9162 section 2.1.1.
 */
#ifndef MIH_HASH_CORE_KECCAK_H
#define MIH_HASH_CORE_KECCAK_H

#include "hash/core/port.h"

#define MIH_SHA3_RATE 136 /* bytes per permutation of SHA3-256: 17 words */

MIH_TABLE mih_u64 mih_keccak_rc[24] = {
	MIH_U64(0x0000000000000001), MIH_U64(0x0000000000008082),
	MIH_U64(0x800000000000808a), MIH_U64(0x8000000080008000),
	MIH_U64(0x000000000000808b), MIH_U64(0x0000000080000001),
	MIH_U64(0x8000000080008081), MIH_U64(0x8000000000008009),
	MIH_U64(0x000000000000008a), MIH_U64(0x0000000000000088),
	MIH_U64(0x0000000080008009), MIH_U64(0x000000008000000a),
	MIH_U64(0x000000008000808b), MIH_U64(0x800000000000008b),
	MIH_U64(0x8000000000008089), MIH_U64(0x8000000000008003),
	MIH_U64(0x8000000000008002), MIH_U64(0x8000000000000080),
	MIH_U64(0x000000000000800a), MIH_U64(0x800000008000000a),
	MIH_U64(0x8000000080008081), MIH_U64(0x8000000000008080),
	MIH_U64(0x0000000080000001), MIH_U64(0x8000000080008008),
};

#define MIH_KECCAK_COLUMN(x)                                                   \
	t = MIH_XOR3(a[x], a[x + 5], a[x + 10]);                               \
	c[x] = MIH_XOR3(t, a[x + 15], a[x + 20]);

/* What theta adds to a lane of column x is one word, or two where the sum of
 * three takes no longer. */
#ifdef MIH_GPU
#define MIH_KECCAK_THETA(x)                                                    \
	t = c[(x + 1) % 5];                                                    \
	d[x] = MIH_ROR64(t, 63);
#define MIH_KECCAK_LANE(i) MIH_XOR3(a[i], c[(i + 4) % 5], d[(i) % 5])
#else
#define MIH_KECCAK_THETA(x)                                                    \
	t = c[(x + 1) % 5];                                                    \
	d[x] = c[(x + 4) % 5] ^ MIH_ROR64(t, 63);
#define MIH_KECCAK_LANE(i) (a[i] ^ d[(i) % 5])
#endif

/* Lane @i after theta, rotated left by @r, which is not 0. */
#define MIH_KECCAK_RHO(b, i, r)                                                \
	b = MIH_KECCAK_LANE(i);                                                \
	b = MIH_ROR64(b, (64 - r));

/* One row of the new state: pi picks its lanes (b0 is there), chi mixes. */
#define MIH_KECCAK_ROW(o, i1, r1, i2, r2, i3, r3, i4, r4)                      \
	MIH_KECCAK_RHO(b1, i1, r1)                                             \
	MIH_KECCAK_RHO(b2, i2, r2)                                             \
	MIH_KECCAK_RHO(b3, i3, r3)                                             \
	MIH_KECCAK_RHO(b4, i4, r4)                                             \
	e[o + 0] = MIH_CHI(b0, b1, b2);                                        \
	e[o + 1] = MIH_CHI(b1, b2, b3);                                        \
	e[o + 2] = MIH_CHI(b2, b3, b4);                                        \
	e[o + 3] = MIH_CHI(b3, b4, b0);                                        \
	e[o + 4] = MIH_CHI(b4, b0, b1);

/* One round from state @a to state @e. */
MIH_FN void mih_keccak_round(const mih_w64 *a, mih_w64 *e, mih_u64 rc)
{
	mih_w64 c[5], d[5], t, b0, b1, b2, b3, b4;

	MIH_KECCAK_COLUMN(0)
	MIH_KECCAK_COLUMN(1)
	MIH_KECCAK_COLUMN(2)
	MIH_KECCAK_COLUMN(3)
	MIH_KECCAK_COLUMN(4)
	MIH_KECCAK_THETA(0)
	MIH_KECCAK_THETA(1)
	MIH_KECCAK_THETA(2)
	MIH_KECCAK_THETA(3)
	MIH_KECCAK_THETA(4)
	b0 = MIH_KECCAK_LANE(0);
	MIH_KECCAK_ROW(0, 6, 44, 12, 43, 18, 21, 24, 14)
	MIH_KECCAK_RHO(b0, 3, 28)
	MIH_KECCAK_ROW(5, 9, 20, 10, 3, 16, 45, 22, 61)
	MIH_KECCAK_RHO(b0, 1, 1)
	MIH_KECCAK_ROW(10, 7, 6, 13, 25, 19, 8, 20, 18)
	MIH_KECCAK_RHO(b0, 4, 27)
	MIH_KECCAK_ROW(15, 5, 36, 11, 10, 17, 15, 23, 56)
	MIH_KECCAK_RHO(b0, 2, 62)
	MIH_KECCAK_ROW(20, 8, 55, 14, 39, 15, 41, 21, 2)
	e[0] ^= MIH_W64(rc);
}

MIH_FN void mih_keccak_permute(mih_w64 *a)
{
	mih_w64 e[25];
	mih_u32 i;

	for (i = 0; i < 24; i += 2) {
		mih_keccak_round(a, e, mih_keccak_rc[i]);
		mih_keccak_round(e, a, mih_keccak_rc[i + 1]);
	}
}

/* Absorb 17 words that begin one byte early; see MIH_SHIFT_LE64. */
MIH_FN mih_w64 mih_sha3_absorb(mih_w64 *a, const mih_w64 *w, mih_w64 carry)
{
	a[0] ^= MIH_SHIFT_LE64(carry, w[0]);
#define MIH_ABSORB(i) a[i] ^= MIH_SHIFT_LE64(w[i - 1], w[i]);
	MIH_DOWN15(MIH_ABSORB)
	MIH_ABSORB(16)
#undef MIH_ABSORB
	return w[16];
}

/* The last block: rest < 136 bytes behind the carried one, then the padding;
 * with rest 135 the padding needs a block of its own. */
MIH_FN void mih_sha3_finish(mih_w64 *a, mih_src src, mih_u32 len, mih_w64 carry)
{
	mih_w64 w[24];
	mih_u32 rest = len % MIH_SHA3_RATE, off = len - rest;
	mih_u64 end = (mih_u64)0x06 << (8 * (rest & 7));

	mih_rest8x64(w, src, off, rest);
	mih_rest8x64(w + 8, src, off + 64, rest > 64 ? rest - 64 : 0);
	w[16] = MIH_W64(0);
	if (rest > 128) {
		mih_rest8x64(w + 16, src, off + 128, rest - 128);
	}
#define MIH_END(i) w[i] |= MIH_W64(rest >> 3 == i ? end : 0);
	MIH_EACH16(MIH_END)
	MIH_END(16)
#undef MIH_END
	carry = mih_sha3_absorb(a, w, carry);
	if (rest == MIH_SHA3_RATE - 1) {
		mih_keccak_permute(a);
		a[0] ^= carry >> 56;
	}
	a[16] ^= MIH_W64(MIH_U64(0x8000000000000000));
	mih_keccak_permute(a);
}

/*
 * H(@mark, @len bytes): a leaf with mark 0, a node with mark 1 and len 64.
 * The digest is in the first four words of @a.
 */
MIH_FN void mih_sha3_marked(mih_w64 *a, mih_src src, mih_u32 len, mih_u32 mark)
{
	mih_w64 w[17];
	mih_w64 carry = MIH_W64((mih_u64)mark << 56);
	mih_u32 off;

	/* clang-format off */
#define MIH_ZERO(i) a[i] = MIH_W64(0);
	MIH_EACH16(MIH_ZERO)
	MIH_ZERO(16) MIH_ZERO(17) MIH_ZERO(18) MIH_ZERO(19) MIH_ZERO(20)
	MIH_ZERO(21) MIH_ZERO(22) MIH_ZERO(23) MIH_ZERO(24)
#undef MIH_ZERO
	for (off = 0; off + MIH_SHA3_RATE <= len; off += MIH_SHA3_RATE) {
		/* clang-format on */
		mih_load8x64(w, src, off);
		mih_load8x64(w + 8, src, off + 64);
		w[16] = mih_load1x64(src, off + 128);
		carry = mih_sha3_absorb(a, w, carry);
		mih_keccak_permute(a);
	}
	mih_sha3_finish(a, src, len, carry);
}

#endif
