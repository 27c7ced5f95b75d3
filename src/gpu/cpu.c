/*
 * The CPU device hashes on the thread that submits: that thread has just read
 * the bytes, so they are still in its cache, and the caller's pool is already
 * as wide as the machine. A second pool here would only move bytes between
 * cores.
 */
#include "gpu/device_internal.h"
#include "gpu/staging_internal.h"
#include "hash/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Address space, not memory: only what is in use at once is ever touched. */
#define BLOCK_LEN ((size_t)4 << 30)
#define HUGE_PAGE ((uintptr_t)2 << 20)

static struct mih_gpu_dev cpu_dev = { .ops = &mih_gpu_cpu_ops };
static struct mih_gpu_staging staging;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* In huge pages where the kernel allows: 64 KiB of fresh small pages take
 * longer to fault in (30 us) than to hash (20 us). */
static void reserve(void)
{
	size_t len = BLOCK_LEN + HUGE_PAGE;
	void *block = mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uintptr_t at = (uintptr_t)block;

	mih_gpu_staging_init(&staging);
	if (block == MAP_FAILED)
		return;
	at = (at + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	(void)madvise((void *)at, BLOCK_LEN, MADV_HUGEPAGE);
	mih_gpu_staging_set(&staging, (void *)at, BLOCK_LEN);
}

static size_t cpu_count(void)
{
	return 1;
}

static mih_err cpu_open(size_t ordinal, struct mih_gpu_dev **dev_out)
{
	(void)ordinal;
	pthread_once(&once, reserve);
	*dev_out = &cpu_dev;
	return 0;
}

static void cpu_close(struct mih_gpu_dev *dev)
{
	(void)dev;
}

static void cpu_submit(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch)
{
	(void)dev;
	mih_hash_groups(batch->alg, batch->ranges, batch->nranges,
			batch->digests);
	batch->done(batch, 0);
}

static void *cpu_staging_alloc(struct mih_gpu_dev *dev, size_t len)
{
	void *buf = mih_gpu_staging_take(&staging, len);

	(void)dev;
	if (buf)
		return buf;
	return posix_memalign(&buf, 4096, len) ? NULL : buf;
}

static void cpu_staging_free(struct mih_gpu_dev *dev, void *buf, size_t len)
{
	(void)dev;
	if (buf && !mih_gpu_staging_give(&staging, buf, len))
		free(buf);
}

static const char *cpu_describe(const struct mih_gpu_dev *dev)
{
	static _Thread_local char text[64];

	(void)dev;
	snprintf(text, sizeof(text), "cpu (sha256 by %s)",
		 mih_hash_path_name(mih_hash_path_used(MIH_HASH_SHA256)));
	return text;
}

const struct mih_gpu_ops mih_gpu_cpu_ops = {
	.api = MIH_GPU_API,
	.kind = "cpu",
	.automatic = true,
	.count = cpu_count,
	.open = cpu_open,
	.close = cpu_close,
	.submit = cpu_submit,
	.staging_alloc = cpu_staging_alloc,
	.staging_free = cpu_staging_free,
	.describe = cpu_describe,
};
