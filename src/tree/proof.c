#include "tree/proof.h"
#include "hash/group.h"
#include "tree/fold.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <string.h>

mih_err mih_tree_proof_make(const struct mih_tree_layer *layer, uint64_t index,
			    uint8_t *proof, size_t *len_out)
{
	const size_t len = mih_hash_info(layer->alg)->len;
	mih_autofree uint8_t *level = NULL;
	uint64_t n = layer->n, nbytes;
	size_t steps = 0;

	if (index >= n)
		return -EINVAL;
	if (!mih_checked_mul(n, len, &nbytes) || nbytes > SIZE_MAX)
		return -ENOMEM;
	level = malloc((size_t)nbytes);
	if (!level)
		return -ENOMEM;
	memcpy(level, layer->nodes, (size_t)nbytes);
	for (; n > 1; n = n / 2 + n % 2, index /= 2) {
		uint64_t sibling = index ^ 1;

		/* The last of an odd level has none and rises unchanged. */
		if (sibling < n)
			memcpy(proof + steps++ * len, level + sibling * len,
			       len);
		mih_tree_coarsen(layer->alg, level, (size_t)n, 2, level);
	}
	*len_out = steps;
	return 0;
}

/* One step of RFC 9162 2.1.3.2: hash @at with @sibling on its proper side. */
static void step(enum mih_hash_alg alg, bool sibling_left, bool is_root,
		 const uint8_t *sibling, uint8_t *at)
{
	const size_t len = mih_hash_info(alg)->len;
	uint8_t pair[2 * MIH_HASH_LEN_MAX];

	memcpy(pair + (sibling_left ? 0 : len), sibling, len);
	memcpy(pair + (sibling_left ? len : 0), at, len);
	mih_hash_nodes(alg, pair, 1, is_root, at);
}

mih_err mih_tree_proof_check(const struct mih_tree_claim *claim)
{
	const size_t len = mih_hash_info(claim->alg)->len;
	uint64_t at = claim->index, last = claim->n - 1;
	uint8_t node[MIH_HASH_LEN_MAX];

	if (claim->index >= claim->n)
		return -EINVAL;
	memcpy(node, claim->node, len);
	for (size_t i = 0; i < claim->proof_len; i++) {
		if (last == 0)
			return MIH_EDIGEST; /* longer than the path */
		/* A node without a sibling rises until it has one. */
		while (at == last && at % 2 == 0) {
			at /= 2;
			last /= 2;
		}
		step(claim->alg, at % 2 == 1, last == 1, claim->proof + i * len,
		     node);
		at /= 2;
		last /= 2;
	}
	if (last != 0 || !mih_hash_eq(node, claim->root, len))
		return MIH_EDIGEST;
	return 0;
}
