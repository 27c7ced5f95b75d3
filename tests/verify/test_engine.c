/*
 * Reading through the engine, and what it does about bytes that were changed.
 */
#include "verify/engine_test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In code point order, so that indices are those of the model too. */
static const struct mih_test_file sizes[] = {
	{ "00-empty", 0 },
	{ "01-one", 1 },
	{ "02-block", 4096 },
	{ "03-group-1", GROUP - 1 },
	{ "04-group", GROUP },
	{ "05-group+1", GROUP + 1 },
	{ "06-mib-1", MIB - 1 },
	{ "07-mib", MIB },
	{ "08 mib+1", MIB + 1 },
	{ "09/deep/page-1", 8 * MIB - 1 },
	{ "10\npage", 8 * MIB },
	{ "11-gr\xc3\xbc\xc3\x9f", 8 * MIB + 1 },
	{ "12-large", 20 * MIB + 12345 },
};
#define EMPTY 0u
#define ONE   1u
#define LARGE 12u

static const struct mih_test_model_params by_tree = {
	.files = sizes,
	.nfiles = MIH_ARRAY_LEN(sizes),
	.flat = MIH_HASH_SHA256,
	.tree = MIH_HASH_MTH4K_SHA256,
};

static struct engine_test test;

static int setup(void **state)
{
	memset(&test, 0, sizeof(test));
	test.params.retry_ms = 50;
	mih_test_engine_start(&test, &by_tree);
	*state = &test;
	return 0;
}

static int teardown(void **state)
{
	mih_test_engine_end(*state);
	return 0;
}

static const char *path_of(size_t i)
{
	return mih_test_model_path(&test.disk, i);
}

/* The damaged group fails, and nothing but it. */
static void expect_bad_group(struct engine_test *t, size_t file, uint64_t bad)
{
	uint64_t nbytes = t->model->files[file].nbytes;

	for (uint64_t off = 0; off < nbytes; off += GROUP)
		assert_int_equal(mih_test_engine_check(t, file, off, 4096),
				 off / GROUP == bad ? -EIO : 0);
}

static void test_every_size_reads_back(void **state)
{
	for (size_t i = 0; i < by_tree.nfiles; i++)
		mih_test_engine_check_all(*state, i);
	assert_int_equal(test.nlines, 0);
}

static void test_every_byte_is_read_once(void **state)
{
	struct engine_test *t = *state;
	struct mih_verify_file_stats stats;

	mih_test_engine_check_all(t, LARGE);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 sizes[LARGE].nbytes);
	mih_verify_file_stats(t->engine, LARGE, &stats);
	assert_int_equal(stats.status, MIH_VERIFY_VERIFIED);
	assert_int_equal(stats.verified_bytes, sizes[LARGE].nbytes);
	assert_int_equal(stats.failures, 0);
	mih_test_engine_check_all(t, LARGE);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 sizes[LARGE].nbytes);
	assert_true(mih_test_engine_stats(t).counts[MIH_VERIFY_READ_HITS] >=
		    21);
}

static void test_lone_read_reads_one_group(void **state)
{
	struct engine_test *t = *state;
	struct mih_verify_file_stats stats;

	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	mih_verify_file_stats(t->engine, LARGE, &stats);
	assert_int_equal(stats.status, MIH_VERIFY_UNVERIFIED);
	assert_int_equal(mih_test_engine_check(t, LARGE, 10 * MIB + 777, 4096),
			 0);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 GROUP);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_GOOD_BYTES],
			 GROUP);
	mih_verify_file_stats(t->engine, LARGE, &stats);
	assert_int_equal(stats.status, MIH_VERIFY_PARTIAL);
	assert_int_equal(stats.verified_bytes, GROUP);
	mih_verify_close(t->engine, LARGE);
}

static void test_unaligned_megabyte_crosses_extents(void **state)
{
	struct engine_test *t = *state;

	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, MIB - 1, MIB), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 3 * MIB + 7, MIB), 0);
	assert_int_equal(
	    mih_test_engine_check(t, LARGE, 7 * MIB + GROUP - 1, 2), 0);
	mih_verify_close(t->engine, LARGE);
}

static void test_wrong_requests_are_refused(void **state)
{
	struct engine_test *t = *state;
	static uint8_t buf[2 * MIB];

	assert_int_equal(mih_test_engine_read(t, LARGE, 0, 1, buf), -EBADF);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_read(t, LARGE, 0, MIB + 1, buf),
			 -EINVAL);
	assert_int_equal(mih_test_engine_read(t, LARGE, 1, sizeof(buf), buf),
			 -EINVAL);
	mih_verify_close(t->engine, LARGE);
	assert_int_equal(mih_test_engine_read(t, LARGE, 0, 1, buf), -EBADF);
}

