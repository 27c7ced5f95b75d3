/*
 * gpu/kernels/groups.h - group digests: leaves, then the tree above them
 *
 * Layer: src/gpu.  Included once per hash, after
 *
 *   MIH_NAME        the kernel's name
 *   MIH_RESIDENT    for MIH_KERNEL(), of resident.h
 *   MIH_LEAF_BYTES  4096 or 1024
 *   MIH_NODE_BYTES  32 or 64
 *   MIH_STATE       type of the state, an array of words
 *   MIH_LEAF(state, src, len, is_root, number)  hash one leaf
 *   MIH_NODE(state, src, is_root)               hash two neighbours at src
 *   MIH_PUT_NODE(out, state)                    state to digest bytes
 *   MIH_ROW         type of a row, if not struct mih_group
 *   MIH_FINISH      function for what to do with the digests, if not to copy
 *                   them to out; it gets this work-group's part of nodes
 *
 * A work item hashes one leaf; a work-group holds whole groups. Level by level
 * the pairs of all its groups are dealt out to consecutive work items, so that
 * the ones at work sit in as few warps as possible. An odd node moves up as it
 * is, which gives the shape of RFC 9162 2.1.1 (and of BLAKE3).
 *
 * Nodes lie in global memory, because the cores read their messages there;
 * they never leave the cache.
 */
#ifndef MIH_ROW
#define MIH_ROW struct mih_group
#endif
#define MIH_LEAVES (65536 / MIH_LEAF_BYTES) /* of a full group */
#define MIH_PER_WG (MIH_ITEMS / MIH_LEAVES) /* groups per work-group */

MIH_KERNEL(MIH_RESIDENT)
MIH_NAME(const MIH_GLOBAL mih_u8 *arena, const MIH_GLOBAL MIH_ROW *groups,
	 mih_u32 ngroups, mih_dst nodes, mih_dst out)
{
	mih_u32 id = MIH_LOCAL_ID, first = MIH_WORKGROUP * MIH_PER_WG;
	mih_u32 g = first + id / MIH_LEAVES, at = id % MIH_LEAVES;
	mih_u32 len = g < ngroups ? groups[g].len : 0;

	MIH_STATE;
	mih_u32 slots, n, i;

	if (at * MIH_LEAF_BYTES < len) {
		n = len - at * MIH_LEAF_BYTES;
		MIH_LEAF(state,
			 arena + (mih_u64)g * 65536 + at * MIH_LEAF_BYTES,
			 n < MIH_LEAF_BYTES ? n : MIH_LEAF_BYTES,
			 groups[g].is_root && len <= MIH_LEAF_BYTES,
			 groups[g].off / MIH_LEAF_BYTES + at);
		MIH_PUT_NODE(nodes + (g * MIH_LEAVES + at) * MIH_NODE_BYTES,
			     state);
	}
	for (slots = MIH_LEAVES / 2; slots > 0; slots /= 2) {
		mih_u32 span = 65536 / (2 * slots), is_pair, is_odd;
		mih_u64 odd[MIH_NODE_BYTES / 8];
		mih_dst mine;

		g = first + id / slots;
		at = id % slots;
		len =
		    id < slots * MIH_PER_WG && g < ngroups ? groups[g].len : 0;
		n = (len + span - 1) / span; /* nodes below this level */
		is_pair = 2 * at + 1 < n;
		is_odd = 2 * at + 1 == n && at > 0;
		mine = nodes + g * MIH_LEAVES * MIH_NODE_BYTES;
		MIH_BARRIER();
		if (is_pair) {
			MIH_NODE(state, mine + 2 * at * MIH_NODE_BYTES,
				 groups[g].is_root && n == 2);
		} else if (is_odd) {
			for (i = 0; i < MIH_NODE_BYTES / 8; i++)
				odd[i] =
				    ((MIH_WORDS)(mine +
						 2 * at * MIH_NODE_BYTES))[i];
		}
		MIH_BARRIER();
		mine += at * MIH_NODE_BYTES;
		if (is_pair) {
			MIH_PUT_NODE(mine, state);
		} else if (is_odd) {
			for (i = 0; i < MIH_NODE_BYTES / 8; i++)
				((MIH_WORDS)mine)[i] = odd[i];
		}
	}
	MIH_BARRIER();
#ifdef MIH_FINISH
	n = ngroups - first;
	MIH_FINISH(groups + first, n < MIH_PER_WG ? n : MIH_PER_WG,
		   nodes + first * MIH_LEAVES * MIH_NODE_BYTES,
		   out + MIH_WORKGROUP * 2048);
#else
	/* Neighbours write neighbouring words: out may lie behind the bus. */
	g = first + id / (MIH_NODE_BYTES / 8);
	i = id % (MIH_NODE_BYTES / 8);
	if (g < first + MIH_PER_WG && g < ngroups) {
		MIH_WORDS from =
		    (MIH_WORDS)(nodes + g * MIH_LEAVES * MIH_NODE_BYTES);

		((MIH_WORDS)(out + g * MIH_NODE_BYTES))[i] = from[i];
	}
#endif
}

#undef MIH_LEAVES
#undef MIH_PER_WG
#undef MIH_NAME
#undef MIH_RESIDENT
#undef MIH_LEAF_BYTES
#undef MIH_NODE_BYTES
#undef MIH_STATE
#undef MIH_LEAF
#undef MIH_NODE
#undef MIH_PUT_NODE
#undef MIH_ROW
#undef MIH_FINISH
