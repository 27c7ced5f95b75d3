/*
 * Opening a model: trust, and one line for every file that is not as signed.
 */
#include "lib/model.h"
#include "lib/test.h"
#include "tree/sidecar_write.h"
#include "util/checked.h"
#include "util/io.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

/* Not in code point order: the model has to sort them. */
static const struct mih_test_file files[] = {
	{ "weights/b.bin", MIB },
	{ "\xf0\x9f\x98\x80", 5 }, /* beyond the first plane */
	{ "\xef\xbc\xa1", 6 },
	{ "Zero", 0 },
	{ "config.json", 700 },
	{ "weights.txt", 1 },
};

static struct mih_test_model disk;
static char lines[16][512];
static size_t nlines;

static void problem(void *context, const char *line)
{
	assert_ptr_equal(context, &disk);
	if (nlines < MIH_ARRAY_LEN(lines))
		snprintf(lines[nlines], sizeof(lines[0]), "%s", line);
	nlines++;
}

static void make(enum mih_hash_alg flat, enum mih_hash_alg tree)
{
	const struct mih_test_model_params params = {
		.files = files,
		.nfiles = MIH_ARRAY_LEN(files),
		.flat = flat,
		.tree = tree,
	};

	mih_test_model_make(&disk, &params);
}

static int setup(void **state)
{
	(void)state;
	make(MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mih_test_model_remove(&disk);
	return 0;
}

static struct mih_verify_model_params usual(void)
{
	nlines = 0;
	return (struct mih_verify_model_params){
		.bundle = disk.bundle,
		.dir = disk.dir,
		.trust = disk.trust,
		.problem = problem,
		.context = &disk,
	};
}

static void expect(const struct mih_verify_model_params *params, mih_err want)
{
	struct mih_verify_model *model = NULL;

	assert_int_equal(mih_verify_model_open(params, &model), want);
	mih_verify_model_close(model);
	if (want)
		assert_string_not_equal(mih_err_message(), "");
}

/* Exactly one problem, with these words: they are the story, and told once. */
static void expect_problem(const char *words)
{
	struct mih_verify_model_params params = usual();

	expect(&params, MIH_EDIGEST);
	assert_int_equal(nlines, 0);
	assert_string_equal(mih_err_message(), words);
}

static const char *path_of(size_t i)
{
	return mih_test_model_path(&disk, i);
}

static void test_files_are_sorted_and_found(void **state)
{
	static const char *const order[] = {
		"Zero",		 "config.json",	 "weights.txt",
		"weights/b.bin", "\xef\xbc\xa1", "\xf0\x9f\x98\x80",
	};
	struct mih_verify_model *model = mih_test_model_open(&disk);

	(void)state;
	assert_int_equal(model->nfiles, MIH_ARRAY_LEN(order));
	for (size_t i = 0; i < model->nfiles; i++) {
		assert_string_equal(model->files[i].path, order[i]);
		assert_int_equal(mih_verify_model_find(model, order[i]), i);
		assert_int_equal(model->files[i].proof, MIH_VERIFY_BY_TREE);
		assert_int_equal(model->files[i].tree, MIH_HASH_MTH4K_SHA256);
	}
	assert_int_equal(mih_verify_model_find(model, "weights"), -1);
	assert_int_equal(mih_verify_model_find(model, ""), -1);
	assert_int_equal(model->files[3].nbytes, MIB);
	assert_non_null(model->sidecar);
	mih_verify_model_close(model);
}

static void test_proofs_follow_the_digests(void **state)
{
	struct mih_verify_model *model;

	(void)state;
	make(MIH_HASH_BLAKE3, MIH_HASH_NONE);
	model = mih_test_model_open(&disk);
	assert_int_equal(model->files[1].proof, MIH_VERIFY_BY_TREE);
	assert_int_equal(model->files[1].tree, MIH_HASH_BLAKE3);
	assert_ptr_equal(model->files[1].root,
			 model->files[1].resource->digest);
	assert_int_equal(model->files[1].nbytes, 700);
	mih_verify_model_close(model);
	mih_test_model_remove(&disk);
	make(MIH_HASH_BLAKE2B, MIH_HASH_NONE);
	model = mih_test_model_open(&disk);
	assert_int_equal(model->files[1].proof, MIH_VERIFY_BY_FLAT);
	assert_int_equal(model->files[1].tree, MIH_HASH_MTH4K_SHA256);
	assert_null(model->files[1].root);
	assert_int_equal(model->files[1].nbytes, 700);
	mih_verify_model_close(model);
}

static void test_strangers_are_not_trusted(void **state)
{
	struct mih_verify_model_params params = usual();
	struct mih_test_model other;
	static const struct mih_test_file one[] = { { "x", 1 } };
	const struct mih_test_model_params make_other = {
		.files = one,
		.nfiles = 1,
		.flat = MIH_HASH_SHA256,
	};

	(void)state;
	mih_test_model_make(&other, &make_other);
	params.trust = other.trust;
	expect(&params, MIH_EUNTRUSTED);
	mih_test_model_remove(&other);
}

static void test_missing_files_are_named(void **state)
{
	struct mih_verify_model_params params = usual();

	(void)state;
	assert_int_equal(unlink(path_of(4)), 0);
	expect_problem("config.json: signed but missing");
	assert_int_equal(unlink(path_of(5)), 0);
	expect(&params, MIH_EDIGEST);
	params = usual();
	expect(&params, MIH_EDIGEST);
	assert_int_equal(nlines, 2);
	assert_string_equal(lines[0], "config.json: signed but missing");
	assert_string_equal(lines[1], "weights.txt: signed but missing");
	assert_non_null(
	    strstr(mih_err_message(), ": 2 files are not as signed"));
	params.problem = NULL;
	expect(&params, MIH_EDIGEST);
	assert_string_equal(mih_err_message(),
			    "config.json: signed but missing (and 1 more)");
}

static void test_wrong_size_is_named(void **state)
{
	(void)state;
	assert_int_equal(truncate(path_of(4), 701), 0);
	expect_problem("config.json: 701 bytes where 700 are signed");
}

/* A hole of any size is made in no time, and would cost memory. */
static void test_unsigned_sizes_are_bounded(void **state)
{
	const off_t most = (off_t)4 << 40;
	struct mih_verify_model *model;

	(void)state;
	make(MIH_HASH_BLAKE2B, MIH_HASH_NONE);
	assert_int_equal(truncate(path_of(4), most), 0);
	model = mih_test_model_open(&disk);
	assert_true(model->files[1].nbytes == (uint64_t)most);
	mih_verify_model_close(model);
	assert_int_equal(truncate(path_of(4), most + 1), 0);
	expect_problem("config.json: 4398046511105 bytes; without a signed "
		       "size at most 4398046511104");
}

static void test_wrong_types_are_named(void **state)
{
	(void)state;
	assert_int_equal(unlink(path_of(4)), 0);
	assert_int_equal(mkdir(path_of(4), 0755), 0);
	expect_problem("config.json: not a regular file");
	assert_int_equal(rmdir(path_of(4)), 0);
	assert_int_equal(mkfifo(path_of(4), 0644), 0);
	expect_problem("config.json: not a regular file");
}

static void test_links_are_refused_unless_allowed(void **state)
{
	struct mih_verify_model_params params;
	char beside[600];

	(void)state;
	snprintf(beside, sizeof(beside), "%s.real", path_of(4));
	assert_int_equal(rename(path_of(4), beside), 0);
	assert_int_equal(symlink("config.json.real", path_of(4)), 0);
	expect_problem("config.json: a symbolic link, not followed without "
		       "--allow-symlinks (config.json -> config.json.real)");
	params = usual();
	params.allow_symlinks = true;
	expect(&params, 0);
	/* Out of the model, though to the very same bytes. */
	assert_int_equal(unlink(path_of(4)), 0);
	assert_int_equal(symlink(beside, path_of(4)), 0);
	expect(&params, MIH_EDIGEST);
	assert_non_null(strstr(mih_err_message(),
			       "config.json: a symbolic link that leads out, "
			       "not followed without --symlink-root "
			       "(config.json -> /"));
}

static void add(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", disk.dir, name);
	assert_int_equal(mih_io_write_file(path, "x", 1, 0644), 0);
}

static void test_extra_files_are_named_when_denied(void **state)
{
	static const char *const ignore[] = { "README.md" };
	struct mih_verify_model_params params = usual();

	(void)state;
	add("weights/extra.py");
	add("README.md");
	expect(&params, 0);
	params.deny_unsigned = true;
	expect(&params, MIH_EDIGEST);
	assert_int_equal(nlines, 2);
	assert_string_equal(lines[0], "README.md: not signed");
	assert_string_equal(lines[1], "weights/extra.py: not signed");
	nlines = 0;
	params.ignore = ignore;
	params.nignore = 1;
	expect(&params, MIH_EDIGEST);
	assert_int_equal(nlines, 0);
	assert_string_equal(mih_err_message(), "weights/extra.py: not signed");
}

/* A bundle is often kept beside the files that it signs. */
static void test_bundle_in_the_model_is_not_extra(void **state)
{
	struct mih_verify_model_params params = usual();
	char bundle[256], sidecar[256];

	(void)state;
	snprintf(bundle, sizeof(bundle), "%s/model.sig", disk.dir);
	snprintf(sidecar, sizeof(sidecar), "%s/model.sig.tree", disk.dir);
	assert_int_equal(rename(disk.bundle, bundle), 0);
	assert_int_equal(rename(disk.sidecar, sidecar), 0);
	params.bundle = bundle;
	params.deny_unsigned = true;
	expect(&params, 0);
	assert_int_equal(nlines, 0);
}

static void test_sidecar_is_a_wish(void **state)
{
	struct mih_verify_model_params params = usual();
	struct mih_verify_model *model;

	(void)state;
	params.sidecar = "/nonexistent/tree";
	assert_int_equal(mih_verify_model_open(&params, &model), 0);
	assert_null(model->sidecar);
	mih_verify_model_close(model);
	mih_test_flip(disk.sidecar, 0);
	params.sidecar = NULL;
	assert_int_equal(mih_verify_model_open(&params, &model), 0);
	assert_null(model->sidecar);
	mih_verify_model_close(model);
}

/* Well-formed, but with one file more than is signed. */
static void test_sidecar_of_more_files_counts_as_none(void **state)
{
	struct mih_tree_source sources[MIH_ARRAY_LEN(files) + 1];
	struct mih_verify_model_params params = usual();
	struct mih_verify_model *model;
	struct mih_tree_writer *writer;
	uint8_t root[MIH_HASH_LEN_MAX];

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(sources); i++)
		sources[i] = (struct mih_tree_source){ .path = &"abcdefg"[i] };
	assert_int_equal(mih_tree_writer_open(disk.sidecar,
					      MIH_HASH_MTH4K_SHA256, sources,
					      MIH_ARRAY_LEN(sources), &writer),
			 0);
	for (size_t i = 0; i < MIH_ARRAY_LEN(sources); i++)
		assert_int_equal(mih_tree_writer_root(writer, i, root), 0);
	assert_int_equal(mih_tree_writer_finish(writer), 0);
	assert_int_equal(mih_verify_model_open(&params, &model), 0);
	assert_null(model->sidecar);
	mih_verify_model_close(model);
}

