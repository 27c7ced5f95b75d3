/*
 * gpu/kernels/sha256_segments.h - segments of flat SHA-256 messages
 *
 * Layer: src/gpu.  Compiled by CUDA and, as a program of its own, by OpenCL.
 * Format: doc/format.md section 5.
 *
 * A segment is a chain, so it is one work item's: many are needed at once.
 */
#ifndef MIH_GPU_KERNELS_SHA256_SEGMENTS_H
#define MIH_GPU_KERNELS_SHA256_SEGMENTS_H

#include "gpu/kernels/target.h"
#include "hash/core/sha256.h"

MIH_KERNEL(MIH_RESIDENT_SEGMENTS)
mih_sha256_segments(const MIH_GLOBAL mih_u8 *arena,
		    const MIH_GLOBAL struct mih_segment *rows, mih_u32 n,
		    mih_dst nodes, mih_dst out)
{
	mih_u32 at = MIH_WORKGROUP * 32 + MIH_LOCAL_ID, block, i;
	mih_u32 state[8], w[16];

	if (at >= n)
		return;
	for (i = 0; i < 8; i++)
		state[i] = mih_swapped32(rows[at].state[i]);
	arena += rows[at].at;
	for (block = 0; block < rows[at].nblocks; block++, arena += 64) {
		mih_load16x32(w, arena, 0);
#define MIH_SWAP(i) w[i] = mih_swapped32(w[i]);
		MIH_EACH16(MIH_SWAP)
#undef MIH_SWAP
		mih_sha256_compress(state, w);
	}
	mih_put_be32(out + at * 32, state);
}

#endif
