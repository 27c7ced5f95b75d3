/*
 * gpu/kernels/blake3.h - groups of BLAKE3
 *
 * Layer: src/gpu.  Compiled by CUDA and, as a program of its own, by OpenCL.
 */
#ifndef MIH_GPU_KERNELS_BLAKE3_H
#define MIH_GPU_KERNELS_BLAKE3_H

#include "gpu/kernels/target.h"
#include "hash/core/blake3.h"

MIH_FN void mih_leaf_blake3(mih_w32 *cv, mih_src src, mih_u32 len, mih_u32 mark,
			    mih_u64 number)
{
	struct mih_blake3_block at;

	at.lo = (mih_u32)number;
	at.hi = (mih_u32)(number >> 32);
	at.len = 64;
	at.flags = mark;
	mih_blake3_chunk(cv, src, len, at);
}

#define MIH_NAME       mih_blake3
#define MIH_RESIDENT   MIH_RESIDENT_BLAKE3
#define MIH_LEAF_BYTES 1024
#define MIH_NODE_BYTES 32
#define MIH_STATE      mih_u32 state[8]
#define MIH_LEAF(state, src, len, is_root, number)                             \
	mih_leaf_blake3(state, src, len, is_root ? MIH_BLAKE3_ROOT : 0, number)
#define MIH_NODE(state, src, is_root)                                          \
	mih_blake3_parent(state, src, is_root ? MIH_BLAKE3_ROOT : 0)
#define MIH_PUT_NODE(out, state) mih_put_le32(out, state)
#include "gpu/kernels/groups.h"

#endif
