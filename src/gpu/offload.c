/*
 * One queue, a few lanes. Each lane is a thread with a stream: it takes pieces
 * of as many batches as its arena holds, copies, hashes, waits, and hands the
 * digests out. While one lane hashes, the others copy, so PCIe stays busy;
 * small batches of many readers ride in one launch.
 */
#include "gpu/offload_internal.h"
#include "gpu/staging_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PINNED_LEN ((size_t)256 << 20)
#define ANSWER_MS                                                              \
	10000 /* a 32 MiB batch takes 1 ms; a hung device, for ever            \
	       */

enum state { STARTING, READY, DOWN };

struct offload {
	struct mih_gpu_dev dev;
	const struct mih_gpu_port_ops *ops;
	size_t ordinal;
	struct mih_gpu_staging staging;
	void *pinned;	      /* its block; owned */
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	enum state state;
	bool stopping;
	struct mih_gpu_port *port;
	struct mih_gpu_batch *head, **tail;
	size_t nthreads;
	pthread_t threads[MIH_GPU_LANES];
};

/** A run of whole groups of one range: what a lane takes at a time. */
struct piece {
	struct mih_gpu_batch *batch;
	struct mih_hash_range range;
	uint8_t *digests;
};

struct lane {
	struct offload *off;
	struct mih_gpu_lane *hw;
	struct mih_gpu_group *groups; /* host_alloc() */
	uint8_t *digests;	      /* host_alloc() */
	enum mih_hash_alg alg;
	struct piece pieces[MIH_GPU_LANE_GROUPS];
	size_t npieces, ngroups;
};

static void hash_on_cpu(struct mih_gpu_batch *batch)
{
	mih_hash_groups(batch->alg, batch->ranges, batch->nranges,
			batch->digests);
	batch->done(batch, 0);
}

/* Skip ranges of no bytes; is anything of the batch left to hand out? */
static bool batch_has_more(struct mih_gpu_batch *batch)
{
	while (batch->dev.range < batch->nranges &&
	       batch->dev.off == batch->ranges[batch->dev.range].len) {
		batch->dev.range++;
		batch->dev.off = 0;
	}
	return batch->dev.range < batch->nranges;
}

/* Hand out at most @room groups of the batch's current range. */
static struct piece batch_take(struct mih_gpu_batch *batch, size_t room)
{
	const struct mih_hash_range *r = &batch->ranges[batch->dev.range];
	size_t len = MIH_MIN(r->len - batch->dev.off, room * MIH_HASH_GROUP);
	struct piece piece = {
		.batch = batch,
		.range = { .data = (const char *)r->data + batch->dev.off,
			   .len = len,
			   .off = r->off + batch->dev.off,
			   .is_root = r->is_root },
		.digests = batch->dev.digest,
	};

	batch->dev.off += len;
	batch->dev.digest +=
	    mih_hash_ngroups(len) * mih_hash_info(batch->alg)->len;
	batch->dev.pieces++;
	return piece;
}

/* Called with the lock held; leaves handed-out batches to their pieces. */
static void lane_gather(struct lane *lane)
{
	struct offload *off = lane->off;
	struct mih_gpu_batch *batch;

	lane->npieces = lane->ngroups = 0;
	while ((batch = off->head) && lane->ngroups < MIH_GPU_LANE_GROUPS) {
		struct piece *piece = &lane->pieces[lane->npieces];

		if (lane->npieces > 0 && batch->alg != lane->alg)
			break;
		lane->alg = batch->alg;
		*piece = batch_take(batch, MIH_GPU_LANE_GROUPS - lane->ngroups);
		lane->npieces++;
		lane->ngroups += mih_hash_ngroups(piece->range.len);
		if (batch_has_more(batch))
			continue;
		off->head = batch->dev.next;
		if (!off->head)
			off->tail = &off->head;
	}
}

static mih_err lane_upload(struct lane *lane)
{
	const struct mih_gpu_port_ops *ops = lane->off->ops;
	size_t group = 0;

	for (size_t i = 0; i < lane->npieces; i++) {
		const struct mih_hash_range *r = &lane->pieces[i].range;
		mih_err err = ops->upload(lane->hw, group * MIH_HASH_GROUP,
					  r->data, r->len);

		if (err)
			return err;
		for (size_t at = 0; at < r->len; at += MIH_HASH_GROUP)
			lane->groups[group++] = (struct mih_gpu_group){
				.len = (uint32_t)MIH_MIN(
				    r->len - at, (size_t)MIH_HASH_GROUP),
				.is_root = r->is_root,
				.off = r->off + at,
			};
	}
	return 0;
}

