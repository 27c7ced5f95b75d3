#include "cli/mount/daemon.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Small enough to go through a pipe in one piece. */
struct word {
	mih_err err;
	char story[PIPE_BUF - sizeof(mih_err)];
};

/* Descriptors 0 .. 2 may be closed; whatever is there becomes /dev/null. */
static void to_null(int from, int to)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = from; i <= to; i++)
		if (fd != i)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
}

mih_err mih_cli_daemon_fork(struct mih_cli_daemon *d)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return mih_err_fail_errno(-errno, "mihfs: cannot make a pipe");
	pid = fork();
	if (pid < 0) {
		mih_err err = mih_err_fail_errno(-errno, "mihfs: cannot fork");

		close(ends[0]);
		close(ends[1]);
		return err;
	}
	d->parent = pid > 0;
	d->pipe = ends[d->parent ? 0 : 1];
	close(ends[d->parent ? 1 : 0]);
	if (!d->parent) {
		setsid();
		to_null(0, 1);
		if (chdir("/") < 0)
			return mih_err_fail_errno(-errno, "/");
	}
	return 0;
}

mih_err mih_cli_daemon_wait(struct mih_cli_daemon *d)
{
	struct word word;
	ssize_t n;

	do {
		n = read(d->pipe, &word, sizeof(word));
	} while (n < 0 && errno == EINTR);
	close(d->pipe);
	d->pipe = -1;
	if (n != sizeof(word))
		return mih_err_fail(-ECHILD, "mihfs: the server ended before "
					     "the mount answered");
	word.story[sizeof(word.story) - 1] = '\0';
	return word.err ? mih_err_fail(word.err, "%s", word.story) : 0;
}

/* A parent that is gone (interrupted by its user) needs no word. */
static void tell(struct mih_cli_daemon *d, const struct word *word)
{
	ssize_t n = write(d->pipe, word, sizeof(*word));

	(void)n;
	close(d->pipe);
	d->pipe = -1;
}

bool mih_cli_daemon_ready(struct mih_cli_daemon *d)
{
	const struct word word = { .err = 0 };
	struct stat st;
	bool keep = fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);

	if (!keep)
		to_null(STDERR_FILENO, STDERR_FILENO);
	tell(d, &word);
	return keep;
}

void mih_cli_daemon_fail(struct mih_cli_daemon *d, mih_err err)
{
	struct word word = { .err = err };

	snprintf(word.story, sizeof(word.story), "%s", mih_err_message());
	tell(d, &word);
}
