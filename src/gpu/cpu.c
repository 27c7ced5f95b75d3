/*
 * The CPU device hashes on the thread that submits: that thread has just read
 * the bytes, so they are still in its cache, and the caller's pool is already
 * as wide as the machine. A second pool here would only move bytes between
 * cores.
 */
#include "gpu/device_internal.h"
#include "hash/path.h"

#include <stdio.h>

static struct mih_gpu_dev cpu_dev = { .ops = &mih_gpu_cpu_ops };

static size_t cpu_count(void)
{
	return 1;
}

static mih_err cpu_open(size_t ordinal, struct mih_gpu_dev **dev_out)
{
	(void)ordinal;
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
	.count = cpu_count,
	.open = cpu_open,
	.close = cpu_close,
	.submit = cpu_submit,
	.describe = cpu_describe,
};
