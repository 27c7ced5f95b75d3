/*
 * What a file is held against: sidecars that are gone, damaged or foreign,
 * bundles with other digests, and files that fail as a whole.
 */
#include "util/cleanup.h"
#include "verify/engine/engine_internal.h"
#include "verify/engine_test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct mih_test_file files[] = {
	{ "0-empty", 0 },
	{ "1-byte", 1 },
	{ "2-group+1", GROUP + 1 },
	{ "3-page-1", 8 * MIB - 1 },
	{ "4-large", 17 * MIB + 4711 },
};
#define EMPTY 0u
#define BYTE  1u
#define PAGE  3u
#define LARGE 4u

static struct engine_test test;

/* A model of these files with these digests, and an engine over it. */
static struct engine_test *start(enum mih_hash_alg flat, enum mih_hash_alg tree,
				 bool no_sidecar)
{
	const struct mih_test_model_params params = {
		.files = files,
		.nfiles = MIH_ARRAY_LEN(files),
		.flat = flat,
		.tree = tree,
		.no_sidecar = no_sidecar,
	};

	memset(&test, 0, sizeof(test));
	test.params.retry_ms = 50;
	mih_test_engine_start(&test, &params);
	return &test;
}

static struct engine_test *start_usual(bool no_sidecar)
{
	return start(MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256, no_sidecar);
}

static int teardown(void **state)
{
	(void)state;
	mih_test_engine_end(&test);
	return 0;
}

static const char *path_of(size_t i)
{
	return mih_test_model_path(&test.disk, i);
}

static void check_everything(struct engine_test *t)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(files); i++)
		mih_test_engine_check_all(t, i);
	assert_int_equal(t->nlines, 0);
}

static void test_every_tree_serves(void **state)
{
	static const enum mih_hash_alg trees[] = {
		MIH_HASH_MTH4K_SHA256,
		MIH_HASH_MTH4K_SHA512,
		MIH_HASH_MTH4K_SHA3_256,
		MIH_HASH_BLAKE3,
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(trees); i++) {
		struct engine_test *t = start(MIH_HASH_SHA256, trees[i], i % 2);

		check_everything(t);
		mih_test_flip(path_of(LARGE), 9 * MIB);
		mih_test_engine_restart(t);
		if (i % 2 == 0) {
			assert_int_equal(mih_test_engine_open(t, LARGE), 0);
			assert_int_equal(
			    mih_test_engine_check(t, LARGE, 9 * MIB, 1), -EIO);
		} else {
			assert_int_equal(mih_test_engine_open(t, LARGE), -EIO);
		}
		if (i + 1 < MIH_ARRAY_LEN(trees))
			mih_test_engine_end(t);
	}
}

static void test_flat_digests_serve(void **state)
{
	static const enum mih_hash_alg flats[] = {
		MIH_HASH_SHA256,
		MIH_HASH_BLAKE2B,
		MIH_HASH_BLAKE3,
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(flats); i++) {
		struct engine_test *t =
		    start(flats[i], MIH_HASH_NONE, i % 2 == 0);

		check_everything(t);
		if (i + 1 < MIH_ARRAY_LEN(flats))
			mih_test_engine_end(t);
	}
}

static void read_once_at_open(enum mih_hash_alg flat)
{
	struct engine_test *t = start(flat, MIH_HASH_NONE, true);
	struct mih_verify_file_stats stats;
	char told[64];

	snprintf(told, sizeof(told), "differ from the signed file (%s)",
		 mih_hash_info(flat)->name);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 files[LARGE].nbytes);
	mih_verify_file_stats(t->engine, LARGE, &stats);
	assert_int_equal(stats.status, MIH_VERIFY_VERIFIED);
	mih_verify_close(t->engine, LARGE);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 files[LARGE].nbytes);
	/* Changed after it was checked: the group gives it away. */
	mih_test_flip(path_of(LARGE), 3 * MIB);
	assert_int_equal(mih_test_engine_check(t, LARGE, 3 * MIB, 1), -EIO);
	assert_int_equal(mih_test_engine_check(t, LARGE, 4 * MIB, 1), 0);
	assert_non_null(strstr(t->line, told));
	mih_verify_close(t->engine, LARGE);
}

static void test_flat_file_is_read_once_at_open(void **state)
{
	(void)state;
	read_once_at_open(MIH_HASH_SHA256);
	mih_test_engine_end(&test);
	read_once_at_open(MIH_HASH_BLAKE2B);
}

static atomic_uint nhuge; /* opens that have ended */

static void huge_done(struct mih_verify_open *request, mih_err err)
{
	(void)request;
	(void)err;
	atomic_fetch_add(&nhuge, 1);
}

