/*
 * One queue, a few lanes (lane.c). The first thread opens the device, the
 * others wait for it; each then opens a lane and serves the queue.
 */
#include "gpu/batch_internal.h"
#include "gpu/offload/offload_internal.h"
#include "util/checked.h"
#include "util/host/node.h"
#include "util/host/thread.h"
#include "util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define PINNED_LEN ((size_t)256 << 20)

/* What a lane takes on the device for each group. */
#define GROUP_MEMORY                                                           \
	((uint64_t)MIH_HASH_GROUP + MIH_GPU_NODES_LEN + MIH_GPU_ROW_MAX +      \
	 MIH_GPU_OUT_LEN)
#define GROUPS_MIN 16
#define GROUPS_MAX 65536

static struct mih_gpu_offload *offload_of(struct mih_gpu_dev *dev)
{
	return (struct mih_gpu_offload *)dev;
}

void mih_gpu_offload_fail(struct mih_gpu_dev *dev, const char *why)
{
	struct mih_gpu_offload *off = offload_of(dev);
	bool first;

	pthread_mutex_lock(&off->lock);
	first = off->state != MIH_GPU_DOWN;
	off->state = MIH_GPU_DOWN;
	pthread_cond_broadcast(&off->changed);
	pthread_mutex_unlock(&off->lock);
	if (first)
		mih_log_warning("device %s:%zu is out of use: %s",
				off->ops->kind, off->ordinal, why);
}

/* Ready with the first lane; a lane that fails later takes the device down. */
void mih_gpu_offload_lane_ready(struct mih_gpu_offload *off)
{
	pthread_mutex_lock(&off->lock);
	if (off->state == MIH_GPU_STARTING) {
		off->state = MIH_GPU_READY;
		pthread_cond_broadcast(&off->changed);
	}
	pthread_mutex_unlock(&off->lock);
}

static bool wait_for_port(struct mih_gpu_offload *off)
{
	bool is_open;

	pthread_mutex_lock(&off->lock);
	while (off->state == MIH_GPU_STARTING && !off->port)
		pthread_cond_wait(&off->changed, &off->lock);
	is_open = off->port != NULL;
	pthread_mutex_unlock(&off->lock);
	return is_open;
}

/* Pinned memory lies where it is touched first, and what a lane copies and
 * polls goes over the bus of its node: across nodes both take longer. */
static void stay_near(const struct mih_gpu_offload *off)
{
	if (off->has_near)
		(void)mih_node_stay(&off->near);
}

static void *lane_main(void *arg)
{
	struct mih_gpu_offload *off = arg;
	size_t part = atomic_fetch_add(&off->touched, 1);
	bool touches = part < MIH_GPU_LANES - 1;

	stay_near(off);
	if (touches)
		mih_gpu_pinned_touch(&off->pinned, part, MIH_GPU_LANES - 1);
	/* The default slack would make each pause between polls 50 us longer.
	 */
	prctl(PR_SET_TIMERSLACK, 1000ul);
	if (wait_for_port(off))
		mih_gpu_lane_run(off);
	else if (touches)
		mih_gpu_pinned_drop(&off->pinned, part, MIH_GPU_LANES - 1);
	return NULL;
}

/* Without pinned memory everything works, from plain memory and slower. */
static void *opener_main(void *arg)
{
	struct mih_gpu_offload *off = arg;
	struct mih_gpu_port *port = NULL;
	mih_err err;

	stay_near(off);
	err = off->ops->open(off->ordinal, &port);
	if (err) {
		mih_gpu_offload_fail(&off->dev, mih_err_message());
		return NULL;
	}
	mih_gpu_pinned_open(&off->pinned, off->ops, port);
	mih_gpu_staging_set(&off->staging, off->pinned.base, off->pinned.len);
	pthread_mutex_lock(&off->lock);
	off->port = port;
	pthread_cond_broadcast(&off->changed);
	pthread_mutex_unlock(&off->lock);
	return lane_main(off);
}

static void offload_submit(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch)
{
	struct mih_gpu_offload *off = offload_of(dev);
	bool fits = mih_gpu_piece_fits(batch, off->ngroups);
	bool taken = false, empty;

	memset(&batch->dev, 0, sizeof(batch->dev));
	batch->dev.digest = batch->digests;
	batch->by = dev;
	if (batch->task == MIH_GPU_LTHASH)
		memset(batch->digests, 0, MIH_HASH_LT_LEN);
	empty = !mih_gpu_piece_left(batch);
	pthread_mutex_lock(&off->lock);
	if (off->state == MIH_GPU_READY && fits && !empty) {
		if (!off->scouted || off->head)
			pthread_cond_signal(&off->changed);
		*off->tail = batch;
		off->tail = &batch->dev.next;
		mih_gpu_watch_notice(off);
		taken = true;
	}
	pthread_mutex_unlock(&off->lock);
	if (!taken)
		batch->done(batch, empty ? 0 : MIH_EBACKEND);
}

static enum mih_gpu_state offload_state(struct mih_gpu_dev *dev, bool wait)
{
	struct mih_gpu_offload *off = offload_of(dev);
	enum mih_gpu_state state;

