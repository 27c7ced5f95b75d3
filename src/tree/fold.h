/*
 * tree/fold.h - from nodes to their common root, and to coarser layers
 *
 * Layer: src/tree.  Threads: pure functions.
 * Format: doc/format.md section 2.  Source: RFC 9162 2.1.1 (the left subtree
 * of n nodes holds the largest power of two below n); BLAKE3 has the same
 * shape.
 */
#ifndef MIH_TREE_FOLD_H
#define MIH_TREE_FOLD_H

#include "hash/alg.h"
#include "tree/shape.h"
#include "util/err.h"

/**
 * mih_tree_fold() - root over @n neighbouring nodes
 * @alg:     one with is_tree
 * @nodes:   @n nodes without gaps; overwritten
 * @n:       at least 1
 * @is_root: the nodes cover a whole file of more than one group: the last
 *           step makes its root digest (differs from a node only for blake3)
 * @out:     one node
 *
 * Works level by level so that many parents share the vector lanes. With
 * n == 1 the node is its own root. O(n) hashes.
 */
void mih_tree_fold(enum mih_hash_alg alg, uint8_t *nodes, size_t n,
		   bool is_root, uint8_t *out);

/**
 * mih_tree_coarsen() - every @factor nodes of a layer become one
 * @nodes:  @n nodes of the finer layer; overwritten
 * @factor: a power of two
 * @out:    ceil(@n / @factor) nodes; may begin at @nodes
 *
 * Nodes of a coarser layer are never file roots, even when there is just one.
 */
void mih_tree_coarsen(enum mih_hash_alg alg, uint8_t *nodes, size_t n,
		      size_t factor, uint8_t *out);

/* The most bytes of all group digests of a page. */
#define MIH_TREE_PAGE_NODES_MAX (MIH_TREE_PAGE_GROUPS * MIH_HASH_LEN_MAX)

/**
 * mih_tree_page_node() - what stands above a page of the fine layer
 * @nbytes: size of the file; at least 1
 * @page:   number of the page
 * @groups: its group digests; kept as they are
 * @out:    its node of the coarse layer; of a file of one page, the root
 */
void mih_tree_page_node(enum mih_hash_alg alg, uint64_t nbytes, uint64_t page,
			const uint8_t *groups, uint8_t *out);

/**
 * mih_tree_root() - root digest of a file of @nbytes from one of its layers
 * @alg:    one with is_tree
 * @nbytes: size of the file; 0 is legal (the layer is empty then)
 * @span:   bytes per node of the layer: MIH_HASH_GROUP times a power of two
 * @layer:  ceil(nbytes / span) nodes; overwritten
 * @out:    the root
 *
 * blake3 only: a file of at most @span bytes has no layer that leads to its
 * root (the ROOT flag goes into its last compression), so its single node must
 * have been made with is_root (hash/group.h) or with mih_tree_fold(is_root)
 * over the groups; it is copied.
 */
void mih_tree_root(enum mih_hash_alg alg, uint64_t nbytes, uint64_t span,
		   uint8_t *layer, uint8_t *out);

#endif