/* Holes of any size can be had for nothing; reading them takes minutes. */
static void open_huge(struct mih_verify_open requests[3])
{
	static const struct mih_test_file some[] = {
		{ "huge-0", 1 },
		{ "huge-1", 1 },
		{ "huge-2", 1 },
		{ "large", 20 * MIB },
	};
	const struct mih_test_model_params params = {
		.files = some,
		.nfiles = MIH_ARRAY_LEN(some),
		.flat = MIH_HASH_SHA256,
		.no_sidecar = true,
	};

	memset(&test, 0, sizeof(test));
	atomic_store(&nhuge, 0);
	mih_test_engine_start(&test, &params);
	for (size_t i = 0; i < 3; i++)
		assert_return_code(truncate(path_of(i), (off_t)1 << 40), errno);
	mih_test_engine_restart(&test);
	for (size_t i = 0; i < 3; i++) {
		requests[i] =
		    (struct mih_verify_open){ .file = i, .done = huge_done };
		mih_verify_open(test.engine, &requests[i]);
	}
}

/* Who gave up does not have them read on. */
static void test_huge_files_end_with_the_last_who_waits(void **state)
{
	struct mih_verify_open requests[3];
	unsigned tenths = 0;

	(void)state;
	open_huge(requests);
	for (size_t i = 0; i < 3; i++)
		assert_true(mih_verify_open_cancel(test.engine, &requests[i]));
	while (atomic_load(&test.engine->inflight) && tenths++ < 300)
		mih_test_engine_sleep(100);
	assert_int_equal(atomic_load(&test.engine->inflight), 0);
	assert_int_equal(atomic_load(&nhuge), 0);
	assert_int_equal(test.nlines, 0);
}

static void test_huge_files_keep_nobody_waiting(void **state)
{
	struct mih_verify_open requests[3];

	(void)state;
	open_huge(requests);
	assert_int_equal(mih_test_engine_open(&test, 3), 0);
	assert_int_equal(atomic_load(&nhuge), 0);
	mih_verify_close(test.engine, 3);
	/* They end with the engine, while their requests are still there. */
	mih_verify_engine_free(test.engine);
	test.engine = NULL;
	assert_int_equal(atomic_load(&nhuge), 3);
}

static void expect_refused(struct engine_test *t, size_t file)
{
	struct mih_verify_file_stats stats;
	unsigned lines = t->nlines;

	assert_int_equal(mih_test_engine_open(t, file), -EIO);
	assert_int_equal(mih_test_engine_open(t, file), -EIO);
	assert_int_equal(t->nlines, lines + 1);
	mih_verify_file_stats(t->engine, file, &stats);
	assert_int_equal(stats.status, MIH_VERIFY_FAILED);
}

static void test_bad_flat_file_is_refused_and_heals(void **state)
{
	struct engine_test *t = start(MIH_HASH_SHA256, MIH_HASH_NONE, false);

	(void)state;
	for (size_t i = BYTE; i < MIH_ARRAY_LEN(files); i++) {
		mih_test_flip(path_of(i), files[i].nbytes - 1);
		expect_refused(t, i);
	}
	mih_test_flip(path_of(LARGE), files[LARGE].nbytes - 1);
	mih_test_engine_sleep(120);
	mih_test_engine_check_all(t, LARGE);
}

static void test_bad_empty_file_is_refused(void **state)
{
	const struct mih_verify_file *file;
	struct mih_sig_resource *resource;
	struct engine_test *t = start_usual(false);

	(void)state;
	/* No change on disk can do it: the size would tell. */
	file = &t->model->files[EMPTY];
	resource = (struct mih_sig_resource *)file->resource;
	resource->root[0] ^= 1;
	expect_refused(t, EMPTY);
}

/* Of a plain blake3 digest the size is proven with the last group. */
static void test_blake3_of_another_size_is_refused(void **state)
{
	struct engine_test *t = start(MIH_HASH_BLAKE3, MIH_HASH_NONE, false);

	(void)state;
	for (size_t i = BYTE; i < MIH_ARRAY_LEN(files); i++) {
		assert_int_equal(
		    truncate(path_of(i), (off_t)files[i].nbytes + 1), 0);
		mih_test_engine_restart(t);
		expect_refused(t, i);
		assert_int_equal(
		    truncate(path_of(i), (off_t)files[i].nbytes - 1), 0);
		mih_test_engine_restart(t);
		expect_refused(t, i);
		assert_int_equal(truncate(path_of(i), (off_t)files[i].nbytes),
				 0);
		mih_test_engine_restart(t);
		expect_refused(t, i);
	}
}

static void test_no_sidecar_still_serves(void **state)
{
	struct engine_test *t = start_usual(true);

	(void)state;
	assert_null(t->model->sidecar);
	check_everything(t);
}

