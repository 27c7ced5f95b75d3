#include "fs/fs_internal.h"
#include "util/checked.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 4096

static void fill_attr(const struct mih_fs *fs, const struct mih_fs_node *node,
		      struct stat *st)
{
	*st = (struct stat){
		.st_ino =
		    mih_fs_inode_number((uint32_t)(node - fs->inodes.nodes)),
		.st_uid = fs->uid,
		.st_gid = fs->gid,
		.st_blksize = BLOCK,
	};
	if (node->is_dir) {
		st->st_mode = S_IFDIR | 0555;
		st->st_nlink = 2 + (nlink_t)node->nfolders;
		st->st_size = BLOCK;
		st->st_blocks = BLOCK / 512;
	} else {
		uint64_t nbytes = fs->model->files[node->first].nbytes;

		st->st_mode = S_IFREG | 0444;
		st->st_nlink = 1;
		st->st_size = (off_t)nbytes;
		st->st_blocks = (blkcnt_t)mih_checked_ceil_div(nbytes, 512);
	}
}

static void fill_entry(const struct mih_fs *fs, const struct mih_fs_node *node,
		       struct fuse_entry_param *entry)
{
	*entry = (struct fuse_entry_param){
		.attr_timeout = MIH_FS_FOREVER,
		.entry_timeout = MIH_FS_FOREVER,
	};
	fill_attr(fs, node, &entry->attr);
	entry->ino = entry->attr.st_ino;
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct mih_fs *fs = mih_fs_of(req);
	const struct mih_fs_node *dir = mih_fs_inode_get(&fs->inodes, parent);
	/* Inode 0 tells the kernel to remember that the name does not exist. */
	struct fuse_entry_param entry = { .entry_timeout = MIH_FS_FOREVER };
	uint64_t ino;

	if (!dir || !dir->is_dir) {
		fuse_reply_err(req, dir ? ENOTDIR : ESTALE);
		return;
	}
	ino = mih_fs_inode_find(&fs->inodes, dir, name);
	if (ino)
		fill_entry(fs, mih_fs_inode_get(&fs->inodes, ino), &entry);
	fuse_reply_entry(req, &entry);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	const struct mih_fs *fs = mih_fs_of(req);
	const struct mih_fs_node *node = mih_fs_inode_get(&fs->inodes, ino);
	struct stat st;

	(void)fi;
	if (!node) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	fill_attr(fs, node, &st);
	fuse_reply_attr(req, &st, MIH_FS_FOREVER);
}

static void do_opendir(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	(void)ino;
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

/* Entry @at of a listing: ".", "..", then the children. */
static const struct mih_fs_node *entry_at(const struct mih_fs *fs,
					  const struct mih_fs_node *dir,
					  uint64_t at, char *name)
{
	const struct mih_fs_node *node;

	if (at < 2) {
		strcpy(name, at == 0 ? "." : "..");
		return at == 0 ? dir : &fs->inodes.nodes[dir->parent];
	}
	if (at - 2 >= dir->nchildren)
		return NULL;
	node = &fs->inodes.nodes[dir->first + (at - 2)];
	memcpy(name, node->name, node->name_len);
	name[node->name_len] = '\0';
	return node;
}

bool mih_fs_list_entry(struct mih_fs_listing *l, const char *name,
		       const struct fuse_entry_param *entry, off_t next)
{
	size_t room = l->room - l->used, n;
	char *at = l->buf + l->used;

	if (l->plus)
		n = fuse_add_direntry_plus(l->req, at, room, name, entry, next);
	else
		n = fuse_add_direntry(l->req, at, room, name, &entry->attr,
				      next);
	if (n > room)
		return false;
	l->used += n;
	return true;
}

static void list(struct mih_fs_listing *l, const struct mih_fs_node *dir,
		 off_t off)
{
	const struct mih_fs *fs = mih_fs_of(l->req);
	const struct mih_fs_node *node;
	struct fuse_entry_param entry;
	char name[256];

	for (uint64_t at = (uint64_t)off;
	     (node = entry_at(fs, dir, at, name)) != NULL; at++) {
		fill_entry(fs, node, &entry);
		/* "." and ".." are not looked up, so nothing forgets them. */
		if (at < 2)
			entry.ino = 0;
		if (!mih_fs_list_entry(l, name, &entry, (off_t)at + 1))
			return;
	}
}

static void read_folder(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			bool plus)
{
	const struct mih_fs *fs = mih_fs_of(req);
	const struct mih_fs_node *dir = mih_fs_inode_get(&fs->inodes, ino);
	struct mih_fs_listing l = { .req = req, .room = size, .plus = plus };

	if (!dir || !dir->is_dir || off < 0) {
		fuse_reply_err(req, ENOTDIR);
		return;
	}
	l.buf = malloc(size);
	if (!l.buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	list(&l, dir, off);
	fuse_reply_buf(req, l.buf, l.used);
	free(l.buf);
}

static void do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	(void)fi;
	read_folder(req, ino, size, off, false);
}

static void do_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			   off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	read_folder(req, ino, size, off, true);
}

static void do_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct mih_fs *fs = mih_fs_of(req);
	struct statvfs st = {
		.f_bsize = BLOCK,
		.f_frsize = BLOCK,
		.f_blocks = fs->inodes.nblocks,
		.f_files = fs->inodes.n,
		.f_namemax = 255,
	};

	(void)ino;
	fuse_reply_statfs(req, &st);
}

void mih_fs_names_ops(struct fuse_lowlevel_ops *ops)
{
	ops->lookup = do_lookup;
	ops->getattr = do_getattr;
	ops->opendir = do_opendir;
	ops->readdir = do_readdir;
	ops->readdirplus = do_readdirplus;
	ops->statfs = do_statfs;
}
