#include "hash/group.h"
#include "hash/leaves.h"
#include "hash/paths/ops_internal.h"
#include "util/checked.h"

#include <assert.h>
#include <string.h>

#define BATCH_GROUPS 16 /* 1 MiB: the topmost level still fills 16 lanes */
#define GROUP_LEAVES 64 /* of the smaller leaf, blake3's 1 KiB chunk */
#define CHUNK	     1024
#define NODES_BATCH  64

/* How the tree of an algorithm is made of messages. */
struct tree {
	enum mih_hash_core core;
	size_t len;  /* bytes of a digest */
	size_t leaf; /* bytes of a leaf's message */
	uint32_t leaf_mark;
	uint32_t node_mark;
};

static struct tree tree_of(enum mih_hash_alg alg)
{
	struct tree tree = { .len = mih_hash_info(alg)->len,
			     .leaf = MIH_HASH_BLOCK,
			     .leaf_mark = MIH_HASH_MARK_LEAF,
			     .node_mark = MIH_HASH_MARK_NODE };

	assert(mih_hash_info(alg)->is_tree);
	switch (alg) {
	case MIH_HASH_MTH4K_SHA512:
		tree.core = MIH_HASH_CORE_SHA512;
		break;
	case MIH_HASH_MTH4K_SHA3_256:
		tree.core = MIH_HASH_CORE_SHA3;
		break;
	case MIH_HASH_BLAKE3:
		tree.core = MIH_HASH_CORE_BLAKE3;
		tree.leaf = CHUNK;
		tree.node_mark = MIH_HASH_MARK_PARENT;
		break;
	default:
		tree.core = MIH_HASH_CORE_SHA256;
		break;
	}
	return tree;
}

/*
 * Up to BATCH_GROUPS groups on their way from bytes to digests. Each group has
 * its own row of @nodes, whatever its number of leaves, so that a level can be
 * hashed in place: parent i goes where node i was, and only later pairs are
 * read after that.
 */
struct batch {
	struct tree tree;
	mih_hash_run *run;
	bool is_root; /* the only group is the whole file */
	size_t ngroups;
	size_t count[BATCH_GROUPS]; /* nodes in each row */
	const uint8_t *data[BATCH_GROUPS];
	size_t nbytes[BATCH_GROUPS];
	uint64_t off[BATCH_GROUPS]; /* in the file */
	size_t nmsgs;
	struct mih_hash_msg msgs[BATCH_GROUPS * GROUP_LEAVES];
	uint8_t nodes[BATCH_GROUPS * GROUP_LEAVES * 32];
};

/* Rows fit: 64 chunks of 32 bytes, or 16 blocks of up to 64 bytes. */
static uint8_t *row(struct batch *b, size_t group)
{
	return b->nodes + group * (MIH_HASH_GROUP / b->tree.leaf) * b->tree.len;
}

static void batch_run(struct batch *b, size_t len, uint32_t mark)
{
	if (b->nmsgs)
		b->run(b->msgs, b->nmsgs, (uint32_t)len, mark);
	b->nmsgs = 0;
}

static void batch_add_leaf(struct batch *b, size_t g, size_t i)
{
	b->msgs[b->nmsgs++] = (struct mih_hash_msg){
		.data = b->data[g] + i * b->tree.leaf,
		.out = row(b, g) + i * b->tree.len,
		.counter = b->off[g] / CHUNK + i,
	};
}

/* All whole leaves of all groups at once, then the short ones. */
static void batch_leaves(struct batch *b)
{
	uint32_t mark = b->tree.leaf_mark;
	size_t leaf = b->tree.leaf;

	/* A chunk that is a whole file is finished as its root. */
	if (b->is_root && b->nbytes[0] <= leaf && b->tree.leaf == CHUNK)
		mark |= MIH_HASH_MARK_ROOT;
	for (size_t g = 0; g < b->ngroups; g++) {
		b->count[g] = (b->nbytes[g] + leaf - 1) / leaf;
		for (size_t i = 0; i < b->nbytes[g] / leaf; i++)
			batch_add_leaf(b, g, i);
	}
	batch_run(b, leaf, mark);
	for (size_t g = 0; g < b->ngroups; g++) {
		size_t rest = b->nbytes[g] % leaf;

		if (!rest)
			continue;
		batch_add_leaf(b, g, b->count[g] - 1);
		batch_run(b, rest, mark);
	}
}

