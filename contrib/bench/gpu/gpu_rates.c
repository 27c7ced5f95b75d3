/*
 * What a device can do: a plain copy to it, bytes already in its memory, bytes
 * that come from pinned host memory in overlapped batches, and the time of one
 * batch alone.
 *
 * usage: gpu_rates [DEVICE [MIB]]     DEVICE as in --device; MIB resident
 */
#include "gpu/batch_internal.h"
#include "gpu/device_internal.h"
#include "gpu/offload/offload_internal.h"
#include "util/checked.h"
#include "util/host/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define MIB ((size_t)1 << 20)

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
	return (double)mih_clock_ns() * 1e-9;
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

static void fill_table(void *table, enum mih_gpu_kernel kernel, size_t n)
{
	struct mih_gpu_element *elements = table;
	struct mih_gpu_group *groups = table;

	for (size_t i = 0; i < n; i++) {
		struct mih_gpu_group group = { .len = MIH_HASH_GROUP,
					       .off = i << 16 };

		if (kernel == MIH_GPU_KERNEL_LTHASH16)
			elements[i] = (struct mih_gpu_element){ .group = group,
								.at = 60,
								.end = 92 };
		else
			groups[i] = group;
	}
}

/* GB/s over data that lies in device memory; a launch covers all of it. */
static double resident_rate(struct resident *r, enum mih_gpu_kernel kernel)
{
	size_t row_len = mih_gpu_kernels[kernel].row_len;
	struct mih_gpu_launch launch = {
		.kernel = kernel,
		.n = r->ngroups,
		.out_len = mih_gpu_piece_out_len(kernel, r->ngroups),
	};
	void *table = r->ops->host_alloc(r->port, r->ngroups * row_len);
	double t[11];

	launch.table = table;
	launch.out = r->ops->host_alloc(r->port, launch.out_len);
	fill_table(table, kernel, r->ngroups);
	for (int i = 0; i < 11; i++) {
		double from;

		memset(launch.out, MIH_GPU_NO_DIGEST, launch.out_len);
		from = now();
		must(r->ops->prepare(r->lane, &launch));
		must(r->ops->launch(r->lane, &launch));
		must(mih_gpu_port_wait(
		    r->ops, r->lane, MIH_GPU_WAIT_FIRST | MIH_GPU_WAIT_AWAKE));
		t[i] = now() - from;
	}
	r->ops->host_free(r->port, table);
	r->ops->host_free(r->port, launch.out);
	qsort(t + 1, 10, sizeof(t[0]), by_value);
	return (double)r->ngroups * MIH_HASH_GROUP / t[5] * 1e-9;
}

/* Fill the arena, and see how fast that goes. */
static void measure_copy(struct resident *r, uint8_t *host, size_t len)
{
	size_t room = r->ngroups * MIH_HASH_GROUP;
	double from = now();

	for (int pass = 0; pass < 4; pass++)
		for (size_t at = 0; at < room; at += len)
			must(r->ops->upload(r->lane, at, host, len));
	must(mih_gpu_port_wait(r->ops, r->lane, MIH_GPU_WAIT_AWAKE));
	printf("plain copy from pinned memory, %zu MiB each: %.1f GB/s\n",
	       len / MIB, 4 * (double)room / (now() - from) * 1e-9);
}

static void measure_resident(const struct mih_gpu_port_ops *ops, size_t ordinal,
			     size_t mib)
{
	struct resident r = { .ops = ops, .ngroups = mib * 16 };
	size_t len = 16 * MIB;
	double begun = now(), opened, pinned;
	uint8_t *host;

	must(ops->open(ordinal, &r.port));
	opened = now();
	host = ops->host_alloc(r.port, len);
	pinned = now();
	must(ops->lane_open(r.port, r.ngroups, &r.lane));
	printf("context and kernels: %.0f ms; 16 MiB pinned: %.0f ms; %zu MiB "
	       "on the device: %.0f ms\n",
	       (opened - begun) * 1e3, (pinned - opened) * 1e3, mib,
	       (now() - pinned) * 1e3);
	fill(host, len);
	measure_copy(&r, host, len);
	printf("resident, %zu MiB a launch, to 64 KiB groups, digests back\n",
	       mib);
	for (int k = 0; k <= MIH_GPU_KERNEL_LTHASH16; k++)
		printf("  %-18s %7.1f GB/s\n", mih_gpu_kernels[k].name + 4,
		       resident_rate(&r, (enum mih_gpu_kernel)k));
	ops->host_free(r.port, host);
	ops->lane_close(r.lane);
	ops->close(r.port);
}

