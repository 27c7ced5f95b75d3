/* AVX2: eight 32-bit or four 64-bit messages in a register. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define MIH_LANES_BYTES 32

#define SWAP(x, lo, hi)                                                        \
	((__typeof__(x))_mm256_shuffle_epi8(                                   \
	    (__m256i)(x),                                                      \
	    _mm256_broadcastsi128_si256(_mm_set_epi64x(hi, lo))))
#define MIH_BSWAP32(x) SWAP(x, 0x0405060700010203, 0x0c0d0e0f08090a0b)
#define MIH_BSWAP64(x) SWAP(x, 0x0001020304050607, 0x08090a0b0c0d0e0f)

/* There is no rotation, but whole bytes can be shuffled; n is a constant. */
#define SHIFTED(x, n, bits) ((x) >> (n) | (x) << ((bits) - (n)))
#define MIH_ROR32(x, n)                                                        \
	((n) == 16  ? SWAP(x, 0x0504070601000302, 0x0d0c0f0e09080b0a)          \
	 : (n) == 8 ? SWAP(x, 0x0407060500030201, 0x0c0f0e0d080b0a09)          \
		    : SHIFTED(x, n, 32))
#define MIH_ROR64(x, n)                                                        \
	((n) == 32   ? SWAP(x, 0x0302010007060504, 0x0b0a09080f0e0d0c)         \
	 : (n) == 24 ? SWAP(x, 0x0201000706050403, 0x0a09080f0e0d0c0b)         \
	 : (n) == 16 ? SWAP(x, 0x0100070605040302, 0x09080f0e0d0c0b0a)         \
	 : (n) == 8  ? SWAP(x, 0x0007060504030201, 0x080f0e0d0c0b0a09)         \
	 : (n) == 56 ? SWAP(x, 0x0605040302010007, 0x0e0d0c0b0a09080f)         \
	 : (n) == 63 ? (((x) + (x)) | (x) >> 63)                               \
		     : SHIFTED(x, n, 64))

#include "hash/core/port.h"

/* 8 rows of 8 words: pairs of words, pairs of pairs, halves. */
MIH_FN void transpose32(mih_w32 *r)
{
	__m256i t[8], u[8];

	MIH_UNROLL
	for (int i = 0; i < 8; i += 2) {
		t[i] = _mm256_unpacklo_epi32((__m256i)r[i], (__m256i)r[i + 1]);
		t[i + 1] =
		    _mm256_unpackhi_epi32((__m256i)r[i], (__m256i)r[i + 1]);
	}
	MIH_UNROLL
	for (int i = 0; i < 8; i += 4) {
		u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
		u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
		u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
		u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
	MIH_UNROLL
	for (int j = 0; j < 4; j++) {
		r[j] = (mih_w32)_mm256_permute2x128_si256(u[j], u[4 + j], 0x20);
		r[4 + j] =
		    (mih_w32)_mm256_permute2x128_si256(u[j], u[4 + j], 0x31);
	}
}

/* 4 rows of 4 words. */
MIH_FN void transpose64(mih_w64 *r)
{
	__m256i u[4];

	MIH_UNROLL
	for (int i = 0; i < 4; i += 2) {
		u[i] = _mm256_unpacklo_epi64((__m256i)r[i], (__m256i)r[i + 1]);
		u[i + 1] =
		    _mm256_unpackhi_epi64((__m256i)r[i], (__m256i)r[i + 1]);
	}
	MIH_UNROLL
	for (int j = 0; j < 2; j++) {
		r[j] = (mih_w64)_mm256_permute2x128_si256(u[j], u[2 + j], 0x20);
		r[2 + j] =
		    (mih_w64)_mm256_permute2x128_si256(u[j], u[2 + j], 0x31);
	}
}

#include "hash/paths/lanes_internal.h"

const struct mih_hash_ops mih_hash_avx2_ops = LANES_OPS;
