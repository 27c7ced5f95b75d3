/*
 * tree/proof.h - RFC 9162 inclusion proofs over a layer
 *
 * Layer: src/tree.  Threads: pure functions.
 * Source: RFC 9162 2.1.3.1 (generation) and 2.1.3.2 (verification), with the
 * nodes of a layer in the place of leaf hashes.
 */
#ifndef MIH_TREE_PROOF_H
#define MIH_TREE_PROOF_H

#include "hash/alg.h"
#include "util/err.h"

#define MIH_TREE_PROOF_MAX 64 /* nodes in the longest possible proof */

/** A layer in memory. */
struct mih_tree_layer {
	enum mih_hash_alg alg; /* one with is_tree */
	const uint8_t *nodes;  /* n nodes without gaps (borrowed) */
	uint64_t n;	       /* at least 1 */
};

/**
 * mih_tree_proof_make() - the siblings that lead from node @index to the root
 * @layer:   unchanged
 * @index:   0 <= @index < @layer->n
 * @proof:   room for MIH_TREE_PROOF_MAX nodes, from the leaf's sibling upwards
 * @len_out: set to the number of nodes in @proof; 0 when @layer->n is 1
 *
 * O(n) hashes and a copy of the layer.
 *
 * Return: 0, -EINVAL if @index is out of range, or -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_tree_proof_make(const struct mih_tree_layer *layer,
					   uint64_t index, uint8_t *proof,
					   size_t *len_out);

/** One claim: node @node is number @index of @n under @root. */
struct mih_tree_claim {
	enum mih_hash_alg alg; /* one with is_tree */
	uint64_t index, n;     /* 0 <= index < n */
	const uint8_t *node;   /* one node */
	const uint8_t *root;   /* the trusted file root */
	const uint8_t *proof;  /* proof_len nodes */
	size_t proof_len;
};

/**
 * mih_tree_proof_check() - does the claim hold?
 *
 * O(log n) hashes.
 *
 * Return: 0 proven; MIH_EDIGEST if not (a proof of the wrong length too);
 * -EINVAL if @index is out of range.
 */
MIH_MUST_CHECK mih_err mih_tree_proof_check(const struct mih_tree_claim *claim);

#endif