#define NJOBS 256 /* at most, 4 GiB in all */

struct job {
	struct mih_gpu_batch batch;
	struct mih_hash_range range;
	uint8_t digests[256 * 64];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t finished;
static double last;  /* when */
static size_t njobs; /* at most NJOBS */

static void job_done(struct mih_gpu_batch *batch, mih_err err)
{
	(void)batch;
	must(err);
	pthread_mutex_lock(&lock);
	finished++;
	last = now();
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

/* Until the digests of all are there, as who reads a file is told. */
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
	return last - from;
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
	static const size_t sizes[] = { 65536, MIB, 2 * MIB, 4 * MIB,
					16 * MIB };
	const size_t n = njobs;

	make_jobs(jobs, n, alg, data, 16 * MIB);
	run_jobs(dev, jobs, n > 8 ? 8 : n);
	printf("  %-16s %17.1f GB/s", mih_hash_info(alg)->name,
	       (double)n * 16 * MIB / run_jobs(dev, jobs, n) * 1e-9);
	for (size_t s = 0; s < MIH_ARRAY_LEN(sizes); s++) {
		double t[31];

		make_jobs(jobs, 1, alg, data, sizes[s]);
		for (int i = 0; i < 31; i++)
			t[i] = run_jobs(dev, jobs, 1);
		qsort(t, 31, sizeof(t[0]), by_value);
		printf(" %7.0f us", t[15] * 1e6);
	}
	printf("\n");
}

static void measure_device(const char *spec)
{
	struct iovec data = { .iov_len = 192 * MIB };
	struct job *jobs = calloc(NJOBS, sizeof(*jobs));
	struct mih_gpu_dev *dev;

	must(mih_gpu_device_open(spec, MIH_GPU_MEMORY, &dev));
	if (dev->ops->state(dev, true) != MIH_GPU_READY)
		exit(1);
	printf("%s\n", mih_gpu_describe(dev));
	data.iov_base = mih_gpu_staging_alloc(dev, data.iov_len);
	fill(data.iov_base, data.iov_len);
	printf("through the device's queue, from pinned memory\n");
	printf("  %-16s %22s %10s %10s %10s %10s %10s\n", "", "16 MiB batches",
	       "64 KiB", "1 MiB", "2 MiB", "4 MiB", "16 MiB");
	for (size_t a = 0; a < 4; a++)
		measure_alg(dev, trees[a], &data, jobs);
	mih_gpu_staging_free(dev, data.iov_base, data.iov_len);
	mih_gpu_close(dev);
	free(jobs);
}

int main(int argc, char **argv)
{
	const char *spec = argc > 1 ? argv[1] : "cuda:0";
	size_t mib = argc > 2 ? strtoul(argv[2], NULL, 10) : 2048;
	size_t kind = strcspn(spec, ":");
	size_t ordinal = spec[kind] ? strtoul(spec + kind + 1, NULL, 10) : 0;
	const struct mih_gpu_port_ops *ops = NULL;

	double from = now();

	for (size_t i = 0; mih_gpu_ports[i]; i++)
		if (strlen(mih_gpu_ports[i]->kind) == kind &&
		    !strncmp(mih_gpu_ports[i]->kind, spec, kind))
			ops = mih_gpu_ports[i];
	if (!ops || ordinal >= ops->count()) {
		fprintf(stderr, "gpu_rates: %s: no such device here\n", spec);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("driver: %.0f ms\n", (now() - from) * 1e3);
	njobs = MIH_MAX(MIH_MIN(mib / 8, (size_t)NJOBS), (size_t)2);
	measure_resident(ops, ordinal, mib / 16 * 16);
	measure_device(spec);
	return 0;
}
