/*
 * hash/core/load.h - message words from memory, for C and GPUs
 *
 * Layer: src/hash.  Threads: no state.
 *
 * Part of port.h, which includes it. Vector lanes bring loads of their own:
 * hash/paths/lanes_load_internal.h.
 */
#ifndef MIH_HASH_CORE_LOAD_H
#define MIH_HASH_CORE_LOAD_H

/*
 * Loads of little-endian words, @off a multiple of 4 or 8 from the start, of 16
 * for load16x32 and load16x64. The "rest" forms read the first @rest bytes of
 * the piece and give zero for the others; @rest may be more than it holds.
 *
 * Neighbouring work items read messages that lie far apart, so on a GPU each
 * load passes the cache once for each of them: the fewer loads, the better.
 */
#ifndef MIH_LANES_BYTES
#if !defined(__OPENCL_C_VERSION__) && !defined(__CUDACC__)
typedef const mih_u8 *mih_src;
#endif

MIH_FN mih_u32 mih_load32(mih_src src, mih_u32 off)
{
#if defined(__OPENCL_C_VERSION__)
	return *(__global const uint *)(src + off);
#elif defined(__CUDACC__)
	return *(const mih_u32 *)(src + off);
#else
	const mih_u8 *p = src + off;

	return (mih_u32)p[0] | (mih_u32)p[1] << 8 | (mih_u32)p[2] << 16 |
	       (mih_u32)p[3] << 24;
#endif
}

MIH_FN mih_u64 mih_load64(mih_src src, mih_u32 off)
{
#if defined(__OPENCL_C_VERSION__)
	return *(__global const ulong *)(src + off);
#elif defined(__CUDACC__)
	return *(const mih_u64 *)(src + off);
#else
	return mih_load32(src, off) | (mih_u64)mih_load32(src, off + 4) << 32;
#endif
}

MIH_FN mih_u32 mih_rest32(mih_src src, mih_u32 off, mih_u32 rest)
{
	mih_u32 x = 0;

	if (rest >= 4)
		return mih_load32(src, off);
	if (rest > 0)
		x = src[off];
	if (rest > 1)
		x |= (mih_u32)src[off + 1] << 8;
	if (rest > 2)
		x |= (mih_u32)src[off + 2] << 16;
	return x;
}

#ifdef MIH_GPU
#define MIH_LOAD(i)                                                            \
	w[4 * i] = from[i].x;                                                  \
	w[4 * i + 1] = from[i].y;                                              \
	w[4 * i + 2] = from[i].z;                                              \
	w[4 * i + 3] = from[i].w;
MIH_FN void mih_load16x32(mih_w32 *w, mih_src src, mih_u32 off)
{
	mih_4x32 from = (mih_4x32)(src + off);

	MIH_EACH4(MIH_LOAD)
}
#else
#define MIH_LOAD(i) w[i] = mih_load32(src, off + 4 * i);
MIH_FN void mih_load16x32(mih_w32 *w, mih_src src,
			  mih_u32 off){ MIH_EACH16(MIH_LOAD) }
#endif
#undef MIH_LOAD

#define MIH_LOAD(i)                                                            \
	w[i] = rest > 4 * i ? mih_rest32(src, off + 4 * i, rest - 4 * i) : 0;
MIH_FN void mih_rest16x32(mih_w32 *w, mih_src src, mih_u32 off, mih_u32 rest)
{
	if (rest >= 64) {
		mih_load16x32(w, src, off);
		return;
	}
	MIH_EACH16(MIH_LOAD)
}
#undef MIH_LOAD

#define MIH_LOAD(i) w[i] = mih_load64(src, off + 8 * i);
MIH_FN void mih_load8x64(mih_w64 *w, mih_src src,
			 mih_u32 off){ MIH_EACH8(MIH_LOAD) }
#undef MIH_LOAD

#ifdef MIH_GPU
#define MIH_LOAD(i)                                                            \
	w[2 * i] = from[i].x;                                                  \
	w[2 * i + 1] = from[i].y;
MIH_FN void mih_load16x64(mih_w64 *w, mih_src src, mih_u32 off)
{
	mih_2x64 from = (mih_2x64)(src + off);

	MIH_EACH8(MIH_LOAD)
}
#undef MIH_LOAD
#endif

MIH_FN mih_w64 mih_load1x64(mih_src src, mih_u32 off)
{
	return mih_load64(src, off);
}

MIH_FN mih_u64 mih_rest64(mih_src src, mih_u32 off, mih_u32 rest)
{
	mih_u64 lo = mih_rest32(src, off, rest);

	if (rest <= 4)
		return lo;
	return lo | (mih_u64)mih_rest32(src, off + 4, rest - 4) << 32;
}

#define MIH_LOAD(i)                                                            \
	w[i] = rest > 8 * i ? mih_rest64(src, off + 8 * i, rest - 8 * i) : 0;
MIH_FN void mih_rest8x64(mih_w64 *w, mih_src src, mih_u32 off, mih_u32 rest)
{
	if (rest >= 64) {
		mih_load8x64(w, src, off);
		return;
	}
	MIH_EACH8(MIH_LOAD)
}
#undef MIH_LOAD
#endif /* !MIH_LANES_BYTES */

#ifndef MIH_GPU
#define mih_load16x64(w, src, off)                                             \
	do {                                                                   \
		mih_load8x64((w), (src), (off));                               \
		mih_load8x64((w) + 8, (src), (off) + 64);                      \
	} while (0)
#endif

#endif
