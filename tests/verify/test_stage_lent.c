/*
 * A large file that is staged with a device at work: the device reads what it
 * hashes from the stage itself, and no failure of its makes a difference to who
 * opens the file.
 */
#include "verify/engine_test.h"
#include "gpu/about.h"
#include "gpu/sim_port.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NBYTES (145 * MIB + 4711)
#define PIECE  (16 * MIB)

static const struct mih_test_file files[] = { { "large", NBYTES },
					      { "small", 3 * MIB } };
#define LARGE 0u
#define SMALL 1u

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
	mih_test_sims_pin(true);
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
	mih_test_sims[0].after = 0;
	mih_test_sims[0].ns_per_mib = 0;
	mih_test_engine_start(t, &params);
	assert_int_equal(mih_gpu_open(&sim, &t->dev), 0);
	mih_gpu_wait(t->dev);
	mih_test_sims[0].in_place = 0;
	/* So that who pins has the time. */
	mih_test_sims[0].ns_per_mib = 2000000;
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

/* Does this system give memory files huge pages? */
static bool has_huge_pages(void)
{
	uint8_t *map = MAP_FAILED, *at;
	int fd = memfd_create("probe", MFD_CLOEXEC);
	struct stat st = { 0 };

	if (fd >= 0 && ftruncate(fd, 8 * MIB) == 0)
		map = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED,
			   fd, 0);
	if (map != MAP_FAILED) {
		madvise(map, 8 * MIB, MADV_HUGEPAGE);
		at = map + 2 * MIB - (uintptr_t)map % (2 * MIB);
		*at = 1;
		fstat(fd, &st);
		munmap(map, 8 * MIB);
	}
	close(fd);
	return st.st_blocks * 512 >= (blkcnt_t)(2 * MIB);
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

/* Of its pieces the first ones are copied. */
static void test_stage_is_read_in_place(void **state)
{
	(void)state;
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	assert_staged(LARGE, true);
	assert_int_equal(mih_test_sims_pinned(), 0);
	printf("# %ju of %ju MiB in place\n",
	       (uintmax_t)(mih_test_sims[0].in_place / MIB),
	       (uintmax_t)(NBYTES / MIB));
	if (has_huge_pages())
		assert_in_range(mih_test_sims[0].in_place, PIECE,
				NBYTES - 2 * PIECE);
	else
		printf("# memory files get no huge pages here\n");
	assert_int_equal(test.nlines, 0);
}

static void test_small_file_is_copied(void **state)
{
	(void)state;
	assert_int_equal(mih_test_engine_open(&test, SMALL), 0);
	assert_staged(SMALL, true);
	assert_int_equal(mih_test_sims[0].in_place, 0);
}

static void test_bad_byte_is_found_and_all_comes_back(void **state)
{
	const char *path = mih_test_model_path(&test.disk, LARGE);

	(void)state;
	mih_test_flip(path, 140 * MIB + 1);
	assert_int_equal(mih_test_engine_open(&test, LARGE), -EIO);
	assert_int_equal(test.nlines, 1);
	assert_int_equal(mih_test_sims_pinned(), 0);
	assert_staged(LARGE, false);
	mih_test_flip(path, 140 * MIB + 1);
	mih_test_engine_sleep(100);
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	assert_staged(LARGE, true);
}

static void test_nothing_can_be_pinned(void **state)
{
	(void)state;
	mih_test_sims[0].fault = MIH_TEST_PINS_NOT;
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	assert_staged(LARGE, true);
	assert_int_equal(mih_test_sims[0].in_place, 0);
}

static void test_pinning_does_not_return(void **state)
{
	(void)state;
	mih_test_sims[0].fault = MIH_TEST_PINS_STUCK;
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	assert_staged(LARGE, true);
	assert_int_equal(test.nlines, 0);
}

/* The device is down, and what it was reading stays pinned. */
static void assert_lost(unsigned before)
{
	struct mih_gpu_member member;

	assert_int_equal(mih_gpu_members(test.dev, &member, 1), 1);
	assert_int_equal(member.state, MIH_GPU_DOWN);
	assert_in_range(mih_test_sims_pinned(), before + 1,
			before + NBYTES / PIECE);
}

/* In a call that reads from the stage: the file is opened, and the
 * call does no harm when it returns at last. */
static void test_copying_does_not_return(void **state)
{
	unsigned before = mih_test_sims_pinned();

	(void)state;
	mih_test_sims[0].fault = MIH_TEST_LENT_STUCK;
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	assert_staged(LARGE, true);
	assert_int_equal(test.nlines, 0);
	if (has_huge_pages())
		assert_lost(before);
}

static void test_copying_fails(void **state)
{
	unsigned before = mih_test_sims_pinned();

	(void)state;
	mih_test_sims[0].fault = MIH_TEST_LENT_FAILS;
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	assert_staged(LARGE, true);
	assert_int_equal(test.nlines, 0);
	if (has_huge_pages())
		assert_lost(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stage_is_read_in_place,
						start, end),
		cmocka_unit_test_setup_teardown(test_small_file_is_copied,
						start, end),
		cmocka_unit_test_setup_teardown(
		    test_bad_byte_is_found_and_all_comes_back, start, end),
		cmocka_unit_test_setup_teardown(test_nothing_can_be_pinned,
						start, end),
		cmocka_unit_test_setup_teardown(test_pinning_does_not_return,
						start, end),
		cmocka_unit_test_setup_teardown(test_copying_does_not_return,
						start, end),
		cmocka_unit_test_setup_teardown(test_copying_fails, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
