/*
 * Reading neighbouring shards: their bytes against their digests, and the group
 * digests of the very same bytes. In order, or by all cores at once where the
 * sidecar has hints.
 */
#include "util/cleanup.h"
#include "util/host/thread.h"
#include "util/io.h"
#include "util/log.h"
#include "util/pool.h"
#include "verify/shards/unit_internal.h"

#include <stdlib.h>

#define PASSES 4 /* that may share the memory which is one's in a command */

/* Where the piece at @off ends: where hints are. */
static uint64_t piece_end(const struct mih_verify_unit *u, uint64_t off)
{
	return MIH_MIN((off / MIH_VERIFY_EXTENT + 1) * MIH_VERIFY_EXTENT,
		       u->to);
}

/* The first group may begin before these shards. @buf: from that group on. */
static mih_err note_head(struct mih_verify_unit *u, const uint8_t *buf)
{
	uint64_t begin = u->first->begin;
	uint64_t end = MIH_MIN(mih_hash_ngroups(begin) * MIH_HASH_GROUP, u->to);
	mih_err err = mih_hash_flat(MIH_HASH_SHA256, buf,
				    (size_t)(begin - u->from), u->head_rest);

	return err ? err
		   : mih_hash_flat(MIH_HASH_SHA256, buf + (begin - u->from),
				   (size_t)(end - begin), u->head_own);
}

/* And the last one may end behind them. @buf: holds the byte at @off. */
static mih_err note_tail(struct mih_verify_unit *u, uint64_t off,
			 const uint8_t *buf)
{
	uint64_t end = u->last->end;
	uint64_t begin = end / MIH_HASH_GROUP * MIH_HASH_GROUP;
	mih_err err = mih_hash_flat(MIH_HASH_SHA256, buf + (end - off),
				    (size_t)(u->to - end), u->tail_rest);

	return err ? err
		   : mih_hash_flat(MIH_HASH_SHA256, buf + (begin - off),
				   (size_t)(end - begin), u->tail_own);
}

/* Read the piece at @off and make its group digests. */
static mih_err load_piece(struct mih_verify_unit *u, uint64_t off, uint8_t *buf)
{
	struct mih_hash_range range = {
		.data = buf,
		.len = (size_t)(piece_end(u, off) - off),
		.off = off,
		.is_root = u->file->nbytes <= MIH_HASH_GROUP,
	};
	uint64_t group = (off - u->from) / MIH_HASH_GROUP;
	mih_err err = 0;

	if (atomic_load(&u->engine->stopping))
		return -ECANCELED;
	if (mih_io_pread_full(u->job->backing->source.fd, buf, range.len, off))
		return MIH_EDIGEST;
	mih_verify_count(u->engine, MIH_VERIFY_DISK_BYTES, range.len);
	mih_verify_count(u->engine, MIH_VERIFY_SHARD_BYTES, range.len);
	mih_hash_groups(u->file->tree, &range, 1,
			u->nodes + group * mih_verify_node_len(u->file));
	if (off == u->from)
		err = note_head(u, buf);
	if (!err && piece_end(u, off) == u->to)
		err = note_tail(u, off, buf);
	return err;
}

/* The file, as far as these shards go; without hints. */
static struct mih_verify_bulk_file shards_of(const struct mih_verify_unit *u)
{
	return (struct mih_verify_bulk_file){
		.nbytes = u->file->nbytes,
		.shards = u->first,
		.nshards = (size_t)(u->last - u->first) + 1,
	};
}

/* What these shards have of the piece at @off, which is in @buf. */
static struct mih_verify_bulk_link link_of(const struct mih_verify_unit *u,
					   struct mih_verify_bulk_file *file,
					   uint64_t off, const uint8_t *buf)
{
	uint64_t from = MIH_MAX(off, u->first->begin);
	uint64_t to = MIH_MIN(piece_end(u, off), u->last->end);

	return (struct mih_verify_bulk_link){
		.file = file,
		.flat = u->file->resource->alg,
		.part = { buf + (from - off), from, (size_t)(to - from) },
	};
}

static mih_err read_next(struct mih_verify_unit *u,
			 struct mih_verify_bulk_file *file,
			 struct mih_verify_bulk_chain *chain, uint64_t off)
{
	struct mih_verify_bulk_link link = link_of(u, file, off, u->buf);
	mih_err err = load_piece(u, off, u->buf);

	if (err)
		return err;
	link.chain = chain;
	mih_verify_bulk_links(&link, 1);
	return !link.err && file->nbad ? MIH_EDIGEST : link.err;
}

/* One shard after the other: sure to tell which of them is bad. */
static mih_err read_in_order(struct mih_verify_unit *u)
{
	struct mih_verify_bulk_file file = shards_of(u);
	struct mih_verify_bulk_chain chain = { 0 };
	mih_err err =
	    mih_hash_stream_new(u->file->resource->alg, &chain.stream);

	for (uint64_t off = u->from; !err && off < u->to;
	     off = piece_end(u, off))
		err = read_next(u, &file, &chain, off);
	mih_hash_stream_free(chain.stream);
	u->shard = u->first + MIH_MIN(file.nbad ? file.first_bad : chain.shard,
				      file.nshards - 1);
	return err;
}

