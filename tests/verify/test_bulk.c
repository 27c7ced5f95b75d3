#include "lib/test.h"
#include "hash/stream.h"
#include "util/checked.h"
#include "util/pool.h"
#include "verify/bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

/* Around every edge: block, group, piece, several pieces. */
static const size_t sizes[] = { 0,     1,	4095,	 4097,
				65535, 65536,	65537,	 MIB - 1,
				MIB,   MIB + 1, 3 * MIB, 7 * MIB + 12345 };
#define NFILES MIH_ARRAY_LEN(sizes)

static char top[64];
static int top_fd;
static char names[NFILES][16];
static uint8_t *contents; /* of the largest; the others are its beginnings */

/* What one run told us. */
struct seen {
	uint8_t *digests[NFILES]; /* as they came, at their place */
	uint8_t *times[NFILES];	  /* how often each group came */
	uint8_t hints[NFILES][8][32];
	unsigned nhints[NFILES];
	atomic_uint done[NFILES];
	size_t len; /* of a digest */
	struct mih_verify_bulk_file files[NFILES];
	pthread_mutex_t lock;
	mih_err fail_groups, fail_done;
};

static void write_file(const char *name, const void *data, size_t len)
{
	int fd = openat(top_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static int setup_group(void **state)
{
	(void)state;
	strcpy(top, "bulk.XXXXXX");
	contents = malloc(sizes[NFILES - 1]);
	if (!contents || !mkdtemp(top))
		return -1;
	mih_test_fill(contents, sizes[NFILES - 1], 0);
	return (top_fd = open(top, O_RDONLY | O_DIRECTORY)) < 0;
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < NFILES; i++) {
		snprintf(names[i], sizeof(names[i]), "%zu", sizes[i]);
		unlinkat(top_fd, names[i], 0);
		write_file(names[i], contents, sizes[i]);
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int teardown_group(void **state)
{
	(void)state;
	free(contents);
	close(top_fd);
	return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void seen_init(struct seen *seen, enum mih_hash_alg tree)
{
	memset(seen, 0, sizeof(*seen));
	pthread_mutex_init(&seen->lock, NULL);
	seen->len = tree ? mih_hash_info(tree)->len : 1;
	for (size_t i = 0; i < NFILES; i++) {
		size_t n = (size_t)mih_hash_ngroups(sizes[i]) + 1;

		seen->digests[i] = calloc(n, seen->len);
		seen->times[i] = calloc(n, 1);
		assert_non_null(seen->digests[i]);
		assert_non_null(seen->times[i]);
		seen->files[i].path = names[i];
		seen->files[i].nbytes = sizes[i];
	}
}

static void seen_fini(struct seen *seen)
{
	for (size_t i = 0; i < NFILES; i++) {
		free(seen->digests[i]);
		free(seen->times[i]);
	}
	pthread_mutex_destroy(&seen->lock);
}

static mih_err on_groups(void *context, size_t file, uint64_t first,
			 const uint8_t *digests, size_t n)
{
	struct seen *seen = context;

	pthread_mutex_lock(&seen->lock);
	memcpy(seen->digests[file] + first * seen->len, digests, n * seen->len);
	for (size_t i = 0; i < n; i++)
		seen->times[file][first + i]++;
	pthread_mutex_unlock(&seen->lock);
	return seen->fail_groups
		   ? mih_err_fail(seen->fail_groups, "groups: story")
		   : 0;
}

static mih_err on_hint(void *context, size_t file, uint64_t i,
		       const uint8_t state[32])
{
	struct seen *seen = context;

	assert_true(i < 8);
	memcpy(seen->hints[file][i], state, 32);
	seen->nhints[file]++;
	return 0;
}

static mih_err on_done(void *context, size_t file)
{
	struct seen *seen = context;

	atomic_fetch_add(&seen->done[file], 1);
	return seen->fail_done ? mih_err_fail(seen->fail_done, "done: story")
			       : 0;
}

static void expect_digests(const struct seen *seen, size_t i,
			   enum mih_hash_alg tree)
{
	size_t n = (size_t)mih_hash_ngroups(sizes[i]);
	uint8_t *want = malloc(n * seen->len + 1);
	struct mih_hash_range range = {
		.data = contents,
		.len = sizes[i],
		.is_root = n == 1,
	};

	assert_non_null(want);
	mih_hash_groups(tree, &range, 1, want);
	assert_memory_equal(seen->digests[i], want, n * seen->len);
	for (size_t g = 0; g < n; g++)
		assert_int_equal(seen->times[i][g], 1);
	free(want);
}

static void expect_flat(const struct seen *seen, size_t i,
			enum mih_hash_alg flat)
{
	uint8_t want[MIH_HASH_LEN_MAX];

	assert_int_equal(mih_hash_flat(flat, contents, sizes[i], want), 0);
	assert_memory_equal(seen->files[i].flat, want,
			    mih_hash_info(flat)->len);
}

static void expect_hints(const struct seen *seen, size_t i)
{
	struct mih_hash_stream *stream;
	uint8_t want[32];

	assert_int_equal(seen->nhints[i], sizes[i] / MIB);
	assert_int_equal(mih_hash_stream_new(MIH_HASH_SHA256, &stream), 0);
	for (size_t h = 0; h < sizes[i] / MIB; h++) {
		assert_int_equal(
		    mih_hash_stream_update(stream, contents + h * MIB, MIB), 0);
		mih_hash_stream_sha256_state(stream, want);
		assert_memory_equal(seen->hints[i][h], want, 32);
	}
	mih_hash_stream_free(stream);
}

static struct mih_gpu_dev *cpu(void)
{
	static const char *const specs[] = { "cpu" };
	const struct mih_gpu_params params = { .specs = specs, .nspecs = 1 };
	struct mih_gpu_dev *dev;

	assert_int_equal(mih_gpu_open(&params, &dev), 0);
	return dev;
}

static struct mih_verify_bulk bulk_of(struct seen *seen,
				      struct mih_gpu_dev *dev,
				      enum mih_hash_alg flat,
				      enum mih_hash_alg tree)
{
	return (struct mih_verify_bulk){
		.dirfd = top_fd,
		.files = seen->files,
		.nfiles = NFILES,
		.flat = flat,
		.tree = tree,
		.dev = dev,
		.context = seen,
		.groups = on_groups,
		.hint = flat == MIH_HASH_SHA256 ? on_hint : NULL,
		.file_done = on_done,
	};
}

static void run_and_compare(struct mih_gpu_dev *dev, enum mih_hash_alg flat,
			    enum mih_hash_alg tree, size_t nthreads)
{
	_Atomic uint64_t progress = 0;
	uint64_t total = 0;
	struct seen seen;
	struct mih_verify_bulk bulk;

	seen_init(&seen, tree);
	bulk = bulk_of(&seen, dev, flat, tree);
	bulk.nthreads = nthreads;
	bulk.progress = &progress;
	assert_int_equal(mih_verify_bulk_run(&bulk), 0);
	for (size_t i = 0; i < NFILES; i++) {
		assert_int_equal(seen.files[i].err, 0);
		assert_int_equal(seen.done[i], 1);
		total += sizes[i];
		if (tree)
			expect_digests(&seen, i, tree);
		if (flat)
			expect_flat(&seen, i, flat);
		if (flat == MIH_HASH_SHA256)
			expect_hints(&seen, i);
	}
	assert_int_equal(progress, total);
	seen_fini(&seen);
}

static void test_bulk_gives_every_digest(void **state)
{
	static const enum mih_hash_alg flats[] = { MIH_HASH_NONE,
						   MIH_HASH_SHA256,
						   MIH_HASH_BLAKE2B };
	static const enum mih_hash_alg trees[] = { MIH_HASH_NONE,
						   MIH_HASH_MTH4K_SHA256,
						   MIH_HASH_MTH4K_SHA512,
						   MIH_HASH_BLAKE3 };
	static const size_t threads[] = { 0, 1, 5 };

	(void)state;
	for (size_t f = 0; f < MIH_ARRAY_LEN(flats); f++)
		for (size_t t = 0; t < MIH_ARRAY_LEN(trees); t++)
			for (size_t n = 0; n < MIH_ARRAY_LEN(threads); n++)
				run_and_compare(cpu(), flats[f], trees[t],
						threads[n]);
}

/* A device that answers later, from threads of its own, last come first. */
struct late_dev {
	struct mih_gpu_dev dev; /* first */
	pthread_mutex_t lock;
	pthread_cond_t there;
	struct mih_gpu_batch *stack[256];
	size_t n;
	bool stopping;
	bool broken; /* says MIH_EBACKEND, having written nonsense */
};

static void late_submit(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch)
{
	struct late_dev *late = (struct late_dev *)dev;

	pthread_mutex_lock(&late->lock);
	assert_true(late->n < MIH_ARRAY_LEN(late->stack));
	late->stack[late->n++] = batch;
	pthread_cond_signal(&late->there);
	pthread_mutex_unlock(&late->lock);
}

static void *late_thread(void *arg)
{
	struct late_dev *late = arg;

	pthread_mutex_lock(&late->lock);
	while (!late->stopping || late->n > 0) {
		struct mih_gpu_batch *batch;

		if (late->n == 0) {
			pthread_cond_wait(&late->there, &late->lock);
			continue;
		}
		batch = late->stack[--late->n];
		pthread_mutex_unlock(&late->lock);
		mih_hash_groups(batch->alg, batch->ranges, batch->nranges,
				batch->digests);
		if (late->broken)
			batch->digests[0] ^= 1;
		batch->done(batch, late->broken ? MIH_EBACKEND : 0);
		pthread_mutex_lock(&late->lock);
	}
	pthread_mutex_unlock(&late->lock);
	return NULL;
}

static void run_late(bool broken, enum mih_hash_alg flat)
{
	static const struct mih_gpu_ops ops = { .submit = late_submit };
	struct late_dev late = { .dev.ops = &ops,
				 .lock = PTHREAD_MUTEX_INITIALIZER,
				 .there = PTHREAD_COND_INITIALIZER,
				 .broken = broken };
	pthread_t threads[2];

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, late_thread, &late), 0);
	run_and_compare(&late.dev, flat, MIH_HASH_MTH4K_SHA256, 3);
	run_and_compare(&late.dev, flat, MIH_HASH_BLAKE3, 1);
	pthread_mutex_lock(&late.lock);
	late.stopping = true;
	pthread_cond_broadcast(&late.there);
	pthread_mutex_unlock(&late.lock);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static void test_bulk_takes_answers_out_of_order(void **state)
{
	(void)state;
	run_late(false, MIH_HASH_NONE);
	run_late(false, MIH_HASH_SHA256);
}

static void test_bulk_redoes_what_a_device_gives_up(void **state)
{
	(void)state;
	run_late(true, MIH_HASH_NONE);
	run_late(true, MIH_HASH_SHA256);
}

static void test_bulk_keeps_errors_to_their_files(void **state)
{
	static const mih_err want[NFILES] = {
		[1] = -ENOENT, [2] = -EFBIG, [3] = -ENODATA, [4] = -EINVAL,
		[5] = -EINVAL, [6] = -ELOOP, [9] = -ENODATA, [11] = -EFBIG,
	};
	struct mih_gpu_dev *dev = cpu();
	struct mih_verify_bulk bulk;
	struct seen seen;

	(void)state;
	for (size_t i = 1; i < 7; i++)
		unlinkat(top_fd, names[i], 0);
	write_file(names[2], contents, sizes[2] + 1);
	write_file(names[3], contents, sizes[3] - 1);
	assert_int_equal(mkdirat(top_fd, names[4], 0755), 0);
	assert_int_equal(mkfifoat(top_fd, names[5], 0644), 0);
	assert_int_equal(symlinkat(names[7], top_fd, names[6]), 0);
	write_file(names[9], contents, sizes[9] - 1);
	write_file(names[11], contents, 1);
	seen_init(&seen, MIH_HASH_MTH4K_SHA256);
	seen.files[11].nbytes = 0;
	for (int flat = 0; flat < 2; flat++) {
		bulk = bulk_of(&seen, dev, flat ? MIH_HASH_SHA256 : 0,
			       MIH_HASH_MTH4K_SHA256);
		assert_int_equal(mih_verify_bulk_run(&bulk), 0);
		for (size_t i = 0; i < NFILES; i++) {
			assert_int_equal(seen.files[i].err, want[i]);
			assert_int_equal(seen.done[i], flat + 1);
		}
	}
	seen_fini(&seen);
	unlinkat(top_fd, names[4], AT_REMOVEDIR);
}

/* Written to between two of its pieces, without a change of size. */
static mih_err meddle(void *context, size_t file, uint64_t first,
		      const uint8_t *digests, size_t n)
{
	static const struct timespec later = { .tv_nsec = 20000000 };

	if (file == NFILES - 1 && first == 0) {
		int fd = openat(top_fd, names[file], O_WRONLY);

		assert_true(fd >= 0);
		nanosleep(&later, NULL); /* past the clock's granularity */
		assert_int_equal(pwrite(fd, "x", 1, 5), 1);
		close(fd);
	}
	return on_groups(context, file, first, digests, n);
}

static void test_bulk_notices_writers(void **state)
{
	struct mih_gpu_dev *dev = cpu();
	struct mih_verify_bulk bulk;
	struct seen seen;

	(void)state;
	seen_init(&seen, MIH_HASH_MTH4K_SHA256);
	bulk = bulk_of(&seen, dev, MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256);
	bulk.groups = meddle;
	assert_int_equal(mih_verify_bulk_run(&bulk), 0);
	for (size_t i = 0; i < NFILES; i++)
		assert_int_equal(seen.files[i].err,
				 i == NFILES - 1 ? -ESTALE : 0);
	seen_fini(&seen);
}

static void test_bulk_stops_for_a_callback(void **state)
{
	struct mih_gpu_dev *dev = cpu();
	struct mih_verify_bulk bulk;
	struct seen seen;

	(void)state;
	for (int which = 0; which < 4; which++) {
		seen_init(&seen, MIH_HASH_MTH4K_SHA256);
		seen.fail_groups = which & 1 ? -ENOSPC : 0;
		seen.fail_done = which & 1 ? 0 : -ENOSPC;
		bulk = bulk_of(&seen, dev, which & 2 ? MIH_HASH_SHA256 : 0,
			       MIH_HASH_MTH4K_SHA256);
		bulk.nthreads = 3;
		mih_err_clear();
		assert_int_equal(mih_verify_bulk_run(&bulk), -ENOSPC);
		assert_non_null(strstr(mih_err_message(), ": story"));
		seen_fini(&seen);
	}
}

static void test_bulk_can_be_cancelled(void **state)
{
	struct mih_gpu_dev *dev = cpu();
	atomic_bool cancel = true;
	struct mih_verify_bulk bulk;
	struct seen seen;

	(void)state;
	seen_init(&seen, MIH_HASH_MTH4K_SHA256);
	bulk = bulk_of(&seen, dev, MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256);
	bulk.cancel = &cancel;
	assert_int_equal(mih_verify_bulk_run(&bulk), -ECANCELED);
	seen_fini(&seen);
}

/* Bytes that read calls of this process have returned; 0: not to be had. */
static uint64_t bytes_read(void)
{
	FILE *io = fopen("/proc/self/io", "r");
	unsigned long long n = 0;

	if (!io)
		return 0;
	if (fscanf(io, "rchar: %llu", &n) != 1)
		n = 0;
	fclose(io);
	return n;
}

static void test_bulk_reads_each_byte_once(void **state)
{
	struct mih_gpu_dev *dev = cpu();
	struct mih_verify_bulk bulk;
	uint64_t before, after, total = 0;
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < NFILES; i++)
		total += sizes[i];
	seen_init(&seen, MIH_HASH_MTH4K_SHA256);
	bulk = bulk_of(&seen, dev, MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256);
	before = bytes_read();
	assert_int_equal(mih_verify_bulk_run(&bulk), 0);
	after = bytes_read();
	seen_fini(&seen);
	if (!before)
		return;
	/* looking into /proc/self/io is a read too, of under 1 KiB */
	assert_true(after - before >= total);
	assert_true(after - before < total + 1024);
}

static void test_bulk_of_nothing(void **state)
{
	struct mih_verify_bulk bulk = { .dirfd = top_fd, .dev = cpu() };

	(void)state;
	assert_int_equal(mih_verify_bulk_run(&bulk), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

/* --- hints ------------------------------------------------------------- */

static void run_hinted(struct seen *seen, uint8_t hints[8][32])
{
	struct mih_gpu_dev *dev = cpu();
	struct mih_verify_bulk bulk = {
		.dirfd = top_fd,
		.files = seen->files,
		.nfiles = NFILES,
		.flat = MIH_HASH_SHA256,
		.tree = MIH_HASH_MTH4K_SHA256,
		.dev = dev,
		.context = seen,
		.groups = on_groups,
	};

	for (size_t i = 0; i < NFILES; i++)
		seen->files[i].hints = hints[0];
	assert_int_equal(mih_verify_bulk_run(&bulk), 0);
	mih_gpu_close(dev);
}

/* Contents are beginnings of one another, and so are their states. */
static void true_hints(uint8_t hints[8][32])
{
	struct mih_hash_stream *stream;

	assert_int_equal(mih_hash_stream_new(MIH_HASH_SHA256, &stream), 0);
	for (size_t h = 0; h < sizes[NFILES - 1] / MIB; h++) {
		assert_int_equal(
		    mih_hash_stream_update(stream, contents + h * MIB, MIB), 0);
		mih_hash_stream_sha256_state(stream, hints[h]);
	}
	mih_hash_stream_free(stream);
}

static void test_bulk_checks_by_hints(void **state)
{
	uint8_t hints[8][32];
	struct seen seen;

	(void)state;
	true_hints(hints);
	seen_init(&seen, MIH_HASH_MTH4K_SHA256);
	run_hinted(&seen, hints);
	for (size_t i = 0; i < NFILES; i++) {
		assert_int_equal(seen.files[i].err, 0);
		expect_flat(&seen, i, MIH_HASH_SHA256);
		expect_digests(&seen, i, MIH_HASH_MTH4K_SHA256);
	}
	seen_fini(&seen);
}

static void test_bulk_refuses_wrong_hints(void **state)
{
	uint8_t hints[8][32];

	(void)state;
	for (size_t bad = 0; bad < sizes[NFILES - 1] / MIB; bad++) {
		struct seen seen;

		true_hints(hints);
		hints[bad][31] ^= 1;
		seen_init(&seen, MIH_HASH_MTH4K_SHA256);
		run_hinted(&seen, hints);
		for (size_t i = 0; i < NFILES; i++)
			assert_int_equal(seen.files[i].err, sizes[i] / MIB > bad
								? MIH_EDIGEST
								: 0);
		seen_fini(&seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bulk_gives_every_digest),
		TEST(test_bulk_takes_answers_out_of_order),
		TEST(test_bulk_redoes_what_a_device_gives_up),
		TEST(test_bulk_keeps_errors_to_their_files),
		TEST(test_bulk_notices_writers),
		TEST(test_bulk_stops_for_a_callback),
		TEST(test_bulk_can_be_cancelled),
		TEST(test_bulk_reads_each_byte_once),
		TEST(test_bulk_of_nothing),
		TEST(test_bulk_checks_by_hints),
		TEST(test_bulk_refuses_wrong_hints),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
