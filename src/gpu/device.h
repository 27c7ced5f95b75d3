/*
 * gpu/device.h - devices that hash: the hardware-neutral contract
 *
 * Layer: src/gpu.  Threads: a device is internally locked; batches may be
 * submitted to it from any thread.
 *
 * A device turns batches of byte ranges into group digests. It knows neither
 * files nor trust: it computes, it never decides. There is always a device of
 * the kind "cpu"; nothing above this header knows a vendor's type.
 */
#ifndef MIH_GPU_DEVICE_H
#define MIH_GPU_DEVICE_H

#include "hash/group.h"
#include "util/err.h"

#define MIH_GPU_API 1 /* raised when struct mih_gpu_ops changes its meaning */

struct mih_gpu_dev;

/** What to hash, and whom to tell. Belongs to the submitter until done(). */
struct mih_gpu_batch {
	enum mih_hash_alg alg;		     /* one with is_tree */
	const struct mih_hash_range *ranges; /* @nranges; kept until done() */
	size_t nranges;			     /* 0 is legal */
	uint8_t *digests;		     /* as for mih_hash_groups() */
	/**
	 * Called exactly once, with 0 when every digest is written, or
	 * MIH_EBACKEND when none can be relied on (redo it elsewhere). May run
	 * on the submitting thread, before submit returns, or on a thread of
	 * the device; it may submit again, and must not wait for the device.
	 */
	void (*done)(struct mih_gpu_batch *batch, mih_err err);
	/** The device's, from submit to done(). */
	struct {
		struct mih_gpu_batch *next;
		size_t range;	 /* first range not yet handed out whole */
		size_t off;	 /* bytes of it handed out */
		uint8_t *digest; /* where the next digest goes */
		size_t pieces;	 /* handed out and not yet finished */
	} dev;
};

/** What a kind of device can do; one row per kind in registry.c. */
struct mih_gpu_ops {
	unsigned api;	  /* MIH_GPU_API, or the row is refused */
	const char *kind; /* "cpu", "cuda", "opencl" */
	bool automatic;	  /* may "auto" choose it? */
	/** Number of devices of this kind here; leaves nothing behind. */
	size_t (*count)(void);
	/** Open device @ordinal < count(). 0 or MIH_EBACKEND with a story. */
	mih_err (*open)(size_t ordinal, struct mih_gpu_dev **dev_out);
	/** Finish all batches, then release. */
	void (*close)(struct mih_gpu_dev *dev);
	/** Take @batch; never blocks on a full queue of the hardware. */
	void (*submit)(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch);
	/** Memory the device reads fastest (pinned); NULL entry: plain memory.
	 */
	void *(*staging_alloc)(struct mih_gpu_dev *dev, size_t len);
	void (*staging_free)(struct mih_gpu_dev *dev, void *buf, size_t len);
	/** One line for people: name, memory, driver. */
	const char *(*describe)(const struct mih_gpu_dev *dev);
};

/** Every device begins with this; a kind appends its own fields. */
struct mih_gpu_dev {
	const struct mih_gpu_ops *ops;
};

/**
 * mih_gpu_open() - open the device that @spec names
 * @spec: "auto" (the best one that works), "cpu", or "<kind>[:N]"
 * @dev_out: set on success; finish with mih_gpu_close()
 *
 * "auto" never fails for want of a GPU: the CPU is last in line and always
 * there. A named device that is missing is an error, never a silent fall-back.
 *
 * Return: 0; -EINVAL unknown @spec; MIH_EBACKEND not there; with a story.
 */
MIH_MUST_CHECK mih_err mih_gpu_open(const char *spec,
				    struct mih_gpu_dev **dev_out);

/** mih_gpu_close() - wait for its batches and release; NULL is legal. */
void mih_gpu_close(struct mih_gpu_dev *dev);

/** mih_gpu_submit() - hand over @batch; see struct mih_gpu_batch. */
void mih_gpu_submit(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch);

/**
 * mih_gpu_staging_alloc() - page-aligned memory that crosses to @dev fastest
 * @len: bytes, at least 1
 *
 * Return: owned memory for mih_gpu_staging_free(), or NULL (out of memory).
 */
void *mih_gpu_staging_alloc(struct mih_gpu_dev *dev, size_t len);

/** mih_gpu_staging_free() - @buf and @len as allocated; NULL is legal. */
void mih_gpu_staging_free(struct mih_gpu_dev *dev, void *buf, size_t len);

/** mih_gpu_describe() - borrowed one-line text, valid while @dev is open. */
const char *mih_gpu_describe(const struct mih_gpu_dev *dev);

#endif
