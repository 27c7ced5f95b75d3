/*
 * gpu/kernels/target.h - what a kernel needs from CUDA C and OpenCL C
 *
 * Layer: src/gpu.  The cores bring their own words for the same two languages
 * (hash/core/port.h); this file adds what only kernels have.
 */
#ifndef MIH_GPU_KERNELS_TARGET_H
#define MIH_GPU_KERNELS_TARGET_H

#include "gpu/kernels/resident.h"
#include "hash/core/port.h"

/* MIH_KERNEL(n): with n of resident.h; OpenCL is told so by an option. */
#if defined(__OPENCL_C_VERSION__)
#define MIH_KERNEL(n) __kernel void
#define MIH_GLOBAL    __global
#define MIH_BARRIER() barrier(CLK_GLOBAL_MEM_FENCE)
#define MIH_LOCAL_ID  ((mih_u32)get_local_id(0))
#define MIH_WORKGROUP ((mih_u32)get_group_id(0))
#define MIH_ITEMS     ((mih_u32)get_local_size(0)) /* of a work-group */
#else
#define MIH_KERNEL(n) extern "C" __global__ void __launch_bounds__(256, n)
#define MIH_GLOBAL
#define MIH_BARRIER() __syncthreads()
#define MIH_LOCAL_ID  threadIdx.x
#define MIH_WORKGROUP blockIdx.x
#define MIH_ITEMS     blockDim.x
#endif

/* Rows of the tables: struct mih_gpu_group, mih_gpu_element and
 * mih_gpu_segment of port_internal.h. */
struct mih_group {
	mih_u32 len;
	mih_u32 is_root;
	mih_u64 off;
};

struct mih_element {
	mih_u32 len;
	mih_u32 is_root;
	mih_u64 off;
	mih_u64 state[8];
	mih_u64 count;
	mih_u32 at;
	mih_u32 end;
	mih_u64 tail[32];
};

struct mih_segment {
	mih_u64 at;
	mih_u32 nblocks;
	mih_u32 unused;
	mih_u32 state[8];
};

typedef MIH_GLOBAL mih_u8 *mih_dst;
typedef MIH_GLOBAL mih_u64 *MIH_WORDS;

/* State words to digest bytes. */
MIH_FN void mih_put_be32(mih_dst out, const mih_u32 *state)
{
	MIH_GLOBAL mih_u32 *to = (MIH_GLOBAL mih_u32 *)out;
#define MIH_PUT(i) to[i] = mih_swapped32(state[i]);
	MIH_EACH8(MIH_PUT)
#undef MIH_PUT
}

MIH_FN void mih_put_le32(mih_dst out, const mih_u32 *state)
{
	MIH_GLOBAL mih_u32 *to = (MIH_GLOBAL mih_u32 *)out;
#define MIH_PUT(i) to[i] = state[i];
	MIH_EACH8(MIH_PUT)
#undef MIH_PUT
}

MIH_FN void mih_put_be64(mih_dst out, const mih_u64 *state)
{
	MIH_GLOBAL mih_u64 *to = (MIH_GLOBAL mih_u64 *)out;
#define MIH_PUT(i) to[i] = mih_swapped64(state[i]);
	MIH_EACH8(MIH_PUT)
#undef MIH_PUT
}

MIH_FN void mih_put_8le64(mih_dst out, const mih_u64 *state)
{
	MIH_GLOBAL mih_u64 *to = (MIH_GLOBAL mih_u64 *)out;
#define MIH_PUT(i) to[i] = state[i];
	MIH_EACH8(MIH_PUT)
#undef MIH_PUT
}

MIH_FN void mih_put_4le64(mih_dst out, const mih_u64 *state)
{
	MIH_GLOBAL mih_u64 *to = (MIH_GLOBAL mih_u64 *)out;

	to[0] = state[0];
	to[1] = state[1];
	to[2] = state[2];
	to[3] = state[3];
}

#endif
