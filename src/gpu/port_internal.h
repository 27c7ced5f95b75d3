/*
 * gpu/port_internal.h - the little that one vendor's interface must provide
 *
 * Layer: src/gpu.  Threads: a lane belongs to one thread; a port's other
 * calls may come from several.
 *
 * A GPU is driven by offload.c alone, through struct mih_gpu_port_ops:
 * queueing, splitting, gathering and time-outs are the same for every vendor.
 * A further vendor is one file with these functions and a line in ports.c. It
 * compiles the kernels as they are: all of them by gpu/kernels/all.cu, or one
 * program for each, made by gpu/kernels/embed.sh, if the language knows no
 * include path. What the language must bring stands in gpu/kernels/target.h
 * and hash/core/port.h: work-groups with a barrier over memory, 64-bit
 * integers, little-endian loads.
 *
 * Whatever can fail returns 0 or MIH_EBACKEND with a story (mih_err_fail), and
 * one failure ends the use of the device: nothing has to be undone, nothing
 * is tried again. Functions that begin work must not wait for the hardware; one
 * that does for ever takes its thread with it, and the device.
 *
 * A lane is one in-order stream with memory on the device of its own, for so
 * many groups as lane_open() was told, a multiple of 16:
 *   arena    64 KiB for each: the bytes to hash
 *   table    MIH_GPU_ROW_MAX bytes for each: what is where in the arena
 *   nodes    MIH_GPU_NODES_LEN for each: scratch of the kernels
 *   out      MIH_GPU_OUT_LEN for each: what is copied back
 * Their addresses are multiples of 16. Every kernel takes arena, table, the
 * 32-bit number of rows in the table, nodes, out; in this order. It is launched
 * as mih_gpu_grid() says.
 *
 * What is given to prepare(), upload() and launch() stays as it is until poll()
 * has said 0 or the device is given up; of a device that is given up neither
 * lanes nor memory nor port are closed, since it might still write to them.
 * What is given to upload() can be read even then.
 */
#ifndef MIH_GPU_PORT_INTERNAL_H
#define MIH_GPU_PORT_INTERNAL_H

#include "gpu/device.h"

#include <stdbool.h>

#define MIH_GPU_NODES_LEN 2048 /* 64 leaves of 32 bytes, or 16 of 64 */
#define MIH_GPU_ROW_MAX	  352  /* the longest row of any table */
#define MIH_GPU_OUT_LEN	  128  /* a digest, or a group's part of a sum */
#define MIH_GPU_NO_DIGEST 0xa5 /* each byte of what is no digest yet */

/** Rows of mih_gpu_kernels[]. */
enum mih_gpu_kernel {
	MIH_GPU_KERNEL_MTH4K_SHA256,
	MIH_GPU_KERNEL_MTH4K_SHA512,
	MIH_GPU_KERNEL_MTH4K_SHA3_256,
	MIH_GPU_KERNEL_BLAKE3,
	MIH_GPU_KERNEL_LTHASH16,
	MIH_GPU_KERNEL_SHA256_SEGMENTS,
	MIH_GPU_KERNEL_END
};

/** How a kernel is launched; the same for every vendor. */
struct mih_gpu_kernel_info {
	const char *name;  /* its symbol */
	unsigned items;	   /* work items (threads) for each row of the table */
	unsigned narrow;   /* work items of a work-group (block): few, */
	unsigned wide;	   /* or many */
	size_t row_len;	   /* bytes of a row */
	unsigned resident; /* see kernels/resident.h */
};

extern const struct mih_gpu_kernel_info mih_gpu_kernels[MIH_GPU_KERNEL_END];

struct mih_gpu_grid {
	size_t groups; /* work-groups */
	size_t items;  /* of each */
};

/** mih_gpu_grid() - how to launch @kernel for @n rows. */
struct mih_gpu_grid mih_gpu_grid(enum mih_gpu_kernel kernel, size_t n);

/*
 * Rows as kernels see them, little-endian on every target; the same structures
 * stand in kernels/target.h. Row i of groups and elements is about bytes i *
 * 65536 and on of the arena.
 */

/** Of the four trees. */
struct mih_gpu_group {
	uint32_t len;	  /* bytes, 1 .. 65536 */
	uint32_t is_root; /* 1: the group is its whole file */
	uint64_t off;	  /* where it begins in the file, in bytes */
};

/** Of lthash16: a group, and the message that its digest ends. */
struct mih_gpu_element {
	struct mih_gpu_group group;
	uint64_t state[8]; /* of BLAKE2b before the tail */
	uint64_t count;	   /* bytes before the tail */
	uint32_t at;	   /* where in the tail the digest goes */
	uint32_t end;	   /* bytes of the tail, at most 256 */
	uint8_t tail[256]; /* zeros where nothing is */
};

