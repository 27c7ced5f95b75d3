#include "fs/generation/inode.h"
#include "util/checked.h"

#include <stdlib.h>
#include <string.h>

#define NAME_LEN_MAX 255 /* what a directory entry of the kernel can hold */

struct builder {
	const struct mih_verify_file *files;
	struct mih_fs_node *nodes; /* owned */
	size_t n, room;
};

static int name_cmp(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, MIH_MIN(a_len, b_len));

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

int mih_fs_name_cmp(const struct mih_fs_node *a, const struct mih_fs_node *b)
{
	return name_cmp(a->name, a->name_len, b->name, b->name_len);
}

static int by_name(const void *a, const void *b)
{
	return mih_fs_name_cmp(a, b);
}

static mih_err append(struct builder *b, const struct mih_fs_node *node)
{
	if (b->n == b->room) {
		size_t room = b->room ? 2 * b->room : 64;
		struct mih_fs_node *more =
		    reallocarray(b->nodes, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		b->nodes = more;
		b->room = room;
	}
	if (b->n >= UINT32_MAX)
		return -EOVERFLOW;
	b->nodes[b->n++] = *node;
	return 0;
}

/* Files from @lo on that share the first @len bytes; sorted, so neighbours. */
static size_t run_length(const struct builder *b, size_t lo, size_t end,
			 size_t len)
{
	size_t i = lo + 1;

	while (i < end && !strncmp(b->files[i].path, b->files[lo].path, len))
		i++;
	return i - lo;
}

static bool name_is_usable(const char *name, size_t len)
{
	return len > 0 && len <= NAME_LEN_MAX &&
	       !(len == 1 && name[0] == '.') &&
	       !(len == 2 && name[0] == '.' && name[1] == '.');
}

/* One entry of a folder whose paths begin with @skip bytes of its own. A new
 * folder keeps its range of files in first and nchildren until its turn. */
static mih_err add_child(struct builder *b, uint32_t parent, size_t lo,
			 size_t end, size_t skip)
{
	const char *name = b->files[lo].path + skip;
	size_t len = strcspn(name, "/");
	struct mih_fs_node node = {
		.name = name,
		.parent = parent,
		.first = (uint32_t)lo,
		.name_len = (uint16_t)len,
		.is_dir = name[len] == '/',
	};

	if (!name_is_usable(name, len))
		return mih_err_fail(MIH_EFORMAT, "%s: not a usable path",
				    b->files[lo].path);
	if (node.is_dir) {
		b->nodes[parent].nfolders++;
		node.nchildren =
		    (uint32_t)run_length(b, lo, end, skip + len + 1);
	}
	return append(b, &node);
}

/* Paths are sorted as wholes, where '/' counts ("a-b" before "a/x"), entries
 * by name alone ("a" before "a-b"): so each folder is sorted again. */
static mih_err sort_children(const struct builder *b, uint32_t dir)
{
	struct mih_fs_node *child = &b->nodes[b->nodes[dir].first];
	size_t n = b->nodes[dir].nchildren;

	if (n > 1)
		qsort(child, n, sizeof(*child), by_name);
	for (size_t i = 1; i < n; i++)
		if (mih_fs_name_cmp(&child[i - 1], &child[i]) == 0)
			return mih_err_fail(
			    MIH_EFORMAT,
			    "%s: the name stands for two signed entries",
			    b->files[child[i].is_dir ? child[i - 1].first
						     : child[i].first]
				.path);
	return 0;
}

static mih_err add_children(struct builder *b, uint32_t dir)
{
	const struct mih_fs_node self = b->nodes[dir];
	size_t lo = self.first, end = lo + self.nchildren, skip = 0;
	mih_err err;

	if (dir > 0)
		skip =
		    (size_t)(self.name - b->files[lo].path) + self.name_len + 1;
	b->nodes[dir].first = (uint32_t)b->n;
	b->nodes[dir].nchildren = 0;
	while (lo < end) {
		err = add_child(b, dir, lo, end, skip);
		if (err)
			return err;
		lo += MIH_MAX(b->nodes[b->n - 1].nchildren, 1U);
		b->nodes[dir].nchildren++;
	}
	return sort_children(b, dir);
}

static mih_err build(struct builder *b, size_t nfiles)
{
	struct mih_fs_node root = {
		.name = "",
		.nchildren = (uint32_t)nfiles,
		.is_dir = true,
	};
	mih_err err = nfiles < UINT32_MAX ? append(b, &root) : -EOVERFLOW;

	/* Breadth first: what is appended here gets its turn later. */
	for (size_t i = 0; !err && i < b->n; i++)
		if (b->nodes[i].is_dir)
			err = add_children(b, (uint32_t)i);
	return err;
}

mih_err mih_fs_inodes_build(const struct mih_verify_file *files, size_t nfiles,
			    struct mih_fs_inodes *out)
{
	struct builder b = { .files = files };
	mih_err err = build(&b, nfiles);

	if (err) {
		free(b.nodes);
		return err;
	}
	*out = (struct mih_fs_inodes){
		.files = files,
		.nodes = b.nodes,
		.n = b.n,
		.next = b.n + MIH_FS_ROOT,
	};
	for (size_t i = 0; i < b.n; i++)
		out->nodes[i].number = i + MIH_FS_ROOT;
	for (size_t i = 0; i < nfiles; i++)
		out->nblocks += mih_checked_ceil_div(files[i].nbytes, 4096);
	return 0;
}

void mih_fs_inodes_fini(struct mih_fs_inodes *inodes)
{
	free(inodes->nodes);
	free(inodes->places);
	*inodes = (struct mih_fs_inodes){ 0 };
}

static int by_number(const void *key, const void *place)
{
	uint64_t a = *(const uint64_t *)key;
	uint64_t b = ((const struct mih_fs_place *)place)->number;

	return (a > b) - (a < b);
}

const struct mih_fs_node *mih_fs_inode_get(const struct mih_fs_inodes *inodes,
					   uint64_t ino)
{
	const struct mih_fs_place *place;

	if (!inodes->places)
		return ino >= MIH_FS_ROOT && ino - MIH_FS_ROOT < inodes->n
			   ? &inodes->nodes[ino - MIH_FS_ROOT]
			   : NULL;
	place =
	    bsearch(&ino, inodes->places, inodes->n, sizeof(*place), by_number);
	return place ? &inodes->nodes[place->position] : NULL;
}

const struct mih_fs_node *mih_fs_inode_find(const struct mih_fs_inodes *inodes,
					    const struct mih_fs_node *dir,
					    const char *name)
{
	size_t lo = dir->first, hi = lo + dir->nchildren;
	size_t len = strlen(name);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct mih_fs_node *at = &inodes->nodes[mid];
		int order = name_cmp(name, len, at->name, at->name_len);

		if (order == 0)
			return at;
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}
