#include "fs/host/detach.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Without asking the server, which may be gone, or be in no hurry. Of nothing
 * but the device everybody is told. */
static bool is_of(int fd, dev_t dev)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &st) == 0 &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == dev;
}

mih_err mih_fs_host_detach(const char *mountpoint, dev_t dev, int flags)
{
	mih_autoclose int fd =
	    open(mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[32];

	if (!dev) /* the system has no table of mounts */
		return umount2(mountpoint, flags | UMOUNT_NOFOLLOW) < 0 ? -errno
									: 0;
	if (fd < 0)
		return -errno;
	if (!is_of(fd, dev))
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return umount2(path, flags) < 0 ? -errno : 0;
}