	pthread_mutex_lock(&off->lock);
	while (wait && off->state == MIH_GPU_STARTING)
		pthread_cond_wait(&off->changed, &off->lock);
	state = off->state;
	pthread_mutex_unlock(&off->lock);
	return state;
}

static void *offload_staging_alloc(struct mih_gpu_dev *dev, size_t len)
{
	return mih_gpu_staging_take(&offload_of(dev)->staging, len);
}

static void *offload_staging_ready(struct mih_gpu_dev *dev, size_t len)
{
	return offload_state(dev, false) == MIH_GPU_READY
		   ? offload_staging_alloc(dev, len)
		   : NULL;
}

static bool offload_staging_has(struct mih_gpu_dev *dev, const void *buf,
				size_t len)
{
	return mih_gpu_staging_has(&offload_of(dev)->staging, buf, len);
}

static bool offload_staging_free(struct mih_gpu_dev *dev, void *buf, size_t len)
{
	return mih_gpu_staging_give(&offload_of(dev)->staging, buf, len);
}

static const char *offload_describe(struct mih_gpu_dev *dev)
{
	return offload_of(dev)->text;
}

static void offload_close(struct mih_gpu_dev *dev)
{
	struct mih_gpu_offload *off = offload_of(dev);
	bool joined;

	pthread_mutex_lock(&off->lock);
	off->stopping = true;
	pthread_cond_broadcast(&off->changed);
	pthread_mutex_unlock(&off->lock);
	joined = mih_thread_join(off->threads, off->nthreads, MIH_GPU_JOIN_S);
	mih_gpu_watch_stop(off);
	if (!joined) {
		mih_log_warning("device %s:%zu: its driver does not return",
				off->ops->kind, off->ordinal);
		return;
	}
	/* A device that no longer answers would not answer a release either:
	 * leave it to the end of the process. */
	if (!off->port || off->state != MIH_GPU_DOWN)
		mih_gpu_pinned_close(&off->pinned, off->ops, off->port);
	if (off->port && off->state != MIH_GPU_DOWN)
		off->ops->close(off->port);
	mih_gpu_staging_fini(&off->staging);
	pthread_cond_destroy(&off->noticed);
	pthread_cond_destroy(&off->changed);
	pthread_mutex_destroy(&off->lock);
	free(off);
}

static const struct mih_gpu_ops offload_ops = {
	.close = offload_close,
	.submit = offload_submit,
	.state = offload_state,
	.fail = mih_gpu_offload_fail,
	.staging_alloc = offload_staging_alloc,
	.staging_ready = offload_staging_ready,
	.staging_has = offload_staging_has,
	.staging_free = offload_staging_free,
	.describe = offload_describe,
};

static int start_threads(struct mih_gpu_offload *off)
{
	int rc = 0;

	for (size_t i = 0; i < MIH_GPU_LANES && !rc; i++) {
		rc = mih_thread_start(&off->threads[i],
				      i == 0 ? opener_main : lane_main, off);
		if (!rc)
			off->nthreads++;
	}
	return rc;
}

static size_t groups_for(uint64_t memory)
{
	uint64_t n = memory / MIH_GPU_LANES / GROUP_MEMORY;

	n = MIH_MIN(MIH_MAX(n, (uint64_t)GROUPS_MIN), (uint64_t)GROUPS_MAX);
	return (size_t)n / GROUPS_MIN * GROUPS_MIN;
}

static void describe(struct mih_gpu_offload *off)
{
	uint64_t takes = off->ngroups * MIH_GPU_LANES * GROUP_MEMORY;

	off->has_near = mih_node_cpus(NULL, off->id.pci, &off->near);
	snprintf(off->text, sizeof(off->text),
		 "%s:%zu %s, %ju MiB of which %ju are taken, driver %s",
		 off->ops->kind, off->ordinal, off->id.name,
		 (uintmax_t)(off->id.memory >> 20), (uintmax_t)(takes >> 20),
		 off->id.driver);
}

mih_err mih_gpu_offload_new(const struct mih_gpu_port_ops *port, size_t ordinal,
			    uint64_t memory, struct mih_gpu_dev **dev_out)
{
	struct mih_gpu_offload *off = calloc(1, sizeof(*off));
	int rc;

	if (!off)
		return mih_err_fail_errno(-ENOMEM, "%s", port->kind);
	off->dev.ops = &offload_ops;
	off->dev.kind = port->kind;
	off->ops = port;
	off->ordinal = ordinal;
	off->ops->identify(ordinal, &off->id);
	off->ngroups = groups_for(MIH_MIN(memory, off->id.memory / 2));
	off->tail = &off->head;
	describe(off);
	mih_gpu_staging_init(&off->staging);
	mih_gpu_pinned_reserve(&off->pinned, port, PINNED_LEN);
	pthread_mutex_init(&off->lock, NULL);
	pthread_cond_init(&off->changed, NULL);
	pthread_cond_init(&off->noticed, NULL);
	rc = mih_gpu_watch_start(off);
	if (!rc)
		rc = start_threads(off);
	if (rc) {
		offload_close(&off->dev);
		return mih_err_fail_errno(-rc, "%s", port->kind);
	}
	*dev_out = &off->dev;
	return 0;
}
