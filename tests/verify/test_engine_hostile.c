/*
 * Somebody who may write to the model and to its sidecar wants to stop or to
 * flood the server, rather than to be believed.
 */
#include "tree/sidecar_format_internal.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "verify/engine_test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 20 /* seconds; what these tests forbid takes far longer */
#define LINES	 64 /* about one file in one minute */

static const struct mih_test_file files[] = {
	{ "00-small", 5000 },
	{ "01-large", 20 * MIB + 12345 },
};
#define SMALL 0u
#define LARGE 1u

static const struct mih_test_model_params by_tree = {
	.files = files,
	.nfiles = MIH_ARRAY_LEN(files),
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
	alarm(PATIENCE);
	return 0;
}

static int teardown(void **state)
{
	mih_test_engine_end(*state);
	alarm(0);
	return 0;
}

/* A lease makes open(2) give EAGAIN for as long as its holder likes, or for
 * 45 s. */
static void test_lease_does_not_hold_an_open_up(void **state)
{
	struct engine_test *t = *state;
	int fd = open(mih_test_model_path(&t->disk, SMALL), O_WRONLY);
	uint64_t begin = mih_test_engine_ms();
	mih_err err;

	assert_true(fd >= 0);
	signal(SIGIO, SIG_IGN);
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
		print_message("# no leases here: %s\n", strerror(errno));
		close(fd);
		return;
	}
	err = mih_test_engine_open(t, SMALL);
	assert_int_not_equal(err, 0);
	assert_true(mih_test_engine_ms() - begin < 2000);
	close(fd);
	mih_test_engine_sleep(200);
	mih_test_engine_check_all(t, SMALL);
}

static void put_sum(int fd, uint8_t *row)
{
	assert_int_equal(
	    mih_tree_sc_sum_file(fd, mih_bytes_get64(row + MIH_TREE_SC_R_OFF),
				 mih_bytes_get64(row + MIH_TREE_SC_R_NBYTES),
				 row + MIH_TREE_SC_R_SUM),
	    0);
}

/* A sidecar with a wrong coarse layer, valid checksums where they are quickly
 * made, and a hole of @more bytes in its fine layer. */
static void stretch_sidecar(const char *path, uint64_t more)
{
	uint8_t h[MIH_TREE_SC_H_LEN];
	uint8_t *rows = h + MIH_TREE_SC_H_TABLE;
	uint8_t *coarse = rows + MIH_TREE_SC_COARSE * MIH_TREE_SC_R_LEN;
	uint8_t *fine = rows + MIH_TREE_SC_FINE * MIH_TREE_SC_R_LEN;
	uint8_t *hints = rows + MIH_TREE_SC_HINTS * MIH_TREE_SC_R_LEN;
	uint64_t nbytes;
	mih_autoclose int fd = -1;

	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(mih_io_pread_full(fd, h, sizeof(h), 0), 0);
	nbytes = mih_bytes_get64(h + MIH_TREE_SC_H_NBYTES) + more;
	mih_test_flip(path, mih_bytes_get64(coarse + MIH_TREE_SC_R_OFF) + 32);
	put_sum(fd, coarse);
	mih_bytes_put64(fine + MIH_TREE_SC_R_NBYTES,
			mih_bytes_get64(fine + MIH_TREE_SC_R_NBYTES) + more);
	mih_bytes_put64(hints + MIH_TREE_SC_R_OFF,
			mih_bytes_get64(hints + MIH_TREE_SC_R_OFF) + more);
	mih_bytes_put64(h + MIH_TREE_SC_H_NBYTES, nbytes);
	mih_tree_sc_put_sum(h + MIH_TREE_SC_H_SUM,
			    XXH3_128bits(h, MIH_TREE_SC_H_SUM));
	assert_int_equal(ftruncate(fd, (off_t)nbytes), 0);
	assert_int_equal(mih_io_pwrite_full(fd, h, sizeof(h), 0), 0);
}

