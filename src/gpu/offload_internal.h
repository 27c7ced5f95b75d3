/*
 * gpu/offload_internal.h - drive any GPU through its port
 *
 * Layer: src/gpu.  Threads: internally locked.
 */
#ifndef MIH_GPU_OFFLOAD_INTERNAL_H
#define MIH_GPU_OFFLOAD_INTERNAL_H

#include "gpu/device.h"
#include "gpu/port_internal.h"

/**
 * mih_gpu_offload_new() - a device whose batches run on @port's hardware
 * @ops:     the device's own table, whose functions are those below
 * @port:    vendor functions
 * @ordinal: which of the port's devices
 * @dev_out: set on success
 *
 * Returns at once: the device is opened by a thread of its own, because a
 * context takes 0.1 s and more. Until it is ready, and for good once it has
 * failed (a call that fails, no answer within 10 s, out of memory), batches are
 * hashed by the CPU on the submitting thread, so done() always gets 0. A
 * failure is one line in the log.
 *
 * Return: 0 or -ENOMEM or -EAGAIN with a story.
 */
MIH_MUST_CHECK mih_err mih_gpu_offload_new(const struct mih_gpu_ops *ops,
					   const struct mih_gpu_port_ops *port,
					   size_t ordinal,
					   struct mih_gpu_dev **dev_out);

/** mih_gpu_offload_wait() - until opening has ended; is the device usable? */
bool mih_gpu_offload_wait(struct mih_gpu_dev *dev);

/* Entries for struct mih_gpu_ops. */
void mih_gpu_offload_close(struct mih_gpu_dev *dev);
void mih_gpu_offload_submit(struct mih_gpu_dev *dev,
			    struct mih_gpu_batch *batch);
void *mih_gpu_offload_staging_alloc(struct mih_gpu_dev *dev, size_t len);
void mih_gpu_offload_staging_free(struct mih_gpu_dev *dev, void *buf,
				  size_t len);
const char *mih_gpu_offload_describe(const struct mih_gpu_dev *dev);

#endif