static void test_flipped_bit_fails_its_group_only(void **state)
{
	struct engine_test *t = *state;
	static const uint64_t at[] = { 0, 9 * MIB + 5, 20 * MIB + 12344 };

	for (size_t i = 0; i < MIH_ARRAY_LEN(at); i++) {
		mih_test_flip(path_of(LARGE), at[i]);
		mih_test_engine_restart(t);
		assert_int_equal(mih_test_engine_open(t, LARGE), 0);
		expect_bad_group(t, LARGE, at[i] / GROUP);
		assert_int_equal(t->nlines, 1);
		mih_verify_close(t->engine, LARGE);
		mih_test_flip(path_of(LARGE), at[i]);
	}
}

static void test_line_names_path_range_and_digests(void **state)
{
	struct engine_test *t = *state;
	const char *words = "12-large: bytes 4194304-4259839 differ from the "
			    "signed tree (mth4k-sha256): expected ";

	mih_test_flip(path_of(LARGE), 4194304 + 99);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 4 * MIB, MIB), -EIO);
	assert_int_equal(strncmp(t->line, words, strlen(words)), 0);
	assert_non_null(strstr(t->line, ", got "));
	assert_int_equal(strlen(t->line), strlen(words) + 64 + 6 + 64);
	mih_verify_close(t->engine, LARGE);
}

/* The kernel asks again for the good pages of a failed request. */
static void test_neighbours_come_from_the_same_load(void **state)
{
	struct engine_test *t = *state;

	t->params.memory = 3 * MIB; /* too little to fetch ahead */
	mih_test_engine_restart(t);
	mih_test_flip(path_of(LARGE), 5 * MIB + 3 * GROUP);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 5 * MIB, MIB), -EIO);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 MIB);
	for (uint64_t off = 0; off < MIB; off += 4096)
		if (off / GROUP != 3)
			assert_int_equal(mih_test_engine_check(
					     t, LARGE, 5 * MIB + off, 4096),
					 0);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 MIB);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_BAD_GROUPS],
			 1);
	mih_verify_close(t->engine, LARGE);
}

static void swap_groups(const char *path, uint64_t a, uint64_t b)
{
	static uint8_t bytes[2][MIH_HASH_GROUP];
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes[0], GROUP, (off_t)(a * GROUP)), GROUP);
	assert_int_equal(pread(fd, bytes[1], GROUP, (off_t)(b * GROUP)), GROUP);
	assert_int_equal(pwrite(fd, bytes[1], GROUP, (off_t)(a * GROUP)),
			 GROUP);
	assert_int_equal(pwrite(fd, bytes[0], GROUP, (off_t)(b * GROUP)),
			 GROUP);
	close(fd);
}

static void test_swapped_groups_fail(void **state)
{
	struct engine_test *t = *state;

	swap_groups(path_of(LARGE), 2, 200);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 2 * GROUP, 1), -EIO);
	assert_int_equal(mih_test_engine_check(t, LARGE, 200 * GROUP, 1), -EIO);
	assert_int_equal(mih_test_engine_check(t, LARGE, 3 * GROUP, 1), 0);
	mih_verify_close(t->engine, LARGE);
}

static void test_small_files_fail_too(void **state)
{
	struct engine_test *t = *state;

	for (size_t i = ONE; i < LARGE; i++) {
		uint64_t last = sizes[i].nbytes - 1;

		mih_test_flip(path_of(i), last);
		assert_int_equal(mih_test_engine_open(t, i), 0);
		assert_int_equal(mih_test_engine_check(t, i, last, 1), -EIO);
		if (last >= GROUP)
			assert_int_equal(mih_test_engine_check(t, i, 0, 1), 0);
		mih_verify_close(t->engine, i);
	}
	assert_int_equal(t->nlines, LARGE - ONE);
}

static void test_repeats_wait_and_cost_nothing(void **state)
{
	struct engine_test *t = *state;
	uint64_t begin, read;
	unsigned n = 0;

	t->params.retry_ms = 2000;
	mih_test_engine_restart(t);
	mih_test_flip(path_of(LARGE), 0);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 0, 4096), -EIO);
	read = mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES];
	for (begin = mih_test_engine_ms(); mih_test_engine_ms() - begin < 300;
	     n++)
		assert_int_equal(mih_test_engine_check(t, LARGE, 0, 4096),
				 -EIO);
	assert_in_range(n, 2, 12);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 read);
	assert_int_equal(t->nlines, 1);
	mih_verify_close(t->engine, LARGE);
}