static mih_err lane_hash(struct lane *lane)
{
	const struct mih_gpu_port_ops *ops = lane->off->ops;
	mih_err err = lane_upload(lane);

	if (!err)
		err = ops->hash(lane->hw, lane->alg, lane->groups,
				lane->ngroups, lane->digests);
	if (!err)
		err = ops->finish(lane->hw, ANSWER_MS);
	return err;
}

static void go_down(struct offload *off)
{
	bool first;

	pthread_mutex_lock(&off->lock);
	first = off->state != DOWN;
	off->state = DOWN;
	pthread_cond_broadcast(&off->changed);
	pthread_mutex_unlock(&off->lock);
	if (first)
		mih_log_warning("device %s:%zu is out of use, the CPU does "
				"its work: %s",
				off->ops->kind, off->ordinal,
				mih_err_message());
}

/* Give every piece its digests, by the CPU if the device has failed. */
static void lane_deliver(struct lane *lane, mih_err err)
{
	size_t len = mih_hash_info(lane->alg)->len;
	const uint8_t *from = lane->digests;

	for (size_t i = 0; i < lane->npieces; i++) {
		struct piece *piece = &lane->pieces[i];
		struct mih_gpu_batch *batch = piece->batch;
		size_t n = mih_hash_ngroups(piece->range.len) * len;
		bool last;

		if (err)
			mih_hash_groups(lane->alg, &piece->range, 1,
					piece->digests);
		else
			memcpy(piece->digests, from, n);
		from += n;
		pthread_mutex_lock(&lane->off->lock);
		last = --batch->dev.pieces == 0 && !batch_has_more(batch);
		pthread_mutex_unlock(&lane->off->lock);
		if (last)
			batch->done(batch, 0);
	}
}

/* Until the end: wait for batches, hash them. Called and left locked. */
static void lane_serve(struct lane *lane)
{
	struct offload *off = lane->off;

	for (;;) {
		while (!off->head && !off->stopping)
			pthread_cond_wait(&off->changed, &off->lock);
		if (!off->head)
			return;
		lane_gather(lane);
		bool down = off->state == DOWN;

		pthread_mutex_unlock(&off->lock);
		mih_err err = down ? MIH_EBACKEND : lane_hash(lane);

		if (err && !down)
			go_down(off);
		lane_deliver(lane, err);
		pthread_mutex_lock(&off->lock);
	}
}

static mih_err lane_open(struct lane *lane)
{
	struct offload *off = lane->off;
	mih_err err =
	    off->ops->lane_open(off->port, MIH_GPU_LANE_GROUPS, &lane->hw);

	if (err)
		return err;
	lane->groups = off->ops->host_alloc(
	    off->port, MIH_GPU_LANE_GROUPS * sizeof(*lane->groups));
	lane->digests = off->ops->host_alloc(
	    off->port, (size_t)MIH_GPU_LANE_GROUPS * MIH_HASH_LEN_MAX);
	if (!lane->groups || !lane->digests)
		return mih_err_fail(MIH_EBACKEND, "%s: out of pinned memory",
				    off->ops->kind);
	return 0;
}

/* Not for a device that is down: it may still write to what is freed here. */
static void lane_close(struct lane *lane)
{
	struct offload *off = lane->off;

	if (lane->groups)
		off->ops->host_free(off->port, lane->groups);
	if (lane->digests)
		off->ops->host_free(off->port, lane->digests);
	if (lane->hw)
		off->ops->lane_close(lane->hw);
}

/* The first lane opens the device, the others wait for it. */
static bool wait_for_port(struct offload *off)
{
	while (off->state == STARTING && !off->port)
		pthread_cond_wait(&off->changed, &off->lock);
	return off->port != NULL;
}

static void *lane_main(void *arg)
{
	struct offload *off = arg;
	mih_autofree struct lane *lane = calloc(1, sizeof(*lane));
	mih_err err;

	pthread_mutex_lock(&off->lock);
	if (wait_for_port(off) && lane) {
		lane->off = off;
		pthread_mutex_unlock(&off->lock);
		err = lane_open(lane);
		if (err)
			go_down(off);
		pthread_mutex_lock(&off->lock);
		if (off->state == STARTING) {
			off->state = READY;
			pthread_cond_broadcast(&off->changed);
		}
		lane_serve(lane);
		bool down = off->state == DOWN;

		pthread_mutex_unlock(&off->lock);
		if (!down)
			lane_close(lane);
		return NULL;
	}
	pthread_mutex_unlock(&off->lock);
	return NULL;
}

/* Without pinned memory everything works, from plain memory and slower. */
static void staging_open(struct offload *off, struct mih_gpu_port *port)
{
	off->pinned = off->ops->host_alloc(port, PINNED_LEN);
	mih_gpu_staging_set(&off->staging, off->pinned, PINNED_LEN);
}