/** Of sha256_segments. */
struct mih_gpu_segment {
	uint64_t at; /* where in the arena; a multiple of 65536 */
	uint32_t nblocks;
	uint32_t unused;
	uint8_t state[32]; /* before it, big-endian */
};

/** One launch. Both buffers are memory of host_alloc(). */
struct mih_gpu_launch {
	enum mih_gpu_kernel kernel;
	const void *table; /* @n rows */
	size_t n;	   /* 1 and more */
	void *out;	   /* MIH_GPU_NO_DIGEST, then the digests */
	size_t out_len;	   /* bytes of out that are wanted back */
};

struct mih_gpu_port; /* one device, opened */
struct mih_gpu_lane; /* one stream with its memory */

struct mih_gpu_port_ops {
	const char *kind;   /* "cuda"; what a device is named by */
	unsigned answer_ms; /* longest wait for a launch; 0: 10 s. For the
			       first one of a kernel, which may be compiled
			       then, six times as long */
	/**
	 * Is there a device of this number or UUID, as far as the system shows
	 * without its driver? false: perhaps. NULL: nothing is shown.
	 */
	bool (*seems_there)(const char *which);
	/**
	 * Device @ordinal is the only one of this kind that the process will
	 * open, so the driver need not start the others. Numbers stay as they
	 * are. Does nothing once the driver was asked for something. May change
	 * the environment. NULL: there is nothing to be gained.
	 */
	void (*only)(size_t ordinal);
	/** Devices of this kind; 0 where there is no driver. */
	size_t (*count)(void);
	/** Describe device @ordinal < count() without opening it. */
	void (*identify)(size_t ordinal, struct mih_gpu_identity *id_out);
	/** Open number @ordinal. */
	mih_err (*open)(size_t ordinal, struct mih_gpu_port **port_out);
	void (*close)(struct mih_gpu_port *port);
	/** Memory that is copied to the device fastest; NULL: none left. */
	void *(*host_alloc)(struct mih_gpu_port *port, size_t len);
	void (*host_free)(struct mih_gpu_port *port, void *buf);
	/**
	 * Make memory that is already there as good as that of host_alloc(),
	 * for as long as the port is open and for all others of its kind;
	 * or NULL: there is no such call. It fails without harm.
	 */
	mih_err (*host_register)(struct mih_gpu_port *port, void *buf,
				 size_t len);
	/** Undo it. */
	void (*host_unregister)(struct mih_gpu_port *port, void *buf);
	/** A stream of low priority, and memory for @ngroups. */
	mih_err (*lane_open)(struct mih_gpu_port *port, size_t ngroups,
			     struct mih_gpu_lane **lane_out);
	void (*lane_close)(struct mih_gpu_lane *lane);
	/** Begin to copy @len bytes to @at of the arena. */
	mih_err (*upload)(struct mih_gpu_lane *lane, size_t at,
			  const void *data, size_t len);
	/**
	 * Begin with what the launch needs besides the bytes, before they are
	 * uploaded, so that it does not wait behind them: the table. And
	 * launch->out is full of MIH_GPU_NO_DIGEST; where the kernel writes to
	 * another place, that must be, too. A kernel that silently does not run
	 * must not give the digests of what was there before.
	 */
	mih_err (*prepare)(struct mih_gpu_lane *lane,
			   const struct mih_gpu_launch *launch);
	/**
	 * Begin to run the kernel over the table, and to copy the result back.
	 * May compile on the kernel's first use.
	 */
	mih_err (*launch)(struct mih_gpu_lane *lane,
			  const struct mih_gpu_launch *launch);
	/** Has all that was begun ended? 0; -EAGAIN not yet; MIH_EBACKEND if
	 *  any of it failed. Returns at once. */
	mih_err (*poll)(struct mih_gpu_lane *lane);
};

/** The kinds of this build, best first; NULL at the end (ports.c). */
extern const struct mih_gpu_port_ops *const mih_gpu_ports[];

/* vendor/, where the build has them. */
extern const struct mih_gpu_port_ops mih_gpu_cuda_port;
extern const struct mih_gpu_port_ops mih_gpu_opencl_port;

/** How to wait for a lane. */
enum mih_gpu_wait {
	MIH_GPU_WAIT_FIRST = 1, /* its kernel has never run before */
	MIH_GPU_WAIT_AWAKE = 2, /* keep a core at it for a while: sooner told */
};

/** mih_gpu_port_patience_ms() - longest wait for a launch, the first included
 */
unsigned mih_gpu_port_patience_ms(const struct mih_gpu_port_ops *ops);

/**
 * mih_gpu_port_wait() - poll @lane until it is done
 * @how: enum mih_gpu_wait, combined
 *
 * Return: 0; MIH_EBACKEND after answer_ms or if something failed; a story.
 */
MIH_MUST_CHECK mih_err mih_gpu_port_wait(const struct mih_gpu_port_ops *ops,
					 struct mih_gpu_lane *lane,
					 unsigned how);

#endif
