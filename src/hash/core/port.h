/*
 * hash/core/port.h - what the cores need from C, CUDA C and OpenCL C
 *
 * Layer: src/hash.  Threads: no state.
 *
 * Every core is written once against the names of this file and compiled four
 * ways: scalar C, C with one message per vector lane, CUDA C and OpenCL C 1.2.
 *
 *   mih_u8/32/64  plain integers: lengths, offsets, table entries
 *   mih_w32/64    what a message word is: an integer, or a vector with one
 *                 word of each lane's message
 *   mih_src       where the message is (for lanes: where all of them are);
 *                 its address is a multiple of 16 on a GPU
 *   MIH_GPU       a GPU: it loads 16 aligned bytes at once, as mih_4x32 or
 *                 mih_2x64 with members x, y, z, w, and any function of three
 *                 words is one instruction
 *   MIH_FN        qualifiers of every function
 *   MIH_TABLE     qualifiers of every constant table; tables are indexed
 *                 directly, never passed
 *   MIH_W32(c)    a constant in every lane
 *
 * A target that knows a better instruction defines the operation's macro
 * before this file is included (MIH_XOR3 and the like). The macros repeat
 * their arguments: pass variables.
 *
 * OpenCL gets this file and one core concatenated into a program; the cores
 * therefore use no other header, no size_t, no recursion, no table pointers.
 */
#ifndef MIH_HASH_CORE_PORT_H
#define MIH_HASH_CORE_PORT_H

#if defined(__OPENCL_C_VERSION__)
typedef uchar mih_u8;
typedef uint mih_u32;
typedef ulong mih_u64;
typedef __global const uchar *mih_src;
typedef __global const uint4 *mih_4x32;
typedef __global const ulong2 *mih_2x64;
#define MIH_GPU
#define MIH_FN	   static inline __attribute__((always_inline))
#define MIH_TABLE  __constant
#define MIH_U64(x) x##ul
#elif defined(__CUDACC__)
typedef unsigned char mih_u8;
typedef unsigned int mih_u32;
typedef unsigned long long mih_u64;
typedef const mih_u8 *mih_src;
typedef const uint4 *mih_4x32;
typedef const ulonglong2 *mih_2x64;
#define MIH_GPU
#define MIH_FN	   static __device__ __forceinline__
#define MIH_TABLE  static __constant__ const
#define MIH_U64(x) x##ull
#else
#include <stdint.h>
#include <string.h>
typedef uint8_t mih_u8;
typedef uint32_t mih_u32;
typedef uint64_t mih_u64;
#define MIH_FN	   static inline __attribute__((always_inline))
#define MIH_TABLE  static const
#define MIH_U64(x) ((mih_u64)x##ull)
#endif

/* Write a statement for each index: no target has to unroll a loop to keep an
 * array in registers. */
#define MIH_EACH4(M)  M(0) M(1) M(2) M(3)
#define MIH_EACH8(M)  MIH_EACH4(M) M(4) M(5) M(6) M(7)
#define MIH_EACH16(M) MIH_EACH8(M) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15)
#define MIH_DOWN15(M)                                                          \
	M(15)                                                                  \
	M(14)                                                                  \
	M(13) M(12) M(11) M(10) M(9) M(8) M(7) M(6) M(5) M(4) M(3) M(2) M(1)

/* Before a loop of the vector paths that must vanish. */
#define MIH_UNROLL _Pragma("GCC unroll 16")

#ifdef MIH_LANES_BYTES
typedef mih_u32 mih_w32 __attribute__((vector_size(MIH_LANES_BYTES)));
typedef mih_u64 mih_w64 __attribute__((vector_size(MIH_LANES_BYTES)));
#define MIH_W32(c) ((mih_w32){ 0 } + (mih_u32)(c))
#define MIH_W64(c) ((mih_w64){ 0 } + (mih_u64)(c))
#else
typedef mih_u32 mih_w32;
typedef mih_u64 mih_w64;
#define MIH_W32(c) ((mih_w32)(c))
#define MIH_W64(c) ((mih_w64)(c))
#endif

#if defined(__CUDACC__)
#define MIH_ROR32(x, n) __funnelshift_r((x), (x), (n))
#define MIH_BSWAP32(x)	__byte_perm((x), 0, 0x0123)
/* Left to itself nvcc splits some of these in two. @table is the function's
 * truth table, as PTX defines it for lop3. */
#define MIH_LOP3(name, table)                                                  \
	MIH_FN mih_u32 name(mih_u32 a, mih_u32 b, mih_u32 c)                   \
	{                                                                      \
		mih_u32 d;                                                     \
                                                                               \
		asm("lop3.b32 %0, %1, %2, %3, " #table ";"                     \
		    : "=r"(d)                                                  \
		    : "r"(a), "r"(b), "r"(c));                                 \
		return d;                                                      \
	}                                                                      \
	MIH_FN mih_u64 name(mih_u64 a, mih_u64 b, mih_u64 c)                   \
	{                                                                      \
		mih_u32 hi = name((mih_u32)(a >> 32), (mih_u32)(b >> 32),      \
				  (mih_u32)(c >> 32));                         \
                                                                               \
		return (mih_u64)hi << 32 |                                     \
		       name((mih_u32)a, (mih_u32)b, (mih_u32)c);               \
	}
