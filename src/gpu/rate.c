/*
 * Two sizes of batch give a line: what any batch costs, and what a byte costs.
 * The large one of a device is long enough for its bus to show its speed.
 * The digests are compared with the processor's, so a device that is wrong
 * from the start is never used.
 */
#include "gpu/batch_internal.h"
#include "gpu/device_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/host/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SMALL	  ((size_t)64 << 10)
#define LARGE	  ((size_t)16 << 20)
#define CORE	  ((size_t)2 << 20) /* the large one of the processor */
#define CHAIN	  ((size_t)1 << 20) /* what a hint covers */
#define REPEAT	  10
#define ENOUGH_NS 30000000 /* slow devices are repeated less often */

struct trial {
	struct mih_gpu_batch batch;
	struct mih_hash_range range;
	struct mih_hash_blake2b prefix;
	struct mih_hash_segment segments[LARGE / CHAIN];
	uint8_t digests[LARGE / MIH_HASH_GROUP * MIH_HASH_LEN_MAX];
	uint8_t *data;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ended;
	mih_err err;
};

_Static_assert(LARGE / MIH_HASH_GROUP * MIH_HASH_LEN_MAX >= MIH_HASH_LT_LEN,
	       "a sum fits where digests go");

/* No period that a group or a chain could share: all digests differ. */
static void fill(uint8_t *data, size_t len)
{
	uint64_t x = 88172645463325252u;

	for (size_t at = 0; at + 8 <= len; at += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(data + at, &x, 8);
	}
}

static void trial_done(struct mih_gpu_batch *batch, mih_err err)
{
	struct trial *trial = (struct trial *)batch;

	pthread_mutex_lock(&trial->lock);
	trial->ended = true;
	trial->err = err;
	pthread_cond_signal(&trial->changed);
	pthread_mutex_unlock(&trial->lock);
}

static const struct {
	enum mih_gpu_task task;
	enum mih_hash_alg alg;
} subjects[MIH_GPU_KERNEL_END] = {
	[MIH_GPU_KERNEL_MTH4K_SHA256] = { MIH_GPU_GROUPS,
					  MIH_HASH_MTH4K_SHA256 },
	[MIH_GPU_KERNEL_MTH4K_SHA512] = { MIH_GPU_GROUPS,
					  MIH_HASH_MTH4K_SHA512 },
	[MIH_GPU_KERNEL_MTH4K_SHA3_256] = { MIH_GPU_GROUPS,
					    MIH_HASH_MTH4K_SHA3_256 },
	[MIH_GPU_KERNEL_BLAKE3] = { MIH_GPU_GROUPS, MIH_HASH_BLAKE3 },
	[MIH_GPU_KERNEL_LTHASH16] = { MIH_GPU_LTHASH, MIH_HASH_NONE },
	[MIH_GPU_KERNEL_SHA256_SEGMENTS] = { MIH_GPU_SEGMENTS, MIH_HASH_NONE },
};

static void prepare(struct trial *trial, enum mih_gpu_kernel kernel, size_t len)
{
	trial->range =
	    (struct mih_hash_range){ .data = trial->data, .len = len };
	mih_hash_lt_prefix("a", &trial->prefix);
	for (size_t i = 0; i < MIH_ARRAY_LEN(trial->segments); i++)
		trial->segments[i] = (struct mih_hash_segment){
			.data = trial->data + i * CHAIN,
			.nblocks = MIH_MIN(len, CHAIN) / 64,
		};
	trial->batch = (struct mih_gpu_batch){
		.task = subjects[kernel].task,
		.alg = subjects[kernel].alg,
		.ranges = &trial->range,
		.nranges = 1,
		.prefixes = &trial->prefix,
		.segments = trial->segments,
		.nsegments = (len + CHAIN - 1) / CHAIN,
		.digests = trial->digests,
		.done = trial_done,
	};
	trial->ended = false;
}

static mih_err run_once(struct trial *trial, struct mih_gpu_dev *dev,
			double *best_ns)
{
	uint64_t from = mih_clock_ns();
	double took;

	dev->ops->submit(dev, &trial->batch);
	pthread_mutex_lock(&trial->lock);
	while (!trial->ended)
		pthread_cond_wait(&trial->changed, &trial->lock);
	pthread_mutex_unlock(&trial->lock);
	took = (double)(mih_clock_ns() - from);
	*best_ns = MIH_MIN(*best_ns, took);
	return trial->err;
}

static mih_err check(struct trial *trial, struct mih_gpu_dev *dev)
{
	mih_autofree uint8_t *got = malloc(sizeof(trial->digests));
	size_t len = mih_gpu_batch_out_len(&trial->batch);

	if (!got)
		return mih_err_fail_errno(-ENOMEM, "device");
	memcpy(got, trial->digests, len);
	mih_gpu_batch_on_cpu(&trial->batch);
	if (!memcmp(got, trial->digests, len))
		return 0;
	if (dev->ops->fail)
		dev->ops->fail(dev, "it hashes wrongly");
	return mih_err_fail(MIH_EBACKEND, "device: wrong digests");
}

/* The first run is not counted: it may compile, and it is the one checked. */
static mih_err best_of(struct trial *trial, struct mih_gpu_dev *dev,
		       enum mih_gpu_kernel kernel, size_t len, double *ns_out)
{
	uint64_t from = mih_clock_ns();
	double ignored = 0;
	mih_err err;

	*ns_out = 1e18;
	prepare(trial, kernel, len);
	err = run_once(trial, dev, &ignored);
	if (!err && dev != mih_gpu_cpu())
		err = check(trial, dev);
	for (int i = 0; i < REPEAT && !err; i++) {
		if (i >= 3 && mih_clock_ns() - from > ENOUGH_NS)
			break;
		prepare(trial, kernel, len);
		err = run_once(trial, dev, ns_out);
	}
	return err;
}

mih_err mih_gpu_rate_measure(struct mih_gpu_dev *dev,
			     enum mih_gpu_kernel kernel,
			     struct mih_gpu_rate *rate_out)
{
	mih_autofree struct trial *trial = calloc(1, sizeof(*trial));
	size_t most = dev == mih_gpu_cpu() ? CORE : LARGE;
	double small = 0, large;
	mih_err err = 0;

	if (!trial)
		return mih_err_fail_errno(-ENOMEM, "device");
	trial->data = mih_gpu_staging_alloc(dev, LARGE);
	if (!trial->data)
		return mih_err_fail_errno(-ENOMEM, "device");
	fill(trial->data, LARGE);
	pthread_mutex_init(&trial->lock, NULL);
	pthread_cond_init(&trial->changed, NULL);
	if (dev != mih_gpu_cpu()) /* which begins at once */
		err = best_of(trial, dev, kernel, SMALL, &small);
	if (!err)
		err = best_of(trial, dev, kernel, most, &large);
	mih_gpu_staging_free(dev, trial->data, LARGE);
	pthread_cond_destroy(&trial->changed);
	pthread_mutex_destroy(&trial->lock);
	if (err)
		return err;
	/* Nothing costs nothing: noise must not make a device look so. */
	if (large <= small)
		large += small;
	rate_out->ns_per_byte =
	    (large - small) / (double)(small > 0 ? most - SMALL : most);
	rate_out->latency_ns =
	    MIH_MAX(small - rate_out->ns_per_byte * SMALL, 0);
	return 0;
}
