/*
 * A lane is a thread with a stream: it takes pieces of as many batches as its
 * arena holds, copies, hashes, waits, and hands the digests out. Small batches
 * of many readers ride in one launch.
 */
#include "gpu/offload/offload_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/host/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PINNED_MAX ((size_t)64 << 20)

/* Groups that a launch takes of several batches: enough to fill the device, and
 * so few that the lanes take turns, one copying while another hashes. Where a
 * lane took all there was, up to 35 MiB, `verify` on an H100 took a tenth
 * longer. */
#define RIDE_MAX ((size_t)128)

/* For so long a lane that has nothing to do looks for the next batch without
 * sleeping: who reads a file in order has it by then. */
#define SCOUT_NS      200000
#define SCOUT_STEP_NS 2000

/* A sum is of one batch; all others share a launch with their like. */
static bool may_ride(const struct mih_gpu_rider *rider,
		     const struct mih_gpu_batch *batch)
{
	if (!rider->npieces)
		return true;
	if (mih_gpu_piece_kernel(batch) != rider->kernel)
		return false;
	return batch->task != MIH_GPU_LTHASH || batch == rider->pieces[0].batch;
}

/* Leaves handed-out batches to their pieces. */
void mih_gpu_lane_gather(struct mih_gpu_rider *rider)
{
	struct mih_gpu_offload *off = rider->off;
	struct mih_gpu_batch *batch;

	rider->npieces = rider->nrows = rider->room = 0;
	while ((batch = off->head) && rider->room < RIDE_MAX &&
	       may_ride(rider, batch)) {
		struct mih_gpu_piece *piece = &rider->pieces[rider->npieces];

		if (!mih_gpu_piece_take(batch, off->ngroups - rider->room,
					piece))
			break;
		rider->kernel = mih_gpu_piece_kernel(batch);
		rider->npieces++;
		rider->nrows += piece->nrows;
		rider->room += piece->room;
		if (mih_gpu_piece_left(batch))
			continue;
		off->head = batch->dev.next;
		if (!off->head)
			off->tail = &off->head;
	}
}

static size_t arena_len(const struct mih_gpu_offload *off)
{
	return off->ngroups * MIH_HASH_GROUP;
}

/* Pinned, unless somebody has asked for a very large arena: then only what is
 * used of it shall take memory. */
static uint8_t *get_bounce(struct mih_gpu_rider *rider)
{
	struct mih_gpu_offload *off = rider->off;
	size_t len = arena_len(off);
	void *map;

	if (rider->bounce)
		return rider->bounce;
	if (len <= PINNED_MAX) {
		mih_gpu_watch_call(rider);
		rider->bounce = off->ops->host_alloc(off->port, len);
		if (mih_gpu_watch_returned(rider, 0))
			return NULL;
	}
	rider->is_bounce_pinned = rider->bounce != NULL;
	if (rider->bounce)
		return rider->bounce;
	map = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	rider->bounce = map == MAP_FAILED ? NULL : map;
	return rider->bounce;
}

/* Of memory that lasts: a block of staging memory, and our own. */
static const void *lasting(struct mih_gpu_rider *rider, size_t at,
			   const void *data, size_t len)
{
	uint8_t *bounce;

	if (mih_gpu_staging_lasts(data))
		return data;
	bounce = get_bounce(rider);
	return bounce ? memcpy(bounce + at, data, len) : NULL;
}

mih_err mih_gpu_lane_upload(struct mih_gpu_rider *rider, size_t at,
			    const void *data, size_t len)
{
	mih_err err;

	data = lasting(rider, at, data, len);
	if (!data)
		return mih_err_fail(MIH_EBACKEND, "out of pinned memory");
	mih_gpu_watch_call(rider);
	err = rider->off->ops->upload(rider->hw, at, data, len);
	return mih_gpu_watch_returned(rider, err);
}

/* Begin what was loaded, and wait for its end. With one lane at work somebody
 * waits for its batch alone; with several, the bus is what all of them wait
 * for. */
static mih_err launch_and_wait(struct mih_gpu_rider *rider,
			       const struct mih_gpu_launch *launch, bool alone)
{
	const struct mih_gpu_port_ops *ops = rider->off->ops;
	atomic_bool *warm = &rider->off->warm[rider->kernel];
	unsigned how = alone ? MIH_GPU_WAIT_AWAKE : 0;
	mih_err err;

	if (!atomic_load(warm))
		how |= MIH_GPU_WAIT_FIRST;
	mih_gpu_watch_call(rider);
	err = ops->launch(rider->hw, launch);
	err = mih_gpu_watch_returned(rider, err);
	if (err)
		return err;
	mih_gpu_watch_call(rider);
	err = mih_gpu_port_wait(ops, rider->hw, how);
	err = mih_gpu_watch_returned(rider, err);
	if (!err)
		atomic_store(warm, true);
	return err;
}

/* What is not overwritten must not look like a digest of earlier bytes. */
static mih_err run(struct mih_gpu_rider *rider, bool alone)
{
	struct mih_gpu_launch launch = {
		.kernel = rider->kernel,
		.table = rider->table,
		.n = rider->nrows,
		.out = rider->out,
		.out_len = mih_gpu_piece_out_len(rider->kernel, rider->nrows),
	};
	size_t at = 0, row = 0;
	mih_err err;

	memset(rider->out, MIH_GPU_NO_DIGEST, launch.out_len);
	for (size_t i = 0; i < rider->npieces; i++) {
		const struct mih_gpu_piece *piece = &rider->pieces[i];

		mih_gpu_piece_rows(rider, piece, at, row);
		at += piece->room;
		row += piece->nrows;
	}
	mih_gpu_watch_call(rider);
	err = rider->off->ops->prepare(rider->hw, &launch);
	err = mih_gpu_watch_returned(rider, err);
	at = 0;
	for (size_t i = 0; i < rider->npieces && !err; i++) {
		err = mih_gpu_piece_upload(rider, &rider->pieces[i], at);
		at += rider->pieces[i].room;
	}
	return err ? err : launch_and_wait(rider, &launch, alone);
}

