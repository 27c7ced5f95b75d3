#include "cli/status/fetch.h"
#include "fs/control/place.h"
#include "fs/host/mountinfo.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define FILE_NAME MIH_FS_CONTROL_NAME "/status.json"
#define TEXT_MAX  ((size_t)8 << 20) /* no status is nearly as long */
#define GRACE_MS  20		    /* for the end of a child that was killed */

/* What the child says first; then the story or the status follows. */
struct verdict {
	mih_err err;
};

static mih_err fail_dead(const char *mountpoint)
{
	return mih_err_fail(-ENOTCONN,
			    "%s: a dead file system is mounted here; clear it "
			    "with: umount -l %s",
			    mountpoint, mountpoint);
}

static mih_err check_mount(const char *mountpoint)
{
	mih_autofree char *whole = realpath(mountpoint, NULL);
	struct mih_fs_mounted mounted;

	if (!whole)
		return errno == ENOTCONN
			   ? fail_dead(mountpoint)
			   : mih_err_fail_errno(-errno, "%s", mountpoint);
	if (!mih_fs_mountinfo_find(whole, &mounted) ||
	    strcmp(mounted.type, MIH_FS_TYPE) != 0)
		return mih_err_fail(-ENOTCONN, "%s: no mihfs is mounted here",
				    mountpoint);
	return 0;
}

/* A signed folder of that name is served instead; its inode number tells. */
static mih_err check_place(const char *mountpoint, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return mih_err_fail_errno(-errno, "%s", mountpoint);
	if (!mih_fs_control_is(st.st_ino))
		return mih_err_fail(
		    -ENOTSUP,
		    "%s: the model has a signed " MIH_FS_CONTROL_NAME
		    " of its own, so this "
		    "mount has no status to look at",
		    mountpoint);
	return 0;
}

static mih_err open_status(const char *mountpoint, int *fd_out)
{
	mih_autofree char *path = NULL;
	mih_autoclose int fd = -1;
	mih_err err = check_mount(mountpoint);

	if (err)
		return err;
	if (asprintf(&path, "%s/" FILE_NAME, mountpoint) < 0) {
		path = NULL;
		return mih_err_fail_errno(-ENOMEM, "%s", mountpoint);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOTCONN)
		return fail_dead(mountpoint);
	if (fd < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	err = check_place(mountpoint, fd);
	if (!err)
		*fd_out = MIH_STEAL_FD(&fd);
	return err;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

static mih_err copy(int from, int to, const char *mountpoint)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(from, piece, sizeof(piece))) != 0) {
		if (n < 0)
			return mih_err_fail_errno(-errno, "%s", mountpoint);
		if (!write_all(to, piece, (size_t)n))
			break;
	}
	return 0;
}

/* The child. What the parent was given by others, such as the pipe on which
 * somebody waits for its end, must not be held open by a child that hangs. */
static _Noreturn void look(const char *mountpoint, int pipe)
{
	const struct verdict good = { .err = 0 };
	struct verdict bad;
	int fd = -1, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i <= STDERR_FILENO && null >= 0; i++)
		dup2(null, i);
	bad.err = open_status(mountpoint, &fd);
	if (bad.err == 0 && write_all(pipe, (const void *)&good, sizeof(good)))
		bad.err = copy(fd, pipe, mountpoint);
	else if (write_all(pipe, (const void *)&bad, sizeof(bad)))
		write_all(pipe, mih_err_message(), strlen(mih_err_message()));
	_exit(bad.err != 0);
}

static int left_ms(const struct timespec *end)
{
	struct timespec now;
	long long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (end->tv_sec - now.tv_sec) * 1000LL +
	     (end->tv_nsec - now.tv_nsec) / 1000000;
	return ms < 0 ? 0 : (int)MIH_MIN(ms, 1LL << 30);
}

/* All that comes through the pipe until its end. */
static mih_err collect(int pipe, const struct timespec *end,
		       struct mih_buffer *text)
{
	struct pollfd ready = { .fd = pipe, .events = POLLIN };
	char piece[65536];

	while (text->len <= TEXT_MAX) {
		int n = poll(&ready, 1, left_ms(end));
		ssize_t got;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -ETIMEDOUT;
		got = read(pipe, piece, sizeof(piece));
		if (got < 0)
			return -errno;
		if (got == 0)
			return mih_buffer_end(text);
		mih_buffer_add(text, piece, (size_t)got);
	}
	return -EFBIG;
}

/* Split what was collected into verdict and text. */
static mih_err judge(const char *mountpoint, struct mih_buffer *all,
		     struct mih_buffer *text)
{
	struct verdict verdict;

	if (all->len < sizeof(verdict))
		return mih_err_fail(-EIO, "%s: no answer", mountpoint);
	memcpy(&verdict, all->data, sizeof(verdict));
	if (verdict.err)
		return mih_err_fail(verdict.err, "%s",
				    all->data + sizeof(verdict));
	mih_buffer_add(text, all->data + sizeof(verdict),
		       all->len - sizeof(verdict));
	return mih_buffer_end(text);
}

/* A child that hangs in the file system cannot be waited for. */
static void dismiss(pid_t pid)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	kill(pid, SIGKILL);
	for (int i = 0; i < GRACE_MS && waitpid(pid, NULL, WNOHANG) == 0; i++)
		nanosleep(&ms, NULL);
}

static void add_ms(struct timespec *when, unsigned ms)
{
	clock_gettime(CLOCK_MONOTONIC, when);
	when->tv_sec += ms / 1000;
	when->tv_nsec += ms % 1000 * 1000000L;
	if (when->tv_nsec >= 1000000000) {
		when->tv_nsec -= 1000000000;
		when->tv_sec++;
	}
}

mih_err mih_cli_status_fetch(const char *mountpoint, unsigned timeout_ms,
			     struct mih_buffer *text)
{
	struct mih_buffer all = { 0 };
	struct timespec end;
	int ends[2];
	pid_t pid;
	mih_err err;

	add_ms(&end, timeout_ms);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return mih_err_fail_errno(-errno, "mihfs: cannot make a pipe");
	pid = fork();
	if (pid == 0)
		look(mountpoint, ends[1]);
	close(ends[1]);
	err = pid < 0 ? -EAGAIN : collect(ends[0], &end, &all);
	close(ends[0]);
	if (pid > 0)
		dismiss(pid);
	if (err == -ETIMEDOUT)
		err = mih_err_fail(err,
				   "%s: no answer within %u.%u s: the mount "
				   "hangs",
				   mountpoint, timeout_ms / 1000,
				   timeout_ms % 1000 / 100);
	else if (err)
		err = mih_err_fail_errno(err, "%s: cannot ask", mountpoint);
	else
		err = judge(mountpoint, &all, text);
	mih_buffer_fini(&all);
	return err;
}
