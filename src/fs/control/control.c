#include "fs/fs_internal.h"
#include "status/documents.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* What all open files together may hold, so that no reader can make the mount
 * grow; one alone may be larger, as a model may have very many names. */
#define HANDLES_MAX 64
#define BYTES_MAX   ((size_t)16 << 20)

#define NDOCUMENTS MIH_STATUS_NDOCUMENTS

struct mih_fs_control_handle {
	LIST_ENTRY(mih_fs_control_handle) link;
	struct mih_pool_work work;
	struct mih_fs *fs;
	const struct mih_status_document *document;
	fuse_req_t req; /* until it is answered */
	struct fuse_file_info fi;
	struct mih_buffer text; /* fixed once the open is answered */
	atomic_uint refs;	/* being open, and each answer under way */
};

static uint64_t ino_of(size_t document)
{
	return MIH_FS_CONTROL_INO + 1 + document;
}

/* NULL: the folder itself, or nothing that is there. */
static const struct mih_status_document *document_of(fuse_ino_t ino)
{
	uint64_t at = ino - MIH_FS_CONTROL_INO - 1;

	return at < NDOCUMENTS ? &mih_status_documents[at] : NULL;
}

/* Sizes are not known before an open; as in /proc they are 0. */
static void fill_attr(const struct mih_fs *fs, uint64_t ino, struct stat *st)
{
	const struct mih_status_document *document = document_of(ino);

	*st = (struct stat){
		.st_ino = ino,
		.st_mode = document ? S_IFREG | document->mode : S_IFDIR | 0555,
		.st_nlink = document ? 1 : 2,
		.st_uid = fs->uid,
		.st_gid = fs->gid,
		.st_blksize = 4096,
	};
}

/* The kernel asks for the name each time: a later generation of the model may
 * have signed it. */
static void reply_entry(fuse_req_t req, uint64_t ino)
{
	struct fuse_entry_param entry = { .ino = ino };

	if (ino) {
		fill_attr(mih_fs_of(req), ino, &entry.attr);
		entry.attr_timeout = MIH_FS_FOREVER;
	}
	fuse_reply_entry(req, &entry);
}

static uint64_t find_document(const char *name)
{
	for (size_t i = 0; i < NDOCUMENTS; i++)
		if (!strcmp(mih_status_documents[i].name, name))
			return ino_of(i);
	return 0;
}

/* By a name that the model has signed for itself. */
static bool is_hidden(const struct mih_fs_inodes *inodes)
{
	return mih_fs_inode_find(inodes, &inodes->nodes[0],
				 MIH_FS_CONTROL_NAME) != NULL;
}

static bool is_hidden_now(struct mih_fs *fs)
{
	struct mih_fs_generation *current =
	    mih_fs_generation_current(&fs->generations);
	bool hidden = is_hidden(&current->inodes);

	mih_fs_generation_put(current);
	return hidden;
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct mih_fs *fs = mih_fs_of(req);

	if (mih_fs_control_is(parent))
		reply_entry(req, find_document(name));
	else if (parent == MIH_FS_ROOT && !strcmp(name, MIH_FS_CONTROL_NAME) &&
		 !is_hidden_now(fs))
		reply_entry(req, MIH_FS_CONTROL_INO);
	else
		fs->control.beneath.lookup(req, parent, name);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	const struct mih_fs *fs = mih_fs_of(req);
	struct stat st;

	if (!mih_fs_control_is(ino)) {
		fs->control.beneath.getattr(req, ino, fi);
		return;
	}
	fill_attr(fs, ino, &st);
	fuse_reply_attr(req, &st, MIH_FS_FOREVER);
}

/* "." and ".." are not looked up, so their inode numbers are 0. */
static void list(struct mih_fs_listing *l, size_t at)
{
	static const char *const dots[] = { ".", ".." };
	struct fuse_entry_param entry = { 0 };

	for (; at < 2 + NDOCUMENTS; at++) {
		const char *name =
		    at < 2 ? dots[at] : mih_status_documents[at - 2].name;

		fill_attr(mih_fs_of(l->req),
			  at < 2 ? MIH_FS_CONTROL_INO : ino_of(at - 2),
			  &entry.attr);
		entry.ino = at < 2 ? 0 : entry.attr.st_ino;
		entry.attr_timeout = MIH_FS_FOREVER;
		if (!mih_fs_list_entry(l, name, &entry, (off_t)at + 1))
			return;
	}
}

