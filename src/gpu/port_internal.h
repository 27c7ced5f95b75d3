/*
 * gpu/port_internal.h - the little that one vendor's interface must provide
 *
 * Layer: src/gpu.  Threads: a lane belongs to one thread; a port's other
 * calls may come from several.
 *
 * A GPU is driven by offload.c alone, through this table: queueing, splitting,
 * gathering, time-outs and redoing on the CPU are the same for every vendor.
 * A further vendor is one file with these functions.
 *
 * Memory of a lane on the device (for the number of groups given to lane_open):
 *   arena    64 KiB each; group i at i * 65536
 *   groups   struct mih_gpu_group each
 *   nodes    2 KiB each: leaves and nodes while hashing
 *   digests  the digest length each; digest i of group i
 */
#ifndef MIH_GPU_PORT_INTERNAL_H
#define MIH_GPU_PORT_INTERNAL_H

#include "hash/group.h"
#include "util/err.h"

#include <stdbool.h>

/* 32 MiB a lane: 16 MiB are enough to keep PCIe busy with four lanes, twice
 * that fills the multiprocessors better. Four lanes take 128 MiB. */
#define MIH_GPU_LANE_GROUPS 512
#define MIH_GPU_LANES	    4

#define MIH_GPU_NODES_LEN 2048 /* 64 leaves of 32 bytes, or 16 of 64 */
#define MIH_GPU_WORK	  256  /* MIH_WORK_ITEMS of kernels/target.h */

/** One group as kernels see it; 16 bytes, little-endian on every target. */
struct mih_gpu_group {
	uint32_t len;	  /* bytes, 1 .. 65536 */
	uint32_t is_root; /* 1: the group is its whole file */
	uint64_t off;	  /* where it begins in the file, in bytes */
};

struct mih_gpu_port; /* one device, opened */
struct mih_gpu_lane; /* one stream with its memory */

struct mih_gpu_port_ops {
	const char *kind;
	/** Devices of this kind; 0 where there is no driver. */
	size_t (*count)(void);
	/** Open number @ordinal. 0 or MIH_EBACKEND with a story. */
	mih_err (*open)(size_t ordinal, struct mih_gpu_port **port_out);
	void (*close)(struct mih_gpu_port *port);
	/** One line: name, memory, driver. Valid while the port is open. */
	const char *(*describe)(const struct mih_gpu_port *port);
	/** Memory that is copied to the device fastest; NULL: none left. */
	void *(*host_alloc)(struct mih_gpu_port *port, size_t len);
	void (*host_free)(struct mih_gpu_port *port, void *buf);
	/** A stream, and memory for @ngroups. 0 or MIH_EBACKEND, a story. */
	mih_err (*lane_open)(struct mih_gpu_port *port, size_t ngroups,
			     struct mih_gpu_lane **lane_out);
	void (*lane_close)(struct mih_gpu_lane *lane);
	/** Begin to copy @len bytes to @at of the arena. */
	mih_err (*upload)(struct mih_gpu_lane *lane, size_t at,
			  const void *data, size_t len);
	/**
	 * Begin to hash groups 0 .. @n - 1 of the arena and to copy their
	 * digests back. @groups and @digests are memory of host_alloc().
	 */
	mih_err (*hash)(struct mih_gpu_lane *lane, enum mih_hash_alg alg,
			const struct mih_gpu_group *groups, size_t n,
			uint8_t *digests);
	/** Wait for all that was begun. MIH_EBACKEND after @timeout_ms. */
	mih_err (*finish)(struct mih_gpu_lane *lane, unsigned timeout_ms);
};

/* cuda.c and opencl.c, where the build has them. */
extern const struct mih_gpu_port_ops mih_gpu_cuda_port;
extern const struct mih_gpu_port_ops mih_gpu_opencl_port;

#endif
