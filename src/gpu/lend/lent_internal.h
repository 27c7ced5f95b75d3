/*
 * gpu/lend/lent_internal.h - what is lent to the devices of a port
 *
 * Layer: src/gpu.  Threads: internally locked; offload->lock is not held.
 *
 * One device of a kind pins for all of them: a port's host_register() is for
 * every device that it has opened. A thread of that device's own does it, so
 * that a driver which does not return holds up nobody else.
 *
 * A device that is down might still read what it was given. So of what it has
 * read, or pinned, nothing is undone: its pages stay pinned to the end of the
 * process, and the owner is told to keep the addresses.
 */
#ifndef MIH_GPU_LENT_INTERNAL_H
#define MIH_GPU_LENT_INTERNAL_H

#include "gpu/lend/lend.h"

struct mih_gpu_offload;

extern const struct mih_gpu_lend_ops mih_gpu_lent_ops;

/** mih_gpu_lent_run() - pin and unpin for @off until it stops or is down. */
void mih_gpu_lent_run(struct mih_gpu_offload *off);

/** mih_gpu_lent_stop() - let mih_gpu_lent_run() end. */
void mih_gpu_lent_stop(struct mih_gpu_offload *off);

/** mih_gpu_lent_lost() - @off is down; what it has read stays. */
void mih_gpu_lent_lost(struct mih_gpu_offload *off);

/**
 * mih_gpu_lent_use() - may @off read @len bytes at @data where they lie?
 *
 * If so it is noted, until they are taken back.
 */
bool mih_gpu_lent_use(struct mih_gpu_offload *off, const void *data,
		      size_t len);

#endif
