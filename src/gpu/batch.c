#include "gpu/batch_internal.h"
#include "util/checked.h"

#include <string.h>

#define RUN 64 /* segments, or groups of an element, at a time */

size_t mih_gpu_batch_nbytes(const struct mih_gpu_batch *batch)
{
	size_t sum = 0;

	if (batch->task == MIH_GPU_SEGMENTS)
		for (size_t i = 0; i < batch->nsegments; i++)
			sum += batch->segments[i].nblocks * 64;
	else
		for (size_t i = 0; i < batch->nranges; i++)
			sum += batch->ranges[i].len;
	return sum;
}

size_t mih_gpu_batch_out_len(const struct mih_gpu_batch *batch)
{
	size_t n = 0;

	if (batch->task == MIH_GPU_LTHASH)
		return MIH_HASH_LT_LEN;
	if (batch->task == MIH_GPU_SEGMENTS)
		return batch->nsegments * 32;
	for (size_t i = 0; i < batch->nranges; i++)
		n += mih_hash_ngroups(batch->ranges[i].len);
	return n * mih_hash_info(batch->alg)->len;
}

static void run_segments(const struct mih_gpu_batch *batch)
{
	struct mih_hash_segment run[RUN];
	size_t n;

	for (size_t at = 0; at < batch->nsegments; at += n) {
		n = MIH_MIN(batch->nsegments - at, (size_t)RUN);
		memcpy(run, batch->segments + at, n * sizeof(*run));
		mih_hash_sha256_segments(run, n);
		for (size_t i = 0; i < n; i++)
			memcpy(batch->digests + 32 * (at + i), run[i].state,
			       32);
	}
}

static void add_range(const struct mih_hash_range *range,
		      const struct mih_hash_blake2b *prefix, uint8_t *sum)
{
	uint8_t digests[RUN * 32], element[MIH_HASH_LT_LEN];
	struct mih_hash_range part = *range;

	for (size_t at = 0; at < range->len; at += part.len) {
		part.data = (const uint8_t *)range->data + at;
		part.off = range->off + at;
		part.len = MIH_MIN(range->len - at, RUN * MIH_HASH_GROUP);
		mih_hash_groups(MIH_HASH_MTH4K_SHA256, &part, 1, digests);
		for (size_t g = 0; g < mih_hash_ngroups(part.len); g++) {
			size_t off = g * MIH_HASH_GROUP;

			mih_hash_lt_element_of(
			    prefix, part.off + off,
			    MIH_MIN(part.len - off, (size_t)MIH_HASH_GROUP),
			    digests + 32 * g, element);
			mih_hash_lt_add(sum, element);
		}
	}
}

void mih_gpu_batch_on_cpu(const struct mih_gpu_batch *batch)
{
	switch (batch->task) {
	case MIH_GPU_GROUPS:
		mih_hash_groups(batch->alg, batch->ranges, batch->nranges,
				batch->digests);
		return;
	case MIH_GPU_SEGMENTS:
		run_segments(batch);
		return;
	case MIH_GPU_LTHASH:
		memset(batch->digests, 0, MIH_HASH_LT_LEN);
		for (size_t i = 0; i < batch->nranges; i++)
			add_range(&batch->ranges[i], &batch->prefixes[i],
				  batch->digests);
		return;
	}
}
