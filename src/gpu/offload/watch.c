/*
 * A driver may keep a thread in a call: for ever, where its device has fallen
 * off the bus. No clock of that thread's runs then, so another one looks at
 * the lanes once a second while there is work. What a lost lane had taken, and
 * all that still waits, is given back for the processor to do; the device is
 * down. The lane's memory is never released, and it had the bytes from memory
 * that lasts, so that the call may return one day and do no harm.
 */
#include "gpu/offload/offload_internal.h"
#include "util/host/clock.h"
#include "util/host/thread.h"

#include <stdlib.h>

#define LOOK_MS 1000

void mih_gpu_watch_call(struct mih_gpu_rider *rider)
{
	atomic_store(&rider->call, mih_clock_ns());
}

mih_err mih_gpu_watch_returned(struct mih_gpu_rider *rider, mih_err err)
{
	uint64_t since = atomic_load(&rider->call);

	if (since != MIH_GPU_LOST &&
	    atomic_compare_exchange_strong(&rider->call, &since, 0))
		return err;
	return mih_err_fail(MIH_EBACKEND, "the driver returned too late");
}

bool mih_gpu_watch_lost(const struct mih_gpu_rider *rider)
{
	return atomic_load(&rider->call) == MIH_GPU_LOST;
}

/* More than any call that ends takes, were it to compile the kernels. */
static uint64_t limit_ns(const struct mih_gpu_offload *off)
{
	return 2000000ull * mih_gpu_port_patience_ms(off->ops);
}

/* Is it in a call for too long? From here on it is lost. */
static bool lose(struct mih_gpu_rider *rider)
{
	uint64_t since = atomic_load(&rider->call);

	return since && since != MIH_GPU_LOST &&
	       mih_clock_ns() > since + limit_ns(rider->off) &&
	       atomic_compare_exchange_strong(&rider->call, &since,
					      MIH_GPU_LOST);
}

/* With the lock held; it is given up meanwhile. A lost lane cannot go before
 * it is settled. Return: was one lost? */
static bool look(struct mih_gpu_offload *off)
{
	struct mih_gpu_rider *rider = off->riders;

	while (rider && !lose(rider))
		rider = rider->next;
	if (!rider)
		return false;
	pthread_mutex_unlock(&off->lock);
	mih_gpu_offload_fail(&off->dev, "its driver does not return");
	mih_gpu_lane_settle(rider, MIH_EBACKEND);
	pthread_mutex_lock(&off->lock);
	rider->settled = true;
	pthread_cond_broadcast(&off->changed);
	return true;
}

/* There may be no lane left to give back what waits. */
static void drain(struct mih_gpu_rider *mine)
{
	struct mih_gpu_offload *off = mine->off;

	while (off->state == MIH_GPU_DOWN && off->head) {
		mih_gpu_lane_gather(mine);
		pthread_mutex_unlock(&off->lock);
		mih_gpu_lane_settle(mine, MIH_EBACKEND);
		pthread_mutex_lock(&off->lock);
	}
}

static bool is_busy(const struct mih_gpu_offload *off)
{
	const struct mih_gpu_rider *rider = off->riders;

	while (rider && (!rider->npieces || mih_gpu_watch_lost(rider)))
		rider = rider->next;
	return rider || off->head;
}

/* Nobody looks about while there is nothing to do. */
static void pause_a_while(struct mih_gpu_offload *off)
{
	struct timespec until;

	off->watching = is_busy(off);
	if (!off->watching) {
		pthread_cond_wait(&off->noticed, &off->lock);
		off->watching = true;
	}
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LOOK_MS / 1000;
	if (!off->unwatch)
		pthread_cond_timedwait(&off->noticed, &off->lock, &until);
}

static void *watch_main(void *arg)
{
	struct mih_gpu_offload *off = arg;
	struct mih_gpu_rider mine = { .off = off };

	mine.pieces = calloc(off->ngroups, sizeof(*mine.pieces));
	pthread_mutex_lock(&off->lock);
	while (!off->unwatch) {
		while (look(off))
			;
		if (mine.pieces)
			drain(&mine);
		pause_a_while(off);
	}
	pthread_mutex_unlock(&off->lock);
	free(mine.pieces);
	return NULL;
}

int mih_gpu_watch_start(struct mih_gpu_offload *off)
{
	int rc = mih_thread_start(&off->watch, watch_main, off);

	off->watched = rc == 0;
	return rc;
}

void mih_gpu_watch_notice(struct mih_gpu_offload *off)
{
	if (!off->watching)
		pthread_cond_signal(&off->noticed);
}

void mih_gpu_watch_stop(struct mih_gpu_offload *off)
{
	if (!off->watched)
		return;
	pthread_mutex_lock(&off->lock);
	off->unwatch = true;
	pthread_cond_signal(&off->noticed);
	pthread_mutex_unlock(&off->lock);
	pthread_join(off->watch, NULL);
	off->watched = false;
}
