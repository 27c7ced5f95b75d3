/*
 * gpu/offload/offload_internal.h - drive any GPU through its port
 *
 * Layer: src/gpu.  Threads: internally locked; a lane is one thread's.
 *
 *   offload.c  the device: opening, queue, staging, going down
 *   lane.c     one stream: gather, prepare, upload, launch, wait, deliver
 *   watch.c    what is done when a call of the driver does not return
 *   piece.c    what a lane takes of a batch, and how it comes back
 */
#ifndef MIH_GPU_OFFLOAD_INTERNAL_H
#define MIH_GPU_OFFLOAD_INTERNAL_H

#include "gpu/device.h"
#include "gpu/device_internal.h"
#include "gpu/port_internal.h"
#include "gpu/offload/pinned_internal.h"
#include "gpu/offload/staging_internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* While one lane hashes the others copy, so PCIe stays busy. */
#define MIH_GPU_LANES 4

struct mih_gpu_offload {
	struct mih_gpu_dev dev;
	const struct mih_gpu_port_ops *ops;
	size_t ordinal;
	size_t ngroups; /* of each lane's arena; a multiple of 16 */
	struct mih_gpu_identity id;
	char text[256]; /* about it, for people */
	bool has_near;	/* where not all processors are near it: */
	cpu_set_t near; /* those that are */
	struct mih_gpu_staging staging;
	struct mih_gpu_pinned pinned;	      /* its block */
	atomic_size_t touched;		      /* parts of that */
	atomic_bool warm[MIH_GPU_KERNEL_END]; /* it has run */
	pthread_mutex_t lock; /* guards all below, and what batches hold */
	pthread_cond_t changed;
	enum mih_gpu_state state;
	bool stopping;
	size_t busy;  /* lanes at work */
	bool scouted; /* a lane looks for batches without sleeping */
	struct mih_gpu_port *port;
	struct mih_gpu_batch *head, **tail;
	struct mih_gpu_rider *riders; /* that serve */
	size_t nthreads;
	pthread_t threads[MIH_GPU_LANES];
	pthread_t watch;
	pthread_cond_t noticed; /* something to watch over, or to end */
	bool watched, watching, unwatch; /* there is a thread; it looks about
					    now; it is to end */
};

/** What a lane takes of a batch at a time: groups of a range, or segments. */
struct mih_gpu_piece {
	struct mih_gpu_batch *batch;
	size_t first;		     /* range or segment */
	struct mih_hash_range range; /* GROUPS, LTHASH: the part of it */
	size_t nrows;		     /* of the table */
	size_t room;		     /* groups of the arena */
	uint8_t *digests;
};

struct mih_gpu_rider {
	struct mih_gpu_offload *off;
	struct mih_gpu_rider *next;
	_Atomic uint64_t call; /* of the driver, under way since; 0: none; or
				  MIH_GPU_LOST: it took too long */
	bool settled;	       /* off->lock: by who took note of the loss */
	uint8_t *bounce;       /* as large as the arena, for bytes that may not
				  last; NULL: not needed yet; owned */
	bool is_bounce_pinned; /* of host_alloc() */
	struct mih_gpu_lane *hw;
	uint8_t *table;		      /* host_alloc() */
	uint8_t *out;		      /* host_alloc() */
	enum mih_gpu_kernel kernel;   /* of all pieces */
	struct mih_gpu_piece *pieces; /* ngroups of them; owned */
	size_t npieces, nrows, room;  /* taken; changed under off->lock */
};

/* piece.c */

/** mih_gpu_piece_kernel() - which kernel does @batch; END: none. */
enum mih_gpu_kernel mih_gpu_piece_kernel(const struct mih_gpu_batch *batch);

/** mih_gpu_piece_fits() - can an arena of @ngroups do @batch in pieces? */
bool mih_gpu_piece_fits(const struct mih_gpu_batch *batch, size_t ngroups);

/** mih_gpu_piece_left() - has @batch anything left to hand out? */
bool mih_gpu_piece_left(struct mih_gpu_batch *batch);

/**
 * mih_gpu_piece_take() - hand out what fits in @room groups of the arena
 *
 * Return: false if the next part of @batch does not fit.
 */
