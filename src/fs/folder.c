/*
 * Listing folders. An open folder belongs to one version of the model, so that
 * a listing is of that version from its first entry to its last; when it is
 * read from the beginning again it goes over to the current one.
 *
 * The kernel keeps one list of entries per folder, which anybody who reads the
 * folder may add to at the place where it ends, known by the cookie of its last
 * entry. Hence cookies differ between versions, and the first entry is always
 * of the current version: a kept list is never a mixture. And a list that was
 * begun earlier does not outlive the new time of modification of its folder.
 */
#include "fs/fs_internal.h"

#include <stdlib.h>
#include <string.h>

/* A cookie: index of the entry; above it, the version. */
#define AT_BITS 34
#define AT_MASK (((uint64_t)1 << AT_BITS) - 1)

/** An open folder; guarded by folders_lock. */
struct mih_fs_folder {
	struct mih_fs_folder *next, **link;   /* list of all */
	struct mih_fs_generation *generation; /* counted */
};

static struct mih_fs_folder *folder_of(const struct fuse_file_info *fi)
{
	return (struct mih_fs_folder *)(uintptr_t)fi->fh;
}

static void add(struct mih_fs *fs, struct mih_fs_folder *folder)
{
	pthread_mutex_lock(&fs->folders_lock);
	folder->next = fs->folders;
	folder->link = &fs->folders;
	if (folder->next)
		folder->next->link = &folder->next;
	fs->folders = folder;
	pthread_mutex_unlock(&fs->folders_lock);
}

/* Free it; its version is the caller's now. */
static struct mih_fs_generation *take(struct mih_fs *fs,
				      struct mih_fs_folder *folder)
{
	struct mih_fs_generation *generation = folder->generation;

	pthread_mutex_lock(&fs->folders_lock);
	*folder->link = folder->next;
	if (folder->next)
		folder->next->link = folder->link;
	pthread_mutex_unlock(&fs->folders_lock);
	free(folder);
	return generation;
}

void mih_fs_folders_free(struct mih_fs *fs)
{
	while (fs->folders)
		take(fs, fs->folders);
}

static void do_opendir(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct mih_fs *fs = mih_fs_of(req);
	struct mih_fs_found found = mih_fs_find_current(&fs->generations, ino);
	struct mih_fs_folder *folder =
	    found.node ? malloc(sizeof(*folder)) : NULL;

	if (!folder) {
		fuse_reply_err(req, found.node ? ENOMEM : ESTALE);
		mih_fs_generation_put(found.generation);
		return;
	}
	folder->generation = found.generation;
	add(fs, folder);
	fi->fh = (uintptr_t)folder;
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	if (fuse_reply_open(req, fi) != 0)
		mih_fs_generation_put(take(fs, folder));
}

static void do_releasedir(fuse_req_t req, fuse_ino_t ino,
			  struct fuse_file_info *fi)
{
	(void)ino;
	mih_fs_generation_put(take(mih_fs_of(req), folder_of(fi)));
	fuse_reply_err(req, 0);
}

static void pin(struct mih_fs *fs, struct mih_fs_folder *folder,
		struct mih_fs_generation *generation)
{
	struct mih_fs_generation *before;

	pthread_mutex_lock(&fs->folders_lock);
	before = folder->generation;
	folder->generation = mih_fs_generation_get(generation);
	pthread_mutex_unlock(&fs->folders_lock);
	mih_fs_generation_put(before);
}

static struct mih_fs_found find_pinned(struct mih_fs *fs, fuse_ino_t ino,
				       struct mih_fs_folder *folder)
{
	struct mih_fs_found found;

	pthread_mutex_lock(&fs->folders_lock);
	found.generation = mih_fs_generation_get(folder->generation);
	pthread_mutex_unlock(&fs->folders_lock);
	found.node = mih_fs_inode_get(&found.generation->inodes, ino);
	return found;
}

/* The version to list from @off on: from the beginning the current one, if the
 * folder is still there; else the one whose cookie it is. That may be another
 * than that of the folder, when the kernel's own list was read so far. */
