/*
 * Every device that is here against the portable reference: all trees, sums
 * and segments, ragged and random batches, poisoned outputs. The device is
 * used alone, without a set that would give small batches to the processor.
 */
#include "lib/test.h"
#include "gpu/batch_internal.h"
#include "gpu/device_internal.h"
#include "hash/path.h"

#include <pthread.h>
#include <string.h>

static struct mih_gpu_dev *dev;
static const char *name; /* its spec */

static const enum mih_hash_alg trees[] = {
	MIH_HASH_MTH4K_SHA256,
	MIH_HASH_MTH4K_SHA512,
	MIH_HASH_MTH4K_SHA3_256,
	MIH_HASH_BLAKE3,
};

struct waiter {
	struct mih_gpu_batch batch;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int calls;
	mih_err err;
};

static void batch_done(struct mih_gpu_batch *batch, mih_err err)
{
	struct waiter *w = (struct waiter *)batch;

	pthread_mutex_lock(&w->lock);
	w->calls++;
	w->err = err;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void submit(struct waiter *w, const struct mih_gpu_batch *batch)
{
	*w = (struct waiter){ .lock = PTHREAD_MUTEX_INITIALIZER,
			      .changed = PTHREAD_COND_INITIALIZER,
			      .batch = *batch };
	w->batch.done = batch_done;
	mih_gpu_submit(dev, &w->batch);
}

static void wait_for(struct waiter *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->calls)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->err, 0);
}

/* Run @batch on the device and portably, compare, see nothing overrun. */
static void check_batch(struct mih_gpu_batch batch)
{
	size_t len = mih_gpu_batch_out_len(&batch);
	uint8_t *want = malloc(len + 16), *got = malloc(len + 16);
	struct waiter w;

	assert_non_null(want);
	assert_non_null(got);
	memset(got, 0xa5, len + 16);
	memset(want, 0xa5, len + 16);
	assert_int_equal(mih_hash_path_force(MIH_HASH_PATH_PORTABLE), 0);
	batch.digests = want;
	mih_gpu_batch_on_cpu(&batch);
	assert_int_equal(mih_hash_path_force(MIH_HASH_PATH_AUTO), 0);
	batch.digests = got;
	submit(&w, &batch);
	wait_for(&w);
	assert_memory_equal(want, got, len + 16);
	free(want);
	free(got);
}

static void check(enum mih_hash_alg alg, const struct mih_hash_range *ranges,
		  size_t n)
{
	check_batch((struct mih_gpu_batch){
	    .alg = alg, .ranges = ranges, .nranges = n });
}

/* As @check, with paths whose messages end in every part of a block. */
static void check_sum(const struct mih_hash_range *ranges, size_t n)
{
	struct mih_hash_blake2b *prefixes = calloc(n + 1, sizeof(*prefixes));
	char path[300];

	assert_non_null(prefixes);
	for (size_t i = 0; i < n; i++) {
		memset(path, 'a' + (char)(i % 26), sizeof(path));
		path[1 + (i * 7 + n) % 290] = 0;
		mih_hash_lt_prefix(path, &prefixes[i]);
	}
	check_batch((struct mih_gpu_batch){ .task = MIH_GPU_LTHASH,
					    .ranges = ranges,
					    .nranges = n,
					    .prefixes = prefixes });
	free(prefixes);
}

static const size_t edges[] = {
	0,     1,     63,    64,    1023,   1024,   1025,    2048,    4095,
	4096,  4097,  8191,  8192,  12288,  12289,  16385,   28673,   61441,
	65535, 65536, 65537, 69633, 131072, 196609, 1048575, 1048577,
};

static void test_edge_lengths(void **state)
{
	uint8_t *data = malloc(1 << 21);

	(void)state;
	mih_test_fill(data, 1 << 21, 3);
	for (size_t a = 0; a < 4; a++)
		for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
			struct mih_hash_range r = { .data = data,
						    .len = edges[i] };

			check(trees[a], &r, 1);
			r.off = (uint64_t)5 << 40;
			check(trees[a], &r, 1);
			r.off = 0;
			r.is_root = r.len > 0 && r.len <= MIH_HASH_GROUP;
			check(trees[a], &r, 1);
			if (a == 0)
				check_sum(&r, 1);
		}
	free(data);
}

static void test_ragged_batches(void **state)
{
	enum { N = 40 };
	struct mih_hash_range ranges[N];
	uint8_t *data = malloc(8 << 20);

	(void)state;
	srandom(7);
	for (size_t i = 0; i < 8 << 20; i++)
		data[i] = (uint8_t)random();
	for (size_t a = 0; a < 4; a++) {
		for (size_t i = 0; i < N; i++)
			ranges[i] = (struct mih_hash_range){
				.data = data + (size_t)random() % (4 << 20),
				.len = (size_t)random() % 300000,
				.off = (uint64_t)random() * MIH_HASH_GROUP,
			};
		ranges[3].len = 0;
		check(trees[a], ranges, N);
		check(trees[a], ranges, 0);
	}
	check_sum(ranges, N);
	check_sum(ranges, 0);
	free(data);
}

