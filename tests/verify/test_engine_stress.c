/*
 * Many readers, an attacker, and an end in the middle of it.
 */
#include "util/cleanup.h"
#include "verify/engine_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct mih_test_file files[] = {
	{ "0-small", 300 * KIB + 3 },
	{ "1-large", 24 * MIB + 999 },
};
#define LARGE	 1u
#define NREADERS 8

static struct engine_test test;
static atomic_bool stop;

static void start(size_t memory)
{
	const struct mih_test_model_params params = {
		.files = files,
		.nfiles = MIH_ARRAY_LEN(files),
		.flat = MIH_HASH_SHA256,
		.tree = MIH_HASH_MTH4K_SHA256,
	};

	memset(&test, 0, sizeof(test));
	test.params.retry_ms = 5;
	test.params.memory = memory;
	atomic_store(&stop, false);
	mih_test_engine_start(&test, &params);
}

static int teardown(void **state)
{
	(void)state;
	mih_test_engine_end(&test);
	return 0;
}

/* What one thread does, and what came of it. */
struct reader {
	pthread_t thread;
	unsigned seed;
	unsigned nread, nfailed, nwrong;
};

/* No asserts here: cmocka cannot leave a test from another thread. */
static void read_once(struct reader *r, size_t file, uint64_t off, size_t len)
{
	static _Thread_local uint8_t got[MIB], want[MIB];
	mih_err err = mih_test_engine_read(&test, file, off, len, got);

	len = (size_t)MIH_MIN(len, files[file].nbytes - off);
	r->nread++;
	mih_test_model_bytes(file, off, len, want);
	if (err == -EIO)
		r->nfailed++;
	else if (err || memcmp(got, want, len))
		r->nwrong++;
}

static void *read_through(void *arg)
{
	struct reader *r = arg;

	for (uint64_t off = 0; off < files[LARGE].nbytes; off += 128 * KIB)
		read_once(r, LARGE, off, 128 * KIB);
	return NULL;
}

static void *read_anywhere(void *arg)
{
	struct reader *r = arg;

	while (!atomic_load(&stop)) {
		size_t file = rand_r(&r->seed) % 2;
		uint64_t off = (uint64_t)rand_r(&r->seed) % files[file].nbytes;
		size_t len = 1 + (size_t)rand_r(&r->seed) % MIB;

		read_once(r, file, off, rand_r(&r->seed) % 2 ? len : 4096);
	}
	return NULL;
}

static void run(struct reader *readers, void *(*what)(void *arg))
{
	for (unsigned i = 0; i < NREADERS; i++) {
		readers[i] = (struct reader){ .seed = i + 1 };
		assert_int_equal(
		    pthread_create(&readers[i].thread, NULL, what, &readers[i]),
		    0);
	}
}

static void join(struct reader *readers, struct reader *sum)
{
	*sum = (struct reader){ 0 };
	for (unsigned i = 0; i < NREADERS; i++) {
		pthread_join(readers[i].thread, NULL);
		sum->nread += readers[i].nread;
		sum->nfailed += readers[i].nfailed;
		sum->nwrong += readers[i].nwrong;
	}
}

static void open_both(void)
{
	assert_int_equal(mih_test_engine_open(&test, 0), 0);
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
}

static void close_both(void)
{
	mih_verify_close(test.engine, 0);
	mih_verify_close(test.engine, LARGE);
}

static void test_eight_readers_share_every_load(void **state)
{
	struct reader readers[NREADERS], sum;

	(void)state;
	start(64 * MIB);
	open_both();
	run(readers, read_through);
	join(readers, &sum);
	assert_int_equal(sum.nwrong + sum.nfailed, 0);
	assert_int_equal(
	    mih_test_engine_stats(&test).counts[MIH_VERIFY_DISK_BYTES],
	    files[LARGE].nbytes);
	close_both();
}

static void random_reads(size_t memory)
{
	struct reader readers[NREADERS], sum;

	start(memory);
	open_both();
	run(readers, read_anywhere);
	mih_test_engine_sleep(1000);
	atomic_store(&stop, true);
	join(readers, &sum);
	assert_int_equal(sum.nwrong + sum.nfailed, 0);
	assert_true(sum.nread > NREADERS);
	close_both();
}

static void test_random_reads_are_right(void **state)
{
	(void)state;
	random_reads(8 * MIB);
}

static void test_random_reads_without_memory(void **state)
{
	(void)state;
	random_reads(1);
}

