/*
 * Into the sandbox, and out of the mount from within it.
 */
#include "fs/fs_internal.h"
#include "fs/host/mountinfo.h"
#include "util/log.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

mih_err mih_fs_confine(struct mih_fs *fs)
{
	const struct mih_fs_params *params = fs->params;
	struct mih_fs_mounted mounted = { .dev = 0 };
	mih_err err = 0;

	if (!mih_fs_is_passed(fs))
		mih_fs_mountinfo_find(fs->mountpoint, &mounted);
	fs->mounted = mounted.dev;
	if (!params->confine)
		return 0;
	if (!mih_fs_is_passed(fs))
		err = mih_fs_unmounter_start(&fs->unmounter, fs->mountpoint,
					     mounted.dev);
	return err ? err
		   : params->confine(params->context, params->model,
				     mounted.dev);
}

void mih_fs_detach(const struct mih_fs *fs)
{
	if (mih_fs_is_passed(fs))
		return;
	if (!fs->unmounter.pid)
		(void)!mih_fs_unmount_now(fs->mountpoint, fs->mounted);
	else if (mih_fs_unmounter_ask(&fs->unmounter, fs->mountpoint))
		mih_log_error("%s", mih_err_message());
}

/* As libfuse sees it: is the mount gone, or was the connection broken? */
static bool is_unmounted(const struct mih_fs *fs)
{
	struct pollfd fuse = { .fd = fuse_session_fd(fs->session) };

	return poll(&fuse, 1, 0) == 1 && fuse.revents & POLLERR;
}

/* libfuse would unmount by name. It leaves a mount alone whose descriptor says
 * that it is gone, and the end of a pipe that nobody reads says so. Closes the
 * connection. */
static void hide_connection(const struct mih_fs *fs)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	close(ends[0]);
	dup3(ends[1], fuse_session_fd(fs->session), O_CLOEXEC);
	close(ends[1]);
}

void mih_fs_unmount(struct mih_fs *fs)
{
	if (!fs->session)
		return;
	if ((fs->mounted || fs->unmounter.pid) && !is_unmounted(fs)) {
		mih_fs_detach(fs);
		hide_connection(fs);
	}
	fuse_session_unmount(fs->session);
	mih_fs_unmounter_end(&fs->unmounter);
}
