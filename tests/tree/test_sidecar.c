#include "tree/model.h"
#include "tree/sidecar_format_internal.h"
#include "util/io.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ALG MIH_HASH_MTH4K_SHA256

static char *dir, *path;
static uint8_t *whole; /* the bytes of a good sidecar */
static size_t whole_len;

static int setup(void **state)
{
	char *text;

	(void)state;
	dir = model_tmpdir(&path);
	model_write(path, ALG);
	assert_int_equal(mih_io_read_file(path, 1 << 20, &text, &whole_len), 0);
	whole = (uint8_t *)text;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
	free(dir);
	free(path);
	free(whole);
	return 0;
}

/* Write @len bytes to the sidecar in place: cheaper than a new file. */
static void put_bytes(const uint8_t *bytes, size_t len)
{
	mih_autoclose int fd = open(path, O_WRONLY | O_CREAT, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	assert_int_equal(mih_io_pwrite_full(fd, bytes, len, 0), 0);
}

static int restore(void **state)
{
	(void)state;
	put_bytes(whole, whole_len);
	return 0;
}

static void check_file(const struct mih_tree_sidecar *sc, enum mih_hash_alg alg,
		       size_t file)
{
	const struct mih_tree_source *f = &model_files[file];
	const size_t len = mih_hash_info(alg)->len;
	size_t n = (size_t)mih_hash_ngroups(f->nbytes);
	size_t npages = (size_t)mih_tree_npages(f->nbytes);
	mih_autofree uint8_t *want = model_layer(alg, file, n);
	mih_autofree uint8_t *got = calloc(n + 1, len);
	struct mih_tree_entry e;
	uint8_t hint[32], want_hint[32];

	assert_int_equal(mih_tree_sidecar_find(sc, f->path, alg, f->nbytes, &e),
			 0);
	assert_int_equal(e.has_hints, f->has_hints);
	assert_int_equal(mih_tree_sidecar_read_fine(sc, &e, 0, n, got), 0);
	assert_memory_equal(got, want, n * len);
	mih_tree_coarsen(alg, want, n, MIH_TREE_PAGE_GROUPS, want);
	assert_int_equal(mih_tree_sidecar_read_coarse(sc, &e, 0, npages, got),
			 0);
	assert_memory_equal(got, want, npages * len);
	for (uint64_t i = 0; e.has_hints && i < f->nbytes / MIB; i++) {
		model_hint(file, i, want_hint);
		assert_int_equal(
		    mih_tree_sidecar_read_hints(sc, &e, i, 1, hint), 0);
		assert_memory_equal(hint, want_hint, 32);
	}
}

static void test_sidecar_gives_back_what_was_written(void **state)
{
	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(model_algs); a++) {
		struct mih_tree_sidecar *sc;

		model_write(path, model_algs[a]);
		assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), 0);
		for (size_t i = 0; i < MODEL_NFILES; i++)
			check_file(sc, model_algs[a], i);
		mih_tree_sidecar_close(sc);
	}
}

static void test_sidecar_of_no_files(void **state)
{
	struct mih_tree_writer *w;
	struct mih_tree_sidecar *sc;
	struct mih_tree_entry e;

	(void)state;
	assert_int_equal(mih_tree_writer_open(path, ALG, NULL, 0, &w), 0);
	assert_int_equal(mih_tree_writer_finish(w), 0);
	assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), 0);
	assert_int_equal(mih_tree_sidecar_find(sc, "a", ALG, 1, &e), -ENOENT);
	mih_tree_sidecar_close(sc);
}

/* What the caller's files can have, and nothing is read beyond it. */
static void test_sidecar_is_held_to_limits(void **state)
{
	struct mih_tree_sidecar_limits limits = { .nfiles = MODEL_NFILES };
	struct mih_tree_sidecar *sc;

	(void)state;
	for (size_t i = 0; i < MODEL_NFILES; i++)
		limits.paths_nbytes += strlen(model_files[i].path);
	assert_int_equal(mih_tree_sidecar_open(path, &limits, &sc), 0);
	mih_tree_sidecar_close(sc);
	limits.nfiles--;
	assert_int_equal(mih_tree_sidecar_open(path, &limits, &sc),
			 MIH_EFORMAT);
	assert_non_null(strstr(mih_err_message(), "more files than the model"));
	limits.nfiles++;
	limits.paths_nbytes--;
	assert_int_equal(mih_tree_sidecar_open(path, &limits, &sc),
			 MIH_EFORMAT);
}