static void test_repaired_group_heals(void **state)
{
	struct engine_test *t = *state;
	struct mih_verify_file_stats stats;

	mih_test_flip(path_of(LARGE), GROUP);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, GROUP, 1), -EIO);
	mih_verify_file_stats(t->engine, LARGE, &stats);
	assert_int_equal(stats.status, MIH_VERIFY_FAILED);
	assert_int_equal(stats.failures, 1);
	mih_test_engine_sleep(60);
	assert_int_equal(mih_test_engine_check(t, LARGE, GROUP, 1), -EIO);
	mih_test_flip(path_of(LARGE), GROUP);
	mih_test_engine_sleep(120);
	assert_int_equal(mih_test_engine_check(t, LARGE, GROUP, 1), 0);
	mih_verify_file_stats(t->engine, LARGE, &stats);
	assert_int_equal(stats.status, MIH_VERIFY_PARTIAL);
	assert_int_equal(stats.failures, 2);
	assert_int_equal(t->nlines, 1);
	mih_verify_close(t->engine, LARGE);
}

/* A good copy renamed into the place of a bad file. */
static void test_replaced_file_heals(void **state)
{
	struct engine_test *t = *state;
	char copy[600], command[1400];

	snprintf(copy, sizeof(copy), "%s.copy", path_of(LARGE));
	snprintf(command, sizeof(command), "cp %s %s", path_of(LARGE), copy);
	assert_int_equal(system(command), 0);
	mih_test_flip(path_of(LARGE), 0);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 0, 1), -EIO);
	assert_int_equal(rename(copy, path_of(LARGE)), 0);
	mih_test_engine_sleep(60);
	assert_int_equal(mih_test_engine_check(t, LARGE, 0, 1), 0);
	mih_verify_close(t->engine, LARGE);
}

/* One bad group must not make us change to a file that is all bad. */
static void test_worse_file_is_not_adopted(void **state)
{
	struct engine_test *t = *state;
	char worse[600];

	snprintf(worse, sizeof(worse), "%s.worse", path_of(LARGE));
	mih_test_flip(path_of(LARGE), 0);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 0, 1), -EIO);
	assert_int_equal(close(open(worse, O_CREAT | O_WRONLY, 0644)), 0);
	assert_int_equal(truncate(worse, 20983865), 0);
	assert_int_equal(rename(worse, path_of(LARGE)), 0);
	mih_test_engine_sleep(60);
	assert_int_equal(mih_test_engine_check(t, LARGE, 0, 1), -EIO);
	for (uint64_t off = MIB; off < 20 * MIB; off += MIB)
		assert_int_equal(mih_test_engine_check(t, LARGE, off, MIB), 0);
	mih_verify_close(t->engine, LARGE);
}

static void test_unlinked_file_is_still_served(void **state)
{
	struct engine_test *t = *state;

	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(unlink(path_of(LARGE)), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 6 * MIB, MIB), 0);
	mih_verify_close(t->engine, LARGE);
	assert_int_equal(mih_test_engine_open(t, LARGE), -ENOENT);
	assert_int_equal(mih_test_engine_open(t, LARGE), -ENOENT);
	assert_int_equal(t->nlines, 1);
}

static void test_cut_file_serves_what_is_left(void **state)
{
	struct engine_test *t = *state;

	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(truncate(path_of(LARGE), 3 * MIB + 100), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 3 * MIB, 50), -EIO);
	assert_int_equal(mih_test_engine_check(t, LARGE, 2 * MIB, MIB), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 4 * MIB, MIB), -EIO);
	assert_string_equal(t->line, "12-large: cut short: 3145828 of "
				     "20983865 bytes");
	assert_int_equal(t->nlines, 1);
	mih_verify_close(t->engine, LARGE);
}

/* Open, with what stands in the place of the file. */
static void expect_refused(struct engine_test *t, const char *words)
{
	atomic_store(&t->nlines, 0);
	assert_int_equal(mih_test_engine_open(t, LARGE), -EIO);
	assert_int_equal(mih_test_engine_open(t, LARGE), -EIO);
	assert_int_equal(t->nlines, 1);
	assert_string_equal(t->line, words);
	mih_test_engine_sleep(120);
}

static void test_wrong_sizes_are_refused(void **state)
{
	struct engine_test *t = *state;

	assert_int_equal(truncate(path_of(LARGE), 100), 0);
	expect_refused(t, "12-large: cut short: 100 of 20983865 bytes");
	assert_int_equal(truncate(path_of(LARGE), 20983865), 0);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	mih_verify_close(t->engine, LARGE);
	assert_int_equal(truncate(path_of(LARGE), 20983866), 0);
	expect_refused(t, "12-large: too long: 20983866 bytes where 20983865 "
			  "are signed");
}