/* One level up in every row that is not finished; an odd node just moves. */
static bool batch_level(struct batch *b)
{
	size_t len = b->tree.len;
	uint32_t mark = b->tree.node_mark;

	if (b->is_root && b->count[0] == 2 && b->tree.leaf == CHUNK)
		mark |= MIH_HASH_MARK_ROOT;
	for (size_t g = 0; g < b->ngroups; g++)
		for (size_t i = 0; i < b->count[g] / 2; i++)
			b->msgs[b->nmsgs++] = (struct mih_hash_msg){
				.data = row(b, g) + 2 * i * len,
				.out = row(b, g) + i * len,
			};
	if (!b->nmsgs)
		return false;
	batch_run(b, 2 * len, mark);
	for (size_t g = 0; g < b->ngroups; g++) {
		size_t n = b->count[g];

		if (n > 1 && n % 2)
			memcpy(row(b, g) + n / 2 * len,
			       row(b, g) + (n - 1) * len, len);
		b->count[g] = (n + 1) / 2;
	}
	return true;
}

/* Finish the collected groups; returns where the next digest goes. */
static uint8_t *batch_flush(struct batch *b, uint8_t *digests)
{
	batch_leaves(b);
	while (batch_level(b))
		;
	for (size_t g = 0; g < b->ngroups; g++, digests += b->tree.len)
		memcpy(digests, row(b, g), b->tree.len);
	b->ngroups = 0;
	return digests;
}

static void batch_add(struct batch *b, const struct mih_hash_range *range,
		      size_t at)
{
	size_t g = b->ngroups++;

	b->data[g] = (const uint8_t *)range->data + at;
	b->nbytes[g] = MIH_MIN(range->len - at, (size_t)MIH_HASH_GROUP);
	b->off[g] = range->off + at;
}

void mih_hash_groups(enum mih_hash_alg alg, const struct mih_hash_range *ranges,
		     size_t n, uint8_t *digests)
{
	struct batch b;

	b.tree = tree_of(alg);
	b.run = mih_hash_core_run(b.tree.core);
	b.ngroups = 0;
	b.nmsgs = 0;
	b.is_root = false;
	for (size_t r = 0; r < n; r++) {
		if (ranges[r].is_root) /* its marks are not the others' */
			digests = batch_flush(&b, digests);
		b.is_root = ranges[r].is_root;
		for (size_t at = 0; at < ranges[r].len; at += MIH_HASH_GROUP) {
			batch_add(&b, &ranges[r], at);
			if (b.ngroups == BATCH_GROUPS || b.is_root)
				digests = batch_flush(&b, digests);
		}
		b.is_root = false;
	}
	batch_flush(&b, digests);
}

void mih_hash_nodes(enum mih_hash_alg alg, const uint8_t *pairs, size_t n,
		    bool is_root, uint8_t *parents)
{
	struct mih_hash_msg msgs[NODES_BATCH];
	struct tree tree = tree_of(alg);
	mih_hash_run *run = mih_hash_core_run(tree.core);
	uint32_t mark = tree.node_mark;

	if (is_root && alg == MIH_HASH_BLAKE3)
		mark |= MIH_HASH_MARK_ROOT;
	while (n) {
		size_t count = MIH_MIN(n, (size_t)NODES_BATCH);

		for (size_t i = 0; i < count; i++)
			msgs[i] = (struct mih_hash_msg){
				.data = pairs + 2 * i * tree.len,
				.out = parents + i * tree.len,
			};
		run(msgs, count, (uint32_t)(2 * tree.len), mark);
		pairs += 2 * count * tree.len;
		parents += count * tree.len;
		n -= count;
	}
}

/* The hashes of nothing; tests hold them against the crypto library. */
static const uint8_t empty_sha256[32] = {
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
	0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
	0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
};

