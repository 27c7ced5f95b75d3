/* The helper's socket lies in a folder where the server may write: whatever is
 * put in its place the moment it is there, nothing else changes mode or owner.
 */
#include "fs/pass/handover.h"
#include "lib/test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NOBODY 65534

static char dir[] = "/tmp/mihfs-handover-XXXXXX";
static char path[64], victim[64];
static bool swaps;

int __real_bind(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *to, socklen_t len);

int __wrap_bind(int fd, const struct sockaddr *to, socklen_t len)
{
	int rc = __real_bind(fd, to, len);

	if (rc == 0 && swaps) {
		assert_int_equal(unlink(path), 0);
		assert_int_equal(symlink(victim, path), 0);
	}
	return rc;
}

static int setup(void **state)
{
	FILE *f;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	f = fopen(victim, "w");
	return f && fclose(f) == 0 && chmod(victim, 0644) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	unlink(victim);
	return rmdir(dir);
}

static void check_victim(void)
{
	struct stat st;

	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_uid, geteuid());
}

static void test_mode_is_as_asked(void **state)
{
	static const mode_t modes[] = { 0600, 0660, 0666 };

	(void)state;
	swaps = false;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		mode_t mask = umask(077);
		struct stat st;
		int fd = -1;

		assert_int_equal(
		    mih_fs_handover_listen(path, modes[i], geteuid(), &fd), 0);
		assert_int_equal(umask(mask), 077);
		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode, S_IFSOCK | modes[i]);
		close(fd);
		assert_int_equal(unlink(path), 0);
	}
}

static void test_mode_of_nothing_else(void **state)
{
	int fd = -1;

	(void)state;
	swaps = true;
	assert_int_equal(mih_fs_handover_listen(path, 0666, geteuid(), &fd), 0);
	check_victim();
	close(fd);
	unlink(path);
}

static void test_owner_is_as_asked(void **state)
{
	struct stat st;
	int fd = -1;

	(void)state;
	swaps = false;
	assert_int_equal(mih_fs_handover_listen(path, 0600, NOBODY, &fd), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	close(fd);
	unlink(path);
}

static void test_owner_of_nothing_else(void **state)
{
	int fd = -1;

	(void)state;
	swaps = true;
	assert_int_not_equal(mih_fs_handover_listen(path, 0600, NOBODY, &fd),
			     0);
	assert_int_equal(fd, -1);
	check_victim();
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mode_is_as_asked),
		cmocka_unit_test(test_mode_of_nothing_else),
	};
	const struct CMUnitTest of_root[] = {
		cmocka_unit_test(test_mode_is_as_asked),
		cmocka_unit_test(test_mode_of_nothing_else),
		cmocka_unit_test(test_owner_is_as_asked),
		cmocka_unit_test(test_owner_of_nothing_else),
	};

	return geteuid() ? cmocka_run_group_tests(tests, setup, teardown)
			 : cmocka_run_group_tests(of_root, setup, teardown);
}
