#include "util/io.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_TRIES 100

mih_err mih_io_pread_full(int fd, void *buf, size_t len, uint64_t off)
{
	char *at = buf;

	while (len > 0) {
		ssize_t n = pread(fd, at, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		at += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

mih_err mih_io_pwrite_full(int fd, const void *buf, size_t len, uint64_t off)
{
	const char *at = buf;

	while (len > 0) {
		ssize_t n = pwrite(fd, at, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Not realloc(): private keys are read here too, and leave no copy behind. */
static char *grow(char **buf, size_t len, size_t room)
{
	char *more = malloc(room);

	if (more)
		memcpy(more, *buf, len);
	explicit_bzero(*buf, len);
	free(*buf);
	*buf = more;
	return more;
}

/* Read to the end of fd; the size may change underneath, so trust no stat. */
static mih_err read_all(int fd, size_t cap, char **buf_out, size_t *len_out)
{
	size_t room = 4096, len = 0;
	mih_autofree char *buf = malloc(room);

	while (buf) {
		ssize_t n = read(fd, buf + len, room - len - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len > cap)
			return -EFBIG;
		if (n == 0) {
			buf[len] = '\0';
			*buf_out = MIH_STEAL(&buf);
			*len_out = len;
			return 0;
		}
		if (len + 1 == room && !grow(&buf, len, room *= 2))
			return -ENOMEM;
	}
	return -ENOMEM;
}

/* A FIFO that nobody writes to must not hold us up: it is empty. One that
 * somebody has open, such as a shell's <(...), is waited for. */
static mih_err open_to_read(const char *path, int *fd_out)
{
	*fd_out = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd_out < 0 || fcntl(*fd_out, F_SETFL, 0) < 0)
		return -errno;
	return 0;
}

static mih_err reading_failed(mih_err err, const char *path, size_t cap)
{
	if (err == -EFBIG)
		return mih_err_fail(err, "%s: larger than %zu bytes", path,
				    cap);
	return mih_err_fail_errno(err, "%s", path);
}

mih_err mih_io_read_file(const char *path, size_t cap, char **buf_out,
			 size_t *len_out)
{
	mih_autoclose int fd = -1;
	mih_err err = open_to_read(path, &fd);

	if (!err)
		err = read_all(fd, cap, buf_out, len_out);
	return err ? reading_failed(err, path, cap) : 0;
}

mih_err mih_io_read_secret(const char *path, char *buf, size_t cap,
			   size_t *len_out)
{
	mih_autoclose int fd = -1;
	mih_err err = open_to_read(path, &fd);
	size_t len = 0;

	while (!err) {
		ssize_t n = read(fd, buf + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		else if ((len += (size_t)n) == cap)
			err = -EFBIG;
		else if (n == 0)
			break;
	}
	if (err)
		return reading_failed(err, path, cap - 1);
	buf[len] = '\0';
	*len_out = len;
	return 0;
}

static void writer_free(struct mih_io_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->path);
	free(w->temp);
	*w = (struct mih_io_writer){ .fd = -1 };
}

mih_err mih_io_writer_open(struct mih_io_writer *w, const char *path,
			   mode_t mode)
{
	mode_t mask = umask(0);

	umask(mask);
	*w = (struct mih_io_writer){ .fd = -1, .path = strdup(path) };
	if (!w->path || asprintf(&w->temp, "%s.XXXXXX", path) < 0) {
		w->temp = NULL;
		writer_free(w);
		return mih_err_fail_errno(-ENOMEM, "%s", path);
	}
	w->fd = mkostemp(w->temp, O_CLOEXEC);
	if (w->fd < 0 || fchmod(w->fd, mode & ~mask) < 0) {
		mih_err err = mih_err_fail_errno(-errno, "%s", path);

		mih_io_writer_abort(w);
		return err;
	}
	return 0;
}

/* Make the rename itself durable. Some file systems refuse to fsync a folder;
 * the file is complete all the same, so that is not an error. */
static void sync_folder(const char *path)
{
	mih_autofree char *copy = strdup(path);
	mih_autoclose int fd = -1;

	if (copy)
		fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

mih_err mih_io_writer_commit(struct mih_io_writer *w)
{
	if (fsync(w->fd) < 0 || rename(w->temp, w->path) < 0) {
		mih_err err = mih_err_fail_errno(-errno, "%s", w->path);

		mih_io_writer_abort(w);
		return err;
	}
	sync_folder(w->path);
	writer_free(w);
	return 0;
}

void mih_io_writer_abort(struct mih_io_writer *w)
{
	int saved = errno;

	if (w->fd >= 0)
		unlink(w->temp);
	writer_free(w);
	errno = saved;
}

void mih_io_keep(const char *path, char **kept_out)
{
	mih_autofree char *kept = NULL;
	mih_autoclose int fd = -1;

	*kept_out = NULL;
	if (asprintf(&kept, "%s.XXXXXX", path) < 0) {
		kept = NULL;
		return;
	}
	/* A free name; link(2) itself takes none that is taken. */
	fd = mkostemp(kept, O_CLOEXEC);
	if (fd < 0)
		return;
	unlink(kept);
	if (link(path, kept) == 0)
		*kept_out = MIH_STEAL(&kept);
}

void mih_io_keep_end(const char *path, char *kept, bool back)
{
	int saved = errno;

	if (!back && kept)
		unlink(kept);
	else if (back && (!kept || rename(kept, path) < 0))
		unlink(path);
	free(kept);
	errno = saved;
}

mih_err mih_io_write_file(const char *path, const void *buf, size_t len,
			  mode_t mode)
{
	struct mih_io_writer w;
	mih_err err = mih_io_writer_open(&w, path, mode);

	if (err)
		return err;
	err = mih_io_pwrite_full(w.fd, buf, len, 0);
	if (err) {
		mih_io_writer_abort(&w);
		return mih_err_fail_errno(err, "%s", path);
	}
	return mih_io_writer_commit(&w);
}

static mih_err open_at(int dirfd, const char *path, int flags, bool follow,
		       int *fd_out)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   (follow ? 0 : RESOLVE_NO_SYMLINKS),
	};
	/* RESOLVE_BENEATH gives EAGAIN when a rename raced with the walk, and
	 * so does O_NONBLOCK as long as somebody else holds a lease. */
	for (int tries = 0; tries < OPEN_TRIES;) {
		long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

		if (fd >= 0) {
			*fd_out = (int)fd;
			return 0;
		}
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
		tries += errno == EAGAIN;
	}
	return -EBUSY;
}

mih_err mih_io_open_beneath(int dirfd, const char *path, int flags,
			    const struct mih_io_links *links, int *fd_out)
{
	char whole[PATH_MAX];
	bool follow = links && links->follow;
	mih_err err = open_at(dirfd, path, flags, follow, fd_out);
	int n;

	if (err != -EXDEV || !follow || !links->prefix)
		return err;
	n = snprintf(whole, sizeof(whole), "%s/%s", links->prefix, path);
	if (n < 0 || (size_t)n >= sizeof(whole))
		return -ENAMETOOLONG;
	return open_at(links->rootfd, whole, flags, true, fd_out);
}

/* The way from @root to @folder; both without links. NULL: there is none. */
static const char *way_from(const char *root, const char *folder)
{
	size_t len = strcmp(root, "/") ? strlen(root) : 0;

	if (strncmp(root, folder, len))
		return NULL;
	folder += len;
	return *folder == '\0' ? "." : *folder == '/' ? folder + 1 : NULL;
}

mih_err mih_io_links_open(const char *root, const char *folder,
			  struct mih_io_links *links)
{
	mih_autofree char *top = realpath(root, NULL);
	mih_autofree char *below = top ? realpath(folder, NULL) : NULL;
	const char *way = below ? way_from(top, below) : NULL;
	mih_autoclose int fd = -1;

	*links = (struct mih_io_links){ 0 };
	if (!below)
		return mih_err_fail_errno(-errno, "%s", top ? folder : root);
	if (!way)
		return mih_err_fail(-EINVAL,
				    "%s: not beneath the folder that links "
				    "may lead to, %s",
				    folder, root);
	fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mih_err_fail_errno(-errno, "%s", root);
	links->prefix = strdup(*way ? way : ".");
	if (!links->prefix)
		return mih_err_fail_errno(-ENOMEM, "%s", root);
	links->rootfd = MIH_STEAL_FD(&fd);
	links->follow = true;
	return 0;
}

void mih_io_links_close(struct mih_io_links *links)
{
	if (links->prefix)
		close(links->rootfd);
	free(links->prefix);
	*links = (struct mih_io_links){ 0 };
}

void mih_io_link_text(int dirfd, const char *path, char *buf, size_t cap)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, path, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	snprintf(buf, cap, "%s%s%s", path, n > 0 ? " -> " : "", target);
}