static void *opener_main(void *arg)
{
	struct offload *off = arg;
	struct mih_gpu_port *port = NULL;
	mih_err err = off->ops->open(off->ordinal, &port);

	if (err) {
		go_down(off);
		return NULL;
	}
	staging_open(off, port);
	pthread_mutex_lock(&off->lock);
	off->port = port;
	pthread_cond_broadcast(&off->changed);
	pthread_mutex_unlock(&off->lock);
	return lane_main(off);
}

void mih_gpu_offload_submit(struct mih_gpu_dev *dev,
			    struct mih_gpu_batch *batch)
{
	struct offload *off = (struct offload *)dev;
	bool taken = false;

	memset(&batch->dev, 0, sizeof(batch->dev));
	batch->dev.digest = batch->digests;
	pthread_mutex_lock(&off->lock);
	if (off->state == READY && batch_has_more(batch)) {
		*off->tail = batch;
		off->tail = &batch->dev.next;
		pthread_cond_signal(&off->changed);
		taken = true;
	}
	pthread_mutex_unlock(&off->lock);
	if (!taken)
		hash_on_cpu(batch);
}

void *mih_gpu_offload_staging_alloc(struct mih_gpu_dev *dev, size_t len)
{
	struct offload *off = (struct offload *)dev;
	void *buf = mih_gpu_staging_take(&off->staging, len);

	if (buf)
		return buf;
	return posix_memalign(&buf, 4096, len) ? NULL : buf;
}

void mih_gpu_offload_staging_free(struct mih_gpu_dev *dev, void *buf,
				  size_t len)
{
	struct offload *off = (struct offload *)dev;

	if (buf && !mih_gpu_staging_give(&off->staging, buf, len))
		free(buf);
}

bool mih_gpu_offload_wait(struct mih_gpu_dev *dev)
{
	struct offload *off = (struct offload *)dev;
	bool ready;

	pthread_mutex_lock(&off->lock);
	while (off->state == STARTING)
		pthread_cond_wait(&off->changed, &off->lock);
	ready = off->state == READY;
	pthread_mutex_unlock(&off->lock);
	return ready;
}

const char *mih_gpu_offload_describe(const struct mih_gpu_dev *dev)
{
	static _Thread_local char text[64];
	struct offload *off = (struct offload *)dev;
	const char *line = NULL;

	pthread_mutex_lock(&off->lock);
	if (off->port)
		line = off->ops->describe(off->port);
	pthread_mutex_unlock(&off->lock);
	if (line)
		return line;
	snprintf(text, sizeof(text), "%s:%zu (%s)", off->ops->kind,
		 off->ordinal, off->state == DOWN ? "failed" : "starting");
	return text;
}

void mih_gpu_offload_close(struct mih_gpu_dev *dev)
{
	struct offload *off = (struct offload *)dev;

	pthread_mutex_lock(&off->lock);
	off->stopping = true;
	pthread_cond_broadcast(&off->changed);
	pthread_mutex_unlock(&off->lock);
	for (size_t i = 0; i < off->nthreads; i++)
		pthread_join(off->threads[i], NULL);
	/* A device that no longer answers would not answer a release either:
	 * leave it to the end of the process. */
	if (off->port && off->state != DOWN) {
		if (off->pinned)
			off->ops->host_free(off->port, off->pinned);
		off->ops->close(off->port);
	}
	mih_gpu_staging_fini(&off->staging);
	pthread_cond_destroy(&off->changed);
	pthread_mutex_destroy(&off->lock);
	free(off);
}

static int start_threads(struct offload *off)
{
	sigset_t all, before;
	int rc = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < MIH_GPU_LANES && !rc; i++) {
		rc = pthread_create(&off->threads[i], NULL,
				    i == 0 ? opener_main : lane_main, off);
		if (!rc)
			off->nthreads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

mih_err mih_gpu_offload_new(const struct mih_gpu_ops *ops,
			    const struct mih_gpu_port_ops *port, size_t ordinal,
			    struct mih_gpu_dev **dev_out)
{
	struct offload *off = calloc(1, sizeof(*off));
	int rc;

	if (!off)
		return mih_err_fail_errno(-ENOMEM, "%s", port->kind);
	off->dev.ops = ops;
	off->ops = port;
	off->ordinal = ordinal;
	off->tail = &off->head;
	mih_gpu_staging_init(&off->staging);
	pthread_mutex_init(&off->lock, NULL);
	pthread_cond_init(&off->changed, NULL);
	rc = start_threads(off);
	if (rc) {
		mih_gpu_offload_close(&off->dev);
		return mih_err_fail_errno(-rc, "%s", port->kind);
	}
	*dev_out = &off->dev;
	return 0;
}
