/*
 * tree/sidecar.h - read the untrusted file of tree layers beside a bundle
 *
 * Layer: src/tree.  Threads: immutable after open; every call may run at once.
 * Format: doc/format.md section 4.
 *
 * Nothing read here is proven. Callers compare layers with a signed root
 * (mih_tree_root) and pages with a proven coarse node before they use them,
 * and copy what they use BEFORE they check it: the file may change under us.
 *
 * A blake3 file of at most one page is proven by its fine layer alone: its
 * coarse node is no root (tree/fold.h).
 */
#ifndef MIH_TREE_SIDECAR_H
#define MIH_TREE_SIDECAR_H

#include "hash/alg.h"
#include "util/err.h"

struct mih_tree_sidecar;

/** One file's entry, as the sidecar claims it. */
struct mih_tree_entry {
	enum mih_hash_alg alg; /* one with is_tree */
	uint64_t nbytes;
	uint64_t fine_off;   /* of the 64 KiB layer in the sidecar */
	uint64_t coarse_off; /* of the 8 MiB layer */
	uint64_t hints_off;  /* of the SHA-256 hints */
	bool has_hints;
};

/** How large an index its reader is ready to keep in memory. */
struct mih_tree_sidecar_limits {
	uint64_t nfiles;
	uint64_t paths_nbytes; /* of all paths together, without NULs */
};

/**
 * mih_tree_sidecar_open() - open a sidecar, check its header and index
 * @path: file name
 * @limits: what the caller's files can have, or NULL for those of the format:
 *          2^24 files and 1 GiB of paths
 * @sidecar_out: set on success; finish with mih_tree_sidecar_close()
 *
 * Checks magic, version, flags, byte order, section table and the XXH3-128 of
 * header, index and paths; not the layers. Cost: one pass over index and paths,
 * which are kept in memory (64 bytes per file and the paths, within @limits);
 * nothing that grows with the model's bytes.
 *
 * Return: 0; -ENOENT no such file; MIH_EFORMAT with a story that tells
 * truncation, damage, an unknown version and an index over the limits apart;
 * or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_tree_sidecar_open(
    const char *path, const struct mih_tree_sidecar_limits *limits,
    struct mih_tree_sidecar **sidecar_out);

/** mih_tree_sidecar_close() - release; NULL is legal. */
void mih_tree_sidecar_close(struct mih_tree_sidecar *sidecar);

/**
 * mih_tree_sidecar_find() - the entry for @path, held against signed facts
 * @path:   the file's path in the model
 * @alg:    tree algorithm that the signature names (or that the caller wants)
 * @nbytes: the size that the signature (or the disk) states
 * @entry_out: set on success
 *
 * Every offset and length is checked here against @nbytes and the file's own
 * size, so that the read functions below cannot run outside.
 *
 * Return: 0; -ENOENT no entry; MIH_EFORMAT if the entry differs from @alg or
 * @nbytes or points outside the file, with a story.
 */
MIH_MUST_CHECK mih_err mih_tree_sidecar_find(
    const struct mih_tree_sidecar *sidecar, const char *path,
    enum mih_hash_alg alg, uint64_t nbytes, struct mih_tree_entry *entry_out);

/**
 * mih_tree_sidecar_read_coarse() - copy @n coarse nodes from node @first
 * @nodes: @n nodes; the caller's
 *
 * Return: 0; -EINVAL out of range; -EIO if the sidecar has been truncated
 * since it was opened. Never a signal: layers are read with pread(2).
 */
MIH_MUST_CHECK mih_err mih_tree_sidecar_read_coarse(
    const struct mih_tree_sidecar *sidecar, const struct mih_tree_entry *entry,
    uint64_t first, size_t n, uint8_t *nodes);

/** mih_tree_sidecar_read_fine() - the same for the 64 KiB layer. */
MIH_MUST_CHECK mih_err mih_tree_sidecar_read_fine(
    const struct mih_tree_sidecar *sidecar, const struct mih_tree_entry *entry,
    uint64_t first, size_t n, uint8_t *nodes);

/**
 * mih_tree_sidecar_read_hints() - the same for the SHA-256 chaining values
 * @first:  hint number; hint i is the value after (i + 1) MiB
 * @states: @n times 32 bytes, big-endian words
 *
 * A file of n bytes has n / 1 MiB (rounded down) hints.
 */
MIH_MUST_CHECK mih_err mih_tree_sidecar_read_hints(
    const struct mih_tree_sidecar *sidecar, const struct mih_tree_entry *entry,
    uint64_t first, size_t n, uint8_t *states);

/**
 * mih_tree_sidecar_diagnose() - why did something in it not fit?
 *
 * Recomputes every section's XXH3-128. Cost: reads the whole sidecar, unless
 * that is larger than 256 MiB; call it once, after a layer failed its check.
 *
 * Return: borrowed text for a log line: "damaged or cut short" when a section
 * does not fit its own checksum, else "consistent in itself but not what was
 * signed"; "not what was signed" when it was too large to tell.
 */
const char *mih_tree_sidecar_diagnose(const struct mih_tree_sidecar *sidecar);

#endif
