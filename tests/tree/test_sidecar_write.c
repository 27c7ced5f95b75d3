#include "tree/model.h"
#include "util/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char *dir, *path;

static int setup(void **state)
{
	(void)state;
	dir = model_tmpdir(&path);
	signal(SIGXFSZ, SIG_IGN);
	return 0;
}

/* Each test begins with an empty folder. */
static int clean(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	assert_int_equal(rmdir(dir), 0); /* nothing else was left in it */
	free(dir);
	free(path);
	return 0;
}

static size_t files_in_dir(void)
{
	size_t n = 0;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static struct mih_tree_writer *open_writer(const char *name,
					   enum mih_hash_alg alg)
{
	struct mih_tree_writer *w = NULL;

	assert_int_equal(
	    mih_tree_writer_open(name, alg, model_files, MODEL_NFILES, &w), 0);
	return w;
}

static void test_writer_roots_equal_fold_for_all_trees(void **state)
{
	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(model_algs); a++) {
		model_write(path, model_algs[a]);
		assert_int_equal(files_in_dir(), 1);
		unlink(path);
	}
}

static void test_writer_without_a_name_gives_roots_alone(void **state)
{
	struct mih_tree_writer *w = open_writer(NULL, MIH_HASH_BLAKE3);

	(void)state;
	for (size_t i = 0; i < MODEL_NFILES; i++)
		model_put(w, MIH_HASH_BLAKE3, i);
	model_roots(w, MIH_HASH_BLAKE3);
	assert_int_equal(mih_tree_writer_finish(w), 0);
	assert_int_equal(files_in_dir(), 0);
}

/* --- many threads ------------------------------------------------------- */

struct job {
	struct mih_tree_writer *w;
	size_t thread, nthreads;
};

/* Every nthreads-th piece of every file, from the last to the first. */
static void *put_pieces(void *arg)
{
	const struct job *job = arg;
	const enum mih_hash_alg alg = MIH_HASH_MTH4K_SHA256;
	uint8_t nodes[5 * 32], hint[32];

	for (size_t file = MODEL_NFILES; file-- > 0;) {
		uint64_t n = mih_hash_ngroups(model_files[file].nbytes);
		uint64_t hints = model_files[file].nbytes / MIB;

		for (uint64_t i = (n + 4) / 5; i-- > 0;) {
			size_t len = (size_t)MIH_MIN(n - 5 * i, 5u);

			if (i % job->nthreads != job->thread)
				continue;
			model_digests(mih_hash_info(alg)->len, file, 5 * i, len,
				      nodes);
			if (mih_tree_writer_put(job->w, file, 5 * i, nodes,
						len))
				return arg;
		}
		for (uint64_t i = hints;
		     model_files[file].has_hints && i-- > 0;) {
			model_hint(file, i, hint);
			if (i % job->nthreads == job->thread &&
			    mih_tree_writer_put_hint(job->w, file, i, hint))
				return arg;
		}
	}
	return NULL;
}