static void test_sidecar_that_is_absent_tells_no_story(void **state)
{
	struct mih_tree_sidecar *sc;

	(void)state;
	mih_err_clear();
	assert_int_equal(mih_tree_sidecar_open("/nonexistent", NULL, &sc),
			 -ENOENT);
	assert_string_equal(mih_err_message(), "");
	assert_int_equal(mih_tree_sidecar_open(dir, NULL, &sc), MIH_EFORMAT);
}

static void test_sidecar_find_holds_entries_against_signed_facts(void **state)
{
	const struct mih_tree_source *f = &model_files[0];
	struct mih_tree_sidecar *sc;
	struct mih_tree_entry e;

	(void)state;
	assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), 0);
	assert_int_equal(mih_tree_sidecar_find(sc, "weights", ALG, 1, &e),
			 -ENOENT);
	assert_int_equal(mih_tree_sidecar_find(sc, "", ALG, 1, &e), -ENOENT);
	assert_int_equal(
	    mih_tree_sidecar_find(sc, f->path, ALG, f->nbytes + 1, &e),
	    MIH_EFORMAT);
	assert_int_equal(
	    mih_tree_sidecar_find(sc, f->path, ALG, UINT64_MAX, &e),
	    MIH_EFORMAT);
	assert_int_equal(
	    mih_tree_sidecar_find(sc, f->path, MIH_HASH_BLAKE3, f->nbytes, &e),
	    MIH_EFORMAT);
	mih_tree_sidecar_close(sc);
}

static void test_sidecar_reads_stay_in_their_layer(void **state)
{
	const struct mih_tree_source *f = &model_files[0]; /* 385 groups */
	struct mih_tree_sidecar *sc;
	struct mih_tree_entry e;
	uint8_t b[64];

	(void)state;
	assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), 0);
	assert_int_equal(mih_tree_sidecar_find(sc, f->path, ALG, f->nbytes, &e),
			 0);
	assert_int_equal(mih_tree_sidecar_read_fine(sc, &e, 384, 1, b), 0);
	assert_int_equal(mih_tree_sidecar_read_fine(sc, &e, 384, 2, b),
			 -EINVAL);
	assert_int_equal(mih_tree_sidecar_read_fine(sc, &e, UINT64_MAX, 2, b),
			 -EINVAL);
	assert_int_equal(mih_tree_sidecar_read_fine(sc, &e, 1, SIZE_MAX, b),
			 -EINVAL);
	assert_int_equal(mih_tree_sidecar_read_coarse(sc, &e, 4, 1, b),
			 -EINVAL);
	assert_int_equal(mih_tree_sidecar_read_hints(sc, &e, 24, 1, b),
			 -EINVAL);
	e.has_hints = false;
	assert_int_equal(mih_tree_sidecar_read_hints(sc, &e, 0, 1, b), -EINVAL);
	mih_tree_sidecar_close(sc);
}

/* --- damage ----------------------------------------------------------------
 */

static size_t paths_end(void)
{
	const uint8_t *row = whole + MIH_TREE_SC_H_TABLE + MIH_TREE_SC_R_LEN;

	return (size_t)(mih_bytes_get64(row + MIH_TREE_SC_R_OFF) +
			mih_bytes_get64(row + MIH_TREE_SC_R_NBYTES));
}

/* Header, index and paths follow each other without a gap here. */
static void test_sidecar_with_any_byte_changed_is_refused(void **state)
{
	mih_autoclose int fd = open(path, O_RDWR);

	(void)state;
	for (size_t i = 0; i < 8 * paths_end(); i += 3) {
		uint8_t b = whole[i / 8] ^ (uint8_t)(1u << i % 8);
		struct mih_tree_sidecar *sc;

		assert_int_equal(pwrite(fd, &b, 1, (off_t)(i / 8)), 1);
		assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc),
				 MIH_EFORMAT);
		assert_int_equal(pwrite(fd, &whole[i / 8], 1, (off_t)(i / 8)),
				 1);
	}
}

