#include "fs/pass/handover.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>

#define MAGIC	   "mihfs-fd-1"
#define RETRY_MS   50
#define ANSWER_MS  30000 /* a mount takes milliseconds */
#define FUSE_MAJOR 10	 /* Documentation/admin-guide/devices.txt */
#define FUSE_MINOR 229

struct message {
	char magic[16];
	int32_t refused;
	char text[PATH_MAX]; /* the mount point, or why not */
};

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static mih_err fill_address(const char *path, struct sockaddr_un *to)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(to->sun_path))
		return mih_err_fail(-ENAMETOOLONG,
				    "%s: a socket's name has at most %zu bytes",
				    path, sizeof(to->sun_path) - 1);
	strcpy(to->sun_path, path);
	return 0;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

/* A helper that was killed leaves its socket behind; one that lives answers. */
static mih_err clear_path(const char *path, const struct sockaddr_un *to)
{
	mih_autoclose int fd = new_socket();
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : mih_err_fail_errno(-errno, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return mih_err_fail(-EEXIST, "%s: not a socket", path);
	if (fd < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0 ||
	    errno != ECONNREFUSED)
		return mih_err_fail(-EADDRINUSE,
				    "%s: another helper listens here", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return mih_err_fail_errno(-errno, "%s", path);
	return 0;
}

/* Its mode is that of the descriptor, so that it need not be changed by name:
 * whoever may write in the folder could put a link in its place. */
static int bind_with_mode(int fd, const struct sockaddr_un *to, mode_t mode)
{
	mode_t mask;
	int bound;

	if (fchmod(fd, mode) < 0)
		return -1;
	mask = umask(0);
	bound = bind(fd, (const struct sockaddr *)to, sizeof(*to));
	umask(mask);
	return bound;
}

/* By a descriptor of the very file, if it is a socket of ours and of this name
 * alone. */
static mih_err give_to(const char *path, uid_t owner)
{
	mih_autoclose int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (owner == geteuid())
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		return mih_err_fail(
		    -EEXIST, "%s: somebody has put something else here", path);
	if (fchownat(fd, "", owner, (gid_t)-1, AT_EMPTY_PATH) < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	return 0;
}

/* Nobody can connect before listen(2): by then all is as it should be. */
mih_err mih_fs_handover_listen(const char *path, mode_t mode, uid_t owner,
			       int *fd_out)
{
	mih_autoclose int fd = new_socket();
	struct sockaddr_un to;
	mih_err err = fill_address(path, &to);

	if (!err)
		err = clear_path(path, &to);
	if (err)
		return err;
	if (fd < 0 || bind_with_mode(fd, &to, mode) < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	err = give_to(path, owner);
	if (err)
		return err;
	if (listen(fd, 8) < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	*fd_out = MIH_STEAL_FD(&fd);
	return 0;
}

mih_err mih_fs_handover_accept(int listener, pid_t *peer_out, uid_t *uid_out,
			       int *fd_out)
{
	mih_autoclose int fd =
	    accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	*peer_out = peer.pid;
	*uid_out = peer.uid;
	*fd_out = MIH_STEAL_FD(&fd);
	return 0;
}

static void fill_message(struct message *message, bool refused,
			 const char *text)
{
	memset(message, 0, sizeof(*message));
	strcpy(message->magic, MAGIC);
	message->refused = refused;
	snprintf(message->text, sizeof(message->text), "%s", text);
}

mih_err mih_fs_handover_give(int socket, int fuse, const char *mountpoint)
{
	struct message message;
	union control control = { .room = { 0 } };
	struct iovec part = { &message, sizeof(message) };
	struct msghdr header = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

	fill_message(&message, false, mountpoint);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &fuse, sizeof(int));
	return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0
		   ? -errno
		   : 0;
}

void mih_fs_handover_refuse(int socket, const char *why)
{
	struct message message;

	fill_message(&message, true, why);
	(void)!send(socket, &message, sizeof(message),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool is_not_there_yet(int err)
{
	return err == ENOENT || err == ECONNREFUSED;
}

/* The helper may be starting, too. */
static mih_err connect_within(const char *path, int wait_ms, int *fd_out)
{
	const struct timespec retry = { .tv_nsec = RETRY_MS * 1000000L };
	mih_autoclose int fd = new_socket();
	struct sockaddr_un to;
	mih_err err = fill_address(path, &to);

	if (err)
		return err;
	if (fd < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	while (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		if (!is_not_there_yet(errno) || wait_ms <= 0)
			return mih_err_fail_errno(
			    -errno, "%s: cannot reach the fd-helper", path);
		nanosleep(&retry, NULL);
		wait_ms -= RETRY_MS;
	}
	*fd_out = MIH_STEAL_FD(&fd);
	return 0;
}

/* One descriptor, or the message is none of ours. */
static int take_rights(struct msghdr *header)
{
	struct cmsghdr *rights = CMSG_FIRSTHDR(header);
	int fd = -1;

	if (rights && rights->cmsg_level == SOL_SOCKET &&
	    rights->cmsg_type == SCM_RIGHTS &&
	    rights->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(rights), sizeof(int));
	return fd;
}

static bool is_fuse(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(FUSE_MAJOR, FUSE_MINOR);
}

static mih_err receive(const char *path, struct mih_fs_handover *got,
		       struct message *message)
{
	union control control;
	struct iovec part = { message, sizeof(*message) };
	struct msghdr header = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control) };
	struct pollfd wait = { .fd = got->socket, .events = POLLIN };
	ssize_t n;

	if (poll(&wait, 1, ANSWER_MS) == 0)
		return mih_err_fail_errno(-ETIMEDOUT, "%s", path);
	n = recvmsg(got->socket, &header, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	got->fuse = take_rights(&header);
	if (n != sizeof(*message) ||
	    strncmp(message->magic, MAGIC, sizeof(message->magic)) != 0)
		return mih_err_fail(MIH_EFORMAT,
				    "%s: no fd-helper of this version answers",
				    path);
	return 0;
}

mih_err mih_fs_handover_take(const char *path, int wait_ms,
			     struct mih_fs_handover *got)
{
	struct message message = { .magic = "" };
	mih_err err;

	got->fuse = -1;
	got->socket = -1;
	err = connect_within(path, wait_ms, &got->socket);
	if (!err)
		err = receive(path, got, &message);
	message.magic[sizeof(message.magic) - 1] = '\0';
	message.text[sizeof(message.text) - 1] = '\0';
	if (!err && message.refused)
		err = mih_err_fail(-EACCES, "%s: the fd-helper refuses: %s",
				   path, message.text);
	if (!err && !is_fuse(got->fuse))
		err = mih_err_fail(MIH_EFORMAT,
				   "%s: the descriptor is not /dev/fuse", path);
	if (err)
		mih_fs_handover_end(got);
	else
		strcpy(got->mountpoint, message.text);
	return err;
}

void mih_fs_handover_serving(const struct mih_fs_handover *got)
{
	(void)!send(got->socket, "S", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void mih_fs_handover_end(struct mih_fs_handover *got)
{
	if (got->fuse >= 0)
		close(got->fuse);
	if (got->socket >= 0)
		close(got->socket);
	got->fuse = -1;
	got->socket = -1;
}