static void test_no_sidecar_bad_page_is_refused(void **state)
{
	struct engine_test *t = start_usual(true);

	(void)state;
	mih_test_flip(path_of(PAGE), 5 * MIB);
	assert_int_equal(mih_test_engine_open(t, PAGE), 0);
	assert_int_equal(mih_test_engine_check(t, PAGE, 5 * MIB, 1), -EIO);
	assert_int_equal(mih_test_engine_check(t, PAGE, 0, 1), -EIO);
	assert_string_equal(t->line,
			    "3-page-1: bytes 0-8388606 differ from the signed "
			    "tree (mth4k-sha256), and no tree file tells which "
			    "of them");
	assert_int_equal(t->nlines, 1);
	assert_true(mih_test_engine_stats(t).counts[MIH_VERIFY_BAD_GROUPS] > 0);
	assert_int_equal(
	    mih_test_engine_stats(t).counts[MIH_VERIFY_UNREAD_GROUPS], 0);
	mih_test_flip(path_of(PAGE), 5 * MIB);
	mih_test_engine_sleep(150);
	assert_int_equal(mih_test_engine_check(t, PAGE, 5 * MIB, 1), 0);
	mih_verify_close(t->engine, PAGE);
}

static void test_no_sidecar_bad_large_file_is_refused(void **state)
{
	struct engine_test *t = start_usual(true);

	(void)state;
	mih_test_flip(path_of(LARGE), 11 * MIB);
	expect_refused(t, LARGE);
	assert_string_equal(t->line, "4-large: bytes 0-17830502 differ from "
				     "the signed tree (mth4k-sha256)");
}

/* Whatever byte of the sidecar is wrong, right bytes are served. */
static void test_damaged_sidecar_serves_right_bytes(void **state)
{
	struct engine_test *t = start_usual(false);
	struct stat st;

	(void)state;
	assert_int_equal(stat(t->disk.sidecar, &st), 0);
	for (uint64_t at = 0; at < (uint64_t)st.st_size;
	     at += (uint64_t)st.st_size / 24) {
		mih_test_flip(t->disk.sidecar, at);
		mih_test_engine_restart(t);
		mih_test_engine_check_all(t, LARGE);
		mih_test_engine_check_all(t, 2);
		assert_int_equal(t->nlines, 0);
		mih_test_flip(t->disk.sidecar, at);
	}
}

/* The coarse layer decides at open: one wrong node, and the file is read. */
static void test_damaged_coarse_layer_serves_right_bytes(void **state)
{
	struct engine_test *t = start_usual(false);
	struct mih_tree_entry entry;

	(void)state;
	assert_int_equal(mih_tree_sidecar_find(t->model->sidecar, "4-large",
					       MIH_HASH_MTH4K_SHA256,
					       files[LARGE].nbytes, &entry),
			 0);
	mih_test_flip(t->disk.sidecar, entry.coarse_off + 33);
	mih_test_engine_restart(t);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 files[LARGE].nbytes);
	mih_test_engine_check_all(t, LARGE);
	assert_int_equal(t->nlines, 0);
	mih_verify_close(t->engine, LARGE);
}

static void test_cut_sidecar_serves_right_bytes(void **state)
{
	struct engine_test *t = start_usual(false);

	(void)state;
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(truncate(t->disk.sidecar, 100), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 0, MIB), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 9 * MIB, MIB), 0);
	mih_verify_close(t->engine, LARGE);
	mih_test_engine_restart(t);
	check_everything(t);
}

/* Changes of the sidecar behind the engine's back, and of the data too. */
static void test_bad_page_and_bad_data_fail_that_page(void **state)
{
	struct engine_test *t = start_usual(false);
	struct mih_tree_entry entry;

	(void)state;
	assert_int_equal(mih_tree_sidecar_find(t->model->sidecar, "4-large",
					       MIH_HASH_MTH4K_SHA256,
					       files[LARGE].nbytes, &entry),
			 0);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	mih_test_flip(t->disk.sidecar, entry.fine_off + 32 * 130);
	mih_test_flip(path_of(LARGE), 12 * MIB);
	assert_int_equal(mih_test_engine_check(t, LARGE, 0, MIB), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 8 * MIB, MIB), -EIO);
	assert_int_equal(mih_test_engine_check(t, LARGE, 16 * MIB, MIB), 0);
	assert_int_equal(t->nlines, 1);
	mih_verify_close(t->engine, LARGE);
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_tree_serves),
		CASE(test_flat_digests_serve),
		CASE(test_flat_file_is_read_once_at_open),
		CASE(test_huge_files_end_with_the_last_who_waits),
		CASE(test_huge_files_keep_nobody_waiting),
		CASE(test_bad_flat_file_is_refused_and_heals),
		CASE(test_bad_empty_file_is_refused),
		CASE(test_blake3_of_another_size_is_refused),
		CASE(test_no_sidecar_still_serves),
		CASE(test_no_sidecar_bad_page_is_refused),
		CASE(test_no_sidecar_bad_large_file_is_refused),
		CASE(test_damaged_sidecar_serves_right_bytes),
		CASE(test_damaged_coarse_layer_serves_right_bytes),
		CASE(test_cut_sidecar_serves_right_bytes),
		CASE(test_bad_page_and_bad_data_fail_that_page),
	};

	return cmocka_run_group_tests_name("engine trees", tests, NULL, NULL);
}
