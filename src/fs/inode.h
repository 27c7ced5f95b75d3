/*
 * fs/inode.h - the names of the mount: built once from the signed paths
 *
 * Layer: src/fs.  Threads: immutable after build.
 *
 * Inode numbers are positions in one array, so they never change and looking
 * one up costs nothing. The children of a folder lie side by side, sorted by
 * the bytes of their names: a lookup is a binary search, a listing is a walk.
 * 32 bytes per file and folder; names are borrowed from the manifest.
 */
#ifndef MIH_FS_INODE_H
#define MIH_FS_INODE_H

#include "util/err.h"
#include "verify/model.h"

#define MIH_FS_ROOT 1 /* inode number of the top folder: position 0 */

/** One file or folder. */
struct mih_fs_node {
	const char *name;   /* name_len bytes inside a signed path (borrowed),
			       NOT ended by a NUL */
	uint32_t parent;    /* position; the root is its own */
	uint32_t first;	    /* folder: position of the first child;
			       file: index in the model's files */
	uint32_t nchildren; /* folder only */
	uint32_t nfolders;  /* folder only: how many of them are folders */
	uint16_t name_len;  /* at most 255 */
	bool is_dir;
};

struct mih_fs_inodes {
	struct mih_fs_node *nodes; /* owned */
	size_t n;
	uint64_t nblocks; /* of all files, in 4096 bytes */
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

/** mih_fs_inode_number() - of the node at @position. */
static inline uint64_t mih_fs_inode_number(uint32_t position)
{
	return (uint64_t)position + MIH_FS_ROOT;
}

/** mih_fs_inode_get() - the node with number @ino; NULL if there is none. */
static inline const struct mih_fs_node *
mih_fs_inode_get(const struct mih_fs_inodes *inodes, uint64_t ino)
{
	if (ino < MIH_FS_ROOT || ino - MIH_FS_ROOT >= inodes->n)
		return NULL;
	return &inodes->nodes[ino - MIH_FS_ROOT];
}

/**
 * mih_fs_inode_find() - number of the child of @dir called @name
 *
 * Return: the inode number; 0 if @dir has no such child. O(log n).
 */
uint64_t mih_fs_inode_find(const struct mih_fs_inodes *inodes,
			   const struct mih_fs_node *dir, const char *name);

#endif