/* A path's message fills its last block to every possible byte. */
static void test_sum_of_every_length_of_path(void **state)
{
	struct mih_hash_range ranges[1];
	uint8_t data[5000];

	(void)state;
	mih_test_fill(data, sizeof(data), 5);
	ranges[0] =
	    (struct mih_hash_range){ .data = data, .len = sizeof(data) };
	for (size_t len = 1; len < 280; len += len < 130 ? 1 : 13) {
		struct mih_hash_blake2b prefix;
		char path[281];

		memset(path, 'p', len);
		path[len] = 0;
		mih_hash_lt_prefix(path, &prefix);
		check_batch((struct mih_gpu_batch){ .task = MIH_GPU_LTHASH,
						    .ranges = ranges,
						    .nranges = 1,
						    .prefixes = &prefix });
	}
}

static void test_segments(void **state)
{
	enum { N = 100 };
	static struct mih_hash_segment segments[N];
	uint8_t *data = malloc(2 << 20);

	(void)state;
	mih_test_fill(data, 2 << 20, 4);
	srandom(11);
	for (size_t i = 0; i < N; i++) {
		segments[i].data = data + random() % 1000;
		segments[i].nblocks =
		    i % 7 == 0 ? (size_t)random() % 16384 : i % 40;
		for (size_t b = 0; b < 32; b++)
			segments[i].state[b] = (uint8_t)random();
	}
	for (size_t n = 0; n <= N; n += n < 2 ? 1 : 49)
		check_batch((struct mih_gpu_batch){ .task = MIH_GPU_SEGMENTS,
						    .segments = segments,
						    .nsegments = n });
	free(data);
}

static void test_batch_larger_than_the_device_arena(void **state)
{
	size_t len = (size_t)80 << 20;
	uint8_t *data = mih_gpu_staging_alloc(dev, len);
	struct mih_hash_range r = { .data = data, .len = len - 77 };

	(void)state;
	assert_non_null(data);
	mih_test_fill(data, len, 1);
	check(MIH_HASH_MTH4K_SHA256, &r, 1);
	check(MIH_HASH_BLAKE3, &r, 1);
	check_sum(&r, 1);
	mih_gpu_staging_free(dev, data, len);
}

/* Lanes that hold so much that kernels are launched in wide work-groups. */
static void test_wide_launches(void **state)
{
	size_t len = (size_t)130 << 20;
	struct mih_gpu_dev *narrow = dev;
	uint8_t *data = malloc(len);
	struct mih_hash_range r = { .data = data, .len = len - 4099 };

	(void)state;
	assert_non_null(data);
	mih_test_fill(data, len, 6);
	assert_int_equal(mih_gpu_device_open(name, (uint64_t)560 << 20, &dev),
			 0);
	assert_int_equal(dev->ops->state(dev, true), MIH_GPU_READY);
	for (size_t a = 0; a < 4; a++)
		check(trees[a], &r, 1);
	check_sum(&r, 1);
	mih_gpu_close(dev);
	dev = narrow;
	free(data);
}

static void test_many_batches_at_once(void **state)
{
	enum { N = 64, LEN = 200000 };
	static struct waiter w[N];
	static uint8_t got[N][4 * 64], want[4 * 64];
	uint8_t *data = malloc(LEN);
	struct mih_hash_range r = { .data = data, .len = LEN };

	(void)state;
	mih_test_fill(data, LEN, 9);
	memset(got, 0xa5, sizeof(got));
	for (size_t i = 0; i < N; i++)
		submit(&w[i], &(struct mih_gpu_batch){ .alg = trees[i % 4],
						       .ranges = &r,
						       .nranges = 1,
						       .digests = got[i] });
	for (size_t i = 0; i < N; i++) {
		wait_for(&w[i]);
		mih_hash_groups(trees[i % 4], &r, 1, want);
		assert_memory_equal(want, got[i],
				    4 * mih_hash_info(trees[i % 4])->len);
	}
	free(data);
}

static bool open_device(const char *kind)
{
	/* Lanes of 16 MiB, so that the largest batch takes several rounds. */
	const uint64_t memory = (uint64_t)70 << 20;

	if (mih_gpu_device_open(kind, memory, &dev)) {
		printf("# no %s device here: %s\n", kind, mih_err_message());
		return false;
	}
	if (dev->ops->state(dev, true) != MIH_GPU_READY) {
		printf("not ok - %s is there but failed\n", kind);
		exit(1);
	}
	printf("# %s\n", mih_gpu_describe(dev));
	return true;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edge_lengths),
		cmocka_unit_test(test_ragged_batches),
		cmocka_unit_test(test_sum_of_every_length_of_path),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_batch_larger_than_the_device_arena),
		cmocka_unit_test(test_many_batches_at_once),
		cmocka_unit_test(test_wide_launches),
	};
	int failed;

	name = argc > 1 ? argv[1] : "cpu";
	if (!open_device(name)) {
		printf("1..0 # SKIP no %s device\n", name);
		return 0;
	}
	failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);
	mih_gpu_close(dev);
	return failed;
}
