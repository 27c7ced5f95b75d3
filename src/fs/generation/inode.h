/*
 * fs/generation/inode.h - the names of the mount: built once from the signed
 * paths
 *
 * Layer: src/fs.  Threads: immutable after build and follow.
 *
 * The children of a folder lie side by side, sorted by the bytes of their
 * names: a lookup is a binary search, a listing is a walk. 48 bytes per file
 * and folder; names are borrowed from the manifest.
 *
 * A number stands for one folder, or for one file with certain bytes, as long
 * as the mount lives: the kernel keeps pages by number. Numbers of the first
 * table are positions in its array; mih_fs_inodes_follow() (follow.h)
 * gives a later one the numbers of what has not changed.
 */
#ifndef MIH_FS_INODE_H
#define MIH_FS_INODE_H

#include "util/err.h"
#include "verify/model.h"

#define MIH_FS_ROOT 1 /* number of the top folder, which is at position 0 */

/** One file or folder. */
struct mih_fs_node {
	const char *name;   /* name_len bytes inside a signed path (borrowed),
			       NOT ended by a NUL */
	uint64_t number;    /* of the inode */
	uint64_t since_ns;  /* when this mount began to show it so, in ns
			       since 1970; 0: from its start */
	uint32_t parent;    /* position; the root is its own */
	uint32_t first;	    /* folder: position of the first child;
			       file: index in the model's files */
	uint32_t nchildren; /* folder only */
	uint32_t nfolders;  /* folder only: how many of them are folders */
	uint16_t name_len;  /* at most 255 */
	bool is_dir;
};

/** Where a number is. */
struct mih_fs_place {
	uint64_t number;
	uint32_t position;
};

struct mih_fs_inodes {
	const struct mih_verify_file *files; /* kept */
	struct mih_fs_node *nodes;	     /* owned */
	size_t n;
	struct mih_fs_place *places; /* by number; NULL: numbers are positions,
					from MIH_FS_ROOT on; owned */
	uint64_t next;		     /* the first number never given yet */
	uint64_t nblocks;	     /* of all files, in 4096 bytes */
};

/**
 * mih_fs_inodes_build() - folders and files of a model
 * @files:   @nfiles files in code point order of path (kept)
 * @out:     filled; finish with mih_fs_inodes_fini()
 *
 * Cost: O(bytes of all paths) and one sort per folder.
 *
 * Return: 0; -ENOMEM; MIH_EFORMAT with a story if a path is a file and also
 * the folder of another one, appears twice, or has a component that no
 * directory entry can have.
 */
MIH_MUST_CHECK mih_err mih_fs_inodes_build(const struct mih_verify_file *files,
					   size_t nfiles,
					   struct mih_fs_inodes *out);

/** mih_fs_inodes_fini() - release what the table owns. */
void mih_fs_inodes_fini(struct mih_fs_inodes *inodes);

/**
 * mih_fs_inode_get() - the node with number @ino; NULL if there is none
 *
 * Cost: none in the first table of a mount, else O(log n).
 */
const struct mih_fs_node *mih_fs_inode_get(const struct mih_fs_inodes *inodes,
					   uint64_t ino);

/** mih_fs_name_cmp() - the order of the children of a folder. */
int mih_fs_name_cmp(const struct mih_fs_node *a, const struct mih_fs_node *b);

/** mih_fs_inode_file() - what a file's node stands for. */
static inline const struct mih_verify_file *
mih_fs_inode_file(const struct mih_fs_inodes *inodes,
		  const struct mih_fs_node *node)
{
	return &inodes->files[node->first];
}

/**
 * mih_fs_inode_find() - the child of @dir called @name
 *
 * Return: its node; NULL if @dir has no such child. O(log n).
 */
const struct mih_fs_node *mih_fs_inode_find(const struct mih_fs_inodes *inodes,
					    const struct mih_fs_node *dir,
					    const char *name);

#endif