MIH_LOP3(mih_xor3, 0x96)
MIH_LOP3(mih_choose, 0xca)
MIH_LOP3(mih_majority, 0xe8)
MIH_LOP3(mih_chi, 0xd2)
#define MIH_XOR3(a, b, c)     mih_xor3(a, b, c)
#define MIH_CHOOSE(e, f, g)   mih_choose(e, f, g)
#define MIH_MAJORITY(a, b, c) mih_majority(a, b, c)
#define MIH_CHI(a, b, c)      mih_chi(a, b, c)
#define MIH_UNROLL_ALL	      _Pragma("unroll")
/* Spelled out, lest nvcc takes the factor out of two such sums. */
MIH_FN mih_u32 mih_sum32(mih_u32 a, mih_u32 b)
{
	mih_u32 d;

	asm("mad.lo.u32 %0, %1, %2, %3;"
	    : "=r"(d)
	    : "r"(b), "r"(blockDim.y), "r"(a));
	return d;
}
#define MIH_SUM32(a, b) mih_sum32(a, b)
/* bytes 2 1 0 of cur behind byte 3 of prev */
#define MIH_SHIFT_BE32(prev, cur) __byte_perm((prev), (cur), 0x3456)
#elif defined(__OPENCL_C_VERSION__)
#define MIH_ROR32(x, n)	      rotate((x), (mih_u32)(32 - (n)))
#define MIH_ROR64(x, n)	      rotate((x), (mih_u64)(64 - (n)))
#define MIH_CHOOSE(e, f, g)   bitselect((g), (f), (e))
#define MIH_MAJORITY(a, b, c) bitselect((a), (b), (a) ^ (c))
#define MIH_BSWAP32(x)	      as_uint(as_uchar4(x).s3210)
#define MIH_BSWAP64(x)	      as_ulong(as_uchar8(x).s76543210)
#ifdef cl_nv_pragma_unroll /* NVIDIA */
#define MIH_UNROLL_ALL	_Pragma("unroll")
#define MIH_SUM32(a, b) ((b) * (mih_u32)get_local_size(1) + (a))
#endif
#endif

/*
 * a + b, for about half of a core's sums. An NVIDIA GPU adds, shifts and
 * combines bits in one pipe, which hashes fill, while the one that multiplies
 * and adds has nothing to do. So there it is b * 1 + a, where 1 is a number
 * that the compiler does not know: how many rows a work-group has.
 */
#ifndef MIH_SUM32
#define MIH_SUM32(a, b) ((a) + (b))
#endif
/* Before a loop of rounds: code that fits the instruction cache unrolled. */
#ifndef MIH_UNROLL_ALL
#define MIH_UNROLL_ALL
#endif
#ifndef MIH_ROR32
#define MIH_ROR32(x, n) ((x) >> (n) | (x) << (32 - (n)))
#endif
#ifndef MIH_ROR64
#define MIH_ROR64(x, n) ((x) >> (n) | (x) << (64 - (n)))
#endif
#ifndef MIH_XOR3
#define MIH_XOR3(a, b, c) ((a) ^ (b) ^ (c))
#endif
#ifndef MIH_CHOOSE
#define MIH_CHOOSE(e, f, g) ((g) ^ ((e) & ((f) ^ (g))))
#endif
#ifndef MIH_MAJORITY
#define MIH_MAJORITY(a, b, c) (((a) & (b)) | ((c) & ((a) | (b))))
#endif
#ifndef MIH_CHI
#define MIH_CHI(a, b, c) ((a) ^ (~(b) & (c)))
#endif
#ifndef MIH_BSWAP32
#define MIH_BSWAP32(x)                                                         \
	((x) << 24 | ((x)&0xff00u) << 8 | ((x) >> 8 & 0xff00u) | (x) >> 24)
#endif
#ifndef MIH_BSWAP64
#if defined(__CUDACC__)
#define MIH_BSWAP64(x)                                                         \
	((mih_u64)MIH_BSWAP32((mih_u32)(x)) << 32 |                            \
	 MIH_BSWAP32((mih_u32)((x) >> 32)))
#else
#define MIH_BSWAP64(x) __builtin_bswap64(x)
#endif
#endif

/*
 * Message words behind a prefix of one byte (RFC 9162): word i of the message
 * is the last byte of data word i - 1 and all but the last byte of data word
 * i. Both are little-endian as loaded; the result is big- or little-endian.
 */
#ifndef MIH_SHIFT_BE32
#define MIH_SHIFT_BE32(prev, cur) mih_swapped32((cur) << 8 | (prev) >> 24)
#endif
#ifndef MIH_SHIFT_LE64
#define MIH_SHIFT_LE64(prev, cur) ((cur) << 8 | (prev) >> 56)
#endif
#ifndef MIH_SHIFT_BE64
#define MIH_SHIFT_BE64(prev, cur) mih_swapped64(MIH_SHIFT_LE64(prev, cur))
#endif

MIH_FN mih_w32 mih_swapped32(mih_w32 x)
{
	return MIH_BSWAP32(x);
}

MIH_FN mih_w64 mih_swapped64(mih_w64 x)
{
	return MIH_BSWAP64(x);
}

#include "hash/core/load.h"

#endif
