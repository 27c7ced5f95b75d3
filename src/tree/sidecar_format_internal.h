/*
 * tree/sidecar_format_internal.h - the bytes of a sidecar, for its reader and
 * its writer
 *
 * Layer: src/tree.  Threads: no state.
 * Format: doc/format.md section 4; a change here is a new version there.
 */
#ifndef MIH_TREE_SIDECAR_FORMAT_INTERNAL_H
#define MIH_TREE_SIDECAR_FORMAT_INTERNAL_H

#include "tree/shape.h"
#include "util/bytes.h"
#include "util/checked.h"
#include "util/err.h"

#define XXH_STATIC_LINKING_ONLY	 /* state on the stack: no allocation to fail  \
				  */
#include <xxhash.h>

#define MIH_TREE_SC_MAGIC   "\x89mihtree"
#define MIH_TREE_SC_VERSION 1
#define MIH_TREE_SC_ALIGN   64 /* of every section */

enum mih_tree_sc_header {
	MIH_TREE_SC_H_MAGIC = 0,      /* 8 bytes */
	MIH_TREE_SC_H_VERSION = 8,    /* u32 */
	MIH_TREE_SC_H_FLAGS = 12,     /* u32, 0 */
	MIH_TREE_SC_H_NBYTES = 16,    /* u64, of the whole sidecar */
	MIH_TREE_SC_H_NFILES = 24,    /* u64 */
	MIH_TREE_SC_H_NSECTIONS = 32, /* u32 */
	MIH_TREE_SC_H_ZERO = 36,      /* u32, 0 */
	MIH_TREE_SC_H_TABLE = 40,
	MIH_TREE_SC_H_SUM = 240, /* XXH3-128 of all that stands before */
	MIH_TREE_SC_H_LEN = 256,
};

/* A row of the section table. */
enum mih_tree_sc_row {
	MIH_TREE_SC_R_KIND = 0,	   /* u32 */
	MIH_TREE_SC_R_ZERO = 4,	   /* u32, 0 */
	MIH_TREE_SC_R_OFF = 8,	   /* u64 */
	MIH_TREE_SC_R_NBYTES = 16, /* u64 */
	MIH_TREE_SC_R_SUM = 24,	   /* XXH3-128 of the section */
	MIH_TREE_SC_R_LEN = 40,
};

/* An entry of the index. Offsets are relative to their section. */
enum mih_tree_sc_entry {
	MIH_TREE_SC_E_HASH = 0,	    /* u64, XXH3-64 of the path */
	MIH_TREE_SC_E_PATH = 8,	    /* u64 */
	MIH_TREE_SC_E_PATHLEN = 16, /* u32 */
	MIH_TREE_SC_E_ALG = 20,	    /* u16 */
	MIH_TREE_SC_E_FLAGS = 22,   /* u16 */
	MIH_TREE_SC_E_NBYTES = 24,  /* u64 */
	MIH_TREE_SC_E_COARSE = 32,  /* u64 */
	MIH_TREE_SC_E_FINE = 40,    /* u64 */
	MIH_TREE_SC_E_HINTS = 48,   /* u64 */
	MIH_TREE_SC_E_ZERO = 56,    /* u64, 0 */
	MIH_TREE_SC_E_LEN = 64,
};

#define MIH_TREE_SC_FLAG_HINTS 1 /* of an entry: it has SHA-256 hints */

/* Sections, in the order in which they stand in the file. */
enum mih_tree_sc_kind {
	MIH_TREE_SC_INDEX,
	MIH_TREE_SC_PATHS,
	MIH_TREE_SC_COARSE,
	MIH_TREE_SC_FINE,
	MIH_TREE_SC_HINTS,
	MIH_TREE_SC_SECTIONS
};

/*
 * Index and paths are held in memory by the reader, so an attacker's sidecar
 * must not be able to claim any amount of it: 16 Mi files, 1 GiB of paths.
 */
#define MIH_TREE_SC_NFILES_MAX ((uint64_t)1 << 24)
#define MIH_TREE_SC_PATHS_MAX  ((uint64_t)1 << 30)

#define MIH_TREE_SC_HINT_SPAN ((uint64_t)1 << 20)
#define MIH_TREE_SC_HINT_LEN  32
#define MIH_TREE_SC_SUM_LEN   16

struct mih_tree_sc_section {
	uint64_t off, nbytes;
	uint8_t sum[MIH_TREE_SC_SUM_LEN];
};

static inline uint64_t mih_tree_sc_hash(const char *path, size_t len)
{
	return XXH3_64bits(path, len);
}

/* The order of the index: by hash, and where two are equal by path, so that
 * a search takes O(log n) steps whatever paths somebody has found. */
static inline int mih_tree_sc_path_cmp(const char *a, size_t alen,
				       const char *b, size_t blen)
{
	int cmp = memcmp(a, b, MIH_MIN(alen, blen));

	return cmp ? cmp : (alen > blen) - (alen < blen);
}

/* A checksum as it is stored: low 64 bits, then high 64 bits. */
static inline void mih_tree_sc_put_sum(uint8_t *out, XXH128_hash_t sum)
{
	mih_bytes_put64(out, sum.low64);
	mih_bytes_put64(out + 8, sum.high64);
}

static inline uint64_t mih_tree_sc_nhints(uint64_t nbytes)
{
	return nbytes / MIH_TREE_SC_HINT_SPAN;
}

/* Where section i begins, given the end of the one before it (or the header).
 * False on overflow. */
static inline bool mih_tree_sc_align(uint64_t end, uint64_t *off_out)
{
	if (!mih_checked_add(end, MIH_TREE_SC_ALIGN - 1, off_out))
		return false;
	*off_out -= *off_out % MIH_TREE_SC_ALIGN;
	return true;
}

/**
 * mih_tree_sc_sum_file() - XXH3-128 of a part of a file, by pread
 * @fd:  open for reading (borrowed)
 * @sum: MIH_TREE_SC_SUM_LEN bytes
 *
 * Return: 0; -ENODATA if the file ends before; -ENOMEM or -errno. No story.
 */
MIH_MUST_CHECK mih_err mih_tree_sc_sum_file(int fd, uint64_t off,
					    uint64_t nbytes, uint8_t *sum);

#endif