/* To tell what is wrong with a sidecar must not take as long as it claims to
 * be: a hole costs nothing to make. */
static void test_endless_sidecar_is_not_read_to_its_end(void **state)
{
	struct engine_test *t = *state;

	stretch_sidecar(t->disk.sidecar, (uint64_t)4 << 40);
	mih_test_engine_restart(t);
	assert_non_null(t->model->sidecar);
	mih_test_engine_check_all(t, LARGE);
}

/* Every group has its EIO, but a file that is bad throughout must not fill the
 * disk with lines. */
static void test_lines_about_one_file_are_few(void **state)
{
	struct engine_test *t = *state;
	uint64_t ngroups = mih_hash_ngroups(files[LARGE].nbytes);

	for (uint64_t g = 0; g < ngroups; g++)
		mih_test_flip(mih_test_model_path(&t->disk, LARGE),
			      g * GROUP + g % 100);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	for (uint64_t g = 0; g < ngroups; g++)
		assert_int_equal(
		    mih_test_engine_check(t, LARGE, g * GROUP, 100), -EIO);
	mih_verify_close(t->engine, LARGE);
	assert_true(mih_test_engine_stats(t).counts[MIH_VERIFY_BAD_GROUPS] >=
		    ngroups);
	assert_int_equal(t->nlines, LINES);
	assert_int_equal(t->nlimits, 1);
	/* A file has lines of its own. */
	mih_test_flip(mih_test_model_path(&t->disk, SMALL), 1);
	assert_int_equal(mih_test_engine_open(t, SMALL), 0);
	assert_int_equal(mih_test_engine_check(t, SMALL, 0, 100), -EIO);
	mih_verify_close(t->engine, SMALL);
	assert_int_equal(t->nlines, LINES + 1);
}

static const struct mih_test_file giants[] = {
	{ "0", 1 },
	{ "1", 1 },
	{ "2", 1 },
};

static const struct mih_test_model_params by_flat = {
	.files = giants,
	.nfiles = MIH_ARRAY_LEN(giants),
	.flat = MIH_HASH_BLAKE2B,
};

static int setup_giants(void **state)
{
	memset(&test, 0, sizeof(test));
	mih_test_engine_start(&test, &by_flat);
	for (size_t i = 0; i < MIH_ARRAY_LEN(giants); i++)
		if (truncate(mih_test_model_path(&test.disk, i),
			     (off_t)1 << 40))
			return -1;
	mih_test_engine_restart(&test);
	*state = &test;
	alarm(PATIENCE);
	return 0;
}

static atomic_uint nended;

static void giant_done(struct mih_verify_open *request, mih_err err)
{
	(void)request;
	assert_int_equal(err, -ECANCELED);
	atomic_fetch_add(&nended, 1);
}

/* Two files in the place of small ones take hours to read, and the third waits
 * for them; the end of the mount does not. */
static void test_end_does_not_wait_for_giants(void **state)
{
	struct mih_verify_open requests[MIH_ARRAY_LEN(giants)];
	struct engine_test *t = *state;

	for (size_t i = 0; i < MIH_ARRAY_LEN(giants); i++) {
		requests[i] =
		    (struct mih_verify_open){ .file = i, .done = giant_done };
		mih_verify_open(t->engine, &requests[i]);
	}
	mih_test_engine_sleep(200);
	assert_int_equal(atomic_load(&nended), 0);
	mih_verify_engine_free(MIH_STEAL(&t->engine));
	assert_int_equal(atomic_load(&nended), MIH_ARRAY_LEN(giants));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_lease_does_not_hold_an_open_up),
		CASE(test_endless_sidecar_is_not_read_to_its_end),
		CASE(test_lines_about_one_file_are_few),
		cmocka_unit_test_setup_teardown(
		    test_end_does_not_wait_for_giants, setup_giants, teardown),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