static void test_sidecar_cut_at_any_length_is_refused(void **state)
{
	(void)state;
	for (size_t len = whole_len; len-- > 0;) {
		struct mih_tree_sidecar *sc;

		if (len > 2000 && len < whole_len - 100)
			len -= MIH_MIN(len - 2000, (size_t)96);
		assert_int_equal(truncate(path, (off_t)len), 0);
		assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc),
				 MIH_EFORMAT);
		assert_non_null(strstr(mih_err_message(), "cut short"));
	}
}

static void test_sidecar_with_bytes_behind_it_is_refused(void **state)
{
	struct mih_tree_sidecar *sc;

	(void)state;
	assert_int_equal(truncate(path, (off_t)whole_len + 1), 0);
	assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), MIH_EFORMAT);
}

static void test_sidecar_cut_while_open_gives_eio(void **state)
{
	const struct mih_tree_source *f = &model_files[0];
	struct mih_tree_sidecar *sc;
	struct mih_tree_entry e;
	uint8_t b[32];

	(void)state;
	assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), 0);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(mih_tree_sidecar_find(sc, f->path, ALG, f->nbytes, &e),
			 0);
	assert_int_equal(mih_tree_sidecar_read_fine(sc, &e, 0, 1, b), -EIO);
	assert_string_equal(mih_tree_sidecar_diagnose(sc),
			    "damaged or cut short");
	mih_tree_sidecar_close(sc);
}

static void test_sidecar_diagnose_tells_rot_from_forgery(void **state)
{
	const uint8_t *rows = whole + MIH_TREE_SC_H_TABLE;

	(void)state;
	for (int kind = MIH_TREE_SC_COARSE; kind <= MIH_TREE_SC_HINTS; kind++) {
		mih_autoclose int fd = open(path, O_RDWR);
		struct mih_tree_sidecar *sc;
		uint64_t at = mih_bytes_get64(rows + kind * MIH_TREE_SC_R_LEN +
					      MIH_TREE_SC_R_OFF);
		uint8_t b = whole[at] ^ 1;

		assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), 0);
		assert_string_equal(
		    mih_tree_sidecar_diagnose(sc),
		    "consistent in itself but not what was signed");
		assert_int_equal(pwrite(fd, &b, 1, (off_t)at), 1);
		assert_string_equal(mih_tree_sidecar_diagnose(sc),
				    "damaged or cut short");
		assert_int_equal(pwrite(fd, &whole[at], 1, (off_t)at), 1);
		mih_tree_sidecar_close(sc);
	}
}

/* --- forgery: everything is claimed with right checksums -------------------
 */

static void forge_sums(uint8_t *bytes)
{
	for (int i = MIH_TREE_SC_INDEX; i <= MIH_TREE_SC_PATHS; i++) {
		uint8_t *row =
		    bytes + MIH_TREE_SC_H_TABLE + i * MIH_TREE_SC_R_LEN;
		uint64_t off = mih_bytes_get64(row + MIH_TREE_SC_R_OFF);
		uint64_t n = mih_bytes_get64(row + MIH_TREE_SC_R_NBYTES);

		if (off <= whole_len && n <= whole_len - off)
			mih_tree_sc_put_sum(row + MIH_TREE_SC_R_SUM,
					    XXH3_128bits(bytes + off, n));
	}
	mih_tree_sc_put_sum(bytes + MIH_TREE_SC_H_SUM,
			    XXH3_128bits(bytes, MIH_TREE_SC_H_SUM));
}

