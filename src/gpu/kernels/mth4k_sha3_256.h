/*
 * gpu/kernels/mth4k_sha3_256.h - groups of mth4k-sha3-256
 *
 * Layer: src/gpu.  Compiled by CUDA and, as a program of its own, by OpenCL.
 */
#ifndef MIH_GPU_KERNELS_MTH4K_SHA3_256_H
#define MIH_GPU_KERNELS_MTH4K_SHA3_256_H

#include "gpu/kernels/target.h"
#include "hash/core/keccak.h"

#define MIH_NAME       mih_mth4k_sha3_256
#define MIH_RESIDENT   MIH_RESIDENT_SHA3
#define MIH_LEAF_BYTES 4096
#define MIH_NODE_BYTES 32
#define MIH_STATE      mih_u64 state[25]
#define MIH_LEAF(state, src, len, is_root, number)                             \
	mih_sha3_marked(state, src, len, 0)
#define MIH_NODE(state, src, is_root) mih_sha3_marked(state, src, 64, 1)
#define MIH_PUT_NODE(out, state)      mih_put_4le64(out, state)
#include "gpu/kernels/groups.h"

#endif
