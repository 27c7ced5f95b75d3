/*
 * gpu/device_internal.h - devices as the registry makes them
 *
 * Layer: src/gpu.
 */
#ifndef MIH_GPU_DEVICE_INTERNAL_H
#define MIH_GPU_DEVICE_INTERNAL_H

#include "gpu/about.h"
#include "gpu/port_internal.h"

/* A driver may hang in a call, where no time-out of ours reaches: so long is
 * its thread waited for at the end. */
#define MIH_GPU_JOIN_S 15

/**
 * mih_gpu_device_open() - one device alone, without a set around it
 * @spec: one of struct mih_gpu_params, but not "auto"
 *
 * Return: as mih_gpu_open().
 */
MIH_MUST_CHECK mih_err mih_gpu_device_open(const char *spec, uint64_t memory,
					   struct mih_gpu_dev **dev_out);

/** What one kind of batch costs a device. */
struct mih_gpu_rate {
	double latency_ns;
	double ns_per_byte;
};

/**
 * mih_gpu_rate_measure() - time @dev, and see that its digests are right
 *
 * Return: 0; MIH_EBACKEND if it failed, and is down; -ENOMEM; with a story.
 */
MIH_MUST_CHECK mih_err mih_gpu_rate_measure(struct mih_gpu_dev *dev,
					    enum mih_gpu_kernel kernel,
					    struct mih_gpu_rate *rate_out);

/** Of which devices a set is made. */
struct mih_gpu_set_params {
	const char *kind; /* of struct mih_gpu_dev */
	size_t n;	  /* members, 1 and more */
	bool share_cpu;	  /* may the processor take batches of any size? */
	bool named;	  /* that one is missing is an error, */
	bool logs;	  /* and a line in the log */
	/** Open member @i: called in order by the set's own thread, since it
	 *  may take long to ask a driver what is there. */
	mih_err (*open)(void *context, size_t i, struct mih_gpu_dev **dev_out);
	void *context; /* for open(); the set's on success, of malloc() */
};

/**
 * mih_gpu_set_new() - share batches among devices
 *
 * Return: 0; -ENOMEM; -EAGAIN; with a story.
 */
MIH_MUST_CHECK mih_err mih_gpu_set_new(const struct mih_gpu_set_params *params,
				       struct mih_gpu_dev **dev_out);

#endif
