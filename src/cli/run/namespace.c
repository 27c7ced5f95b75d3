#include "cli/run/namespace.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define ELSE "; else mount it outside: mihfs mount, or mihfs fd-helper in a pod"

static mih_err check_fuse(void)
{
	mih_autoclose int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENODEV)
		return mih_err_fail(-errno,
				    "/dev/fuse: not here; load the module "
				    "(modprobe fuse) or give the container "
				    "this device" ELSE);
	return mih_err_fail(-errno,
			    "/dev/fuse: %s; it must be readable and writable "
			    "for this user" ELSE,
			    strerror(errno));
}

static bool is_zero(const char *file)
{
	mih_autoclose int fd = open(file, O_RDONLY | O_CLOEXEC);
	char digit[2];

	return fd >= 0 && read(fd, digit, 2) == 2 && digit[0] == '0';
}

/* Which of the known locks is it? */
static mih_err fail_forbidden(mih_err err)
{
	const char *why = "a seccomp filter or a security module";

	if (err == -ENOSPC || is_zero("/proc/sys/user/max_user_namespaces"))
		why = "user.max_user_namespaces";
	else if (is_zero("/proc/sys/user/max_mnt_namespaces"))
		why = "user.max_mnt_namespaces";
	else if (is_zero("/proc/sys/kernel/unprivileged_userns_clone"))
		why = "kernel.unprivileged_userns_clone";
	return mih_err_fail(err,
			    "mihfs run: a user and mount namespace is "
			    "forbidden here (%s), by %s; allow it" ELSE,
			    strerror(-err), why);
}

static mih_err write_file(const char *file, const char *text)
{
	mih_autoclose int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* The same numbers inside as outside, and no others: more needs privileges. */
static mih_err map_ids(uid_t uid, gid_t gid)
{
	char map[64];
	mih_err err = write_file("/proc/self/setgroups", "deny");

	if (err && err != -ENOENT)
		return err;
	snprintf(map, sizeof(map), "%u %u 1\n", (unsigned)uid, (unsigned)uid);
	err = write_file("/proc/self/uid_map", map);
	if (err)
		return err;
	snprintf(map, sizeof(map), "%u %u 1\n", (unsigned)gid, (unsigned)gid);
	return write_file("/proc/self/gid_map", map);
}

static mih_err unshare_all(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNS) == 0)
		return 0;
	if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	return map_ids(uid, gid);
}

mih_err mih_cli_namespace_enter(void)
{
	mih_err err = check_fuse();

	if (err)
		return err;
	err = unshare_all();
	if (!err && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err = -errno;
	return err ? fail_forbidden(err) : 0;
}
