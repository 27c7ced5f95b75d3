/*
 * tree/shape.h - how a file's bytes map to groups, pages and layers
 *
 * Layer: src/tree.  Threads: pure functions.
 * Format: doc/format.md section 2.
 *
 *   file    nbytes
 *   group   64 KiB of it, the last may be short     -> one node of the fine
 * layer page    128 groups = 8 MiB, the last may be short -> one node of the
 * coarse layer
 *
 * A node of any layer is the subtree root over its aligned span; the root of
 * the file is the fold of any one layer.
 */
#ifndef MIH_TREE_SHAPE_H
#define MIH_TREE_SHAPE_H

#include "hash/group.h"
#include "util/checked.h"

#define MIH_TREE_PAGE_GROUPS 128
#define MIH_TREE_PAGE	     ((uint64_t)MIH_TREE_PAGE_GROUPS * MIH_HASH_GROUP)

/** mih_tree_npages() - pages that cover @nbytes; 0 for an empty file. */
static inline uint64_t mih_tree_npages(uint64_t nbytes)
{
	return mih_checked_ceil_div(nbytes, MIH_TREE_PAGE);
}

/** mih_tree_page_groups() - groups in page @page of a file of @nbytes. */
static inline size_t mih_tree_page_groups(uint64_t nbytes, uint64_t page)
{
	uint64_t left = mih_hash_ngroups(nbytes) - page * MIH_TREE_PAGE_GROUPS;

	return (size_t)MIH_MIN(left, (uint64_t)MIH_TREE_PAGE_GROUPS);
}

#endif