/* Whatever it says: an entry that is found must be readable to its end. */
static void use_all(const struct mih_tree_sidecar *sc)
{
	for (size_t i = 0; i < MODEL_NFILES; i++) {
		const struct mih_tree_source *f = &model_files[i];
		size_t n = (size_t)mih_hash_ngroups(f->nbytes);
		size_t npages = (size_t)mih_tree_npages(f->nbytes);
		mih_autofree uint8_t *b = malloc(n * 32 + 1);
		struct mih_tree_entry e;
		mih_err err =
		    mih_tree_sidecar_find(sc, f->path, ALG, f->nbytes, &e);

		if (err) {
			assert_true(err == -ENOENT || err == MIH_EFORMAT);
			continue;
		}
		assert_int_equal(mih_tree_sidecar_read_fine(sc, &e, 0, n, b),
				 0);
		assert_int_equal(
		    mih_tree_sidecar_read_coarse(sc, &e, 0, npages, b), 0);
		if (e.has_hints)
			assert_int_equal(mih_tree_sidecar_read_hints(
					     sc, &e, 0, f->nbytes / MIB, b),
					 0);
	}
}

static void try_forged(const uint8_t *bytes)
{
	struct mih_tree_sidecar *sc;

	put_bytes(bytes, whole_len);
	if (mih_tree_sidecar_open(path, NULL, &sc))
		return;
	use_all(sc);
	mih_tree_sidecar_close(sc);
}

static void test_sidecar_with_any_byte_forged_is_harmless(void **state)
{
	static const uint8_t values[] = { 0x01, 0x80, 0xff };
	mih_autofree uint8_t *bytes = malloc(whole_len);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < paths_end(); i++)
		for (size_t v = 0; v < sizeof(values); v++) {
			memcpy(bytes, whole, whole_len);
			bytes[i] ^= values[v];
			forge_sums(bytes);
			try_forged(bytes);
		}
}

static void test_sidecar_with_forged_numbers_is_harmless(void **state)
{
	static const uint64_t values[] = {
		0,	    1,
		INT64_MAX,  (uint64_t)INT64_MAX + 1,
		UINT64_MAX, UINT64_MAX - 255,
		UINT32_MAX,
	};
	mih_autofree uint8_t *bytes = malloc(whole_len);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 16; i + 8 <= paths_end(); i += 8)
		for (size_t v = 0; v < MIH_ARRAY_LEN(values); v++) {
			memcpy(bytes, whole, whole_len);
			mih_bytes_put64(bytes + i, values[v]);
			forge_sums(bytes);
			try_forged(bytes);
		}
}

/* A layer that would end behind its section, or whose end overflows. */
static void test_sidecar_entry_that_points_outside_is_refused(void **state)
{
	static const size_t fields[] = { MIH_TREE_SC_E_COARSE,
					 MIH_TREE_SC_E_FINE,
					 MIH_TREE_SC_E_HINTS };
	static const uint64_t values[] = { UINT64_MAX, UINT64_MAX - 31,
					   INT64_MAX, 1 << 20 };
	const struct mih_tree_source *f = &model_files[0];
	mih_autofree uint8_t *bytes = malloc(whole_len);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 12; i++) {
		struct mih_tree_sidecar *sc;
		struct mih_tree_entry e;

		memcpy(bytes, whole, whole_len);
		for (size_t n = 0; n < MODEL_NFILES; n++)
			mih_bytes_put64(bytes + MIH_TREE_SC_H_LEN +
					    n * MIH_TREE_SC_E_LEN +
					    fields[i % 3],
					values[i / 3]);
		forge_sums(bytes);
		put_bytes(bytes, whole_len);
		assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), 0);
		assert_int_equal(
		    mih_tree_sidecar_find(sc, f->path, ALG, f->nbytes, &e),
		    MIH_EFORMAT);
		assert_non_null(strstr(mih_err_message(), "points outside"));
		mih_tree_sidecar_close(sc);
	}
}

static void check_header_story(size_t at, uint32_t value, const char *story)
{
	mih_autofree uint8_t *bytes = malloc(whole_len);
	struct mih_tree_sidecar *sc;

	assert_non_null(bytes);
	memcpy(bytes, whole, whole_len);
	mih_bytes_put32(bytes + at, value);
	forge_sums(bytes);
	put_bytes(bytes, whole_len);
	assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), MIH_EFORMAT);
	assert_non_null(strstr(mih_err_message(), story));
}