static const uint8_t empty_sha512[64] = {
	0xcf, 0x83, 0xe1, 0x35, 0x7e, 0xef, 0xb8, 0xbd, 0xf1, 0x54, 0x28,
	0x50, 0xd6, 0x6d, 0x80, 0x07, 0xd6, 0x20, 0xe4, 0x05, 0x0b, 0x57,
	0x15, 0xdc, 0x83, 0xf4, 0xa9, 0x21, 0xd3, 0x6c, 0xe9, 0xce, 0x47,
	0xd0, 0xd1, 0x3c, 0x5d, 0x85, 0xf2, 0xb0, 0xff, 0x83, 0x18, 0xd2,
	0x87, 0x7e, 0xec, 0x2f, 0x63, 0xb9, 0x31, 0xbd, 0x47, 0x41, 0x7a,
	0x81, 0xa5, 0x38, 0x32, 0x7a, 0xf9, 0x27, 0xda, 0x3e,
};

static const uint8_t empty_sha3_256[32] = {
	0xa7, 0xff, 0xc6, 0xf8, 0xbf, 0x1e, 0xd7, 0x66, 0x51, 0xc1, 0x47,
	0x56, 0xa0, 0x61, 0xd6, 0x62, 0xf5, 0x80, 0xff, 0x4d, 0xe4, 0x3b,
	0x49, 0xfa, 0x82, 0xd8, 0x0a, 0x4b, 0x80, 0xf8, 0x43, 0x4a,
};

static const uint8_t empty_blake3[32] = {
	0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6, 0xa0, 0x40, 0x4d,
	0xea, 0x36, 0xdc, 0xc9, 0x49, 0x9b, 0xcb, 0x25, 0xc9, 0xad, 0xc1,
	0x12, 0xb7, 0xcc, 0x9a, 0x93, 0xca, 0xe4, 0x1f, 0x32, 0x62,
};

void mih_hash_empty(enum mih_hash_alg alg, uint8_t *out)
{
	switch (alg) {
	case MIH_HASH_MTH4K_SHA512:
		memcpy(out, empty_sha512, sizeof(empty_sha512));
		return;
	case MIH_HASH_MTH4K_SHA3_256:
		memcpy(out, empty_sha3_256, sizeof(empty_sha3_256));
		return;
	case MIH_HASH_BLAKE3:
		memcpy(out, empty_blake3, sizeof(empty_blake3));
		return;
	default:
		assert(alg == MIH_HASH_MTH4K_SHA256);
		memcpy(out, empty_sha256, sizeof(empty_sha256));
	}
}

void mih_hash_blake2b_leaves(const void *data, size_t n, uint8_t *digests)
{
	struct mih_hash_msg msgs[NODES_BATCH];
	mih_hash_run *run = mih_hash_core_run(MIH_HASH_CORE_BLAKE2B);
	const uint8_t *p = data;

	while (n) {
		size_t count = MIH_MIN(n, (size_t)NODES_BATCH);

		for (size_t i = 0; i < count; i++)
			msgs[i] = (struct mih_hash_msg){
				.data = p + i * MIH_HASH_BLOCK,
				.out = digests + i * 64,
			};
		run(msgs, count, MIH_HASH_BLOCK, 0);
		p += count * MIH_HASH_BLOCK;
		digests += count * 64;
		n -= count;
	}
}

/*
 * As many segments side by side as the path can run, for as long as the
 * shortest of them lasts; then the finished ones make room.
 */
void mih_hash_sha256_segments(struct mih_hash_segment *segments, size_t n)
{
	const struct mih_hash_ops *ops = mih_hash_segment_ops();
	struct mih_hash_segment *active[16];
	size_t next = 0, nactive = 0;

	assert(ops->segment_width <= MIH_ARRAY_LEN(active));
	for (;;) {
		size_t nblocks = SIZE_MAX, kept = 0;

		while (nactive < ops->segment_width && next < n) {
			if (segments[next].nblocks)
				active[nactive++] = &segments[next];
			next++;
		}
		if (!nactive)
			return;
		for (size_t i = 0; i < nactive; i++)
			nblocks = MIH_MIN(nblocks, active[i]->nblocks);
		ops->segments(active, nactive, nblocks);
		for (size_t i = 0; i < nactive; i++)
			if (active[i]->nblocks)
				active[kept++] = active[i];
		nactive = kept;
	}
}

size_t mih_hash_segment_width(void)
{
	const struct mih_hash_ops *ops = mih_hash_segment_ops();

	if (ops == &mih_hash_pair_ops && !mih_hash_pair_has_lanes())
		return mih_hash_shani_ops.segment_width;
	return ops->segment_width;
}
