/*
 * gpu/kernels/lthash16.h - the sum of the elements of groups
 *
 * Layer: src/gpu.  Compiled by CUDA and, as a program of its own, by OpenCL.
 * Format: doc/format.md section 1.
 *
 * A work-group of 256 items hashes 16 groups as mth4k-sha256 does, ends their
 * messages with the digests, and adds up their elements: 8 teams of 32 work
 * items take a group each at a time, and each item one of the 32 output nodes
 * of BLAKE2X, whose 32 lanes of 16 bits it keeps in registers.
 */
#ifndef MIH_GPU_KERNELS_LTHASH16_H
#define MIH_GPU_KERNELS_LTHASH16_H

#include "gpu/kernels/target.h"
#include "hash/core/blake2b.h"
#include "hash/core/sha256.h"

#define MIH_LT_NODES  512 /* bytes of a group's nodes; the digest is first */
#define MIH_LT_TAIL   64  /* where in them its message is completed */
#define MIH_LT_ROOT   320 /* where the hash of the message goes */
#define MIH_LT_LEN    2048
#define MIH_LT_TEAM   32 /* output nodes of an element */
#define MIH_LT_TEAMS  (MIH_ITEMS / MIH_LT_TEAM)
#define MIH_LT_LAST   MIH_U64(0xffffffffffffffff)
#define MIH_LT_XOF    ((mih_u64)MIH_LT_LEN << 32)
#define MIH_LT_PARAM0 (64 | (mih_u64)64 << 32)
#define MIH_LT_PARAM2 (64 << 8)

/* Lane by lane, four lanes at a time. */
MIH_FN mih_u64 mih_lt_add(mih_u64 a, mih_u64 b)
{
	mih_u64 top = MIH_U64(0x8000800080008000);

	return ((a & ~top) + (b & ~top)) ^ ((a ^ b) & top);
}

/* Put the digest where it belongs and hash what came before it and it. */
MIH_FN void mih_lt_root(const MIH_GLOBAL struct mih_element *row, mih_dst nodes)
{
	mih_dst tail = nodes + MIH_LT_TAIL;
	mih_u64 state[8], w[16];
	mih_u32 i, end, is_last;

	for (i = 0; i < 32; i++)
		((MIH_WORDS)tail)[i] = row->tail[i];
	for (i = 0; i < 32; i++)
		tail[row->at + i] = nodes[i];
	for (i = 0; i < 8; i++)
		state[i] = row->state[i];
	for (i = 0; i < row->end; i += 128) {
		is_last = row->end - i <= 128;
		end = is_last ? row->end : i + 128;
		mih_load16x64(w, tail, i);
		mih_blake2b_compress(state, w, row->count + end,
				     is_last ? MIH_LT_LAST : 0);
	}
	mih_put_8le64(nodes + MIH_LT_ROOT, state);
}

/* Add output node @number of the element above @root to @sum. */
MIH_FN void mih_lt_expand(mih_u64 *sum, mih_src root, mih_u32 number)
{
	mih_u64 state[8], w[16];

	mih_load8x64(w, root, 0);
#define MIH_ZERO(i) w[i + 8] = 0;
	MIH_EACH8(MIH_ZERO)
#undef MIH_ZERO
	mih_blake2b_init(state, MIH_LT_PARAM0);
	state[1] ^= MIH_LT_XOF | number;
	state[2] ^= MIH_LT_PARAM2;
	mih_blake2b_compress(state, w, 64, MIH_LT_LAST);
#define MIH_ADD(i) sum[i] = mih_lt_add(sum[i], state[i]);
	MIH_EACH8(MIH_ADD)
#undef MIH_ADD
}

/* @n groups of this work-group; their nodes are free once all is expanded. */
MIH_FN void mih_lt_finish(const MIH_GLOBAL struct mih_element *rows, mih_u32 n,
			  mih_dst nodes, mih_dst out)
{
	mih_u32 team = MIH_LOCAL_ID / MIH_LT_TEAM;
	mih_u32 number = MIH_LOCAL_ID % MIH_LT_TEAM;
	mih_u64 sum[8] = { 0, 0, 0, 0, 0, 0, 0, 0 };
	mih_u32 i, apart;
	MIH_WORDS part;

	if (MIH_LOCAL_ID < n)
		mih_lt_root(rows + MIH_LOCAL_ID,
			    nodes + MIH_LOCAL_ID * MIH_LT_NODES);
	MIH_BARRIER();
	for (i = team; i < n; i += MIH_LT_TEAMS)
		mih_lt_expand(sum, nodes + i * MIH_LT_NODES + MIH_LT_ROOT,
			      number);
	for (apart = MIH_LT_TEAMS / 2; apart > 0; apart /= 2) {
		part = (MIH_WORDS)(nodes + (team % apart) * MIH_LT_LEN +
				   number * 64);
		MIH_BARRIER();
		if (team >= apart && team < 2 * apart)
			mih_put_8le64((mih_dst)part, sum);
		MIH_BARRIER();
		if (team < apart)
			for (i = 0; i < 8; i++)
				sum[i] = mih_lt_add(sum[i], part[i]);
	}
	if (team == 0)
		mih_put_8le64(out + number * 64, sum);
}

#define MIH_NAME       mih_lthash16
#define MIH_RESIDENT   MIH_RESIDENT_LTHASH16
#define MIH_LEAF_BYTES 4096
#define MIH_NODE_BYTES 32
#define MIH_STATE      mih_u32 state[8]
#define MIH_LEAF(state, src, len, is_root, number)                             \
	mih_sha256_marked(state, src, len, 0)
#define MIH_NODE(state, src, is_root) mih_sha256_marked(state, src, 64, 1)
#define MIH_PUT_NODE(out, state)      mih_put_be32(out, state)
#define MIH_ROW			      struct mih_element
#define MIH_FINISH		      mih_lt_finish
#include "gpu/kernels/groups.h"

#endif