/* Flips bits here and there and back again, as fast as it can. */
static void *attack(void *arg)
{
	unsigned *nflips = arg;
	unsigned seed = 99;

	while (!atomic_load(&stop)) {
		size_t file = rand_r(&seed) % 2;
		const char *path = mih_test_model_path(&test.disk, file);
		uint64_t off = (uint64_t)rand_r(&seed) % files[file].nbytes;

		mih_test_flip(path, off);
		if (rand_r(&seed) % 2)
			mih_test_engine_sleep(1);
		mih_test_flip(path, off);
		(*nflips)++;
	}
	return NULL;
}

/* Where there are few cores it takes a while until a flip meets a load. */
static void wait_for_an_error(void)
{
	for (unsigned ms = 0; ms < 60000; ms += 10) {
		if (mih_test_engine_stats(&test).counts[MIH_VERIFY_READ_ERRORS])
			return;
		mih_test_engine_sleep(10);
	}
}

/* Whole again, it is served again, as soon as it may be tried. */
static void expect_healed(size_t file)
{
	for (uint64_t off = 0; off < files[file].nbytes; off += MIB) {
		mih_err err = -EIO;

		for (unsigned ms = 0; err && ms < 60000; ms += 10) {
			err = mih_test_engine_check(&test, file, off, MIB);
			if (err)
				mih_test_engine_sleep(10);
		}
		assert_int_equal(err, 0);
	}
}

static void test_attacked_readers_see_right_bytes_or_errors(void **state)
{
	struct reader readers[NREADERS], sum;
	unsigned nflips = 0;
	pthread_t attacker;

	(void)state;
	start(2 * MIB);
	open_both();
	assert_int_equal(pthread_create(&attacker, NULL, attack, &nflips), 0);
	run(readers, read_anywhere);
	mih_test_engine_sleep(3000);
	wait_for_an_error();
	atomic_store(&stop, true);
	join(readers, &sum);
	pthread_join(attacker, NULL);
	assert_int_equal(sum.nwrong, 0);
	assert_true(nflips > 10);
	assert_true(sum.nfailed > 0);
	assert_true(sum.nread > sum.nfailed);
	for (size_t file = 0; file < MIH_ARRAY_LEN(files); file++)
		expect_healed(file);
	close_both();
}

#define NFLYING 64

static atomic_uint nflown;

static void flown(struct mih_verify_read *request, mih_err err)
{
	uint64_t byte;

	if (!err) {
		mih_test_model_bytes(LARGE, request->off, 8, &byte);
		if (memcmp(request->iov[0].iov_base, &byte, 8))
			mih_test_die("wrong byte");
	}
	mih_verify_read_release(request);
	atomic_fetch_add(&nflown, 1);
}

static void test_free_finishes_what_is_in_flight(void **state)
{
	static struct mih_verify_read requests[NFLYING];

	(void)state;
	start(64 * MIB);
	test.params.retry_ms = 5000;
	mih_test_engine_restart(&test);
	mih_test_flip(mih_test_model_path(&test.disk, LARGE), 0);
	open_both();
	atomic_store(&nflown, 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(mih_test_engine_check(&test, LARGE, 0, 1),
				 -EIO);
	for (unsigned i = 0; i < NFLYING; i++) {
		requests[i] = (struct mih_verify_read){
			.file = LARGE,
			.off = (uint64_t)i % 4 * 5 * MIB,
			.len = MIB,
			.done = flown,
		};
		mih_verify_read(test.engine, &requests[i]);
	}
	mih_verify_engine_free(test.engine);
	test.engine = NULL;
	assert_int_equal(nflown, NFLYING);
}

static void never(struct mih_verify_open *request, mih_err err)
{
	atomic_uint *n = &nflown;

	(void)request;
	if (!err || err == -ECANCELED)
		atomic_fetch_add(n, 1);
}

static void test_free_ends_opens_too(void **state)
{
	static struct mih_verify_open requests[NREADERS];

	(void)state;
	start(64 * MIB);
	assert_int_equal(unlink(test.disk.sidecar), 0);
	mih_test_engine_restart(&test);
	atomic_store(&nflown, 0);
	for (unsigned i = 0; i < NREADERS; i++) {
		requests[i] =
		    (struct mih_verify_open){ .file = LARGE, .done = never };
		mih_verify_open(test.engine, &requests[i]);
	}
	mih_verify_engine_free(test.engine);
	test.engine = NULL;
	assert_int_equal(nflown, NREADERS);
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_eight_readers_share_every_load),
		CASE(test_random_reads_are_right),
		CASE(test_random_reads_without_memory),
		CASE(test_attacked_readers_see_right_bytes_or_errors),
		CASE(test_free_finishes_what_is_in_flight),
		CASE(test_free_ends_opens_too),
	};

	return cmocka_run_group_tests_name("engine stress", tests, NULL, NULL);
}