static void test_wrong_types_are_refused(void **state)
{
	struct engine_test *t = *state;
	char elsewhere[600];

	snprintf(elsewhere, sizeof(elsewhere), "%s.moved", path_of(LARGE));
	assert_int_equal(rename(path_of(LARGE), elsewhere), 0);
	assert_int_equal(mkdir(path_of(LARGE), 0755), 0);
	expect_refused(t, "12-large: not a regular file");
	assert_int_equal(rmdir(path_of(LARGE)), 0);
	assert_int_equal(rename(elsewhere, path_of(LARGE)), 0);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	mih_verify_close(t->engine, LARGE);
	assert_int_equal(rename(path_of(LARGE), elsewhere), 0);
	assert_int_equal(mkfifo(path_of(LARGE), 0644), 0);
	expect_refused(t, "12-large: not a regular file");
	assert_int_equal(unlink(path_of(LARGE)), 0);
	assert_int_equal(rename(elsewhere, path_of(LARGE)), 0);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	mih_verify_close(t->engine, LARGE);
	assert_int_equal(rename(path_of(LARGE), elsewhere), 0);
	assert_int_equal(symlink(elsewhere, path_of(LARGE)), 0);
	expect_refused(t, "12-large: a symbolic link, where none may be");
}

static void test_no_memory_still_serves(void **state)
{
	struct engine_test *t = *state;

	t->params.memory = 1;
	mih_test_engine_restart(t);
	for (size_t i = 0; i < by_tree.nfiles; i++)
		mih_test_engine_check_all(t, i);
	/* A load lets go of its slot after it has answered. */
	mih_test_engine_sleep(50);
	assert_true(mih_test_engine_stats(t).gauges[MIH_VERIFY_CACHE_BYTES] <=
		    4096);
}

static void test_budget_is_kept(void **state)
{
	struct engine_test *t = *state;

	t->params.memory = 4 * MIB;
	mih_test_engine_restart(t);
	mih_test_engine_check_all(t, LARGE);
	mih_test_engine_sleep(50);
	assert_true(mih_test_engine_stats(t).gauges[MIH_VERIFY_CACHE_BYTES] <=
		    4 * MIB);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 sizes[LARGE].nbytes);
}

static void read_everything(struct engine_test *t)
{
	for (size_t i = 0; i < by_tree.nfiles; i++)
		mih_test_engine_check_all(t, i);
}

/* Behind a page cache, what was read through need not be kept a second time;
 * where there is none it is. All files together are 49 MiB. */
static void test_read_through_bytes_are_kept_on_demand(void **state)
{
	struct engine_test *t = *state;
	uint64_t once;

	t->params.memory = 128 * MIB;
	mih_test_engine_restart(t);
	read_everything(t);
	assert_true(mih_test_engine_stats(t).gauges[MIH_VERIFY_CACHE_BYTES] <=
		    33 * MIB);
	t->params.keep_read = true;
	mih_test_engine_restart(t);
	read_everything(t);
	once = mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES];
	read_everything(t);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 once);
}

/* Of a file that does not fit, the part that does is not read a second time. */
static void test_what_fits_stays(void **state)
{
	struct engine_test *t = *state;
	uint64_t once, twice;

	t->params.memory = 16 * MIB;
	t->params.keep_read = true;
	mih_test_engine_restart(t);
	read_everything(t);
	once = mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES];
	read_everything(t);
	twice = mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES];
	assert_true(twice - once <= once - 4 * MIB);
	assert_true(mih_test_engine_stats(t).gauges[MIH_VERIFY_CACHE_BYTES] <=
		    16 * MIB);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_size_reads_back),
		CASE(test_every_byte_is_read_once),
		CASE(test_lone_read_reads_one_group),
		CASE(test_unaligned_megabyte_crosses_extents),
		CASE(test_wrong_requests_are_refused),
		CASE(test_flipped_bit_fails_its_group_only),
		CASE(test_line_names_path_range_and_digests),
		CASE(test_neighbours_come_from_the_same_load),
		CASE(test_swapped_groups_fail),
		CASE(test_small_files_fail_too),
		CASE(test_repeats_wait_and_cost_nothing),
		CASE(test_repaired_group_heals),
		CASE(test_replaced_file_heals),
		CASE(test_worse_file_is_not_adopted),
		CASE(test_unlinked_file_is_still_served),
		CASE(test_cut_file_serves_what_is_left),
		CASE(test_wrong_sizes_are_refused),
		CASE(test_wrong_types_are_refused),
		CASE(test_no_memory_still_serves),
		CASE(test_budget_is_kept),
		CASE(test_read_through_bytes_are_kept_on_demand),
		CASE(test_what_fits_stays),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
