/*
 * A whole file: every group of it is loaded, proven and, where the caller gave
 * memory, left there. So many loads are on their way that a device gets large
 * batches and a disk is kept busy, but in the background: whoever waits for
 * single bytes goes first, and two files that are filled at once share the
 * threads.
 */
#include "util/checked.h"
#include "verify/engine/engine_internal.h"

/* Loads of 1 MiB on their way for one file, at least. */
#define WINDOW 32

/* A signal may only have interrupted its caller, who asks again at once; some
 * get one every few milliseconds, and must not begin at zero each time. */
#define PATIENCE_NS 1000000000u

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

static bool is_given_up(const struct mih_verify_fill *fill)
{
	uint64_t since = atomic_load(fill->unwanted_ns);

	return since && mih_verify_now_ns() >= since + PATIENCE_NS;
}

/* Begin with the next extent, if there is one. */
static void step(struct mih_verify_fill *fill)
{
	struct mih_verify_engine *engine = fill->engine;
	uint64_t nbytes = engine->model->files[fill->file].nbytes;
	uint64_t index;
	mih_err err;

	if (atomic_load(&engine->stopping) || is_given_up(fill))
		note(fill, -ECANCELED);
	if (atomic_load(&fill->err))
		return;
	index = atomic_fetch_add(&fill->next, 1);
	if (index >= mih_checked_ceil_div(nbytes, MIH_VERIFY_EXTENT))
		return;
	atomic_fetch_add(&fill->refs, 1);
	err = mih_verify_load_fill(fill, index);
	if (err) {
		note(fill, err);
		atomic_fetch_sub(&fill->refs, 1); /* the caller has another */
	}
}

void mih_verify_fill_start(struct mih_verify_fill *fill)
{
	size_t window = 2 * mih_pool_nthreads(fill->engine->pool);

	atomic_init(&fill->next, 0);
	atomic_init(&fill->refs, 1);
	atomic_init(&fill->err, 0);
	window = MIH_MAX(window, (size_t)WINDOW);
	while (window--)
		step(fill);
	put(fill);
}

void mih_verify_fill_part(struct mih_verify_fill *fill, uint64_t off,
			  mih_err err)
{
	mih_verify_loan_hashed(fill->loan, off);
	mih_verify_check_look(fill->check);
	if (err)
		note(fill, err);
	step(fill);
	put(fill);
}