/* By all cores at once, where the sidecar has hints. */
struct hinted {
	struct mih_verify_unit *u;
	struct mih_verify_bulk_file file; /* its shards are the unit's */
	size_t width;			  /* pieces side by side */
	_Atomic uint64_t next;		  /* piece to be taken */
	_Atomic uint64_t nchecked;	  /* bytes that hints led through */
	_Atomic mih_err err;		  /* the first */
};

/* Each core is to have a part. */
static size_t width_for(const struct mih_verify_unit *u, size_t ncores)
{
	uint64_t each = (u->to - u->from) / MIH_VERIFY_EXTENT / ncores;
	size_t most = mih_verify_bulk_width(MIH_HASH_SHA256, PASSES * ncores);

	return (size_t)MIH_MIN(MIH_MAX(each, (uint64_t)1), (uint64_t)most);
}

/* Pieces from the one at @off on. */
static mih_err check_some(struct hinted *h, uint64_t off, uint8_t *buf)
{
	struct mih_verify_bulk_link links[MIH_VERIFY_BULK_LINKS];
	uint64_t from = off;
	mih_err err = 0;
	size_t n = 0;

	while (!err && n < h->width && off < h->u->to) {
		uint8_t *piece = buf + n * MIH_VERIFY_EXTENT;

		err = load_piece(h->u, off, piece);
		links[n++] = link_of(h->u, &h->file, off, piece);
		off = piece_end(h->u, off);
	}
	if (err)
		return err;
	mih_verify_bulk_links(links, n);
	for (size_t i = 0; i < n && !err; i++)
		err = links[i].err;
	if (!err)
		atomic_fetch_add(&h->nchecked, off - from);
	return err;
}

static void check_pieces(void *context)
{
	struct hinted *h = context;
	uint64_t first = h->u->from / MIH_VERIFY_EXTENT;
	mih_autofree uint8_t *buf = malloc(h->width * MIH_VERIFY_EXTENT);
	mih_err err = buf ? 0 : -ENOMEM, none = 0;

	while (!err && !atomic_load(&h->err)) {
		uint64_t i = first + atomic_fetch_add(&h->next, h->width);
		uint64_t off = MIH_MAX(i * MIH_VERIFY_EXTENT, h->u->from);

		if (off >= h->u->to)
			return;
		err = check_some(h, off, buf);
	}
	if (err)
		atomic_compare_exchange_strong(&h->err, &none, err);
}

/* What the sidecar says of the states in these shards; NULL: nothing. */
static uint8_t *read_hints(const struct mih_verify_unit *u, uint64_t first)
{
	const struct mih_verify_layers *proof = u->job->proof;
	size_t n = (size_t)(u->last->end / MIH_VERIFY_EXTENT - first);
	mih_autofree uint8_t *hints = NULL;

	if (u->file->resource->alg != MIH_HASH_SHA256 ||
	    u->to - u->from <= MIH_TREE_PAGE || !proof->has_entry ||
	    !proof->entry.has_hints ||
	    !mih_verify_bulk_hintable(u->first,
				      (size_t)(u->last - u->first) + 1))
		return NULL;
	hints = calloc(n, MIH_HASH_SHA256_STATE);
	if (!hints ||
	    mih_tree_sidecar_read_hints(u->engine->model->sidecar,
					&proof->entry, first, n, hints))
		return NULL;
	return MIH_STEAL(&hints);
}

/* Return: -ENOENT without hints; MIH_EDIGEST: something is wrong, which may be
 * a hint. */
static mih_err read_hinted(struct mih_verify_unit *u)
{
	uint64_t first = u->first->begin / MIH_VERIFY_EXTENT;
	mih_autofree uint8_t *hints = read_hints(u, first);
	size_t ncores = mih_pool_cores();
	struct hinted h = {
		.u = u,
		.file = shards_of(u),
		.width = width_for(u, ncores),
	};

	if (!hints)
		return -ENOENT;
	h.file.hints = hints;
	h.file.first_hint = first;
	mih_thread_crew("mihfs-shard", ncores, check_pieces, &h);
	if (h.err)
		return h.err;
	return h.nchecked == u->to - u->from ? 0 : MIH_EDIGEST;
}

/* With hints, one shard is checked by all cores. If they do not lead to its
 * digest that may be their fault, so it has another chance without them. */
mih_err mih_verify_unit_read(struct mih_verify_unit *u)
{
	mih_err hinted = read_hinted(u), err = hinted;

	if (err != -ENOENT && err != MIH_EDIGEST)
		return err;
	err = read_in_order(u);
	if (!err && hinted == MIH_EDIGEST &&
	    !atomic_exchange(&u->job->proof->warned, true))
		mih_log_warning("%s: the tree file holds wrong hints; shards "
				"were read twice",
				u->file->path);
	return err;
}
