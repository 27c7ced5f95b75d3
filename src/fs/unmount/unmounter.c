#include "fs/unmount/unmounter.h"
#include "fs/host/detach.h"
#include "sandbox/sandbox.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define WAIT_MS 5000

#define BIT(capability) ((uint64_t)1 << (capability))

extern char **environ;

mih_err mih_fs_unmount_now(const char *mountpoint, dev_t dev)
{
	const char *argv[] = { "fusermount3", "-u",	  "-z", "-q",
			       "--",	      mountpoint, NULL };
	int status;
	pid_t pid;
	mih_err err =
	    mih_fs_host_detach(mountpoint, dev, MNT_FORCE | MNT_DETACH);

	if (err != -EPERM)
		return err;
	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ) !=
		0 ||
	    waitpid(pid, &status, 0) < 0 || status != 0)
		return -EPERM;
	return 0;
}

/* Nothing of the server's stays open here: whoever waits for its end must not
 * wait for ours. */
static void keep_only(int socket)
{
	int null;

	if (socket > 0)
		close_range(0, (unsigned)socket - 1, 0);
	close_range((unsigned)socket + 1, UINT_MAX, 0);
	null = open("/dev/null", O_RDWR);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
}

/* Who unmounts by fusermount3 must be able to run a program that gains
 * privileges. Root need not; that it is less confined is no reason to fail. */
static void confine(void)
{
	const struct mih_sandbox_params params = {
		.no_paths = true,
		.capabilities = BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_READ_SEARCH),
		.filter = MIH_SANDBOX_UNMOUNT,
	};

	if (geteuid() == 0)
		(void)!mih_sandbox_enter(&params);
}

static _Noreturn void child(int socket, const char *mountpoint, dev_t dev)
{
	sigset_t all;
	char word;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "mihfs-unmount");
	keep_only(socket);
	if (chdir("/") == 0)
		confine();
	if (read(socket, &word, sizeof(word)) == sizeof(word)) {
		mih_err err = mih_fs_unmount_now(mountpoint, dev);

		(void)!write(socket, &err, sizeof(err));
	}
	_exit(0);
}

mih_err mih_fs_unmounter_start(struct mih_fs_unmounter *u,
			       const char *mountpoint, dev_t dev)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return mih_err_fail_errno(-errno, "%s: unmounter", mountpoint);
	pid = fork();
	if (pid == 0)
		child(ends[1], mountpoint, dev);
	close(ends[1]);
	if (pid < 0) {
		mih_err err =
		    mih_err_fail_errno(-errno, "%s: unmounter", mountpoint);

		close(ends[0]);
		return err;
	}
	u->socket = ends[0];
	u->pid = pid;
	return 0;
}

mih_err mih_fs_unmounter_ask(const struct mih_fs_unmounter *u,
			     const char *mountpoint)
{
	struct pollfd answer = { .fd = u->socket, .events = POLLIN };
	mih_err err = -EPIPE;

	if (send(u->socket, "u", 1, MSG_NOSIGNAL) != 1)
		err = -errno;
	else if (poll(&answer, 1, WAIT_MS) == 0)
		err = -ETIMEDOUT;
	else if (recv(u->socket, &err, sizeof(err), 0) != sizeof(err))
		err = -EPIPE;
	return err ? mih_err_fail_errno(err, "%s: cannot unmount", mountpoint)
		   : 0;
}

void mih_fs_unmounter_end(struct mih_fs_unmounter *u)
{
	if (!u->pid)
		return;
	close(u->socket);
	waitpid(MIH_STEAL(&u->pid), NULL, 0);
}