static void test_missing_places_are_named(void **state)
{
	struct mih_verify_model_params params = usual();

	(void)state;
	params.dir = "/nonexistent/model";
	expect(&params, -ENOENT);
	params = usual();
	params.bundle = "/nonexistent/signed.json";
	expect(&params, -ENOENT);
}

static void make_single(const char *name)
{
	const struct mih_test_file one[] = { { name, 100 } };
	const struct mih_test_model_params params = {
		.files = one,
		.nfiles = 1,
		.flat = MIH_HASH_SHA256,
		.tree = MIH_HASH_MTH4K_SHA256,
		.single = true,
	};

	mih_test_model_remove(&disk);
	mih_test_model_make(&disk, &params);
}

static void test_single_file_is_a_model(void **state)
{
	struct mih_verify_model *model;

	(void)state;
	make_single("model.gguf");
	model = mih_test_model_open(&disk);
	assert_int_equal(model->nfiles, 1);
	assert_string_equal(model->files[0].path, "model.gguf");
	assert_int_equal(mih_verify_model_find(model, "model.gguf"), 0);
	mih_verify_model_close(model);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_files_are_sorted_and_found),
		cmocka_unit_test_teardown(test_proofs_follow_the_digests,
					  teardown),
		CASE(test_strangers_are_not_trusted),
		CASE(test_missing_files_are_named),
		CASE(test_wrong_size_is_named),
		cmocka_unit_test_teardown(test_unsigned_sizes_are_bounded,
					  teardown),
		CASE(test_wrong_types_are_named),
		CASE(test_links_are_refused_unless_allowed),
		CASE(test_extra_files_are_named_when_denied),
		CASE(test_bundle_in_the_model_is_not_extra),
		CASE(test_sidecar_is_a_wish),
		CASE(test_sidecar_of_more_files_counts_as_none),
		CASE(test_missing_places_are_named),
		CASE(test_single_file_is_a_model),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
