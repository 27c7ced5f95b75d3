/* Looking at many paths at once gives what looking at each alone gives. */
#include "lib/test.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "verify/look.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NFILES 3000 /* enough for several threads */

static char top[64];
static int top_fd;

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void name_of(size_t i, char name[64])
{
	snprintf(name, 64, "f%zu/%zu", i / 100, i);
}

static int write_file(const char *name, size_t len)
{
	int fd = openat(top_fd, name, O_WRONLY | O_CREAT, 0644);

	if (fd < 0 || ftruncate(fd, (off_t)len) < 0)
		return -1;
	return close(fd);
}

static int setup_group(void **state)
{
	char name[64];

	(void)state;
	strcpy(top, "look.XXXXXX");
	if (!mkdtemp(top) || (top_fd = open(top, O_RDONLY | O_DIRECTORY)) < 0)
		return -1;
	for (size_t i = 0; i < NFILES; i++) {
		snprintf(name, sizeof(name), "f%zu", i / 100);
		if (i % 100 == 0 && mkdirat(top_fd, name, 0755) < 0)
			return -1;
		name_of(i, name);
		if (write_file(name, i) < 0)
			return -1;
	}
	return write_file("plain", 7) || mkfifoat(top_fd, "fifo", 0600) ||
	       symlinkat("plain", top_fd, "to-plain") ||
	       symlinkat("f3", top_fd, "to-f3") ||
	       symlinkat("/etc/passwd", top_fd, "f3/out") ||
	       symlinkat("/etc", top_fd, "to-etc") ||
	       symlinkat("nowhere", top_fd, "to-nowhere") ||
	       symlinkat("loop", top_fd, "loop") ||
	       symlinkat("../fifo", top_fd, "f3/to-fifo");
}

static int teardown_group(void **state)
{
	(void)state;
	close(top_fd);
	return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void assert_as_alone(const struct mih_verify_look *look,
			    const struct mih_io_links *links)
{
	mih_autoclose int fd = -1;
	struct stat st;
	mih_err err =
	    mih_io_open_beneath(top_fd, look->path, O_PATH, links, &fd);

	if (err && look->err != err)
		fail_msg("%s: %d, alone %d", look->path, look->err, err);
	if (err)
		return;
	assert_return_code(fstat(fd, &st), 0);
	assert_int_equal(look->err, S_ISREG(st.st_mode) ? 0 : -EINVAL);
	if (!look->err)
		assert_int_equal(look->nbytes, st.st_size);
}

static void look_both_ways(bool follow)
{
	static const char *const odd[] = {
		"plain",	 "fifo",	"to-plain",
		"to-f3/301",	 "f3/out",	"f3/301",
		"to-etc/passwd", "to-nowhere",	"loop",
		"loop/x",	 "f3",		"f3/to-fifo",
		"missing",	 "f3/missing",	"no/no",
		"plain/x",	 "f4/..",	"f4/../f5/501",
		"../look",	 "/etc/passwd", ".",
		"f3/.",		 "to-f3",	"f5/501",
	};
	const struct mih_io_links links = { .follow = follow };
	const size_t nodd = MIH_ARRAY_LEN(odd), n = NFILES + nodd;
	struct mih_verify_look *looks = calloc(n, sizeof(*looks));
	char(*names)[64] = calloc(NFILES, sizeof(*names));

	assert_non_null(looks);
	assert_non_null(names);
	/* The odd ones lie strewn among the others. */
	for (size_t i = 0, j = 0; i < n; i++) {
		if (i % 100 == 17 && i / 100 < nodd) {
			looks[i].path = odd[i / 100];
			continue;
		}
		name_of(j, names[j]);
		looks[i].path = names[j++];
	}
	mih_verify_look_run(top_fd, &links, looks, n);
	for (size_t i = 0; i < n; i++)
		assert_as_alone(&looks[i], &links);
	free(names);
	free(looks);
}

static void test_look_is_the_same_for_many(void **state)
{
	(void)state;
	look_both_ways(false);
	look_both_ways(true);
}

static void test_look_nowhere(void **state)
{
	struct mih_verify_look look = { .path = NULL };

	(void)state;
	mih_verify_look_run(top_fd, NULL, &look, 1);
	assert_int_equal(look.err, -ENOENT);
	mih_verify_look_run(top_fd, NULL, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_is_the_same_for_many),
		cmocka_unit_test(test_look_nowhere),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
