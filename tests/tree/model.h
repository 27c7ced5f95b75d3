/*
 * tests/tree/model.h - made-up digests, and a model whose files have them
 *
 * The tree layer never sees a file's bytes, so its tests need none: a digest
 * is a hash-like function of file and group.
 */
#ifndef MIH_TESTS_TREE_MODEL_H
#define MIH_TESTS_TREE_MODEL_H

#include "lib/test.h"
#include "tree/fold.h"
#include "tree/sidecar.h"
#include "tree/sidecar_write.h"
#include "tree/shape.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define MIB ((uint64_t)1 << 20)

static const enum mih_hash_alg model_algs[] = {
	MIH_HASH_MTH4K_SHA256,
	MIH_HASH_MTH4K_SHA512,
	MIH_HASH_MTH4K_SHA3_256,
	MIH_HASH_BLAKE3,
};

static const struct mih_tree_source model_files[] = {
	{ "weights/model-00001.safetensors", 24 * MIB + 5, true },
	{ "empty", 0, true },
	{ "one", 1, true },
	{ "with space", MIH_HASH_GROUP - 1, false },
	{ "with\nnewline", MIH_HASH_GROUP, false },
	{ "gr\xc3\xbc\xc3\x9f/\xe6\x97\xa5\xe6\x9c\xac", MIH_HASH_GROUP + 1 },
	{ "mib", MIB, true },
	{ "page-1", MIH_TREE_PAGE - 1, true },
	{ "page", MIH_TREE_PAGE, false },
	{ "page+1", MIH_TREE_PAGE + 1, false },
};

#define MODEL_NFILES MIH_ARRAY_LEN(model_files)

/* splitmix64: the next of a sequence of numbers without a pattern. */
static inline uint64_t model_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline void model_digests(size_t len, uint64_t file, uint64_t first,
				 size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t state = file << 40 ^ (first + i);

		for (size_t at = 0; at < len; at += 8)
			mih_bytes_put64(out + i * len + at,
					model_random(&state));
	}
}

/* All @n digests of a file in memory of their own. */
static inline uint8_t *model_layer(enum mih_hash_alg alg, uint64_t file,
				   size_t n)
{
	const size_t len = mih_hash_info(alg)->len;
	uint8_t *nodes = malloc(n * len + 1);

	assert_non_null(nodes);
	model_digests(len, file, 0, n, nodes);
	return nodes;
}

static inline void model_hint(uint64_t file, uint64_t i, uint8_t *out)
{
	model_digests(32, file + 1000, i, 1, out);
}

/* The root that the writer must find, from the fine layer in memory. */
static inline void model_root(enum mih_hash_alg alg, size_t file, uint8_t *out)
{
	uint64_t nbytes = model_files[file].nbytes;
	mih_autofree uint8_t *nodes =
	    model_layer(alg, file, (size_t)mih_hash_ngroups(nbytes));

	mih_tree_root(alg, nbytes, MIH_HASH_GROUP, nodes, out);
}

/* Put every group and hint of @file into @w, in order. */
static inline void model_put(struct mih_tree_writer *w, enum mih_hash_alg alg,
			     size_t file)
{
	const struct mih_tree_source *f = &model_files[file];
	size_t n = (size_t)mih_hash_ngroups(f->nbytes);
	mih_autofree uint8_t *nodes = model_layer(alg, file, n);
	uint8_t hint[32];

	assert_int_equal(mih_tree_writer_put(w, file, 0, nodes, n), 0);
	for (uint64_t i = 0; f->has_hints && i < f->nbytes / MIB; i++) {
		model_hint(file, i, hint);
		assert_int_equal(mih_tree_writer_put_hint(w, file, i, hint), 0);
	}
}

/* Take the root of every file and hold it against model_root(). */
static inline void model_roots(struct mih_tree_writer *w, enum mih_hash_alg alg)
{
	uint8_t root[MIH_HASH_LEN_MAX], want[MIH_HASH_LEN_MAX];

	for (size_t i = 0; i < MODEL_NFILES; i++) {
		assert_int_equal(mih_tree_writer_root(w, i, root), 0);
		model_root(alg, i, want);
		assert_memory_equal(root, want, mih_hash_info(alg)->len);
	}
}

/* A finished sidecar of the model under @path. */
static inline void model_write(const char *path, enum mih_hash_alg alg)
{
	struct mih_tree_writer *w;

	assert_int_equal(
	    mih_tree_writer_open(path, alg, model_files, MODEL_NFILES, &w), 0);
	for (size_t i = 0; i < MODEL_NFILES; i++)
		model_put(w, alg, i);
	model_roots(w, alg);
	assert_int_equal(mih_tree_writer_finish(w), 0);
}

/* A folder for one test program; @path_out gets "<folder>/model.tree". */
static inline char *model_tmpdir(char **path_out)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = NULL;

	assert_true(asprintf(&dir, "%s/mihfs-tree.XXXXXX",
			     tmp && *tmp ? tmp : "/tmp") > 0);
	assert_non_null(mkdtemp(dir));
	assert_true(asprintf(path_out, "%s/model.tree", dir) > 0);
	return dir;
}

#endif
