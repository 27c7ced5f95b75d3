/*
 * A whole file: every group of it is loaded, proven and, where the caller gave
 * memory, left there. So many loads are on their way that a device gets large
 * batches and a disk is kept busy, but in the background: whoever waits for
 * single bytes, or for a small file, goes first, and two files that are filled
 * at once share the threads.
 */
#include "util/checked.h"
#include "verify/engine/engine_internal.h"

/* A huge page is filled by one thread: of two that touch it at once, both make
 * one, and one of them for nothing. */
#define PAGE_EXTENTS 2

static void note(struct mih_verify_fill *fill, mih_err err)
{
	int none = 0;

	atomic_compare_exchange_strong(&fill->err, &none, err);
}

static void put(struct mih_verify_fill *fill)
{
	if (atomic_fetch_sub(&fill->refs, 1) == 1)
		fill->done(fill, atomic_load(&fill->err));
}

static uint64_t nextents(const struct mih_verify_fill *fill)
{
	uint64_t nbytes = fill->engine->model->files[fill->file].nbytes;

	return mih_checked_ceil_div(nbytes, MIH_VERIFY_EXTENT);
}

/* Begin with the next huge page, if there is one. */
static void step(struct mih_verify_fill *fill)
{
	struct mih_verify_engine *engine = fill->engine;
	uint64_t n = nextents(fill), index;
	bool two;
	mih_err err;

	if (atomic_load(&engine->stopping) ||
	    mih_verify_is_given_up(fill->unwanted_ns))
		note(fill, -ECANCELED);
	if (atomic_load(&fill->err))
		return;
	index = atomic_fetch_add(&fill->next, PAGE_EXTENTS);
	if (index >= n)
		return;
	two = index + 1 < n;
	atomic_fetch_add(&fill->refs, 1 + two);
	err = mih_verify_load_fill(fill, index, two);
	if (err) {
		note(fill, err);
		/* the caller has another */
		atomic_fetch_sub(&fill->refs, 1 + two);
	}
}

void mih_verify_fill_start(struct mih_verify_fill *fill)
{
	size_t window = mih_pool_nthreads(fill->engine->pool);

	fill->lane = nextents(fill) <= PAGE_EXTENTS ? MIH_POOL_URGENT
						    : MIH_POOL_BACKGROUND;
	atomic_init(&fill->next, 0);
	atomic_init(&fill->refs, 1);
	atomic_init(&fill->err, 0);
	while (window--)
		step(fill);
	put(fill);
}

/* Of the loads that began together, is it the second, or the only one? */
static bool is_last(const struct mih_verify_fill *fill, uint64_t index)
{
	return index % PAGE_EXTENTS || index + 1 == nextents(fill);
}

void mih_verify_fill_part(struct mih_verify_fill *fill, uint64_t off,
			  mih_err err)
{
	mih_verify_check_look(fill->check);
	if (err)
		note(fill, err);
	if (is_last(fill, off / MIH_VERIFY_EXTENT))
		step(fill);
	put(fill);
}