bool mih_gpu_piece_take(struct mih_gpu_batch *batch, size_t room,
			struct mih_gpu_piece *piece_out);

/**
 * mih_gpu_piece_rows() - write the rows
 * @at:  first group of the arena
 * @row: first row of the table
 */
void mih_gpu_piece_rows(struct mih_gpu_rider *rider,
			const struct mih_gpu_piece *piece, size_t at,
			size_t row);

/** mih_gpu_piece_upload() - upload the bytes to group @at of the arena. */
MIH_MUST_CHECK mih_err mih_gpu_piece_upload(struct mih_gpu_rider *rider,
					    const struct mih_gpu_piece *piece,
					    size_t at);

/** mih_gpu_piece_out_len() - bytes that the kernel gives for @nrows. */
size_t mih_gpu_piece_out_len(enum mih_gpu_kernel kernel, size_t nrows);

/** mih_gpu_piece_deliver() - copy or add the result of all pieces. */
void mih_gpu_piece_deliver(struct mih_gpu_rider *rider);

/* watch.c */

#define MIH_GPU_LOST UINT64_MAX

/** mih_gpu_watch_call() - a call of the driver follows on this thread. */
void mih_gpu_watch_call(struct mih_gpu_rider *rider);

/**
 * mih_gpu_watch_returned() - it has returned with @err
 *
 * Return: @err; MIH_EBACKEND if the rider was lost meanwhile: its pieces, and
 * whatever they point to, are nothing to look at any more.
 */
MIH_MUST_CHECK mih_err mih_gpu_watch_returned(struct mih_gpu_rider *rider,
					      mih_err err);

/** mih_gpu_watch_lost() - has that happened? */
bool mih_gpu_watch_lost(const struct mih_gpu_rider *rider);

/** mih_gpu_watch_start() - begin to watch. Return: 0 or an errno. */
int mih_gpu_watch_start(struct mih_gpu_offload *off);

/** mih_gpu_watch_notice() - there is work now; off->lock is held. */
void mih_gpu_watch_notice(struct mih_gpu_offload *off);

/** mih_gpu_watch_stop() - until the thread has ended. */
void mih_gpu_watch_stop(struct mih_gpu_offload *off);

/* lane.c */

/**
 * mih_gpu_lane_upload() - as upload() of the port, from memory that lasts
 * @data: is copied before, where the memory may go when its batch does
 */
MIH_MUST_CHECK mih_err mih_gpu_lane_upload(struct mih_gpu_rider *rider,
					   size_t at, const void *data,
					   size_t len);

/** mih_gpu_lane_gather() - take pieces off the queue; off->lock is held. */
void mih_gpu_lane_gather(struct mih_gpu_rider *rider);

/** mih_gpu_lane_settle() - let go of the batches of all pieces. */
void mih_gpu_lane_settle(struct mih_gpu_rider *rider, mih_err err);

/** mih_gpu_lane_run() - open a lane of @off, serve until it stops. */
void mih_gpu_lane_run(struct mih_gpu_offload *off);

/* offload.c */

/**
 * mih_gpu_offload_new() - a device whose batches run on @port's hardware
 * @ordinal: which of the port's devices
 * @memory:  bytes that it may take of the device's memory
 * @dev_out: set on success
 *
 * Returns at once: the device is opened by a thread of its own, because a
 * context takes 0.1 s and more. It is for good DOWN once a call has failed or
 * no answer has come in time; that is one line in the log.
 *
 * Return: 0 or -ENOMEM or -EAGAIN with a story.
 */
MIH_MUST_CHECK mih_err mih_gpu_offload_new(const struct mih_gpu_port_ops *port,
					   size_t ordinal, uint64_t memory,
					   struct mih_gpu_dev **dev_out);

/** mih_gpu_offload_fail() - as fail() of struct mih_gpu_ops. */
void mih_gpu_offload_fail(struct mih_gpu_dev *dev, const char *why);

/** mih_gpu_offload_lane_ready() - a lane can serve, or the device is DOWN. */
void mih_gpu_offload_lane_ready(struct mih_gpu_offload *off);

#endif
