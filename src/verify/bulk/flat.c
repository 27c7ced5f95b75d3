/*
 * Flat digests, on the way of a pass through its files.
 *
 * Pieces that are read wait here until it is their turn: in a chain that is
 * when all before them had theirs, with hints at once. A worker takes as many
 * links of different chains as it does sooner together; to have that many, it
 * rather reads on while there are fewer.
 */
#include "util/checked.h"
#include "verify/bulk/pass_internal.h"

#define HINT MIH_VERIFY_BULK_HINT

/* What a worker hashes side by side. */
struct lot {
	struct mih_verify_bulk_piece *pieces[MIH_VERIFY_BULK_LINKS];
	struct mih_verify_bulk_link links[MIH_VERIFY_BULK_LINKS];
	size_t n;
};

bool mih_verify_bulk_is_chained(const struct mih_verify_bulk_pass *pass,
				const struct mih_verify_bulk_active *a)
{
	return pass->bulk->flat != MIH_HASH_NONE &&
	       (!pass->bulk->files[a->file].hints || a->end < HINT);
}

void mih_verify_bulk_ready(struct mih_verify_bulk_piece *piece)
{
	struct mih_verify_bulk_active *a = piece->of;
	struct mih_verify_bulk_piece **at = &a->ready;

	while (*at && (*at)->off < piece->off)
		at = &(*at)->next;
	piece->next = *at;
	*at = piece;
	a->nready++;
}

static struct mih_verify_bulk_piece *
take_ready(struct mih_verify_bulk_active *a)
{
	struct mih_verify_bulk_piece *piece = a->ready;

	a->ready = piece->next;
	a->nready--;
	return piece;
}

void mih_verify_bulk_drop(struct mih_verify_bulk_pass *pass,
			  struct mih_verify_bulk_active *a)
{
	while (a->ready)
		mih_verify_bulk_finish(pass, take_ready(a));
}

/* Links of @a that could be hashed now. */
static size_t links_of(const struct mih_verify_bulk_pass *pass,
		       const struct mih_verify_bulk_active *a)
{
	if (!mih_verify_bulk_is_chained(pass, a))
		return a->nready;
	return !a->chaining && a->ready && a->ready->off == a->chained;
}

/* Links that there will be at a time, sooner or later. */
static uint64_t links_expected(const struct mih_verify_bulk_pass *pass)
{
	uint64_t n = pass->bulk->nfiles - pass->next_file;

	for (const struct mih_verify_bulk_active *a = pass->active; a;
	     a = a->next)
		n += mih_verify_bulk_is_chained(pass, a)
			 ? 1
			 : a->nready + (a->end - a->claimed) / HINT;
	return n;
}

/* How many a worker takes; the others are to have as many. */
static size_t share(const struct mih_verify_bulk_pass *pass)
{
	uint64_t n =
	    mih_checked_ceil_div(links_expected(pass), pass->shape.nthreads);

	return (size_t)MIH_MIN(MIH_MAX(n, (uint64_t)1),
			       (uint64_t)pass->shape.width);
}

static void take_link(struct mih_verify_bulk_pass *pass,
		      struct mih_verify_bulk_active *a, struct lot *lot)
{
	struct mih_verify_bulk *bulk = pass->bulk;
	struct mih_verify_bulk_piece *piece = take_ready(a);
	bool chained = mih_verify_bulk_is_chained(pass, a);

	lot->pieces[lot->n] = piece;
	lot->links[lot->n++] = (struct mih_verify_bulk_link){
		.file = &bulk->files[a->file],
		.flat = bulk->flat,
		.part = { piece->buf, piece->off, piece->range.len },
		.chain = chained ? &a->chain : NULL,
		.wants_state =
		    bulk->hint && (piece->off + piece->range.len) % HINT == 0,
	};
	a->chaining = chained;
}

static uint64_t bytes_left(const struct mih_verify_bulk_pass *pass,
			   const struct mih_verify_bulk_active *a)
{
	return a->end -
	       (mih_verify_bulk_is_chained(pass, a) ? a->chained : a->claimed);
}

/* Of all that have a link to be hashed, the one with the longest way to go:
 * what is left at the end is left to one worker for each chain. */
static struct mih_verify_bulk_active *
choose(const struct mih_verify_bulk_pass *pass)
{
	struct mih_verify_bulk_active *best = NULL;

	for (struct mih_verify_bulk_active *a = pass->active; a; a = a->next)
		if (links_of(pass, a) &&
		    (!best || bytes_left(pass, a) > bytes_left(pass, best)))
			best = a;
	return best;
}

/* Return: false if there are fewer than @least. */
static bool take_links(struct mih_verify_bulk_pass *pass, size_t least,
		       size_t most, struct lot *lot)
{
	struct mih_verify_bulk_active *a;
	size_t ready = 0;

	for (a = pass->active; a; a = a->next)
		ready += links_of(pass, a);
	if (ready < least)
		return false;
	while (lot->n < most && (a = choose(pass)))
		take_link(pass, a, lot);
	if (ready > lot->n)
		mih_verify_bulk_wake_one(pass);
	return lot->n > 0;
}

/* The states at their ends become hints. Without the lock. */
static mih_err tell_states(const struct mih_verify_bulk_pass *pass,
			   const struct lot *lot)
{
	const struct mih_verify_bulk *bulk = pass->bulk;
	mih_err err = 0;

	for (size_t i = 0; i < lot->n && !err; i++) {
		const struct mih_verify_bulk_link *link = &lot->links[i];

		if (link->wants_state && !link->err)
			err =
			    bulk->hint(bulk->context, lot->pieces[i]->of->file,
				       link->part.off / HINT, link->state);
	}
	return err;
}

/* It may have been the last one of its file. */
static void end_link(struct mih_verify_bulk_pass *pass,
		     struct mih_verify_bulk_piece *piece, mih_err err)
{
	struct mih_verify_bulk_active *a = piece->of;

	if (!a->err)
		a->err = err;
	if (mih_verify_bulk_is_chained(pass, a)) {
		a->chained += piece->range.len;
		a->chaining = false;
	}
	mih_verify_bulk_finish(pass, piece);
	if (a->err || pass->err)
		mih_verify_bulk_drop(pass, a);
	mih_verify_bulk_settle(pass, a);
}

bool mih_verify_bulk_flat(struct mih_verify_bulk_pass *pass, bool any)
{
	struct lot lot = { .n = 0 };
	size_t most;
	mih_err err;

	if (pass->bulk->flat == MIH_HASH_NONE)
		return false;
	most = share(pass);
	if (!take_links(pass, any ? 1 : most, most, &lot))
		return false;
	pthread_mutex_unlock(&pass->lock);
	mih_verify_bulk_links(lot.links, lot.n);
	err = tell_states(pass, &lot);
	pthread_mutex_lock(&pass->lock);
	if (err)
		mih_verify_bulk_stop(pass, err);
	for (size_t i = 0; i < lot.n; i++)
		end_link(pass, lot.pieces[i], lot.links[i].err);
	return true;
}
