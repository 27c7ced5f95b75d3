#include "fs/pass/kernel_mount.h"
#include "fs/fs_internal.h"
#include "fs/host/detach.h"
#include "fs/host/mountinfo.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 6.5; younger than the headers of Debian 12. */
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200
#endif

#define ATTRIBUTES (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

enum seen { SEEN_NONE, SEEN_OURS, SEEN_OTHERS };

static enum seen look(const struct mih_fs_kernel_place *place,
		      struct mih_fs_mounted *mounted)
{
	if (!mih_fs_mountinfo_find(place->mountpoint, mounted) ||
	    strcmp(mounted->type, MIH_FS_TYPE) != 0)
		return SEEN_NONE;
	return strcmp(mounted->source, place->source) ? SEEN_OTHERS : SEEN_OURS;
}

mih_err mih_fs_kernel_check(const struct mih_fs_kernel_place *place)
{
	struct mih_fs_mounted mounted;

	if (look(place, &mounted) != SEEN_OTHERS)
		return 0;
	return mih_err_fail(-EBUSY,
			    "%s: mihfs already serves %s here; end that mount "
			    "first: umount -l %s",
			    place->mountpoint, mounted.source,
			    place->mountpoint);
}

/* What the kernel is told about the mount: words with a value, then flags. */
static mih_err configure(int fs, const char *source, int fuse)
{
	char fd[16], max_read[16];
	const char *const words[][2] = {
		{ "source", source },
		{ "subtype", "mihfs" },
		{ "fd", fd },
		{ "rootmode", "40000" },
		{ "user_id", "0" },
		{ "group_id", "0" },
		{ "max_read", max_read },
	};
	static const char *const flags[] = { "ro", "allow_other",
					     "default_permissions" };
	int failed = 0;

	snprintf(fd, sizeof(fd), "%d", fuse);
	snprintf(max_read, sizeof(max_read), "%d", MIH_FS_READ_MAX);
	for (size_t i = 0; !failed && i < MIH_ARRAY_LEN(words); i++)
		failed = fsconfig(fs, FSCONFIG_SET_STRING, words[i][0],
				  words[i][1], 0);
	for (size_t i = 0; !failed && i < MIH_ARRAY_LEN(flags); i++)
		failed = fsconfig(fs, FSCONFIG_SET_FLAG, flags[i], NULL, 0);
	if (!failed)
		failed = fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	return failed ? -errno : 0;
}

/* A mount that is nowhere yet. */
static mih_err prepare(const char *source, int fuse, int *mount_out)
{
	mih_autoclose int fs = fsopen("fuse", FSOPEN_CLOEXEC);
	mih_err err;

	if (fs < 0)
		return -errno;
	err = configure(fs, source, fuse);
	if (err)
		return err;
	*mount_out = fsmount(fs, FSMOUNT_CLOEXEC, ATTRIBUTES);
	return *mount_out < 0 ? -errno : 0;
}

/* The mount point had no link in its name when it was told: one that is there
 * now would lead elsewhere. */
static int open_place(const char *mountpoint)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, AT_FDCWD, mountpoint, &how,
			    sizeof(how));
}

mih_err mih_fs_kernel_name(const char *path, char **whole_out)
{
	mih_autoclose int place = open_place(path);
	char name[PATH_MAX], link[32];
	ssize_t n;

	if (place < 0 && errno == ELOOP)
		return mih_err_fail(-ELOOP,
				    "%s: a symbolic link is on the way there; "
				    "name the folder itself",
				    path);
	if (place < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
	n = readlink(link, name, sizeof(name));
	if (n < 0 || (size_t)n == sizeof(name))
		return mih_err_fail_errno(n < 0 ? -errno : -ENAMETOOLONG, "%s",
					  path);
	*whole_out = strndup(name, (size_t)n);
	return *whole_out ? 0 : -ENOMEM;
}

static mih_err attach(int mount, const char *mountpoint, unsigned flags)
{
	mih_autoclose int place = open_place(mountpoint);

	return place < 0 || move_mount(mount, "", place, "",
				       MOVE_MOUNT_F_EMPTY_PATH |
					   MOVE_MOUNT_T_EMPTY_PATH | flags) < 0
		   ? -errno
		   : 0;
}

static mih_err detach(const char *mountpoint, dev_t dev)
{
	return mih_fs_host_detach(mountpoint, dev, MNT_DETACH);
}

/* Beneath the old one first; older kernels know no such thing. */
static mih_err replace(int mount, const char *mountpoint, dev_t old)
{
	mih_err err;

	if (attach(mount, mountpoint, MOVE_MOUNT_BENEATH) == 0)
		return detach(mountpoint, old);
	err = detach(mountpoint, old);
	return err ? err : attach(mount, mountpoint, 0);
}

static mih_err mount_at(const struct mih_fs_kernel_place *place, int fuse)
{
	mih_autoclose int mount = -1;
	struct mih_fs_mounted mounted;
	mih_err err = prepare(place->source, fuse, &mount);

	if (!err)
		err = look(place, &mounted) == SEEN_OURS
			  ? replace(mount, place->mountpoint, mounted.dev)
			  : attach(mount, place->mountpoint, 0);
	if (err)
		return mih_err_fail_errno(err, "%s: cannot mount",
					  place->mountpoint);
	return 0;
}

mih_err mih_fs_kernel_mount(const struct mih_fs_kernel_place *place,
			    int *fd_out)
{
	mih_autoclose int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	mih_err err;

	if (fuse < 0)
		return mih_err_fail_errno(-errno, "/dev/fuse");
	err = mih_fs_kernel_check(place);
	if (!err)
		err = mount_at(place, fuse);
	if (err)
		return err;
	*fd_out = MIH_STEAL_FD(&fuse);
	return 0;
}

mih_err mih_fs_kernel_unmount(const struct mih_fs_kernel_place *place)
{
	struct mih_fs_mounted mounted;
	mih_err err;

	if (look(place, &mounted) != SEEN_OURS)
		return 0;
	err = detach(place->mountpoint, mounted.dev);
	/* Somebody else may have been faster. */
	if (err && err != -EINVAL && err != -ENOENT)
		return mih_err_fail_errno(err, "%s: cannot unmount",
					  place->mountpoint);
	return 0;
}

void mih_fs_kernel_read_ahead(const struct mih_fs_kernel_place *place)
{
	struct mih_fs_mounted mounted;

	if (look(place, &mounted) == SEEN_OURS)
		mih_fs_read_ahead(mounted.dev);
}
