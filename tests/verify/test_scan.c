#include "lib/test.h"
#include "verify/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct mih_io_links follow = { .follow = true };

static char top[64];

static void make(const char *path, size_t len)
{
	char full[512];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", top, path);
	for (char *c = full + strlen(top) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(full, 0755);
		*c = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT, 0644);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	close(fd);
}

static void make_link(const char *to, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s/%s", top, path);
	assert_int_equal(symlink(to, full), 0);
}

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "scan.XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void expect_paths(const struct mih_verify_scan *scan,
			 const char *const *paths, size_t n)
{
	assert_int_equal(scan->nfiles, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(scan->files[i].path, paths[i]);
}

static void expect_failure(const struct mih_verify_scan_rules *rules,
			   mih_err want, const char *said)
{
	struct mih_verify_scan scan;

	mih_err_clear();
	assert_int_equal(mih_verify_scan_run(top, rules, &scan), want);
	assert_non_null(strstr(mih_err_message(), said));
	assert_null(scan.files);
	assert_int_equal(scan.dirfd, -1);
	mih_verify_scan_fini(&scan);
}

/* Code point order of the whole path, not component by component. */
static void test_scan_sorts_by_code_point(void **state)
{
	static const char *const want[] = { "B",	  "a-b/c",
					    "a.txt",	  "a/b",
					    "a/\xc3\xa9", "a/\xf0\x9f\x98\x80",
					    "b" };
	struct mih_verify_scan_rules rules = { 0 };
	struct mih_verify_scan scan;

	(void)state;
	for (size_t i = 7; i-- > 0;)
		make(want[i], i);
	assert_int_equal(mih_verify_scan_run(top, &rules, &scan), 0);
	expect_paths(&scan, want, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(scan.files[i].nbytes, i);
	assert_int_equal(faccessat(scan.dirfd, "a/b", R_OK, 0), 0);
	mih_verify_scan_fini(&scan);
}

static void test_scan_leaves_out_what_it_is_told(void **state)
{
	static const char *const ignore[] = { "skip", "dir/skip" };
	static const char *const want[] = { ".github2/x", "dir/.git/HEAD",
					    "dir/skipper", "skipper" };
	struct mih_verify_scan_rules rules = { .ignore = ignore,
					       .nignore = 2,
					       .ignore_git = true };
	struct mih_verify_scan scan;

	(void)state;
	make("skip/deep/x", 1);
	make("dir/skip", 1);
	make(".git/HEAD", 1);
	make(".gitignore", 1);
	make(".gitattributes", 1);
	make(".github/x", 1);
	for (size_t i = 0; i < 4; i++)
		make(want[i], 1);
	assert_int_equal(mih_verify_scan_run(top, &rules, &scan), 0);
	expect_paths(&scan, want, 4);
	mih_verify_scan_fini(&scan);
	rules.ignore_git = false;
	assert_int_equal(mih_verify_scan_run(top, &rules, &scan), 0);
	assert_int_equal(scan.nfiles, 8);
	mih_verify_scan_fini(&scan);
}

static void test_scan_ignores_whole_components_only(void **state)
{
	static const char *const ignore[] = { "a/b" };
	struct mih_verify_scan_rules rules = { .ignore = ignore, .nignore = 1 };

	(void)state;
	assert_true(mih_verify_scan_ignores(&rules, "a/b"));
	assert_true(mih_verify_scan_ignores(&rules, "a/b/c"));
	assert_false(mih_verify_scan_ignores(&rules, "a/bc"));
	assert_false(mih_verify_scan_ignores(&rules, "a"));
	assert_false(mih_verify_scan_ignores(&rules, "x/a/b"));
	assert_false(mih_verify_scan_ignores(&rules, ".git/HEAD"));
	rules.ignore_git = true;
	assert_true(mih_verify_scan_ignores(&rules, ".git/HEAD"));
	assert_false(mih_verify_scan_ignores(&rules, "a/.git"));
}

static void test_scan_treats_links_as_told(void **state)
{
	static const char *const want[] = { "dir/up", "link", "real" };
	struct mih_verify_scan_rules rules = { 0 };
	struct mih_verify_scan scan;

	(void)state;
	make("real", 5);
	make("dir/x", 1);
	make_link("real", "link");
	expect_failure(&rules, -ELOOP, "link: symbolic link");
	rules.links = &follow;
	make_link("../real", "dir/up");
	rules.ignore = (const char *const[]){ "dir/x" };
	rules.nignore = 1;
	assert_int_equal(mih_verify_scan_run(top, &rules, &scan), 0);
	expect_paths(&scan, want, 3);
	assert_int_equal(scan.files[0].nbytes, 5);
	mih_verify_scan_fini(&scan);
}

static void test_scan_ignored_links_do_no_harm(void **state)
{
	struct mih_verify_scan_rules rules = {
		.ignore = (const char *const[]){ "link" },
		.nignore = 1,
	};
	struct mih_verify_scan scan;

	(void)state;
	make("real", 5);
	make_link("nowhere", "link");
	assert_int_equal(mih_verify_scan_run(top, &rules, &scan), 0);
	assert_int_equal(scan.nfiles, 1);
	mih_verify_scan_fini(&scan);
}

static void test_scan_refuses_bad_links(void **state)
{
	static const struct {
		const char *to, *said;
		mih_err want;
	} cases[] = {
		{ "/etc/hostname", "leads out of the model", -ELOOP },
		{ "../outside", "leads out of the model", -ELOOP },
		{ "dir", "link to a directory", -ELOOP },
		{ ".", "link to a directory", -ELOOP },
		{ "nowhere", "No such file", -ENOENT },
		{ "bad", "Too many levels", -ELOOP },
		{ "fifo", "no regular file", -EINVAL },
	};
	struct mih_verify_scan_rules rules = {
		.links = &follow,
		.ignore = (const char *const[]){ "fifo" },
		.nignore = 1,
	};
	char full[128];

	(void)state;
	make("dir/x", 1);
	snprintf(full, sizeof(full), "%s/fifo", top);
	assert_int_equal(mkfifo(full, 0644), 0);
	snprintf(full, sizeof(full), "%s/bad", top);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_link(cases[i].to, "bad");
		expect_failure(&rules, cases[i].want, cases[i].said);
		assert_int_equal(unlink(full), 0);
	}
}

static void test_scan_refuses_what_cannot_be_signed(void **state)
{
	struct mih_verify_scan_rules rules = { 0 };
	char full[128];

	(void)state;
	make("dir/x", 1);
	snprintf(full, sizeof(full), "%s/dir/fifo", top);
	assert_int_equal(mkfifo(full, 0644), 0);
	expect_failure(&rules, -EINVAL, "dir/fifo: not a regular file");
	unlink(full);
	make("dir/bad\xff", 1);
	expect_failure(&rules, -EINVAL, "cannot be signed");
}

static void test_scan_takes_a_single_file(void **state)
{
	struct mih_verify_scan_rules rules = { 0 };
	struct mih_verify_scan scan;
	char full[128];

	(void)state;
	make("dir/x", 7);
	make("dir/y", 1);
	snprintf(full, sizeof(full), "%s/dir/x", top);
	assert_int_equal(mih_verify_scan_run(full, &rules, &scan), 0);
	assert_int_equal(scan.nfiles, 1);
	assert_string_equal(scan.files[0].path, "x");
	assert_int_equal(scan.files[0].nbytes, 7);
	assert_int_equal(faccessat(scan.dirfd, "x", F_OK, 0), 0);
	mih_verify_scan_fini(&scan);
}

static void test_scan_reaches_the_model_through_a_link(void **state)
{
	struct mih_verify_scan_rules rules = { 0 };
	struct mih_verify_scan scan;
	char full[128];

	(void)state;
	make("dir/x", 7);
	make_link("dir", "model");
	snprintf(full, sizeof(full), "%s/model", top);
	assert_int_equal(mih_verify_scan_run(full, &rules, &scan), 0);
	assert_int_equal(scan.nfiles, 1);
	mih_verify_scan_fini(&scan);
}

static void test_scan_of_nothing(void **state)
{
	struct mih_verify_scan_rules rules = { 0 };
	struct mih_verify_scan scan;

	(void)state;
	assert_int_equal(mih_verify_scan_run(top, &rules, &scan), 0);
	assert_int_equal(scan.nfiles, 0);
	mih_verify_scan_fini(&scan);
	assert_int_equal(mih_verify_scan_run("no/such/model", &rules, &scan),
			 -ENOENT);
	assert_non_null(strstr(mih_err_message(), "no/such/model"));
	mih_verify_scan_fini(&scan);
}

/* Deeper than descriptors or a call stack would last. */
static void test_scan_goes_deep(void **state)
{
	struct mih_verify_scan_rules rules = { 0 };
	struct mih_verify_scan scan;
	int fd = open(top, O_PATH | O_DIRECTORY), below;

	(void)state;
	for (int i = 0; i < 1500; i++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		below = openat(fd, "d", O_PATH | O_DIRECTORY);
		assert_true(below >= 0);
		close(fd);
		fd = below;
	}
	below = openat(fd, "file", O_WRONLY | O_CREAT, 0644);
	assert_true(below >= 0);
	close(below);
	close(fd);
	assert_int_equal(mih_verify_scan_run(top, &rules, &scan), 0);
	assert_int_equal(scan.nfiles, 1);
	assert_int_equal(strlen(scan.files[0].path), 2 * 1500 + 4);
	mih_verify_scan_fini(&scan);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scan_sorts_by_code_point),
		TEST(test_scan_leaves_out_what_it_is_told),
		TEST(test_scan_ignores_whole_components_only),
		TEST(test_scan_treats_links_as_told),
		TEST(test_scan_ignored_links_do_no_harm),
		TEST(test_scan_refuses_bad_links),
		TEST(test_scan_refuses_what_cannot_be_signed),
		TEST(test_scan_takes_a_single_file),
		TEST(test_scan_reaches_the_model_through_a_link),
		TEST(test_scan_of_nothing),
		TEST(test_scan_goes_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