static void test_writer_takes_pieces_from_four_threads(void **state)
{
	struct mih_tree_writer *w = open_writer(path, MIH_HASH_MTH4K_SHA256);
	mih_autofree char *many = NULL, *one = NULL;
	size_t many_len, one_len;
	pthread_t threads[4];
	struct job jobs[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		jobs[i] = (struct job){ w, i, 4 };
		assert_int_equal(
		    pthread_create(&threads[i], NULL, put_pieces, &jobs[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	model_roots(w, MIH_HASH_MTH4K_SHA256);
	assert_int_equal(mih_tree_writer_finish(w), 0);
	assert_int_equal(mih_io_read_file(path, 1 << 20, &many, &many_len), 0);
	model_write(path, MIH_HASH_MTH4K_SHA256);
	assert_int_equal(mih_io_read_file(path, 1 << 20, &one, &one_len), 0);
	assert_int_equal(many_len, one_len);
	assert_memory_equal(many, one, one_len);
}

/* --- misuse ------------------------------------------------------------- */

static void test_writer_refuses_groups_out_of_range(void **state)
{
	struct mih_tree_writer *w = open_writer(path, MIH_HASH_MTH4K_SHA256);
	uint8_t nodes[2 * 32] = { 0 };

	(void)state;
	assert_int_equal(mih_tree_writer_put(w, 4, 1, nodes, 1), -EINVAL);
	assert_int_equal(mih_tree_writer_put(w, 4, 0, nodes, 2), -EINVAL);
	assert_int_equal(mih_tree_writer_put(w, 1, 0, nodes, 1), -EINVAL);
	assert_int_equal(mih_tree_writer_put(w, 4, UINT64_MAX, nodes, 2),
			 -EINVAL);
	assert_int_equal(mih_tree_writer_put(w, MODEL_NFILES, 0, nodes, 1),
			 -EINVAL);
	assert_int_equal(mih_tree_writer_put_hint(w, 0, 24, nodes), -EINVAL);
	assert_int_equal(mih_tree_writer_put_hint(w, 8, 0, nodes), -EINVAL);
	assert_int_equal(mih_tree_writer_put_hint(w, MODEL_NFILES, 0, nodes),
			 -EINVAL);
	assert_int_equal(mih_tree_writer_root(w, MODEL_NFILES, nodes), -EINVAL);
	mih_tree_writer_abort(w);
}

static void test_writer_refuses_what_was_given_before(void **state)
{
	struct mih_tree_writer *w = open_writer(path, MIH_HASH_MTH4K_SHA256);
	uint8_t nodes[70 * 32] = { 0 };

	(void)state;
	assert_int_equal(mih_tree_writer_put(w, 0, 100, nodes, 70), 0);
	assert_int_equal(mih_tree_writer_put(w, 0, 31, nodes, 70), -EINVAL);
	assert_int_equal(mih_tree_writer_put(w, 0, 169, nodes, 1), -EINVAL);
	assert_int_equal(mih_tree_writer_put(w, 0, 170, nodes, 70), 0);
	assert_int_equal(mih_tree_writer_put_hint(w, 0, 3, nodes), 0);
	assert_int_equal(mih_tree_writer_put_hint(w, 0, 3, nodes), -EINVAL);
	assert_int_equal(mih_tree_writer_root(w, 1, nodes), 0);
	assert_int_equal(mih_tree_writer_root(w, 1, nodes), -EINVAL);
	mih_tree_writer_abort(w);
}

static void test_writer_needs_every_group_for_a_root(void **state)
{
	const size_t n = (size_t)mih_hash_ngroups(model_files[0].nbytes);
	uint8_t root[32];

	(void)state;
	for (size_t missing = 0; missing < n; missing += 1 + missing / 2) {
		struct mih_tree_writer *w =
		    open_writer(path, MIH_HASH_MTH4K_SHA256);
		mih_autofree uint8_t *nodes =
		    model_layer(MIH_HASH_MTH4K_SHA256, 0, n);

		assert_int_equal(mih_tree_writer_put(w, 0, 0, nodes, missing),
				 0);
		assert_int_equal(mih_tree_writer_put(w, 0, missing + 1,
						     nodes + (missing + 1) * 32,
						     n - missing - 1),
				 0);
		assert_int_equal(mih_tree_writer_root(w, 0, root), -EINVAL);
		mih_tree_writer_abort(w);
	}
}

static void test_writer_does_not_finish_what_is_not_whole(void **state)
{
	struct mih_tree_writer *w = open_writer(path, MIH_HASH_MTH4K_SHA256);
	uint8_t root[32];

	(void)state;
	for (size_t i = 0; i < MODEL_NFILES; i++)
		model_put(w, MIH_HASH_MTH4K_SHA256, i);
	for (size_t i = 1; i < MODEL_NFILES; i++)
		assert_int_equal(mih_tree_writer_root(w, i, root), 0);
	assert_int_equal(mih_tree_writer_finish(w), -EINVAL);
	assert_int_equal(files_in_dir(), 0);
}

static void test_writer_does_not_finish_without_a_hint(void **state)
{
	const struct mih_tree_source file = { "f", MIB, true };
	struct mih_tree_writer *w;
	uint8_t nodes[16 * 32] = { 0 };

	(void)state;
	assert_int_equal(
	    mih_tree_writer_open(path, MIH_HASH_MTH4K_SHA256, &file, 1, &w), 0);
	assert_int_equal(mih_tree_writer_put(w, 0, 0, nodes, 16), 0);
	assert_int_equal(mih_tree_writer_root(w, 0, nodes), 0);
	assert_int_equal(mih_tree_writer_finish(w), -EINVAL);
	assert_int_equal(files_in_dir(), 0);
}

/* All of file @file, a MiB, in bytes of @value. */
static void put_all(struct mih_tree_writer *w, size_t file, uint8_t value)
{
	uint8_t nodes[16 * 32], hint[32], root[32];

	memset(nodes, value, sizeof(nodes));
	memset(hint, value, sizeof(hint));
	assert_int_equal(mih_tree_writer_put(w, file, 0, nodes, 16), 0);
	assert_int_equal(mih_tree_writer_put_hint(w, file, 0, hint), 0);
	assert_int_equal(mih_tree_writer_root(w, file, root), 0);
}

/* A sidecar of two files; the second was wrong at first, or never. */
static void write_two(bool forgets, char **text_out, size_t *len_out)
{
	const struct mih_tree_source two[] = { { "f", MIB, true },
					       { "g", MIB, true } };
	struct mih_tree_writer *w;

	assert_int_equal(
	    mih_tree_writer_open(path, MIH_HASH_MTH4K_SHA256, two, 2, &w), 0);
	put_all(w, 0, 1);
	if (forgets) {
		put_all(w, 1, 3);
		mih_tree_writer_forget(w, 1);
	}
	put_all(w, 1, 2);
	assert_int_equal(mih_tree_writer_finish(w), 0);
	assert_int_equal(mih_io_read_file(path, 1 << 20, text_out, len_out), 0);
}

static void test_writer_forgets_a_file(void **state)
{
	mih_autofree char *never = NULL, *at_first = NULL;
	size_t never_len, len;

	(void)state;
	write_two(false, &never, &never_len);
	write_two(true, &at_first, &len);
	assert_int_equal(len, never_len);
	assert_memory_equal(at_first, never, len);
}

static void test_writer_misses_what_it_forgot(void **state)
{
	const struct mih_tree_source file = { "f", MIB, true };
	uint8_t nodes[16 * 32] = { 0 }, root[32];
	struct mih_tree_writer *w;

	(void)state;
	assert_int_equal(
	    mih_tree_writer_open(path, MIH_HASH_MTH4K_SHA256, &file, 1, &w), 0);
	put_all(w, 0, 1);
	mih_tree_writer_forget(w, 0);
	assert_int_equal(mih_tree_writer_put(w, 0, 0, nodes, 16), 0);
	assert_int_equal(mih_tree_writer_root(w, 0, root), 0);
	assert_int_equal(mih_tree_writer_finish(w), -EINVAL); /* the hint */
	assert_int_equal(files_in_dir(), 0);
}

static void test_writer_refuses_a_path_twice(void **state)
{
	const struct mih_tree_source twice[] = { { "a", 1 },
						 { "b", 2 },
						 { "a", 3 } };
	struct mih_tree_writer *w;

	(void)state;
	assert_int_equal(
	    mih_tree_writer_open(path, MIH_HASH_BLAKE3, twice, 3, &w), -EINVAL);
	assert_string_equal(mih_err_message(), "a: listed twice");
	assert_int_equal(
	    mih_tree_writer_open(NULL, MIH_HASH_BLAKE3, twice, 3, &w), -EINVAL);
	assert_int_equal(files_in_dir(), 0);
}

/* --- a full disk ---------------------------------------------------------- */

static void limit(rlim_t nbytes)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = MIH_MIN(nbytes, r.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void test_writer_leaves_nothing_when_the_disk_is_full(void **state)
{
	struct mih_tree_writer *w;
	uint8_t nodes[32] = { 0 };
	mih_err err;

	(void)state;
	limit(1024);
	err = mih_tree_writer_open(path, MIH_HASH_MTH4K_SHA256, model_files,
				   MODEL_NFILES, &w);
	limit(RLIM_INFINITY);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(files_in_dir(), 0);

	w = open_writer(path, MIH_HASH_MTH4K_SHA256);
	limit(1024);
	err = mih_tree_writer_put(w, 2, 0, nodes, 1);
	limit(RLIM_INFINITY);
	assert_int_equal(err, -EFBIG);
	mih_tree_writer_abort(w);
	assert_int_equal(files_in_dir(), 0);
}

static void test_writer_keeps_the_old_file_when_finish_fails(void **state)
{
	struct mih_tree_writer *w = open_writer(path, MIH_HASH_MTH4K_SHA256);
	mih_autofree char *text = NULL;
	size_t len;
	mih_err err;

	(void)state;
	assert_int_equal(mih_io_write_file(path, "old", 3, 0644), 0);
	for (size_t i = 0; i < MODEL_NFILES; i++)
		model_put(w, MIH_HASH_MTH4K_SHA256, i);
	model_roots(w, MIH_HASH_MTH4K_SHA256);
	limit(100);
	err = mih_tree_writer_finish(w);
	limit(RLIM_INFINITY);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(files_in_dir(), 1);
	assert_int_equal(mih_io_read_file(path, 100, &text, &len), 0);
	assert_string_equal(text, "old");
}

static void test_writer_into_a_missing_folder_fails(void **state)
{
	struct mih_tree_writer *w;

	(void)state;
	assert_int_equal(mih_tree_writer_open("/nonexistent/x", MIH_HASH_BLAKE3,
					      model_files, 1, &w),
			 -ENOENT);
}

/* --- size ------------------------------------------------------------------
 */

static long peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

static void test_writer_lays_out_a_terabyte_in_little_memory(void **state)
{
	const struct mih_tree_source file = { "huge", (uint64_t)1 << 40, true };
	struct mih_tree_writer *w;
	uint8_t nodes[32] = { 1 };
	long before = peak_kib();

	(void)state;
	assert_int_equal(
	    mih_tree_writer_open(path, MIH_HASH_MTH4K_SHA256, &file, 1, &w), 0);
	for (uint64_t i = 0; i < (uint64_t)1 << 24; i += 100003)
		assert_int_equal(mih_tree_writer_put(w, 0, i, nodes, 1), 0);
	assert_int_equal(
	    mih_tree_writer_put(w, 0, ((uint64_t)1 << 24) - 1, nodes, 1), 0);
	assert_int_equal(mih_tree_writer_root(w, 0, nodes), -EINVAL);
	mih_tree_writer_abort(w);
	assert_true(peak_kib() - before < 16 * 1024);
	assert_int_equal(files_in_dir(), 0);
}

/* 16 GiB: 2048 pages, so that the coarse layer is made in many steps. */
static void test_writer_folds_many_pages(void **state)
{
	const size_t n = ((size_t)1 << 18) - 77;
	const struct mih_tree_source file = {
		"large", n * (uint64_t)MIH_HASH_GROUP - 9
	};
	mih_autofree uint8_t *nodes = model_layer(MIH_HASH_BLAKE3, 0, n);
	struct mih_tree_writer *w;
	uint8_t root[32], want[32];

	(void)state;
	assert_int_equal(
	    mih_tree_writer_open(NULL, MIH_HASH_BLAKE3, &file, 1, &w), 0);
	assert_int_equal(mih_tree_writer_put(w, 0, 0, nodes, n), 0);
	assert_int_equal(mih_tree_writer_root(w, 0, root), 0);
	assert_int_equal(mih_tree_writer_finish(w), 0);
	mih_tree_fold(MIH_HASH_BLAKE3, nodes, n, true, want);
	assert_memory_equal(root, want, 32);
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_writer_roots_equal_fold_for_all_trees),
		TEST(test_writer_without_a_name_gives_roots_alone),
		TEST(test_writer_takes_pieces_from_four_threads),
		TEST(test_writer_refuses_groups_out_of_range),
		TEST(test_writer_refuses_what_was_given_before),
		TEST(test_writer_needs_every_group_for_a_root),
		TEST(test_writer_does_not_finish_what_is_not_whole),
		TEST(test_writer_does_not_finish_without_a_hint),
		TEST(test_writer_forgets_a_file),
		TEST(test_writer_misses_what_it_forgot),
		TEST(test_writer_refuses_a_path_twice),
		TEST(test_writer_leaves_nothing_when_the_disk_is_full),
		TEST(test_writer_keeps_the_old_file_when_finish_fails),
		TEST(test_writer_into_a_missing_folder_fails),
		TEST(test_writer_lays_out_a_terabyte_in_little_memory),
		TEST(test_writer_folds_many_pages),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
