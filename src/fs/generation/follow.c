#include "fs/generation/follow.h"
#include "util/cleanup.h"

#include <stdlib.h>

#define NONE UINT32_MAX /* no position */

struct following {
	struct mih_fs_inodes *now;
	const struct mih_fs_inodes *before;
	uint32_t *twins; /* by position in now: the one in before, or NONE */
	uint64_t since_ns;
	struct mih_fs_changes *changes;
};

static mih_err add_change(struct mih_fs_changes *changes,
			  const struct mih_fs_change *change)
{
	if (changes->n == changes->room) {
		size_t room = changes->room ? 2 * changes->room : 64;
		struct mih_fs_change *more =
		    reallocarray(changes->items, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		changes->items = more;
		changes->room = room;
	}
	changes->items[changes->n++] = *change;
	return 0;
}

static bool is_same(const struct following *f, const struct mih_fs_node *a,
		    const struct mih_fs_node *b)
{
	if (a->is_dir || b->is_dir)
		return a->is_dir && b->is_dir;
	return mih_verify_file_is_same(mih_fs_inode_file(f->now, a),
				       mih_fs_inode_file(f->before, b));
}

/* The two lists of children of one folder, walked side by side. */
struct pair {
	uint32_t i, end;	/* positions in now */
	uint32_t j, before_end; /* positions in before */
};

/* One name of either list or of both. Return: its node if something has
 * changed about it, else NULL. */
static const struct mih_fs_node *next_name(struct following *f, struct pair *p)
{
	struct mih_fs_node *a = p->i < p->end ? &f->now->nodes[p->i] : NULL;
	const struct mih_fs_node *b =
	    p->j < p->before_end ? &f->before->nodes[p->j] : NULL;
	int order = !a ? 1 : !b ? -1 : mih_fs_name_cmp(a, b);

	if (order == 0 && is_same(f, a, b)) {
		a->number = b->number;
		a->since_ns = b->since_ns;
		f->twins[p->i++] = p->j++;
		return NULL;
	}
	p->i += order <= 0;
	p->j += order >= 0;
	return order <= 0 ? a : b;
}

static mih_err follow_folder(struct following *f, struct mih_fs_node *dir,
			     const struct mih_fs_node *before)
{
	struct mih_fs_change change = { .folder = before->number };
	struct pair p = {
		.i = dir->first,
		.end = dir->first + dir->nchildren,
		.j = before->first,
		.before_end = before->first + before->nchildren,
	};
	bool changed = false;

	while (p.i < p.end || p.j < p.before_end) {
		const struct mih_fs_node *node = next_name(f, &p);
		mih_err err;

		if (!node)
			continue;
		changed = true;
		change.name = node->name;
		change.name_len = node->name_len;
		err = add_change(f->changes, &change);
		if (err)
			return err;
	}
	if (!changed)
		return 0;
	dir->since_ns = f->since_ns;
	change.name = NULL;
	return add_change(f->changes, &change);
}

/* Folders stand before their children, so a node's twin is known when its turn
 * comes. */
static mih_err follow_all(struct following *f)
{
	mih_err err = 0;

	f->twins[0] = 0;
	f->now->nodes[0].since_ns = f->before->nodes[0].since_ns;
	for (size_t i = 1; i < f->now->n; i++)
		f->twins[i] = NONE;
	for (size_t i = 0; !err && i < f->now->n; i++) {
		struct mih_fs_node *node = &f->now->nodes[i];

		if (f->twins[i] == NONE) {
			node->number = f->now->next++;
			node->since_ns = f->since_ns;
		} else if (node->is_dir) {
			err = follow_folder(f, node,
					    &f->before->nodes[f->twins[i]]);
		}
	}
	return err;
}

static int by_number(const void *a, const void *b)
{
	const struct mih_fs_place *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static mih_err sort_numbers(struct mih_fs_inodes *inodes)
{
	inodes->places = calloc(inodes->n, sizeof(*inodes->places));
	if (!inodes->places)
		return -ENOMEM;
	for (size_t i = 0; i < inodes->n; i++)
		inodes->places[i] = (struct mih_fs_place){
			.number = inodes->nodes[i].number,
			.position = (uint32_t)i,
		};
	qsort(inodes->places, inodes->n, sizeof(*inodes->places), by_number);
	return 0;
}

mih_err mih_fs_inodes_follow(struct mih_fs_inodes *now,
			     const struct mih_fs_inodes *before,
			     uint64_t since_ns, struct mih_fs_changes *changes)
{
	mih_autofree uint32_t *twins = calloc(now->n, sizeof(*twins));
	struct following f = {
		.now = now,
		.before = before,
		.twins = twins,
		.since_ns = since_ns,
		.changes = changes,
	};
	mih_err err;

	if (!twins)
		return -ENOMEM;
	now->next = before->next;
	err = follow_all(&f);
	return err ? err : sort_numbers(now);
}

void mih_fs_changes_fini(struct mih_fs_changes *changes)
{
	free(changes->items);
	*changes = (struct mih_fs_changes){ 0 };
}
