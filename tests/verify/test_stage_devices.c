/*
 * A large file that is staged with a device at work: what is hashed is copied
 * into memory that the device reads fast, and no failure of the device makes a
 * difference to who opens the file.
 */
#include "verify/engine_test.h"
#include "gpu/about.h"
#include "gpu/sim_port.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NBYTES (145 * MIB + 4711)

/* Whole huge pages, and each way in which the last one is not. */
static const struct mih_test_file files[] = {
	{ "a-large", NBYTES },	   { "page", 2 * MIB },
	{ "page-1", 2 * MIB - 1 }, { "page1", 2 * MIB + 1 },
	{ "page1m", 3 * MIB },	   { "page1m1", 3 * MIB + 1 },
	{ "pagehalf", MIB },	   { "pageone", 1 },
};
#define LARGE 0u

static struct engine_test test;

static int start(void **state)
{
	static const char *const names[] = { "sim:0" };
	const struct mih_gpu_params sim = { .specs = names,
					    .nspecs = 1,
					    .memory = 16 * MIB };
	const struct mih_test_model_params params = {
		.files = files,
		.nfiles = MIH_ARRAY_LEN(files),
		.flat = MIH_HASH_SHA256,
		.tree = MIH_HASH_MTH4K_SHA256,
	};
	struct engine_test *t = &test;

	(void)state;
	memset(t, 0, sizeof(*t));
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
	mih_test_sims[0].after = 0;
	mih_test_sims[0].ns_per_mib = 0;
	mih_test_engine_start(t, &params);
	assert_int_equal(mih_gpu_open(&sim, &t->dev), 0);
	mih_gpu_wait_for(t->dev, MIH_HASH_MTH4K_SHA256, NULL);
	mih_test_sims[0].nbytes = 0;
	mih_test_sims[0].bounced = 0;
	t->params.stage_memory = 256 * MIB;
	t->params.retry_ms = 50;
	mih_test_engine_restart(t);
	return 0;
}

static int end(void **state)
{
	(void)state;
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
	mih_test_engine_end(&test);
	return 0;
}

static void assert_staged(size_t file, bool is_staged)
{
	int fd = mih_verify_staged(test.engine, file);
	uint8_t *got, *want = malloc(MIB);

	if (!is_staged) {
		assert_int_equal(fd, -1);
		free(want);
		return;
	}
	assert_true(fd >= 0);
	got = mmap(NULL, files[file].nbytes, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(got != MAP_FAILED);
	for (uint64_t off = 0; off < files[file].nbytes; off += MIB) {
		size_t len = MIH_MIN(files[file].nbytes - off, MIB);

		mih_test_model_bytes(file, off, len, want);
		assert_memory_equal(got + off, want, len);
	}
	munmap(got, files[file].nbytes);
	free(want);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
}

/* What the device hashes, all but the short ends, it reads from fast memory. */
static void test_whole_files_are_right(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MIH_ARRAY_LEN(files); i++) {
		assert_int_equal(mih_test_engine_open(&test, i), 0);
		assert_staged(i, true);
	}
	assert_true(mih_test_sims[0].nbytes >= NBYTES / MIB * MIB);
	assert_int_equal(mih_test_sims[0].bounced, 0);
	assert_int_equal(test.nlines, 0);
}

static void test_bad_byte_is_found_in_either_half(void **state)
{
	const uint64_t at[] = { 0, MIB, 140 * MIB + 1, 141 * MIB + 1,
				NBYTES - 1 };
	const char *path = mih_test_model_path(&test.disk, LARGE);

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(at); i++) {
		test.nlines = 0;
		mih_test_flip(path, at[i]);
		assert_int_equal(mih_test_engine_open(&test, LARGE), -EIO);
		assert_int_equal(test.nlines, 1);
		assert_staged(LARGE, false);
		mih_test_flip(path, at[i]);
		mih_test_engine_restart(&test);
	}
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	assert_staged(LARGE, true);
}

/* What is copied for the device has no part in the budget of what is kept. */
static void test_what_is_kept_stays(void **state)
{
	const size_t page1m1 = 5;

	(void)state;
	test.params.memory = 8 * MIB;
	test.params.keep_read = true;
	mih_test_engine_restart(&test);
	assert_int_equal(mih_test_engine_open(&test, page1m1), 0);
	for (uint64_t at = 0; at < 3 * MIB; at += MIB)
		assert_int_equal(mih_test_engine_check(&test, page1m1, at, MIB),
				 0);
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	assert_staged(LARGE, true);
	assert_int_equal(
	    mih_test_engine_stats(&test).counts[MIH_VERIFY_EVICTED], 0);
}

/* The file is opened all the same, and the device is never used again. */
static void assert_opens_without(enum mih_test_fault fault, unsigned after)
{
	struct mih_gpu_member member;

	mih_test_sims[0].after = after;
	mih_test_sims[0].fault = fault;
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	assert_staged(LARGE, true);
	assert_int_equal(test.nlines, 0);
	assert_int_equal(mih_gpu_members(test.dev, &member, 1), 1);
	assert_int_equal(member.state, MIH_GPU_DOWN);
	assert_null(mih_gpu_staging_ready(test.dev, MIB));
}

static void test_device_fails_at_it(void **state)
{
	(void)state;
	assert_opens_without(MIH_TEST_LAUNCH_FAILS, 5);
}

static void test_device_says_corrupt(void **state)
{
	(void)state;
	assert_opens_without(MIH_TEST_WRONG, 5);
}

/* Its call does no harm when it returns at last. */
static void test_copying_does_not_return(void **state)
{
	(void)state;
	assert_opens_without(MIH_TEST_STUCK, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_files_are_right,
						start, end),
		cmocka_unit_test_setup_teardown(
		    test_bad_byte_is_found_in_either_half, start, end),
		cmocka_unit_test_setup_teardown(test_what_is_kept_stays, start,
						end),
		cmocka_unit_test_setup_teardown(test_device_fails_at_it, start,
						end),
		cmocka_unit_test_setup_teardown(test_device_says_corrupt, start,
						end),
		cmocka_unit_test_setup_teardown(test_copying_does_not_return,
						start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
