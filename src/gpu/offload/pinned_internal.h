/*
 * gpu/offload/pinned_internal.h - the block of memory that a device reads
 *
 * Layer: src/gpu.  Threads: touch() from any, beside open(); the rest from one
 * at a time.
 *
 * To allocate 256 MiB pinned takes a driver 0.1 s. Where it can pin memory that
 * is there already, huge pages are faulted in by the lanes while the driver
 * still starts, and then pinned in no time; reading into them also costs the
 * processor less than reading into pages of 4 KiB.
 */
#ifndef MIH_GPU_PINNED_INTERNAL_H
#define MIH_GPU_PINNED_INTERNAL_H

#include "gpu/port_internal.h"

struct mih_gpu_pinned {
	uint8_t *base; /* NULL: there is none (yet) */
	size_t len;
	bool is_ours; /* reserved here, not allocated by the port */
	bool is_registered;
};

/** mih_gpu_pinned_reserve() - @len bytes, before the port is open. */
void mih_gpu_pinned_reserve(struct mih_gpu_pinned *pinned,
			    const struct mih_gpu_port_ops *ops, size_t len);

/** mih_gpu_pinned_touch() - fault in part @i of @n. */
void mih_gpu_pinned_touch(const struct mih_gpu_pinned *pinned, size_t i,
			  size_t n);

/** mih_gpu_pinned_drop() - give the memory of part @i back: the port has not
 *  opened, and nobody ever will use it. */
void mih_gpu_pinned_drop(const struct mih_gpu_pinned *pinned, size_t i,
			 size_t n);

/** mih_gpu_pinned_open() - pin or allocate it; base is NULL if neither can be.
 */
void mih_gpu_pinned_open(struct mih_gpu_pinned *pinned,
			 const struct mih_gpu_port_ops *ops,
			 struct mih_gpu_port *port);

/** mih_gpu_pinned_close() - give it back; @port may be NULL if it was never
 *  open. Not for a device that is down: it might still read. */
void mih_gpu_pinned_close(struct mih_gpu_pinned *pinned,
			  const struct mih_gpu_port_ops *ops,
			  struct mih_gpu_port *port);

#endif
