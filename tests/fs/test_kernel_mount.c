/*
 * The mount point of a helper lies in a folder where others may rename: what is
 * unmounted is the helper's own mount, whatever its name leads to by then.
 */
#include "fs/host/mountinfo.h"
#include "fs/pass/kernel_mount.h"
#include "lib/test.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/mihfs-kernel-mount-XXXXXX";
static char mine[64], moved[64], others[64], ours[80], theirs[80], away[80];
static bool links, swaps;

int __real_umount2(const char *target, int flags);
int __wrap_umount2(const char *target, int flags);

/* The last moment before it: the folder is renamed, and another one, or a link
 * to it, takes its name. */
int __wrap_umount2(const char *target, int flags)
{
	if (links || swaps)
		assert_int_equal(rename(mine, moved), 0);
	if (links)
		assert_int_equal(symlink(others, mine), 0);
	if (swaps)
		assert_int_equal(rename(others, mine), 0);
	return __real_umount2(target, flags);
}

/* Names as at the beginning. */
static void restore(void)
{
	if (links)
		assert_int_equal(unlink(mine), 0);
	if (swaps)
		assert_int_equal(rename(mine, others), 0);
	if (links || swaps)
		assert_int_equal(rename(moved, mine), 0);
	links = swaps = false;
}

static bool is_mounted(const char *path)
{
	struct mih_fs_mounted mounted;

	return mih_fs_mountinfo_find(path, &mounted);
}

static const struct mih_fs_kernel_place place = { ours, "fd-helper:test" };

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(mine, sizeof(mine), "%s/mine", dir);
	snprintf(moved, sizeof(moved), "%s/moved", dir);
	snprintf(others, sizeof(others), "%s/others", dir);
	snprintf(ours, sizeof(ours), "%s/m", mine);
	snprintf(away, sizeof(away), "%s/m", moved);
	snprintf(theirs, sizeof(theirs), "%s/m", others);
	return mkdir(mine, 0755) || mkdir(others, 0755) || mkdir(ours, 0755) ||
	       mkdir(theirs, 0755) || mount("theirs", theirs, "tmpfs", 0, NULL);
}

static int teardown(void **state)
{
	(void)state;
	__real_umount2(theirs, MNT_DETACH);
	return rmdir(theirs) || rmdir(ours) || rmdir(others) || rmdir(mine) ||
	       rmdir(dir);
}

static void unmount(bool *how)
{
	int fd = -1;

	assert_int_equal(mih_fs_kernel_mount(&place, &fd), 0);
	assert_true(is_mounted(ours));
	*how = true;
	(void)!mih_fs_kernel_unmount(&place);
	restore();
	assert_true(is_mounted(theirs));
	assert_false(is_mounted(ours));
	close(fd);
}

static void test_unmounts_its_own(void **state)
{
	bool neither;

	(void)state;
	unmount(&neither);
}

static void test_unmounts_nothing_behind_a_link(void **state)
{
	(void)state;
	unmount(&links);
}

static void test_unmounts_nothing_in_its_place(void **state)
{
	(void)state;
	unmount(&swaps);
}

static void replace(bool *how)
{
	int before = -1, fd = -1;

	assert_int_equal(mih_fs_kernel_mount(&place, &before), 0);
	*how = true;
	(void)!mih_fs_kernel_mount(&place, &fd);
	restore();
	assert_true(is_mounted(theirs));
	assert_int_equal(mih_fs_kernel_unmount(&place), 0);
	assert_false(is_mounted(ours));
	close(before);
	if (fd >= 0)
		close(fd);
}

static void test_replaces_nothing_else(void **state)
{
	bool neither;

	(void)state;
	replace(&neither);
	replace(&links);
	replace(&swaps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unmounts_its_own),
		cmocka_unit_test(test_unmounts_nothing_behind_a_link),
		cmocka_unit_test(test_unmounts_nothing_in_its_place),
		cmocka_unit_test(test_replaces_nothing_else),
	};

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    access("/dev/fuse", R_OK | W_OK) < 0) {
		printf("1..0 # SKIP needs root and /dev/fuse\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
