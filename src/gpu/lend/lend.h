/*
 * gpu/lend/lend.h - memory of the caller's that devices read where it lies
 *
 * Layer: src/gpu.  Threads: any.
 *
 * A device reads fast only from memory that its driver has pinned: staging
 * memory is, all else is copied there first. Whoever has large memory of their
 * own, filled once and hashed once, lends it for that time instead.
 *
 * It is a hint. Batches may be of any memory at any time, lent or not, and get
 * the same digests; a device that is not ready, fails, or cannot pin what is
 * there, copies as ever. No call waits for a device that is starting or down.
 */
#ifndef MIH_GPU_LEND_H
#define MIH_GPU_LEND_H

#include "gpu/device.h"

/** Part of struct mih_gpu_ops: as the functions below, for one device. */
struct mih_gpu_lend_ops {
	bool (*borrows)(struct mih_gpu_dev *dev);
	/** Return: did it take them? Then so do all of its kind. */
	bool (*lend)(struct mih_gpu_dev *dev, const void *base, size_t len);
	bool (*take_back)(struct mih_gpu_dev *dev, const void *base, size_t len,
			  bool wait);
};

/** mih_gpu_borrows() - is there now a device to which lending makes sense? */
bool mih_gpu_borrows(struct mih_gpu_dev *dev);

/**
 * mih_gpu_lend() - @len bytes at @base stay where they are until taken back
 * @base: of a page; the pages are all there, since pinning them would fill
 *        them in on one thread
 * @len:  a multiple of the page; best 16 MiB to 64 MiB of huge pages: to pin 64
 *        MiB takes 1.5 ms then, with pages of 4 KiB 3.5 ms
 *
 * Returns at once; a thread of the device pins them. A range that is hashed
 * before that, or lies only partly in what was lent by one call, is copied. Not
 * two calls for the same byte.
 */
void mih_gpu_lend(struct mih_gpu_dev *dev, const void *base, size_t len);

/**
 * mih_gpu_take_back() - these bytes are no longer lent
 * @base: with @len: may be more than was lent, whole calls of mih_gpu_lend()
 * @wait: until no driver knows them any more, which takes about as long as
 *        lending; or until a driver has not returned for as long as a batch may
 *        take. false: let it begin
 *
 * No batch of them is under way, and none follows before it has ended. What was
 * lent has to be taken back with @wait before its memory or @dev goes; not in
 * done(), which may run on a thread of the device.
 *
 * Return: with @wait, whether the memory may go. If not, a device that is lost
 * might still read there: the addresses must stay readable for good, whatever
 * there is to be read. Without @wait: nothing that is known.
 */
bool mih_gpu_take_back(struct mih_gpu_dev *dev, const void *base, size_t len,
		       bool wait);

#endif
