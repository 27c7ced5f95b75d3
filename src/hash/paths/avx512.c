/* AVX-512: sixteen 32-bit or eight 64-bit messages in a register. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define MIH_LANES_BYTES 64

/* One vpternlog for every function of three words. */
#define LOGIC3(a, b, c, table)                                                 \
	((__typeof__(a))_mm512_ternarylogic_epi64((__m512i)(a), (__m512i)(b),  \
						  (__m512i)(c), table))
#define MIH_XOR3(a, b, c)     LOGIC3(a, b, c, 0x96)
#define MIH_CHOOSE(e, f, g)   LOGIC3(e, f, g, 0xca)
#define MIH_MAJORITY(a, b, c) LOGIC3(a, b, c, 0xe8)
#define MIH_CHI(a, b, c)      LOGIC3(a, b, c, 0xd2)
#define MIH_ROR32(x, n)	      ((mih_w32)_mm512_ror_epi32((__m512i)(x), (n)))
#define MIH_ROR64(x, n)	      ((mih_w64)_mm512_ror_epi64((__m512i)(x), (n)))
#define SWAP(x, lo, hi)                                                        \
	((__typeof__(x))_mm512_shuffle_epi8(                                   \
	    (__m512i)(x), _mm512_broadcast_i32x4(_mm_set_epi64x(hi, lo))))
#define MIH_BSWAP32(x) SWAP(x, 0x0405060700010203, 0x0c0d0e0f08090a0b)
#define MIH_BSWAP64(x) SWAP(x, 0x0001020304050607, 0x08090a0b0c0d0e0f)

/* The byte that comes in is already where it belongs, at the top of prev: swap
 * the others past it and take it over. Two instructions instead of four. */
#define BEHIND(prev, swapped, top) LOGIC3(swapped, prev, top, 0xf8)
#define MIH_SHIFT_BE32(prev, cur)                                              \
	BEHIND(prev,                                                           \
	       SWAP(cur, (int64_t)0x8004050680000102,                          \
		    (int64_t)0x800c0d0e8008090a),                              \
	       MIH_W32(0xff000000))
#define MIH_SHIFT_BE64(prev, cur)                                              \
	BEHIND(prev,                                                           \
	       SWAP(cur, (int64_t)0x8000010203040506,                          \
		    (int64_t)0x8008090a0b0c0d0e),                              \
	       MIH_W64(0xff00000000000000))

#include "hash/core/port.h"

#define QUARTERS(a, b, how)                                                    \
	_mm512_shuffle_i32x4((__m512i)(a), (__m512i)(b), how)

/* Column @j of a square of 4 by 4 quarters, rows @step apart, becomes rows. */
#define TURN_QUARTERS(r, u, type, step, j)                                     \
	do {                                                                   \
		__m512i a = QUARTERS(u[j], u[step + j], 0x44);                 \
		__m512i b = QUARTERS(u[j], u[step + j], 0xee);                 \
		__m512i c = QUARTERS(u[2 * step + j], u[3 * step + j], 0x44);  \
		__m512i d = QUARTERS(u[2 * step + j], u[3 * step + j], 0xee);  \
		r[j] = (type)QUARTERS(a, c, 0x88);                             \
		r[step + j] = (type)QUARTERS(a, c, 0xdd);                      \
		r[2 * step + j] = (type)QUARTERS(b, d, 0x88);                  \
		r[3 * step + j] = (type)QUARTERS(b, d, 0xdd);                  \
	} while (0)

/* 16 rows of 16 words: pairs of words, pairs of pairs, quarters. */
MIH_FN void transpose32(mih_w32 *r)
{
	__m512i t[16], u[16];

	MIH_UNROLL
	for (int i = 0; i < 16; i += 2) {
		t[i] = _mm512_unpacklo_epi32((__m512i)r[i], (__m512i)r[i + 1]);
		t[i + 1] =
		    _mm512_unpackhi_epi32((__m512i)r[i], (__m512i)r[i + 1]);
	}
	MIH_UNROLL
	for (int i = 0; i < 16; i += 4) {
		u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
		u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
		u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
		u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
	MIH_UNROLL
	for (int j = 0; j < 4; j++)
		TURN_QUARTERS(r, u, mih_w32, 4, j);
}

/* 8 rows of 8 words. */
MIH_FN void transpose64(mih_w64 *r)
{
	__m512i u[8];

	MIH_UNROLL
	for (int i = 0; i < 8; i += 2) {
		u[i] = _mm512_unpacklo_epi64((__m512i)r[i], (__m512i)r[i + 1]);
		u[i + 1] =
		    _mm512_unpackhi_epi64((__m512i)r[i], (__m512i)r[i + 1]);
	}
	MIH_UNROLL
	for (int j = 0; j < 2; j++)
		TURN_QUARTERS(r, u, mih_w64, 2, j);
}

#include "hash/paths/lanes_internal.h"

const struct mih_hash_ops mih_hash_avx512_ops = LANES_OPS;
