/*
 * gpu/kernels/mth4k_sha256.h - groups of mth4k-sha256
 *
 * Layer: src/gpu.  Compiled by CUDA and, as a program of its own, by OpenCL.
 */
#ifndef MIH_GPU_KERNELS_MTH4K_SHA256_H
#define MIH_GPU_KERNELS_MTH4K_SHA256_H

#include "gpu/kernels/target.h"
#include "hash/core/sha256.h"

#define MIH_NAME       mih_mth4k_sha256
#define MIH_RESIDENT   MIH_RESIDENT_SHA256
#define MIH_LEAF_BYTES 4096
#define MIH_NODE_BYTES 32
#define MIH_STATE      mih_u32 state[8]
#define MIH_LEAF(state, src, len, is_root, number)                             \
	mih_sha256_marked(state, src, len, 0)
#define MIH_NODE(state, src, is_root) mih_sha256_marked(state, src, 64, 1)
#define MIH_PUT_NODE(out, state)      mih_put_be32(out, state)
#include "gpu/kernels/groups.h"

#endif
