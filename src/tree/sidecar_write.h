/*
 * tree/sidecar_write.h - build a sidecar while the model is being hashed
 *
 * Layer: src/tree.  Threads: lock-free: any number of threads may put digests
 * of any files and ranges at once; open, finish and abort are for one thread.
 * Format: doc/format.md section 4.
 *
 * The sizes are known before, so every layer has its place from the start and
 * digests go straight there. Memory: about 66 bytes per file (86 while it is
 * opened) and a bit per group, 2 MiB for each TiB of model; while the root of a
 * file is taken also its coarse layer, 4 MiB for each TiB of the file with
 * nodes of 32 bytes.
 */
#ifndef MIH_TREE_SIDECAR_WRITE_H
#define MIH_TREE_SIDECAR_WRITE_H

#include "hash/alg.h"
#include "util/err.h"

struct mih_tree_writer;

/** What the writer must know of a file before its first digest. */
struct mih_tree_source {
	const char *path; /* in the model; kept until finish or abort */
	uint64_t nbytes;
	bool has_hints;		/* room for SHA-256 hints is wanted */
	enum mih_hash_alg tree; /* if it is another one than the writer's;
				   else MIH_HASH_NONE */
};

/**
 * mih_tree_writer_open() - lay out a new sidecar in a temporary file
 * @path:    final name, or NULL for an anonymous scratch file (roots only): in
 *           $TMPDIR, /var/tmp or /tmp, or in memory if none can be written to
 * @alg:     tree of all files that name no other, one with is_tree
 * @files:   @n sources, any order, no path twice (kept)
 * @writer_out: set on success
 *
 * Return: 0; -EINVAL for a repeated path; -errno with a story.
 */
MIH_MUST_CHECK mih_err
mih_tree_writer_open(const char *path, enum mih_hash_alg alg,
		     const struct mih_tree_source *files, size_t n,
		     struct mih_tree_writer **writer_out);

/**
 * mih_tree_writer_put() - store @n group digests of file @file
 * @file:    index in the array given to open
 * @first:   group number of the first digest
 * @digests: @n group digests of its tree (hash/group.h;
 *           is_root for a file of one group)
 *
 * Each group must be put exactly once, in any order.
 *
 * Return: 0; -EINVAL out of range; -errno (disk full ...) with a story.
 */
MIH_MUST_CHECK mih_err mih_tree_writer_put(struct mih_tree_writer *writer,
					   size_t file, uint64_t first,
					   const uint8_t *digests, size_t n);

/**
 * mih_tree_writer_put_hint() - store the SHA-256 state after (@i + 1) MiB
 */
MIH_MUST_CHECK mih_err mih_tree_writer_put_hint(struct mih_tree_writer *writer,
						size_t file, uint64_t i,
						const uint8_t state[32]);

/**
 * mih_tree_writer_root() - root of a file all of whose groups were put
 * @root: mih_hash_info(tree)->len bytes
 *
 * Also fills in the file's coarse layer. Once per file; files may be finished
 * by several threads at once. Cost: reads the file's fine layer once.
 *
 * Return: 0; -EINVAL if a group is missing; -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_tree_writer_root(struct mih_tree_writer *writer,
					    size_t file, uint8_t *root);

/**
 * mih_tree_writer_forget() - what was put of a file, and its root, come again
 * @file: index in the array given to open; nobody may be putting any of it
 */
void mih_tree_writer_forget(struct mih_tree_writer *writer, size_t file);

/**
 * mih_tree_writer_finish() - checksums, header, fsync, rename; frees @writer
 *
 * Every file must have had its root taken.
 *
 * Return: 0, or -errno with a story; then nothing is left under the name.
 */
MIH_MUST_CHECK mih_err mih_tree_writer_finish(struct mih_tree_writer *writer);

/** mih_tree_writer_abort() - remove the temporary file, free; NULL is legal. */
void mih_tree_writer_abort(struct mih_tree_writer *writer);

#endif