static void reply_listing(fuse_req_t req, size_t size, off_t off, bool plus)
{
	mih_autofree char *buf = malloc(size);
	struct mih_fs_listing l = {
		.req = req,
		.buf = buf,
		.room = size,
		.plus = plus,
	};

	if (!buf || off < 0) {
		fuse_reply_err(req, buf ? EINVAL : ENOMEM);
		return;
	}
	list(&l, (size_t)off);
	fuse_reply_buf(req, l.buf, l.used);
}

static void do_opendir(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	if (mih_fs_control_is(ino))
		fuse_reply_open(req, fi);
	else
		mih_fs_of(req)->control.beneath.opendir(req, ino, fi);
}

static void do_releasedir(fuse_req_t req, fuse_ino_t ino,
			  struct fuse_file_info *fi)
{
	if (mih_fs_control_is(ino))
		fuse_reply_err(req, 0);
	else
		mih_fs_of(req)->control.beneath.releasedir(req, ino, fi);
}

static void do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	if (mih_fs_control_is(ino))
		reply_listing(req, size, off, false);
	else
		mih_fs_of(req)->control.beneath.readdir(req, ino, size, off,
							fi);
}

static void do_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			   off_t off, struct fuse_file_info *fi)
{
	if (mih_fs_control_is(ino))
		reply_listing(req, size, off, true);
	else
		mih_fs_of(req)->control.beneath.readdirplus(req, ino, size, off,
							    fi);
}

static void handle_free(struct mih_fs_control_handle *handle)
{
	struct mih_fs_control *control = &handle->fs->control;

	pthread_mutex_lock(&control->lock);
	LIST_REMOVE(handle, link);
	control->nhandles--;
	control->nbytes -= handle->text.len;
	pthread_mutex_unlock(&control->lock);
	mih_buffer_fini(&handle->text);
	free(handle);
}

static bool is_full(const struct mih_fs_control *control)
{
	return control->nhandles >= HANDLES_MAX || control->nbytes >= BYTES_MAX;
}

/* A reader that has its answer may close the file before the thread that gave
 * it is done with the text. */
static void handle_put(struct mih_fs_control_handle *handle)
{
	if (atomic_fetch_sub(&handle->refs, 1) == 1)
		handle_free(handle);
}

/* NULL: enough files are open. */
static struct mih_fs_control_handle *handle_new(struct mih_fs *fs)
{
	struct mih_fs_control *control = &fs->control;
	struct mih_fs_control_handle *handle = calloc(1, sizeof(*handle));
	bool full;

	if (!handle)
		return NULL;
	handle->fs = fs;
	pthread_mutex_lock(&control->lock);
	full = is_full(control);
	if (!full) {
		control->nhandles++;
		LIST_INSERT_HEAD(&control->handles, handle, link);
	}
	pthread_mutex_unlock(&control->lock);
	if (!full)
		return handle;
	free(handle);
	return NULL;
}

/* Those who were let in together may not all find room. */
static mih_err write_text(struct mih_fs_control_handle *handle)
{
	struct mih_fs_control *control = &handle->fs->control;
	struct mih_status *status = handle->fs->params->status;
	bool has_room;
	mih_err err;

	pthread_mutex_lock(&control->lock);
	has_room = control->nbytes < BYTES_MAX;
	pthread_mutex_unlock(&control->lock);
	err = has_room ? handle->document->render(status, &handle->text)
		       : -ENFILE;
	pthread_mutex_lock(&control->lock);
	control->nbytes += handle->text.len;
	pthread_mutex_unlock(&control->lock);
	return err;
}

/* On the thread of the pool. An answer that did not arrive leaves no file for
 * which a release would come. */
