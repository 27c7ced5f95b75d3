#include "tree/fold.h"
#include "hash/group.h"

#include <string.h>

/*
 * One level up, in place. A last node without a sibling rises unchanged: in
 * both RFC 9162 and BLAKE3 the left subtree is the largest power of two, so
 * pairing from the left, level by level, gives exactly their tree.
 */
static size_t level_up(const struct mih_hash_info *info, uint8_t *nodes,
		       size_t n, bool is_root)
{
	size_t pairs = n / 2;

	if (pairs > 0)
		mih_hash_nodes(info->id, nodes, pairs, is_root, nodes);
	if (n % 2 == 0)
		return pairs;
	if (pairs > 0)
		memcpy(nodes + pairs * info->len, nodes + (n - 1) * info->len,
		       info->len);
	return pairs + 1;
}

void mih_tree_fold(enum mih_hash_alg alg, uint8_t *nodes, size_t n,
		   bool is_root, uint8_t *out)
{
	const struct mih_hash_info *info = mih_hash_info(alg);

	while (n > 1)
		n = level_up(info, nodes, n, is_root && n == 2);
	memmove(out, nodes, info->len);
}

void mih_tree_coarsen(enum mih_hash_alg alg, uint8_t *nodes, size_t n,
		      size_t factor, uint8_t *out)
{
	const struct mih_hash_info *info = mih_hash_info(alg);

	for (; factor > 1; factor /= 2)
		n = level_up(info, nodes, n, false);
	memmove(out, nodes, n * info->len);
}

void mih_tree_page_node(enum mih_hash_alg alg, uint64_t nbytes, uint64_t page,
			const uint8_t *groups, uint8_t *out)
{
	size_t n = mih_tree_page_groups(nbytes, page);
	uint8_t copy[MIH_TREE_PAGE_NODES_MAX];

	memcpy(copy, groups, n * mih_hash_info(alg)->len);
	mih_tree_fold(alg, copy, n, mih_tree_npages(nbytes) == 1, out);
}

void mih_tree_root(enum mih_hash_alg alg, uint64_t nbytes, uint64_t span,
		   uint8_t *layer, uint8_t *out)
{
	uint64_t n = mih_checked_ceil_div(nbytes, span);

	if (n == 0)
		mih_hash_empty(alg, out);
	else
		mih_tree_fold(alg, layer, (size_t)n, true, out);
}
