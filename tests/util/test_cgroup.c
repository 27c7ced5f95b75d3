/* Limits of memory, as made-up files of /proc and /sys tell them. */
#include "util/host/cgroup.h"

#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MIB ((uint64_t)1 << 20)

static char top[64];

static void write_text(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void make_folder(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(top, "/tmp/mihfs-cgroup.XXXXXX");
	assert_non_null(mkdtemp(top));
	make_folder("v2");
	make_folder("v2/pods");
	make_folder("v2/pods/pod1");
	make_folder("v1");
	make_folder("v1/pods");
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

/* @root: the group that is mounted; in MiB; 0: there is no limit. */
static uint64_t limit_of(const char *cgroup, const char *root)
{
	char a[128], b[128], text[512];
	struct mih_cgroup_files files = { a, b };
	uint64_t limit;

	write_text("cgroup", cgroup);
	snprintf(text, sizeof(text),
		 "20 1 0:20 / / rw - ext4 /dev/vda rw\n"
		 "21 20 0:21 %s %s/v2 ro shared:4 - cgroup2 cgroup rw\n"
		 "22 20 0:22 / %s/cpu ro - cgroup cgroup rw,cpu\n"
		 "23 20 0:23 %s %s/v1 ro - cgroup cgroup rw,memory\n",
		 root, top, top, root, top);
	write_text("mountinfo", text);
	snprintf(a, sizeof(a), "%s/cgroup", top);
	snprintf(b, sizeof(b), "%s/mountinfo", top);
	return mih_cgroup_memory_limit(&files, &limit) ? limit / MIB : 0;
}

static void test_no_limit_anywhere(void **state)
{
	(void)state;
	assert_int_equal(limit_of("0::/pods/pod1\n", "/"), 0);
	write_text("v2/pods/memory.max", "max\n");
	assert_int_equal(limit_of("0::/pods/pod1\n", "/"), 0);
	assert_int_equal(limit_of("nonsense\n\n0:\n", "/"), 0);
	write_text("v1/pods/memory.limit_in_bytes", "9223372036854771712\n");
	assert_int_equal(limit_of("4:memory:/pods\n", "/"), 0);
}

static void test_the_least_limit_counts(void **state)
{
	(void)state;
	write_text("v2/pods/memory.max", "104857600\n");
	assert_int_equal(limit_of("0::/pods/pod1\n", "/"), 100);
	write_text("v2/pods/pod1/memory.max", "52428800\n");
	assert_int_equal(limit_of("0::/pods/pod1\n", "/"), 50);
	assert_int_equal(limit_of("0::/pods\n", "/"), 100);
	assert_int_equal(limit_of("0::/\n", "/"), 0);
}

static void test_a_container_sees_its_own_group_as_the_top(void **state)
{
	(void)state;
	write_text("v2/memory.max", "209715200\n");
	/* A namespace of control groups. */
	assert_int_equal(limit_of("0::/\n", "/"), 200);
	/* None, but a mount of the container's group alone. */
	assert_int_equal(limit_of("0::/pods\n", "/pods"), 200);
	assert_int_equal(limit_of("0::/pods/pod1\n", "/pods"), 200);
	/* Another group than the one that is mounted. */
	assert_int_equal(limit_of("0::/podsy\n", "/pods"), 200);
	assert_int_equal(limit_of("0::/../..\n", "/"), 200);
}

static void test_version_1(void **state)
{
	(void)state;
	write_text("v1/pods/memory.limit_in_bytes", "31457280\n");
	assert_int_equal(limit_of("5:cpu:/\n4:blkio,memory:/pods\n", "/"), 30);
	assert_int_equal(limit_of("4:memory2,xmemory:/pods\n", "/"), 0);
}

static void test_both_versions_side_by_side(void **state)
{
	(void)state;
	write_text("v2/pods/memory.max", "41943040\n");
	write_text("v1/pods/memory.limit_in_bytes", "31457280\n");
	assert_int_equal(limit_of("4:memory:/pods\n0::/pods\n", "/"), 30);
	write_text("v1/pods/memory.limit_in_bytes", "62914560\n");
	assert_int_equal(limit_of("4:memory:/pods\n0::/pods\n", "/"), 40);
}

static void test_files_that_are_missing(void **state)
{
	const struct mih_cgroup_files none = { "/none/a", "/none/b" };
	uint64_t limit;

	(void)state;
	assert_false(mih_cgroup_memory_limit(&none, &limit));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_limit_anywhere),
		TEST(test_the_least_limit_counts),
		TEST(test_a_container_sees_its_own_group_as_the_top),
		TEST(test_version_1),
		TEST(test_both_versions_side_by_side),
		TEST(test_files_that_are_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
