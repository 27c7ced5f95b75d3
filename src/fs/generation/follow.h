/*
 * fs/generation/follow.h - what is new in a later table of names
 *
 * Layer: src/fs.  Threads: one at a time, before the later table is served.
 */
#ifndef MIH_FS_GENERATION_FOLLOW_H
#define MIH_FS_GENERATION_FOLLOW_H

#include "fs/generation/inode.h"

/** Something that the kernel may remember and that is not so any more. */
struct mih_fs_change {
	uint64_t folder;  /* its number, in both tables */
	const char *name; /* of an entry that came, went or stands for
			     something else now, name_len bytes (borrowed from
			     one of the tables); NULL: the list of entries */
	size_t name_len;
};

/** Changes; those of one folder lie side by side, its own comes last. */
struct mih_fs_changes {
	struct mih_fs_change *items; /* owned */
	size_t n, room;
};

/**
 * mih_fs_inodes_follow() - number @now as what comes after @before
 * @now:      as built; gets new numbers and times
 * @before:   the table that was served until now (borrowed)
 * @since_ns: time of whatever is new
 * @changes:  empty; filled with what has changed, below folders that both
 *            tables have; finish with mih_fs_changes_fini()
 *
 * A folder keeps its number, and so does a file whose bytes are the same. All
 * else gets a number that was never used before.
 *
 * Cost: O(entries of both), plus one sort of @now's numbers.
 *
 * Return: 0; -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_fs_inodes_follow(struct mih_fs_inodes *now,
					    const struct mih_fs_inodes *before,
					    uint64_t since_ns,
					    struct mih_fs_changes *changes);

/** mih_fs_changes_fini() - release the list. */
void mih_fs_changes_fini(struct mih_fs_changes *changes);

#endif
