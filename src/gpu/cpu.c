/*
 * The CPU device hashes on the thread that submits: that thread has just read
 * the bytes, so they are still in its cache, and the caller's pool is already
 * as wide as the machine. A second pool here would only move bytes between
 * cores.
 */
#include "gpu/batch_internal.h"
#include "gpu/device_internal.h"
#include "gpu/offload/staging_internal.h"
#include "hash/path.h"
#include "util/checked.h"
#include "util/host/huge.h"

#include <stdio.h>
#include <unistd.h>

/* Address space, not memory: only what is in use at once is ever touched. As
 * much as the machine has, for a cache of that size; else at least this. */
#define BLOCK_MIN ((size_t)4 << 30)

static struct mih_gpu_staging staging;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	if (pages <= 0 || page <= 0)
		return 0;
	return (size_t)pages * (size_t)page / MIH_HUGE_PAGE * MIH_HUGE_PAGE;
}

static void reserve(void)
{
	size_t len = MIH_MAX(machine_memory(), BLOCK_MIN);
	void *block = mih_huge_map(-1, len);

	if (!block) {
		len = BLOCK_MIN;
		block = mih_huge_map(-1, len);
	}
	mih_gpu_staging_init(&staging);
	mih_gpu_staging_set(&staging, block, len);
}

static void cpu_close(struct mih_gpu_dev *dev)
{
	(void)dev;
}

static void cpu_submit(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch)
{
	(void)dev;
	mih_gpu_batch_on_cpu(batch);
	batch->by = mih_gpu_cpu();
	batch->done(batch, 0);
}

static enum mih_gpu_state cpu_state(struct mih_gpu_dev *dev, bool wait)
{
	(void)dev;
	(void)wait;
	return MIH_GPU_READY;
}

static void *cpu_staging_alloc(struct mih_gpu_dev *dev, size_t len)
{
	(void)dev;
	return mih_gpu_staging_take(&staging, len);
}

static bool cpu_staging_has(struct mih_gpu_dev *dev, const void *buf,
			    size_t len)
{
	(void)dev;
	return mih_gpu_staging_has(&staging, buf, len);
}

static bool cpu_staging_free(struct mih_gpu_dev *dev, void *buf, size_t len)
{
	(void)dev;
	return mih_gpu_staging_give(&staging, buf, len);
}

static const char *cpu_describe(struct mih_gpu_dev *dev)
{
	static _Thread_local char text[64];

	(void)dev;
	snprintf(text, sizeof(text), "cpu (sha256 by %s)",
		 mih_hash_path_name(mih_hash_path_used(MIH_HASH_SHA256)));
	return text;
}

static const struct mih_gpu_ops cpu_ops = {
	.close = cpu_close,
	.submit = cpu_submit,
	.state = cpu_state,
	.staging_alloc = cpu_staging_alloc,
	.staging_has = cpu_staging_has,
	.staging_free = cpu_staging_free,
	.describe = cpu_describe,
};

struct mih_gpu_dev *mih_gpu_cpu(void)
{
	static struct mih_gpu_dev cpu = { .ops = &cpu_ops, .kind = "cpu" };

	pthread_once(&once, reserve);
	return &cpu;
}