/* The last piece of each batch tells its submitter. */
void mih_gpu_lane_settle(struct mih_gpu_rider *rider, mih_err err)
{
	struct mih_gpu_offload *off = rider->off;

	if (!err)
		mih_gpu_piece_deliver(rider);
	for (size_t i = 0; i < rider->npieces; i++) {
		struct mih_gpu_batch *batch = rider->pieces[i].batch;
		bool last, failed;

		pthread_mutex_lock(&off->lock);
		batch->dev.failed |= err != 0;
		failed = batch->dev.failed;
		last = --batch->dev.pieces == 0 && !mih_gpu_piece_left(batch);
		pthread_mutex_unlock(&off->lock);
		if (last)
			batch->done(batch, failed ? MIH_EBACKEND : 0);
	}
}

/* Wait until there is a batch, or the end. Called and left locked. */
static void look_for_batch(struct mih_gpu_offload *off)
{
	uint64_t now = mih_clock_ns(), until = now + SCOUT_NS, next;

	if (!off->scouted) {
		off->scouted = true;
		while (!off->head && !off->stopping && now < until) {
			pthread_mutex_unlock(&off->lock);
			next = now + SCOUT_STEP_NS;
			while ((now = mih_clock_ns()) < next)
				;
			pthread_mutex_lock(&off->lock);
		}
		off->scouted = false;
	}
	while (!off->head && !off->stopping)
		pthread_cond_wait(&off->changed, &off->lock);
}

/* Nothing of what it had taken is this lane's any more. */
static void wait_settled(struct mih_gpu_rider *rider)
{
	struct mih_gpu_offload *off = rider->off;

	pthread_mutex_lock(&off->lock);
	while (!rider->settled)
		pthread_cond_wait(&off->changed, &off->lock);
}

/* Until the end: wait for batches, hash them. Called and left locked. */
static void serve(struct mih_gpu_rider *rider)
{
	struct mih_gpu_offload *off = rider->off;

	for (;;) {
		mih_err err = MIH_EBACKEND;
		bool down, alone;

		look_for_batch(off);
		if (!off->head)
			return;
		mih_gpu_lane_gather(rider);
		if (off->head)
			pthread_cond_signal(&off->changed);
		alone = ++off->busy == 1 && !off->head;
		down = off->state == MIH_GPU_DOWN;
		pthread_mutex_unlock(&off->lock);
		if (!down)
			err = run(rider, alone);
		if (mih_gpu_watch_lost(rider)) {
			wait_settled(rider);
			return;
		}
		if (err && !down)
			mih_gpu_offload_fail(&off->dev, mih_err_message());
		mih_gpu_lane_settle(rider, err);
		pthread_mutex_lock(&off->lock);
		off->busy--;
		rider->npieces = 0;
	}
}

static mih_err rider_open(struct mih_gpu_rider *rider)
{
	struct mih_gpu_offload *off = rider->off;
	const struct mih_gpu_port_ops *ops = off->ops;
	mih_err err = ops->lane_open(off->port, off->ngroups, &rider->hw);

	if (err)
		return err;
	rider->table =
	    ops->host_alloc(off->port, off->ngroups * MIH_GPU_ROW_MAX);
	rider->out = ops->host_alloc(off->port, off->ngroups * MIH_GPU_OUT_LEN);
	if (!rider->table || !rider->out)
		return mih_err_fail(MIH_EBACKEND, "%s: out of pinned memory",
				    ops->kind);
	return 0;
}

/* Not for a device that is down: it may still write to what is freed here. */
static void rider_close(struct mih_gpu_rider *rider)
{
	struct mih_gpu_offload *off = rider->off;

	if (rider->table)
		off->ops->host_free(off->port, rider->table);
	if (rider->out)
		off->ops->host_free(off->port, rider->out);
	if (rider->is_bounce_pinned)
		off->ops->host_free(off->port, rider->bounce);
	else if (rider->bounce)
		munmap(rider->bounce, arena_len(off));
	if (rider->hw)
		off->ops->lane_close(rider->hw);
}

static void enlist(struct mih_gpu_rider *rider)
{
	rider->next = rider->off->riders;
	rider->off->riders = rider;
}

static void delist(struct mih_gpu_rider *rider)
{
	struct mih_gpu_rider **at = &rider->off->riders;

	while (*at != rider)
		at = &(*at)->next;
	*at = rider->next;
}

/* Even a lane that could not be opened serves: by giving batches back. */
void mih_gpu_lane_run(struct mih_gpu_offload *off)
{
	mih_autofree struct mih_gpu_piece *pieces =
	    calloc(off->ngroups, sizeof(*pieces));
	struct mih_gpu_rider rider = { .off = off, .pieces = pieces };
	mih_err err;
	bool down;

	if (!pieces) {
		mih_gpu_offload_fail(&off->dev, "out of memory");
		return;
	}
	err = rider_open(&rider);
	if (err)
		mih_gpu_offload_fail(&off->dev, mih_err_message());
	mih_gpu_offload_lane_ready(off);
	pthread_mutex_lock(&off->lock);
	enlist(&rider);
	serve(&rider);
	delist(&rider);
	down = off->state == MIH_GPU_DOWN;
	pthread_mutex_unlock(&off->lock);
	if (!down)
		rider_close(&rider);
}
