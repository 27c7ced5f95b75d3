/*
 * gpu/about.h - what devices are here, how fast they are, and how they fare
 *
 * Layer: src/gpu.  Threads: internally locked.
 *
 * To be shown to people; who hashes needs gpu/device.h alone.
 */
#ifndef MIH_GPU_ABOUT_H
#define MIH_GPU_ABOUT_H

#include "gpu/device.h"

/** One device of this host. */
struct mih_gpu_info {
	char spec[32];	/* "cuda:0" */
	bool automatic; /* "auto" takes it: the first GPU */
	struct mih_gpu_identity id;
};

/**
 * mih_gpu_list() - the devices that are here, but for the processor
 * @infos: room for @max
 *
 * Nothing is opened, and no memory of a device is taken.
 *
 * Return: how many there are, perhaps more than @max.
 */
size_t mih_gpu_list(struct mih_gpu_info *infos, size_t max);

/** How fast a device does a task, beside one core of the processor. */
struct mih_gpu_speed {
	double gb_per_s;     /* 1e9 bytes a second, from staging memory */
	double latency_us;   /* of a batch, beside its bytes */
	double cpu_gb_per_s; /* of one core */
	uint64_t border;     /* bytes from which on a batch is done sooner by
				the device; UINT64_MAX: never */
};

/**
 * mih_gpu_measure() - wait until @dev has measured its members at a task
 * @like:   its task and alg are looked at
 * @member: 0 is the first one that is not the processor
 *
 * Return: 0; MIH_EBACKEND if there is no such member or it is down.
 */
MIH_MUST_CHECK mih_err mih_gpu_measure(struct mih_gpu_dev *dev,
				       const struct mih_gpu_batch *like,
				       size_t member,
				       struct mih_gpu_speed *speed_out);

/** One device at work, to show to people. */
struct mih_gpu_member {
	const char *kind; /* "cpu", "cuda", "opencl" */
	enum mih_gpu_state state;
	char line[160]; /* mih_gpu_describe() */
};

/**
 * mih_gpu_members() - the devices that @dev consists of, or itself
 * @members: room for @max
 *
 * Return: how many there are, perhaps more than @max; 0 while none is found.
 */
size_t mih_gpu_members(struct mih_gpu_dev *dev, struct mih_gpu_member *members,
		       size_t max);

/** mih_gpu_describe() - borrowed one-line text, valid while @dev is open. */
const char *mih_gpu_describe(struct mih_gpu_dev *dev);

#endif
