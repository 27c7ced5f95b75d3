/*
 * A row for each part that is lent, of whatever device. There are few: who
 * lends takes the first parts back while the last ones are filled.
 */
#include "gpu/lend/lent_internal.h"
#include "gpu/offload/offload_internal.h"
#include "util/checked.h"
#include "util/log.h"

#include <errno.h>

/* What finds no row is not lent. */
#define ROWS 64

/* Only the lender's own thread leaves PINNING and UNPINNING. */
enum step { FREE, ASKED, PINNING, LENT, RETURNED, UNPINNING };

static struct row {
	uintptr_t base, end;
	struct mih_gpu_offload
	    *lender; /* who pins; NULL: nobody waits for it */
	enum step step;
	bool returned;	  /* while PINNING */
	bool lost;	  /* a device that is down might still read it */
	uint64_t readers; /* devices, a bit for each ordinal */
} rows[ROWS];

static pthread_mutex_t rows_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t rows_changed = PTHREAD_COND_INITIALIZER;

static uint64_t bit_of(const struct mih_gpu_offload *off)
{
	return off->ordinal < 64 ? (uint64_t)1 << off->ordinal : 0;
}

static bool is_ready(struct mih_gpu_offload *off)
{
	return off->dev.ops->state(&off->dev, false) == MIH_GPU_READY;
}

static bool lent_borrows(struct mih_gpu_dev *dev)
{
	struct mih_gpu_offload *off = (struct mih_gpu_offload *)dev;
	bool refuses;

	pthread_mutex_lock(&rows_lock);
	refuses = off->lent.refuses || off->lent.is_over;
	pthread_mutex_unlock(&rows_lock);
	return off->ops->host_register && !refuses && is_ready(off);
}

static bool lent_lend(struct mih_gpu_dev *dev, const void *base, size_t len)
{
	struct mih_gpu_offload *off = (struct mih_gpu_offload *)dev;
	size_t i = 0;

	if (!lent_borrows(dev))
		return false;
	pthread_mutex_lock(&rows_lock);
	while (i < ROWS && rows[i].step != FREE)
		i++;
	if (off->lent.is_over)
		i = ROWS;
	if (i < ROWS)
		rows[i] = (struct row){ .base = (uintptr_t)base,
					.end = (uintptr_t)base + len,
					.lender = off,
					.step = ASKED };
	pthread_cond_broadcast(&rows_changed);
	pthread_mutex_unlock(&rows_lock);
	return i < ROWS;
}

/* Nothing of it stays: its lender may be closed next. */
static void clear(struct row *row)
{
	*row = (struct row){ .step = FREE };
}

/* Undo what can be undone of a row. */
static void give_back(struct row *row)
{
	if (row->step == ASKED)
		clear(row);
	else if (row->step == PINNING)
		row->returned = true;
	else if (row->step == LENT && !row->lost)
		row->step = RETURNED;
}

/* Forget a row that is lost; its thread may still be in a call for it. */
static void drop(struct row *row)
{
	row->lender = NULL;
	row->base = row->end = 0;
	if (row->step != PINNING && row->step != UNPINNING)
		clear(row);
}

/* Is nothing there any more that might change? */
static bool is_clear(const struct mih_gpu_offload *off, uintptr_t base,
		     uintptr_t end, bool *lost)
{
	bool none = true;

	for (struct row *row = rows; row < rows + ROWS; row++) {
		if (row->step == FREE || row->lender != off ||
		    row->base >= end || row->end <= base)
			continue;
		if (row->lost) {
			*lost = true;
			drop(row);
		} else {
			none = false;
		}
	}
	return none;
}

/* As long as a batch may take. Return: has all come back? */
static bool wait_clear(struct mih_gpu_offload *off, uintptr_t base,
		       uintptr_t end, bool *lost)
{
	unsigned ms = off->ops->answer_ms ? off->ops->answer_ms : 10000;
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!is_clear(off, base, end, lost)) {
		if (rc == ETIMEDOUT)
			return false;
		rc = pthread_cond_clockwait(&rows_changed, &rows_lock,
					    CLOCK_MONOTONIC, &until);
	}
	return true;
}