static struct mih_fs_found find_folder(struct mih_fs *fs, fuse_ino_t ino,
				       struct mih_fs_folder *folder, off_t off)
{
	struct mih_fs_found found =
	    off == 0 ? mih_fs_find_current(&fs->generations, ino)
		     : mih_fs_find_serial(&fs->generations, ino,
					  (uint64_t)off >> AT_BITS);

	if (found.node)
		pin(fs, folder, found.generation);
	else if (off == 0)
		found = find_pinned(fs, ino, folder);
	return found;
}

/* Entry @at of a listing: ".", "..", then the children. */
static const struct mih_fs_node *entry_at(const struct mih_fs_inodes *inodes,
					  const struct mih_fs_node *dir,
					  uint64_t at, char *name)
{
	const struct mih_fs_node *node;

	if (at < 2) {
		strcpy(name, at == 0 ? "." : "..");
		return at == 0 ? dir : &inodes->nodes[dir->parent];
	}
	if (at - 2 >= dir->nchildren)
		return NULL;
	node = &inodes->nodes[dir->first + (at - 2)];
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

/* A listing, and what it is of. */
struct listing {
	struct mih_fs_listing text;
	struct mih_fs_found dir;
	bool look_up; /* the kernel may keep what an entry stands for */
};

static void list(struct listing *l, uint64_t at)
{
	const struct mih_fs_generation *generation = l->dir.generation;
	const struct mih_fs_inodes *inodes = &generation->inodes;
	const struct mih_fs_node *node;
	struct fuse_entry_param entry;
	char name[256];

	for (; (node = entry_at(inodes, l->dir.node, at, name)); at++) {
		mih_fs_fill_entry(mih_fs_of(l->text.req), inodes, node, &entry);
		/* "." and ".." are not looked up, so nothing forgets them. */
		if (at < 2 || !l->look_up)
			entry.ino = 0;
		if (!mih_fs_list_entry(
			&l->text, name, &entry,
			(off_t)(generation->serial << AT_BITS | (at + 1))))
			return;
	}
}

/* The kernel holds the folder's lock until it has taken the answer in. So what
 * the current version says is in before the keeper, who needs that lock, makes
 * the kernel forget it; what an earlier one says would never be forgotten. */
static void reply_list(struct listing *l, uint64_t at)
{
	struct mih_fs *fs = mih_fs_of(l->text.req);
	struct mih_fs_generation *current =
	    mih_fs_generation_current(&fs->generations);

	l->look_up = l->dir.generation == current;
	l->text.buf = malloc(l->text.room);
	if (l->text.buf) {
		list(l, at);
		fuse_reply_buf(l->text.req, l->text.buf, l->text.used);
	} else {
		fuse_reply_err(l->text.req, ENOMEM);
	}
	free(l->text.buf);
	mih_fs_generation_put(current);
}

static void read_folder(fuse_ino_t ino, off_t off, struct fuse_file_info *fi,
			const struct mih_fs_listing *text)
{
	struct listing l = { .text = *text };
	struct mih_fs *fs = mih_fs_of(text->req);

	l.dir = find_folder(fs, ino, folder_of(fi), off);
	if (!l.dir.node)
		fuse_reply_err(text->req, EINVAL); /* no place in a listing */
	else if (!l.dir.node->is_dir)
		fuse_reply_err(text->req, ENOTDIR);
	else
		reply_list(&l, (uint64_t)off & AT_MASK);
	mih_fs_generation_put(l.dir.generation);
}

static void do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct mih_fs_listing text = { .req = req, .room = size };

	read_folder(ino, off, fi, &text);
}

static void do_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			   off_t off, struct fuse_file_info *fi)
{
	struct mih_fs_listing text = { .req = req, .room = size, .plus = true };

	read_folder(ino, off, fi, &text);
}

void mih_fs_folder_ops(struct fuse_lowlevel_ops *ops)
{
	ops->opendir = do_opendir;
	ops->releasedir = do_releasedir;
	ops->readdir = do_readdir;
	ops->readdirplus = do_readdirplus;
}