static void answer_open(struct mih_pool_work *work)
{
	struct mih_fs_control_handle *handle =
	    (void *)((char *)work -
		     offsetof(struct mih_fs_control_handle, work));
	mih_err err = write_text(handle);

	handle->fi.direct_io = 1;
	handle->fi.fh = (uintptr_t)handle;
	if (err)
		mih_fs_reply_err(handle->req, err);
	if (err || fuse_reply_open(handle->req, &handle->fi) != 0)
		handle_put(handle);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mih_fs *fs = mih_fs_of(req);
	const struct mih_status_document *document = document_of(ino);
	struct mih_fs_control_handle *handle;

	if (!mih_fs_control_is(ino)) {
		fs->control.beneath.open(req, ino, fi);
		return;
	}
	if (!document || (fi->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, document ? EROFS : EISDIR);
		return;
	}
	handle = handle_new(fs);
	if (!handle) {
		fuse_reply_err(req, ENFILE);
		return;
	}
	atomic_init(&handle->refs, 1);
	handle->document = document;
	handle->req = req;
	handle->fi = *fi;
	handle->work.run = answer_open;
	mih_pool_submit(fs->control.pool, &handle->work, MIH_POOL_URGENT);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct mih_fs_control_handle *handle = (void *)(uintptr_t)fi->fh;
	size_t len;

	if (!mih_fs_control_is(ino)) {
		mih_fs_of(req)->control.beneath.read(req, ino, size, off, fi);
		return;
	}
	atomic_fetch_add(&handle->refs, 1);
	len = handle->text.len;
	if (off < 0 || (uint64_t)off >= len)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, handle->text.data + off,
			       MIH_MIN(size, len - (size_t)off));
	handle_put(handle);
}

static void do_release(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	if (!mih_fs_control_is(ino)) {
		mih_fs_of(req)->control.beneath.release(req, ino, fi);
		return;
	}
	handle_put((void *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

static void do_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			size_t size)
{
	if (mih_fs_control_is(ino))
		fuse_reply_err(req, ENODATA);
	else
		mih_fs_of(req)->control.beneath.getxattr(req, ino, name, size);
}

static void do_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	if (!mih_fs_control_is(ino))
		mih_fs_of(req)->control.beneath.listxattr(req, ino, size);
	else if (size == 0)
		fuse_reply_xattr(req, 0);
	else
		fuse_reply_buf(req, NULL, 0);
}

void mih_fs_control_ops(struct mih_fs_control *control,
			struct fuse_lowlevel_ops *ops)
{
	control->beneath = *ops;
	ops->lookup = do_lookup;
	ops->getattr = do_getattr;
	ops->opendir = do_opendir;
	ops->releasedir = do_releasedir;
	ops->readdir = do_readdir;
	ops->readdirplus = do_readdirplus;
	ops->open = do_open;
	ops->read = do_read;
	ops->release = do_release;
	ops->getxattr = do_getxattr;
	ops->listxattr = do_listxattr;
}

void mih_fs_control_look(const struct mih_fs *fs,
			 const struct mih_fs_inodes *inodes)
{
	if (fs->params->status && is_hidden(inodes))
		mih_log_warning("%s: the model has a signed %s of its own, so "
				"'mihfs status' cannot look into this mount",
				fs->mountpoint, MIH_FS_CONTROL_NAME);
}

mih_err mih_fs_control_start(struct mih_fs *fs)
{
	struct mih_fs_control *control = &fs->control;

	if (!fs->params->status)
		return 0;
	pthread_mutex_init(&control->lock, NULL);
	mih_fs_control_look(fs, &fs->generations.current->inodes);
	return mih_pool_new("mihfs-status", 1, &control->pool);
}

void mih_fs_control_stop(struct mih_fs *fs)
{
	struct mih_fs_control *control = &fs->control;
	struct mih_fs_control_handle *handle;

	mih_pool_free(MIH_STEAL(&control->pool));
	while ((handle = LIST_FIRST(&control->handles)))
		handle_free(handle);
}