static void test_sidecar_of_the_future_is_refused_by_name(void **state)
{
	(void)state;
	check_header_story(MIH_TREE_SC_H_VERSION, 2, "unknown sidecar version");
	check_header_story(MIH_TREE_SC_H_VERSION, 0, "unknown sidecar version");
	check_header_story(MIH_TREE_SC_H_FLAGS, 1, "unknown flags");
	check_header_story(MIH_TREE_SC_H_NSECTIONS, 6, "unknown sections");
	check_header_story(MIH_TREE_SC_H_TABLE, 9, "unknown section");
	check_header_story(MIH_TREE_SC_H_MAGIC, 0, "not a mihfs sidecar");
}

/* --- many files ------------------------------------------------------------
 */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void write_many(struct mih_tree_source *files, size_t n)
{
	struct mih_tree_writer *w;
	uint8_t node[32];

	assert_int_equal(mih_tree_writer_open(path, ALG, files, n, &w), 0);
	for (size_t i = 0; i < n; i++) {
		model_digests(32, i, 0, 1, node);
		assert_int_equal(mih_tree_writer_put(w, i, 0, node, 1), 0);
		assert_int_equal(mih_tree_writer_root(w, i, node), 0);
	}
	assert_int_equal(mih_tree_writer_finish(w), 0);
}

static void find_many(const struct mih_tree_source *files, size_t n)
{
	struct mih_tree_sidecar *sc;
	struct mih_tree_entry e;
	uint8_t node[32], want[32];
	double start = now_ms(), opened;

	assert_int_equal(mih_tree_sidecar_open(path, NULL, &sc), 0);
	opened = now_ms();
	for (size_t i = 0; i < n; i++)
		assert_int_equal(mih_tree_sidecar_find(sc, files[i].path, ALG,
						       files[i].nbytes, &e),
				 0);
	printf("# %zu files: open %.1f ms, find %.2f us each\n", n,
	       opened - start, (now_ms() - opened) * 1e3 / (double)n);
	for (size_t i = 0; i < n; i += n / 100) {
		assert_int_equal(mih_tree_sidecar_find(sc, files[i].path, ALG,
						       files[i].nbytes, &e),
				 0);
		model_digests(32, i, 0, 1, want);
		assert_int_equal(mih_tree_sidecar_read_fine(sc, &e, 0, 1, node),
				 0);
		assert_memory_equal(node, want, 32);
	}
	mih_tree_sidecar_close(sc);
}

static void test_sidecar_of_many_files(void **state)
{
	const char *asked = getenv("MIH_TEST_NFILES");
	size_t n = asked ? strtoul(asked, NULL, 10) : 100000;
	struct mih_tree_source *files = calloc(n, sizeof(*files));

	(void)state;
	assert_non_null(files);
	for (size_t i = 0; i < n; i++) {
		char *name;

		assert_true(asprintf(&name, "data/%03zu/sample-%08zu.parquet",
				     i / 1000, i) > 0);
		files[i] = (struct mih_tree_source){ name, 1 + i % 65536 };
	}
	write_many(files, n);
	find_many(files, n);
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)files[i].path);
	free(files);
}

#define TEST(f) cmocka_unit_test_setup(f, restore)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sidecar_gives_back_what_was_written),
		TEST(test_sidecar_of_no_files),
		TEST(test_sidecar_is_held_to_limits),
		TEST(test_sidecar_that_is_absent_tells_no_story),
		TEST(test_sidecar_find_holds_entries_against_signed_facts),
		TEST(test_sidecar_reads_stay_in_their_layer),
		TEST(test_sidecar_with_any_byte_changed_is_refused),
		TEST(test_sidecar_cut_at_any_length_is_refused),
		TEST(test_sidecar_with_bytes_behind_it_is_refused),
		TEST(test_sidecar_cut_while_open_gives_eio),
		TEST(test_sidecar_diagnose_tells_rot_from_forgery),
		TEST(test_sidecar_with_any_byte_forged_is_harmless),
		TEST(test_sidecar_with_forged_numbers_is_harmless),
		TEST(test_sidecar_entry_that_points_outside_is_refused),
		TEST(test_sidecar_of_the_future_is_refused_by_name),
		TEST(test_sidecar_of_many_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
