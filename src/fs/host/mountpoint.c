#include "fs/host/mountpoint.h"
#include "fs/fs_internal.h"
#include "fs/host/detach.h"
#include "fs/host/mountinfo.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

extern char **environ;

/* The last name may be a dead mount, of which nothing can be asked; what leads
 * to it cannot. */
static mih_err resolve_parent(const char *path, char **whole_out)
{
	mih_autofree char *copy = strdup(path), *parent = NULL;
	char *slash;

	if (!copy)
		return -ENOMEM;
	slash = strrchr(copy, '/');
	if (!slash || slash == copy || !slash[1])
		return mih_err_fail_errno(-ENOTCONN, "%s", path);
	*slash = '\0';
	parent = realpath(copy, NULL);
	if (!parent)
		return mih_err_fail_errno(-errno, "%s", copy);
	if (asprintf(whole_out, "%s/%s", parent, slash + 1) < 0)
		return -ENOMEM;
	return 0;
}

mih_err mih_fs_mountpoint_name(const char *path, char **whole_out)
{
	*whole_out = realpath(path, NULL);
	if (*whole_out)
		return 0;
	return mih_fs_is_dead(errno) ? resolve_parent(path, whole_out)
				     : mih_err_fail_errno(-errno, "%s", path);
}

static mih_err run_fusermount(const char *mountpoint)
{
	const char *argv[] = { "fusermount3", "-u",	  "-z", "-q",
			       "--",	      mountpoint, NULL };
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ) ||
	    waitpid(pid, &status, 0) < 0 || status != 0)
		return -EPERM;
	return 0;
}

static mih_err detach(const char *mountpoint, dev_t dev)
{
	mih_err err = mih_fs_host_detach(mountpoint, dev, MNT_DETACH);

	return err == -EPERM ? run_fusermount(mountpoint) : err;
}

mih_err mih_fs_mountpoint_detach(const char *path)
{
	mih_autofree char *whole = NULL;
	struct mih_fs_mounted mounted;
	mih_err err = mih_fs_mountpoint_name(path, &whole);

	if (err)
		return err;
	if (!mih_fs_mountinfo_find(whole, &mounted) ||
	    strcmp(mounted.type, MIH_FS_TYPE) != 0)
		return mih_err_fail(-ENOENT, "%s: no mihfs is mounted here",
				    path);
	err = detach(whole, mounted.dev);
	return err ? mih_err_fail_errno(err, "%s: cannot unmount", path) : 0;
}

mih_err mih_fs_mountpoint_clear(const char *path)
{
	struct statvfs st;

	/* Of stat() the kernel remembers the answer. */
	if (statvfs(path, &st) == 0 || !mih_fs_is_dead(errno))
		return 0;
	mih_log_warning("%s: a dead mount is in the way and unmounted", path);
	return mih_fs_mountpoint_detach(path);
}