static bool lent_take_back(struct mih_gpu_dev *dev, const void *at, size_t len,
			   bool wait)
{
	struct mih_gpu_offload *off = (struct mih_gpu_offload *)dev;
	uintptr_t base = (uintptr_t)at, end = base + len;
	bool lost = false, in_time = true;

	pthread_mutex_lock(&rows_lock);
	for (struct row *row = rows; row < rows + ROWS; row++)
		if (row->lender == off && row->base < end && row->end > base)
			give_back(row);
	pthread_cond_broadcast(&rows_changed);
	if (wait)
		in_time = wait_clear(off, base, end, &lost);
	pthread_mutex_unlock(&rows_lock);
	if (in_time)
		return !lost;
	/* Now every row of its is lost. */
	mih_gpu_offload_fail(dev, "its driver does not return");
	pthread_mutex_lock(&rows_lock);
	is_clear(off, base, end, &lost);
	pthread_mutex_unlock(&rows_lock);
	return false;
}

const struct mih_gpu_lend_ops mih_gpu_lent_ops = {
	.borrows = lent_borrows,
	.lend = lent_lend,
	.take_back = lent_take_back,
};

bool mih_gpu_lent_use(struct mih_gpu_offload *off, const void *data, size_t len)
{
	uintptr_t at = (uintptr_t)data;
	bool found = false;

	if (!off->ops->host_register || !bit_of(off))
		return false;
	pthread_mutex_lock(&rows_lock);
	for (size_t i = 0; i < ROWS && !found && !off->lent.is_over; i++) {
		struct row *row = &rows[i];

		found = row->step == LENT && row->lender->ops == off->ops &&
			at >= row->base && at < row->end &&
			len <= row->end - at;
		if (found)
			row->readers |= bit_of(off);
	}
	pthread_mutex_unlock(&rows_lock);
	return found;
}

void mih_gpu_lent_lost(struct mih_gpu_offload *off)
{
	pthread_mutex_lock(&rows_lock);
	off->lent.is_over = true;
	for (struct row *row = rows; row < rows + ROWS; row++)
		if (row->lender == off ||
		    (row->lender && row->lender->ops == off->ops &&
		     row->readers & bit_of(off)))
			row->lost = true;
	pthread_cond_broadcast(&rows_changed);
	pthread_mutex_unlock(&rows_lock);
}

void mih_gpu_lent_stop(struct mih_gpu_offload *off)
{
	pthread_mutex_lock(&rows_lock);
	off->lent.is_over = true;
	pthread_cond_broadcast(&rows_changed);
	pthread_mutex_unlock(&rows_lock);
}

/* What is to be read comes first, what was read has time. */
static struct row *next(const struct mih_gpu_offload *off)
{
	struct row *found = NULL;

	for (struct row *row = rows; row < rows + ROWS; row++) {
		bool waits = row->step == ASKED || row->step == RETURNED;

		if (row->lender != off || !waits || row->lost)
			continue;
		if (!found || row->step < found->step ||
		    (row->step == found->step && row->base < found->base))
			found = row;
	}
	return found;
}

/* Called and left locked; the call is not. */
static void pin(struct mih_gpu_offload *off, struct row *row)
{
	void *base = (void *)row->base;
	size_t len = row->end - row->base;
	mih_err err;

	row->step = PINNING;
	pthread_mutex_unlock(&rows_lock);
	err = off->ops->host_register(off->port, base, len);
	pthread_mutex_lock(&rows_lock);
	if (err && !off->lent.refuses) {
		off->lent.refuses = true;
		mih_log_info("device %s:%zu: what is staged is copied for it: "
			     "%s",
			     off->ops->kind, off->ordinal, mih_err_message());
	}
	row->step = row->returned ? RETURNED : LENT;
	if (err || !row->lender)
		clear(row);
}

static void unpin(struct mih_gpu_offload *off, struct row *row)
{
	void *base = (void *)row->base;

	row->step = UNPINNING;
	pthread_mutex_unlock(&rows_lock);
	off->ops->host_unregister(off->port, base);
	pthread_mutex_lock(&rows_lock);
	clear(row);
}

void mih_gpu_lent_run(struct mih_gpu_offload *off)
{
	struct row *row;

	pthread_mutex_lock(&rows_lock);
	while (!off->lent.is_over) {
		row = next(off);
		if (!row) {
			pthread_cond_wait(&rows_changed, &rows_lock);
			continue;
		}
		if (row->step == ASKED)
			pin(off, row);
		else
			unpin(off, row);
		pthread_cond_broadcast(&rows_changed);
	}
	pthread_mutex_unlock(&rows_lock);
}
