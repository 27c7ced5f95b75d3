/*
 * tree/sidecar_write_internal.h - a sidecar under construction
 *
 * Layer: src/tree.  Threads: places and bitmaps are changed by atomics alone;
 * the rest is constant once the writer is open.
 * Format: doc/format.md section 4.
 */
#ifndef MIH_TREE_SIDECAR_WRITE_INTERNAL_H
#define MIH_TREE_SIDECAR_WRITE_INTERNAL_H

#include "tree/sidecar_format_internal.h"
#include "tree/sidecar_write.h"
#include "util/io.h"

#include <stdatomic.h>

/* Where a file's digests go. "First" counts items of the whole section. */
struct mih_tree_place {
	uint64_t group_first, hint_first;
	uint64_t fine, coarse; /* bytes before it in these sections */
	_Atomic uint64_t groups_missing, hints_missing;
	atomic_bool has_root;
};

struct mih_tree_writer {
	struct mih_io_writer io; /* fd alone for an anonymous file */
	bool anonymous;
	const char *name;		     /* for stories; borrowed from io */
	enum mih_hash_alg tree;		     /* of files that name none */
	const struct mih_tree_source *files; /* kept */
	size_t nfiles;
	struct mih_tree_place *places; /* nfiles; owned */
	/* A bit per group and per hint, set when it is put: 2 MiB and 128 KiB
	 * for each TiB of model. Words are shared by neighbouring files. */
	_Atomic uint64_t *groups_seen; /* owned */
	_Atomic uint64_t *hints_seen;  /* owned */
	_Atomic size_t roots_missing;
	struct mih_tree_sc_section sections[MIH_TREE_SC_SECTIONS];
	uint64_t nbytes; /* of the sidecar */
};

/** mih_tree_sc_info() - the tree of a file */
static inline const struct mih_hash_info *
mih_tree_sc_info(const struct mih_tree_writer *w, size_t file)
{
	enum mih_hash_alg tree = w->files[file].tree;

	return mih_hash_info(tree == MIH_HASH_NONE ? w->tree : tree);
}

/**
 * mih_tree_sc_fail() - the story of an errno, under the sidecar's name
 *
 * Return: @err.
 */
mih_err mih_tree_sc_fail(const struct mih_tree_writer *w, mih_err err);

/**
 * mih_tree_sc_lay_out() - give each file and section its place; size the file
 * @w: with io, tree, files and nfiles set
 *
 * Return: 0; -EFBIG more than the format holds; -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_tree_sc_lay_out(struct mih_tree_writer *w);

/**
 * mih_tree_sc_write_index() - write index and paths and note their checksums
 * @w: laid out
 *
 * An anonymous file gets none, but its paths are checked all the same.
 *
 * Return: 0; -EINVAL for a repeated path; -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_tree_sc_write_index(struct mih_tree_writer *w);

#endif
