/*
 * Every device that is here against the portable reference: all trees, ragged
 * and random batches, poisoned outputs.
 */
#include "lib/test.h"
#include "gpu/device.h"
#include "gpu/offload_internal.h"
#include "hash/path.h"

#include <pthread.h>
#include <string.h>

static struct mih_gpu_dev *dev;

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

static void submit(struct waiter *w, enum mih_hash_alg alg,
		   const struct mih_hash_range *ranges, size_t n, uint8_t *out)
{
	*w = (struct waiter){ .lock = PTHREAD_MUTEX_INITIALIZER,
			      .changed = PTHREAD_COND_INITIALIZER,
			      .batch = { .alg = alg,
					 .ranges = ranges,
					 .nranges = n,
					 .digests = out,
					 .done = batch_done } };
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

/* Hash @ranges on the device and portably, compare, see nothing overrun. */
static void check(enum mih_hash_alg alg, const struct mih_hash_range *ranges,
		  size_t n)
{
	size_t len = 0, dlen = mih_hash_info(alg)->len;
	uint8_t *want, *got;
	struct waiter w;

	for (size_t i = 0; i < n; i++)
		len += mih_hash_ngroups(ranges[i].len) * dlen;
	want = malloc(len + 16);
	got = malloc(len + 16);
	assert_non_null(want);
	assert_non_null(got);
	memset(got, 0xa5, len + 16);
	memset(want, 0xa5, len + 16);
	assert_int_equal(mih_hash_path_force(MIH_HASH_PATH_PORTABLE), 0);
	mih_hash_groups(alg, ranges, n, want);
	assert_int_equal(mih_hash_path_force(MIH_HASH_PATH_AUTO), 0);
	submit(&w, alg, ranges, n, got);
	wait_for(&w);
	assert_memory_equal(want, got, len + 16);
	free(want);
	free(got);
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
	mih_gpu_staging_free(dev, data, len);
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
		submit(&w[i], trees[i % 4], &r, 1, got[i]);
	for (size_t i = 0; i < N; i++) {
		wait_for(&w[i]);
		mih_hash_groups(trees[i % 4], &r, 1, want);
		assert_memory_equal(want, got[i],
				    4 * mih_hash_info(trees[i % 4])->len);
	}
	free(data);
}

/* Open @kind; a device of a GPU kind must really serve, not fall back. */
static bool open_device(const char *kind)
{
	if (mih_gpu_open(kind, &dev)) {
		printf("# no %s device here: %s\n", kind, mih_err_message());
		return false;
	}
	if (strcmp(kind, "cpu") && !mih_gpu_offload_wait(dev)) {
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
		cmocka_unit_test(test_batch_larger_than_the_device_arena),
		cmocka_unit_test(test_many_batches_at_once),
	};
	const char *name = argc > 1 ? argv[1] : "cpu";
	int failed;

	if (!open_device(name)) {
		printf("1..0 # SKIP no %s device\n", name);
		return 0;
	}
	failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);
	mih_gpu_close(dev);
	return failed;
}
