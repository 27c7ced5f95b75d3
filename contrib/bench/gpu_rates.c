/*
 * What a device can do: bytes already in its memory, bytes that come from
 * pinned host memory in overlapped batches, and the time of one read alone.
 *
 * usage: gpu_rates [cuda|opencl [MIB]]
 */
#include "gpu/offload_internal.h"
#include "hash/group.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

static const enum mih_hash_alg trees[] = { MIH_HASH_MTH4K_SHA256,
					   MIH_HASH_MTH4K_SHA512,
					   MIH_HASH_MTH4K_SHA3_256,
					   MIH_HASH_BLAKE3 };

static void must(mih_err err)
{
	if (err) {
		fprintf(stderr, "gpu_rates: %s\n", mih_err_message());
		exit(1);
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Random bytes everywhere: zeros can run faster than data. */
static void fill(uint8_t *buf, size_t len)
{
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i + 8 <= len; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(buf + i, &x, 8);
	}
}

struct resident {
	const struct mih_gpu_port_ops *ops;
	struct mih_gpu_port *port;
	struct mih_gpu_lane *lane;
	size_t ngroups;
};

/* GB/s over data that lies in device memory; a launch covers all of it. */
static double resident_rate(struct resident *r, enum mih_hash_alg alg)
{
	struct mih_gpu_group *groups =
	    r->ops->host_alloc(r->port, r->ngroups * sizeof(*groups));
	uint8_t *digests =
	    r->ops->host_alloc(r->port, r->ngroups * MIH_HASH_LEN_MAX);
	double t[11];

	for (size_t i = 0; i < r->ngroups; i++)
		groups[i] = (struct mih_gpu_group){ .len = MIH_HASH_GROUP,
						    .off = i << 16 };
	for (int i = 0; i < 11; i++) {
		double from = now();

		must(r->ops->hash(r->lane, alg, groups, r->ngroups, digests));
		must(r->ops->finish(r->lane, 60000));
		t[i] = now() - from;
	}
	r->ops->host_free(r->port, groups);
	r->ops->host_free(r->port, digests);
	qsort(t + 1, 10, sizeof(t[0]), by_value);
	return (double)r->ngroups * MIH_HASH_GROUP / t[5] * 1e-9;
}

static void measure_resident(const struct mih_gpu_port_ops *ops, size_t mib)
{
	struct resident r = { .ops = ops, .ngroups = mib * 16 };
	uint8_t *host;

	must(ops->open(0, &r.port));
	printf("%s\n", ops->describe(r.port));
	must(ops->lane_open(r.port, r.ngroups, &r.lane));
	host = ops->host_alloc(r.port, 64 << 20);
	fill(host, 64 << 20);
	for (size_t at = 0; at < mib; at += 64)
		must(ops->upload(r.lane, at << 20, host, 64 << 20));
	must(ops->finish(r.lane, 60000));
	printf("resident, %zu MiB a launch, to 64 KiB groups, digests back\n",
	       mib);
	for (size_t a = 0; a < 4; a++)
		printf("  %-16s %7.1f GB/s\n", mih_hash_info(trees[a])->name,
		       resident_rate(&r, trees[a]));
	ops->host_free(r.port, host);
	ops->lane_close(r.lane);
	ops->close(r.port);
}

struct job {
	struct mih_gpu_batch batch;
	struct mih_hash_range range;
	uint8_t digests[256 * 64];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t finished;

static void job_done(struct mih_gpu_batch *batch, mih_err err)
{
	(void)batch;
	must(err);
	pthread_mutex_lock(&lock);
	finished++;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static double run_jobs(struct mih_gpu_dev *dev, struct job *jobs, size_t n)
{
	double from = now();

	finished = 0;
	for (size_t i = 0; i < n; i++)
		mih_gpu_submit(dev, &jobs[i].batch);
	pthread_mutex_lock(&lock);
	while (finished < n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return now() - from;
}

/* Jobs of @len bytes that walk through @room bytes of pinned memory. */
static void make_jobs(struct job *jobs, size_t n, enum mih_hash_alg alg,
		      const struct iovec *data, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		jobs[i].range =
		    (struct mih_hash_range){ .data = (uint8_t *)data->iov_base +
						     i * len % data->iov_len,
					     .len = len };
		jobs[i].batch =
		    (struct mih_gpu_batch){ .alg = alg,
					    .ranges = &jobs[i].range,
					    .nranges = 1,
					    .digests = jobs[i].digests,
					    .done = job_done };
	}
}

static void measure_alg(struct mih_gpu_dev *dev, enum mih_hash_alg alg,
			const struct iovec *data, struct job *jobs)
{
	static const size_t sizes[] = { 65536, 1 << 20, 16 << 20 };
	const size_t n = 4096;

	make_jobs(jobs, n, alg, data, 1 << 20);
	run_jobs(dev, jobs, 64);
	printf("  %-16s %17.1f GB/s", mih_hash_info(alg)->name,
	       (double)n * (1 << 20) / run_jobs(dev, jobs, n) * 1e-9);
	for (size_t s = 0; s < 3; s++) {
		double t[31];

		make_jobs(jobs, 1, alg, data, sizes[s]);
		for (int i = 0; i < 31; i++)
			t[i] = run_jobs(dev, jobs, 1);
		qsort(t, 31, sizeof(t[0]), by_value);
		printf(" %7.0f us", t[15] * 1e6);
	}
	printf("\n");
}

static void measure_device(const char *kind)
{
	struct iovec data = { .iov_len = (size_t)192 << 20 };
	struct job *jobs = calloc(4096, sizeof(*jobs));
	struct mih_gpu_dev *dev;

	must(mih_gpu_open(kind, &dev));
	if (!mih_gpu_offload_wait(dev))
		exit(1);
	data.iov_base = mih_gpu_staging_alloc(dev, data.iov_len);
	fill(data.iov_base, data.iov_len);
	printf("through the device's queue, from pinned memory\n");
	printf("  %-16s %22s %10s %10s %10s\n", "", "1 MiB batches, 4 GiB",
	       "64 KiB", "1 MiB", "16 MiB");
	for (size_t a = 0; a < 4; a++)
		measure_alg(dev, trees[a], &data, jobs);
	mih_gpu_staging_free(dev, data.iov_base, data.iov_len);
	mih_gpu_close(dev);
	free(jobs);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "cuda";
	size_t mib = argc > 2 ? strtoul(argv[2], NULL, 10) : 2048;
	const struct mih_gpu_port_ops *ops = NULL;

#if HAVE_CUDA
	if (!strcmp(kind, "cuda"))
		ops = &mih_gpu_cuda_port;
#endif
#if HAVE_OPENCL
	if (!strcmp(kind, "opencl"))
		ops = &mih_gpu_opencl_port;
#endif
	if (!ops || !ops->count()) {
		fprintf(stderr, "gpu_rates: no %s device here\n", kind);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	measure_resident(ops, mib);
	measure_device(kind);
	return 0;
}
