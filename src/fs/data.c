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
	fuse_ino_t ino;
	struct fuse_file_info fi;
	struct mih_fs *fs;
	struct mih_fs_generation *generation; /* counted: for the open file */
};

/* An open file is known by the version of the model that it belongs to. */
static struct mih_fs_generation *generation_of(const struct fuse_file_info *fi)
{
	return (struct mih_fs_generation *)(uintptr_t)fi->fh;
}

static void close_file(struct mih_fs_generation *generation, size_t file)
{
	mih_verify_close(generation->engine, file);
	mih_fs_generation_put(generation);
}

/* An answer that did not arrive (the caller was interrupted, or the mount is
 * gone) leaves no file for which a release would come. */
static void opened(struct opening *o)
{
	struct mih_verify_engine *engine = o->generation->engine;
	mih_err err =
	    mih_fs_mode_open(&o->fs->modes, o->req, o->ino,
			     mih_verify_staged(engine, o->open.file), &o->fi);

	if (!err)
		mih_verify_note_way(engine, o->open.file,
				    mih_fs_mode_name(&o->fi));
	if (err)
		mih_fs_reply_err(o->req, err);
	else if (fuse_reply_open(o->req, &o->fi) == 0)
		return;
	else
		mih_fs_mode_close(&o->fs->modes, o->fs->session, o->ino);
	close_file(o->generation, o->open.file);
}

/* An interrupt that is being handled on another thread must have left this
 * request before it is freed. */
static void open_done(struct mih_verify_open *request, mih_err err)
{
	struct opening *o = (struct opening *)request;

	fuse_req_interrupt_func(o->req, NULL, NULL);
	if (err) {
		mih_fs_reply_err(o->req, err);
		mih_fs_generation_put(o->generation);
	} else {
		opened(o);
	}
	free(o);
}

/* Whoever asked has been sent a signal: a large file may take long, and its
 * reader shall not have to wait for it in order to die. */
static void interrupted(fuse_req_t req, void *data)
{
	struct opening *o = data;

	if (!mih_verify_open_cancel(o->generation->engine, &o->open))
		return;
	fuse_reply_err(req, EINTR);
	mih_fs_generation_put(o->generation);
	free(o);
}

static void open_file(fuse_req_t req, fuse_ino_t ino,
		      const struct mih_fs_found *found,
		      const struct fuse_file_info *fi)
{
	struct mih_fs *fs = mih_fs_of(req);
	struct opening *o = malloc(sizeof(*o));

	if (!o) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*o = (struct opening){
		.open = { .file = found->node->first,
			  .unstaged = !mih_fs_modes_stages(&fs->modes),
			  .done = open_done },
		.req = req,
		.ino = ino,
		.fi = *fi,
		.fs = fs,
		.generation = mih_fs_generation_get(found->generation),
	};
	o->fi.fh = (uintptr_t)found->generation;
	fuse_req_interrupt_func(req, interrupted, o);
	mih_verify_open(found->generation->engine, &o->open);
}

/* A file that is not in the current version any more is ESTALE, upon which the
 * kernel looks its name up again: so a new open never gets old bytes, even
 * while the kernel has not yet forgotten what the name stood for. */
static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mih_fs *fs = mih_fs_of(req);
	struct mih_fs_found found = mih_fs_find_current(&fs->generations, ino);

	if (!found.node)
		fuse_reply_err(req, ESTALE);
	else if (found.node->is_dir)
		fuse_reply_err(req, EISDIR);
	else if ((fi->flags & O_ACCMODE) != O_RDONLY || (fi->flags & O_TRUNC))
		fuse_reply_err(req, EROFS);
	else
		open_file(req, ino, &found, fi);
	mih_fs_generation_put(found.generation);
}

static void do_release(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct mih_fs_generation *generation = generation_of(fi);
	const struct mih_fs_node *node =
	    mih_fs_inode_get(&generation->inodes, ino);

	mih_fs_mode_close(&mih_fs_of(req)->modes, mih_fs_of(req)->session, ino);
	if (node && !node->is_dir)
		close_file(generation, node->first);
	fuse_reply_err(req, 0);
}

struct reading {
	struct mih_verify_read read;
	fuse_req_t req;
	struct mih_fs_generation *generation; /* counted: the file may be
						 closed upon the answer */
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
	mih_fs_generation_put(r->generation);
	free(r);
}

static void read_file(fuse_req_t req, struct mih_fs_generation *generation,
		      const struct mih_verify_read *read)
{
	struct reading *r = malloc(sizeof(*r));

	if (!r) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	r->read = *read;
	r->req = req;
	r->generation = mih_fs_generation_get(generation);
	/* Counted here too: the answer may come, and the file be closed, before
	 * the engine returns. */
	mih_fs_generation_get(generation);
	mih_verify_read(generation->engine, &r->read);
	mih_fs_generation_put(generation);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct mih_fs_generation *generation = generation_of(fi);
	const struct mih_fs_inodes *inodes = &generation->inodes;
	const struct mih_fs_node *node = mih_fs_inode_get(inodes, ino);
	struct mih_verify_read read = {
		.off = (uint64_t)off,
		.len = size,
		.done = read_done,
	};

	if (!node || node->is_dir || off < 0 || size > MIH_VERIFY_READ_MAX) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	if (size == 0 || read.off >= mih_fs_inode_file(inodes, node)->nbytes) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	read.file = node->first;
	read_file(req, generation, &read);
}

void mih_fs_data_ops(struct fuse_lowlevel_ops *ops)
{
	ops->open = do_open;
	ops->release = do_release;
	ops->read = do_read;
}
