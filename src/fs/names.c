/*
 * What the kernel asks about names. Names are looked up in the current version
 * of the model alone; what it holds of earlier ones is still told about.
 */
#include "fs/fs_internal.h"
#include "util/checked.h"

#define BLOCK 4096

static struct timespec time_of(const struct mih_fs_node *node)
{
	return (struct timespec){
		.tv_sec = (time_t)(node->since_ns / 1000000000),
		.tv_nsec = (long)(node->since_ns % 1000000000),
	};
}

static void fill_attr(const struct mih_fs *fs,
		      const struct mih_fs_inodes *inodes,
		      const struct mih_fs_node *node, struct stat *st)
{
	*st = (struct stat){
		.st_ino = node->number,
		.st_uid = fs->uid,
		.st_gid = fs->gid,
		.st_blksize = BLOCK,
		.st_atim = time_of(node),
		.st_mtim = time_of(node),
		.st_ctim = time_of(node),
	};
	if (node->is_dir) {
		st->st_mode = S_IFDIR | 0555;
		st->st_nlink = 2 + (nlink_t)node->nfolders;
		st->st_size = BLOCK;
		st->st_blocks = BLOCK / 512;
	} else {
		uint64_t nbytes = mih_fs_inode_file(inodes, node)->nbytes;

		st->st_mode = S_IFREG | 0444;
		st->st_nlink = 1;
		st->st_size = (off_t)nbytes;
		st->st_blocks = (blkcnt_t)mih_checked_ceil_div(nbytes, 512);
	}
}

void mih_fs_fill_entry(const struct mih_fs *fs,
		       const struct mih_fs_inodes *inodes,
		       const struct mih_fs_node *node,
		       struct fuse_entry_param *entry)
{
	*entry = (struct fuse_entry_param){
		.attr_timeout = MIH_FS_FOREVER,
		.entry_timeout = MIH_FS_FOREVER,
	};
	fill_attr(fs, inodes, node, &entry->attr);
	entry->ino = node->number;
}

static void look_up(fuse_req_t req, const struct mih_fs_found *dir,
		    const char *name)
{
	const struct mih_fs_inodes *inodes = &dir->generation->inodes;
	const struct mih_fs_node *node =
	    mih_fs_inode_find(inodes, dir->node, name);
	/* Inode 0 tells the kernel to remember that the name does not exist. */
	struct fuse_entry_param entry = { .entry_timeout = MIH_FS_FOREVER };

	if (node)
		mih_fs_fill_entry(mih_fs_of(req), inodes, node, &entry);
	fuse_reply_entry(req, &entry);
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct mih_fs *fs = mih_fs_of(req);
	struct mih_fs_found dir = mih_fs_find_current(&fs->generations, parent);

	if (!dir.node)
		fuse_reply_err(req, ESTALE);
	else if (!dir.node->is_dir)
		fuse_reply_err(req, ENOTDIR);
	else
		look_up(req, &dir, name);
	mih_fs_generation_put(dir.generation);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct mih_fs *fs = mih_fs_of(req);
	struct mih_fs_found found = mih_fs_find(&fs->generations, ino);
	struct stat st;

	(void)fi;
	if (!found.node) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	fill_attr(fs, &found.generation->inodes, found.node, &st);
	fuse_reply_attr(req, &st, MIH_FS_FOREVER);
	mih_fs_generation_put(found.generation);
}

static void do_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct mih_fs *fs = mih_fs_of(req);
	struct mih_fs_generation *current =
	    mih_fs_generation_current(&fs->generations);
	struct statvfs st = {
		.f_bsize = BLOCK,
		.f_frsize = BLOCK,
		.f_blocks = current->inodes.nblocks,
		.f_files = current->inodes.n,
		.f_namemax = 255,
	};

	(void)ino;
	fuse_reply_statfs(req, &st);
	mih_fs_generation_put(current);
}

void mih_fs_names_ops(struct fuse_lowlevel_ops *ops)
{
	ops->lookup = do_lookup;
	ops->getattr = do_getattr;
	ops->statfs = do_statfs;
}
