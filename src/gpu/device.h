/*
 * gpu/device.h - devices that hash: the hardware-neutral contract
 *
 * Layer: src/gpu.  Threads: a device is internally locked; batches may be
 * submitted to it from any thread.
 *
 * A device turns batches of byte ranges into digests. It knows neither files
 * nor trust: it computes, it never decides. Nothing above this header knows a
 * vendor's type.
 *
 * What mih_gpu_open() gives is a set of one or more devices, which shares
 * batches among its members and redoes on the processor what a member failed
 * to do: its done() always gets 0. A single device (struct mih_gpu_ops) may
 * fail, and says so with MIH_EBACKEND.
 *
 * What there is, and how fast it is, gpu/about.h tells.
 *
 * To add hardware with streams, memory of its own and kernels in C, write a
 * port (gpu/port_internal.h), far less than a device; else a file like cpu.c.
 */
#ifndef MIH_GPU_DEVICE_H
#define MIH_GPU_DEVICE_H

#include "hash/group.h"
#include "hash/lthash.h"
#include "util/err.h"

#include <stdatomic.h>

struct mih_gpu_dev;

/** What a device is, to choose it by and to show to people. */
struct mih_gpu_identity {
	char name[96];	 /* of the product */
	char driver[64]; /* version */
	char uuid[48];	 /* "GPU-..." or another text for good; or "" */
	char pci[16];	 /* "0000:3b:00.0", lower case; or "" */
	uint64_t memory; /* bytes */
	bool is_gpu;	 /* not the processor itself in another guise */
};

/** What a batch asks for. */
enum mih_gpu_task {
	MIH_GPU_GROUPS,	  /* the group digests of byte ranges */
	MIH_GPU_SEGMENTS, /* SHA-256 states behind segments of messages */
	MIH_GPU_LTHASH,	  /* the sum of the ranges' lthash16 elements */
};

/** What to hash, and whom to tell. Belongs to the submitter until done(). */
struct mih_gpu_batch {
	enum mih_gpu_task task;
	enum mih_hash_alg alg; /* of GROUPS: one with is_tree */
	/* GROUPS and LTHASH; kept until done(). A range of no bytes is legal
	 * and gives no digest and no element. */
	const struct mih_hash_range *ranges;
	size_t nranges;				 /* 0 is legal */
	const struct mih_hash_blake2b *prefixes; /* LTHASH: of ranges' paths */
	/* SEGMENTS, with the states before them; kept until done(). */
	const struct mih_hash_segment *segments;
	size_t nsegments; /* 0 is legal */
	/* Where the result goes. GROUPS: as for mih_hash_groups(). SEGMENTS: 32
	 * bytes each, the states behind them. LTHASH: MIH_HASH_LT_LEN bytes. */
	uint8_t *digests;
	/**
	 * Called exactly once, with 0 when every digest is written, or
	 * MIH_EBACKEND when none can be relied on (redo it elsewhere). May run
	 * on the submitting thread, before submit returns, or on a thread of
	 * the device; it may submit again, and must not wait for the device.
	 */
	void (*done)(struct mih_gpu_batch *batch, mih_err err);
	struct mih_gpu_dev *by; /* out: who made the digests */
	bool redone; /* out: the processor, since a device failed to */
	/** The device's, from submit to done(). */
	struct {
		struct mih_gpu_batch *next;
		size_t range;	 /* first one not yet handed out whole */
		size_t off;	 /* bytes of it handed out */
		uint8_t *digest; /* where the next digest goes */
		size_t pieces;	 /* handed out and not yet finished */
		bool failed;
	} dev;
	/** The set's, likewise. */
	struct {
		struct mih_gpu_dev *set;
		void (*done)(struct mih_gpu_batch *batch, mih_err err);
		size_t member;
	} set;
};

enum mih_gpu_state {
	MIH_GPU_STARTING, /* every batch ends with MIH_EBACKEND */
	MIH_GPU_READY,
	MIH_GPU_DOWN, /* for good; every batch ends with MIH_EBACKEND */
};

/** What one device does. */
struct mih_gpu_ops {
	/** Finish all batches, then release. */
	void (*close)(struct mih_gpu_dev *dev);
	/** Take @batch; never blocks on a full queue of the hardware. */
	void (*submit)(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch);
	/** How it is; with @wait not before it has left STARTING. */
	enum mih_gpu_state (*state)(struct mih_gpu_dev *dev, bool wait);
	/** Never use it again, because of @why; one line in the log. NULL: it
	 *  cannot fail. */
	void (*fail)(struct mih_gpu_dev *dev, const char *why);
	/** Memory the device reads fastest (pinned), or NULL: none is left. A
	 *  NULL entry: plain memory is as good. */
	void *(*staging_alloc)(struct mih_gpu_dev *dev, size_t len);
	/** The same of a device that is ready now. A NULL entry: there is
	 *  nothing that another memory would be slower for. */
	void *(*staging_ready)(struct mih_gpu_dev *dev, size_t len);
	/** Is @buf this device's? */
	bool (*staging_has)(struct mih_gpu_dev *dev, const void *buf,
			    size_t len);
	/** Was @buf this device's? Then it is free now. */
	bool (*staging_free)(struct mih_gpu_dev *dev, void *buf, size_t len);
	/** One line for people: name, memory, driver. */
	const char *(*describe)(struct mih_gpu_dev *dev);
};

