/*
 * A lane is a thread with a stream: it takes pieces of as many batches as its
 * arena holds, copies, hashes, waits, and hands the digests out. Small batches
 * of many readers ride in one launch.
 */
#include "gpu/offload/offload_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <stdlib.h>
#include <string.h>

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

/* Called with the lock held; leaves handed-out batches to their pieces. */
static void gather(struct mih_gpu_rider *rider)
{
	struct mih_gpu_offload *off = rider->off;
	struct mih_gpu_batch *batch;

	rider->npieces = rider->nrows = rider->room = 0;
	while ((batch = off->head) && may_ride(rider, batch)) {
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

/* What is not overwritten must not look like a digest of earlier bytes: neither
 * here, by a copy that did not happen, nor there, by a kernel that did not run.
 */
static mih_err poison(struct mih_gpu_rider *rider, size_t len)
{
	memset(rider->out, 0xa5, len);
	return rider->off->ops->upload(rider->hw, MIH_GPU_OUT, 0, rider->out,
				       len);
}

static mih_err run(struct mih_gpu_rider *rider)
{
	const struct mih_gpu_port_ops *ops = rider->off->ops;
	struct mih_gpu_launch launch = {
		.kernel = rider->kernel,
		.table = rider->table,
		.n = rider->nrows,
		.out = rider->out,
		.out_len = mih_gpu_piece_out_len(rider->kernel, rider->nrows),
	};
	size_t at = 0, row = 0;
	mih_err err = poison(rider, launch.out_len);

	for (size_t i = 0; i < rider->npieces && !err; i++) {
		const struct mih_gpu_piece *piece = &rider->pieces[i];

		err = mih_gpu_piece_load(rider, piece, at, row);
		at += piece->room;
		row += piece->nrows;
	}
	if (!err)
		err = ops->launch(rider->hw, &launch);
	if (!err)
		err = mih_gpu_port_wait(
		    ops, rider->hw,
		    !atomic_load(&rider->off->warm[rider->kernel]));
	if (!err)
		atomic_store(&rider->off->warm[rider->kernel], true);
	return err;
}

/* Let go of the batches; the last piece of each tells its submitter. */
static void settle(struct mih_gpu_rider *rider, mih_err err)
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

/* Until the end: wait for batches, hash them. Called and left locked. */
static void serve(struct mih_gpu_rider *rider)
{
	struct mih_gpu_offload *off = rider->off;

	for (;;) {
		mih_err err = MIH_EBACKEND;
		bool down;

		while (!off->head && !off->stopping)
			pthread_cond_wait(&off->changed, &off->lock);
		if (!off->head)
			return;
		gather(rider);
		down = off->state == MIH_GPU_DOWN;
		pthread_mutex_unlock(&off->lock);
		if (!down)
			err = run(rider);
		if (err && !down)
			mih_gpu_offload_fail(&off->dev, mih_err_message());
		settle(rider, err);
		pthread_mutex_lock(&off->lock);
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
	if (rider->hw)
		off->ops->lane_close(rider->hw);
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
	serve(&rider);
	down = off->state == MIH_GPU_DOWN;
	pthread_mutex_unlock(&off->lock);
	if (!down)
		rider_close(&rider);
}
