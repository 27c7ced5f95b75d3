/*
 * Opening and reading. No FUSE thread waits here: the engine answers from its
 * own threads, as soon as the bytes are proven.
 */
#include "fs/fs_internal.h"

#include <fcntl.h>
#include <stdlib.h>

struct opening {
	struct mih_verify_open open;
	fuse_req_t req;
	struct fuse_file_info fi;
	struct mih_fs *fs;
};

/* An answer that did not arrive (the caller was interrupted, or the mount is
 * gone) leaves no file for which a release would come. */
static void open_done(struct mih_verify_open *request, mih_err err)
{
	struct opening *o = (struct opening *)request;

	if (err)
		mih_fs_reply_err(o->req, err);
	else if (fuse_reply_open(o->req, &o->fi) != 0)
		mih_verify_close(o->fs->engine, o->open.file);
	free(o);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mih_fs *fs = mih_fs_of(req);
	const struct mih_fs_node *node = mih_fs_inode_get(&fs->inodes, ino);
	struct opening *o;

	if (!node || node->is_dir) {
		fuse_reply_err(req, node ? EISDIR : ESTALE);
		return;
	}
	if ((fi->flags & O_ACCMODE) != O_RDONLY || (fi->flags & O_TRUNC)) {
		fuse_reply_err(req, EROFS);
		return;
	}
	o = malloc(sizeof(*o));
	if (!o) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*o = (struct opening){
		.open = { .file = node->first, .done = open_done },
		.req = req,
		.fi = *fi,
		.fs = fs,
	};
	o->fi.keep_cache = 1;
	mih_verify_open(fs->engine, &o->open);
}

static void do_release(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct mih_fs *fs = mih_fs_of(req);
	const struct mih_fs_node *node = mih_fs_inode_get(&fs->inodes, ino);

	(void)fi;
	if (node && !node->is_dir)
		mih_verify_close(fs->engine, node->first);
	fuse_reply_err(req, 0);
}

struct reading {
	struct mih_verify_read read;
	fuse_req_t req;
};

/* All the bytes or an error: the kernel would take what is missing in a short
 * answer for zeros. The reply is copied into the kernel before the bytes go
 * back to the engine; nothing is spliced. */
static void read_done(struct mih_verify_read *request, mih_err err)
{
	struct reading *r = (struct reading *)request;

	if (err)
		mih_fs_reply_err(r->req, err);
	else
		fuse_reply_iov(r->req, r->read.iov, r->read.niov);
	mih_verify_read_release(&r->read);
	free(r);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct mih_fs *fs = mih_fs_of(req);
	const struct mih_fs_node *node = mih_fs_inode_get(&fs->inodes, ino);
	struct reading *r;

	(void)fi;
	if (!node || node->is_dir || off < 0 || size > MIH_VERIFY_READ_MAX) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	if (size == 0 ||
	    (uint64_t)off >= fs->model->files[node->first].nbytes) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	r = malloc(sizeof(*r));
	if (!r) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	r->req = req;
	r->read = (struct mih_verify_read){
		.file = node->first,
		.off = (uint64_t)off,
		.len = size,
		.done = read_done,
	};
	mih_verify_read(fs->engine, &r->read);
}

void mih_fs_data_ops(struct fuse_lowlevel_ops *ops)
{
	ops->open = do_open;
	ops->release = do_release;
	ops->read = do_read;
}
