#define FUSE_USE_VERSION 314
#include "fs/host/probe.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define ANSWER_MS 2000
#define LIMIT_MS  3000

/* Bits of INIT that headers of older kernels lack. */
#define INIT_EXT    ((uint64_t)1 << 30)
#define MMAP_DIRECT ((uint64_t)1 << 36)
#define PASSTHROUGH ((uint64_t)1 << 37)
#define IO_URING    ((uint64_t)1 << 41)

/* What a child tells its parent. */
struct word {
	int err;
	char step[32];
	struct mih_fs_offer offer;
};

static bool write_text(const char *file, const char *text)
{
	mih_autoclose int fd = open(file, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) >= 0;
}

/* Root of a user namespace of our own, which may mount. */
static bool become_root(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char text[32];

	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	snprintf(text, sizeof(text), "0 %u 1", uid);
	if (!write_text("/proc/self/uid_map", text))
		return false;
	(void)write_text("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", text);
}

struct request {
	struct fuse_in_header header;
	struct fuse_init_in init;
	char more[FUSE_MIN_READ_BUFFER]; /* the least that may be asked for */
};

static int listen_to(int fd, struct mih_fs_offer *offer)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct request request = { .header = { .len = 0 } };
	uint64_t flags;

	if (poll(&ready, 1, ANSWER_MS) != 1)
		return ETIMEDOUT;
	if (read(fd, &request, sizeof(request)) < 0)
		return errno;
	flags = request.init.flags;
	if (flags & INIT_EXT)
		flags |= (uint64_t)request.init.flags2 << 32;
	*offer = (struct mih_fs_offer){
		.major = request.init.major,
		.minor = request.init.minor,
		.max_readahead = request.init.max_readahead,
		.max_pages = flags & FUSE_MAX_PAGES,
		.mmap_direct = flags & MMAP_DIRECT,
		.passthrough = flags & PASSTHROUGH,
		.io_uring = flags & IO_URING,
	};
	return 0;
}

/* Returns the step that failed, or NULL; errno says why. */
static const char *mount_and_listen(struct mih_fs_offer *offer)
{
	char options[96];
	int fd;

	if (geteuid() != 0 && !become_root())
		return "a user namespace";
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "a mount namespace";
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return "/dev/fuse";
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("mihfs", "/", "fuse", MS_NOSUID | MS_NODEV | MS_RDONLY,
		  options) < 0)
		return "a mount";
	errno = listen_to(fd, offer);
	return errno ? "the kernel's first request" : NULL;
}

static _Noreturn void probe_child(int fd)
{
	struct word word = { .err = 0 };
	const char *step = mount_and_listen(&word.offer);

	if (step) {
		word.err = errno;
		snprintf(word.step, sizeof(word.step), "%s", step);
	}
	(void)!write(fd, &word, sizeof(word));
	_exit(0);
}

/* Run @child; its word must come in time. Return: was there one? */
static bool ask_child(void (*child)(int fd), void *word, size_t len,
		      int limit_ms)
{
	struct pollfd ready = { .events = POLLIN };
	int ends[2];
	bool heard;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid == 0)
		child(ends[1]);
	close(ends[1]);
	ready.fd = ends[0];
	heard = pid > 0 && poll(&ready, 1, limit_ms) == 1 &&
		read(ends[0], word, len) == (ssize_t)len;
	close(ends[0]);
	/* One that hangs in a mount cannot be waited for. */
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, heard ? 0 : WNOHANG);
	}
	return heard;
}

mih_err mih_fs_probe(struct mih_fs_offer *offer_out)
{
	struct word word;

	if (!ask_child(probe_child, &word, sizeof(word), LIMIT_MS))
		return mih_err_fail(-ETIMEDOUT, "no answer");
	if (word.err)
		return mih_err_fail_errno(-word.err, "%s", word.step);
	*offer_out = word.offer;
	return 0;
}

static _Noreturn void namespace_child(int fd)
{
	mih_err err = unshare(CLONE_NEWUSER) < 0 ? -errno : 0;

	(void)!write(fd, &err, sizeof(err));
	_exit(0);
}

mih_err mih_fs_probe_namespace(void)
{
	mih_err err;

	return ask_child(namespace_child, &err, sizeof(err), LIMIT_MS)
		   ? err
		   : -ETIMEDOUT;
}

/* Of the child below. */
static const char *mount_path;

static _Noreturn void mount_child(int fd)
{
	struct statvfs st;
	int err = statvfs(mount_path, &st) < 0 ? errno : 0;

	(void)!write(fd, &err, sizeof(err));
	_exit(0);
}

enum mih_fs_life mih_fs_probe_mount(const char *path)
{
	int err;

	mount_path = path;
	if (!ask_child(mount_child, &err, sizeof(err), ANSWER_MS))
		return MIH_FS_SILENT;
	return err == ENOTCONN || err == ECONNABORTED ? MIH_FS_DEAD
						      : MIH_FS_ALIVE;
}

const char *mih_fs_library(void)
{
	return fuse_pkgversion();
}