/** Every device begins with this; a kind appends its own fields. */
struct mih_gpu_dev {
	const struct mih_gpu_ops *ops;
	const char *kind; /* "cpu", "cuda", "opencl", or "set" */
};

/* What a device takes of its memory unless told otherwise: four lanes of 32
 * MiB and what belongs to them, which keeps PCIe busy. */
#define MIH_GPU_MEMORY ((uint64_t)144 << 20)

/** Which devices to open. */
struct mih_gpu_params {
	/* "auto", "cpu", "<kind>", "<kind>:N" or "<kind>:UUID"; none: "auto" */
	const char *const *specs;
	size_t nspecs;
	uint64_t memory; /* bytes on each device; 0: MIH_GPU_MEMORY */
	bool asks;	 /* mih_gpu_found(), so what is missing is not logged */
	bool alone;	 /* the process opens and lists no device but these,
			    so a driver may leave out others and starts sooner;
			    call it before threads that read the environment */
};

/**
 * mih_gpu_open() - open the devices that are named, as one
 * @dev_out: set on success; finish with mih_gpu_close()
 *
 * Returns at once: devices are opened and measured by threads of their own,
 * and until then, as for batches that are too small to be worth the way, and
 * for good once they have failed, the processor does the work on the
 * submitting thread.
 *
 * "auto" takes the first GPU, if there is one, and lets the processor share
 * the work wherever it would be done sooner; "cpu" among other names does the
 * same. It never fails for want of a GPU. Without "cpu" all but small batches
 * go to the devices that are named. A named device that is missing is an
 * error, never a silent fall-back: where the system shows it without its
 * driver, which takes long to start, only mih_gpu_found() and the log can tell.
 *
 * Return: 0; -EINVAL a name makes no sense or comes twice; MIH_EBACKEND it is
 * not there; -ENOMEM; -EAGAIN; with a story.
 */
MIH_MUST_CHECK mih_err mih_gpu_open(const struct mih_gpu_params *params,
				    struct mih_gpu_dev **dev_out);

/** mih_gpu_cpu() - hashes on the submitting thread, while the bytes are in its
 *  cache. Borrowed; there for good. */
struct mih_gpu_dev *mih_gpu_cpu(void);

/**
 * mih_gpu_found() - wait until the driver has been asked for what was named
 * @cancel: set: wait no longer, whatever the driver does; or NULL
 *
 * Return: 0; MIH_EBACKEND a device is missing; -EINVAL two names mean the same
 * one; -ECANCELED; with a story.
 */
MIH_MUST_CHECK mih_err mih_gpu_found(struct mih_gpu_dev *dev,
				     const atomic_bool *cancel);

/** mih_gpu_expected() - devices that @dev has or looks for; at least 1. */
size_t mih_gpu_expected(struct mih_gpu_dev *dev);

/** mih_gpu_shares() - does the processor do what it would have done sooner? */
bool mih_gpu_shares(struct mih_gpu_dev *dev);

/**
 * mih_gpu_wait_for() - until devices are open, and measured at @tree, or down
 * @cancel: as above
 *
 * What a device was not yet measured at, the processor does.
 */
void mih_gpu_wait_for(struct mih_gpu_dev *dev, enum mih_hash_alg tree,
		      const atomic_bool *cancel);

/**
 * mih_gpu_confirm() - have the processor hash @batch again, unless it did
 *
 * @wrong_out: were the device's digests others?
 *
 * For digests that say "corrupt": call it in done() or after, before anybody
 * is told. A device that was wrong is never used again. Afterwards
 * batch->digests are the processor's.
 *
 * Return: was it hashed again?
 */
bool mih_gpu_confirm(struct mih_gpu_batch *batch, bool *wrong_out);

/** mih_gpu_close() - wait for its batches and release; NULL is legal. A driver
 *  that does not return is left alone after 15 s, with all that it may use. */
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

/**
 * mih_gpu_staging_ready() - the same of a device of @dev that is ready
 *
 * Return: owned memory for mih_gpu_staging_free(); NULL: no device is ready, or
 * none has any left, or @dev is the processor.
 */
void *mih_gpu_staging_ready(struct mih_gpu_dev *dev, size_t len);

/** mih_gpu_staging_renew() - exchange @buf for faster memory, if there is some
 *  by now. What it holds is lost. Returns @buf, or what took its place. */
void *mih_gpu_staging_renew(struct mih_gpu_dev *dev, void *buf, size_t len);

/** mih_gpu_staging_free() - @buf and @len as allocated; NULL is legal. */
void mih_gpu_staging_free(struct mih_gpu_dev *dev, void *buf, size_t len);

#endif
