/*
 * How bytes come from the backing file. What lies in the page cache is taken
 * from there. The rest is read around it, by O_DIRECT: whoever is served keeps
 * the bytes anyhow, a second copy of a model of hundreds of gigabytes would
 * drive something else out, and the copying costs a slow processor more than
 * the disk does. Nothing here needs to be right for the bytes to be: what has
 * landed in memory is hashed, whichever way it came.
 */
#include "verify/source/source_internal.h"
#include "util/checked.h"
#include "util/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NOT_TRIED -1
#define REFUSED	  -2

/* Of memory, of the position and of the length; disks with larger blocks
 * refuse, and are read as before. */
#define ALIGN ((size_t)4096)

/* Of a smaller file a second copy is nothing, a second descriptor is much. */
#define AROUND_MIN ((off_t)1 << 20)

/* What the kernel asks a far server for at once, unless it was told more. */
#define FAR_REQUEST ((size_t)128 << 10)

/* A file system without a device number of its own is no disk: a network, a
 * FUSE server, memory. Those that are one nevertheless (btrfs, overlays) are
 * read through the page cache, which is never wrong. */
void mih_verify_source_init(struct mih_verify_source *source, int fd)
{
	struct stat st;

	source->fd = fd;
	source->is_far = fstat(fd, &st) < 0 || major(st.st_dev) == 0;
	atomic_init(&source->around, NOT_TRIED);
	atomic_init(&source->plain, source->is_far || st.st_size < AROUND_MIN);
}

void mih_verify_source_fini(struct mih_verify_source *source)
{
	int around = atomic_load(&source->around);

	close(source->fd);
	if (around >= 0)
		close(around);
}

/* The other three quarters are for files that are opened. */
static bool is_spare(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       (rlim_t)fd < limit.rlim_cur / 4;
}

static bool same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* By its descriptor, since its path may lead elsewhere by now. */
static int open_around(const struct mih_verify_source *source)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", source->fd);
	fd =
	    open(path, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return REFUSED;
	if (is_spare(fd) && same_file(fd, source->fd))
		return fd;
	close(fd);
	return REFUSED;
}

/* Return: the descriptor, or REFUSED. Of two threads that open it at once the
 * second one keeps that of the first. */
static int around_of(struct mih_verify_source *source)
{
	int before = NOT_TRIED, fd = atomic_load(&source->around);

	if (fd != NOT_TRIED)
		return fd;
	fd = open_around(source);
	if (atomic_compare_exchange_strong(&source->around, &before, fd))
		return fd;
	if (fd >= 0)
		close(fd);
	return before;
}

/* Whole blocks only: the last, ragged one would bring bytes from behind the
 * end of the file along. Return: how many bytes are in their place. */
static size_t read_around(struct mih_verify_source *source,
			  const struct mih_verify_piece *piece)
{
	size_t len = piece->len / ALIGN * ALIGN;
	ssize_t n;
	int fd;

	if (!len || (uintptr_t)piece->data % ALIGN || piece->off % ALIGN ||
	    atomic_load(&source->plain))
		return 0;
	fd = around_of(source);
	if (fd < 0) {
		atomic_store(&source->plain, true);
		return 0;
	}
	n = pread(fd, piece->data, len, (off_t)piece->off);
	if (n < 0 && errno != EINTR && errno != EIO)
		atomic_store(&source->plain, true);
	return n < 0 ? 0 : (size_t)n;
}

/* Every request has to travel, and the kernel would send the next one when the
 * last has been answered. */
static void ask_at_once(const struct mih_verify_source *source,
			const struct mih_verify_piece *piece)
{
	for (size_t at = 0; at < piece->len; at += FAR_REQUEST)
		(void)posix_fadvise(
		    source->fd, (off_t)(piece->off + at),
		    (off_t)MIH_MIN(FAR_REQUEST, piece->len - at),
		    POSIX_FADV_WILLNEED);
}

mih_err mih_verify_source_read(struct mih_verify_source *source,
			       const struct mih_verify_piece *piece,
			       enum mih_pages where, bool around)
{
	size_t got = 0;

	if (around && where == MIH_PAGES_SOME)
		got = read_around(source, piece);
	if (source->is_far && where != MIH_PAGES_ALL &&
	    piece->len > FAR_REQUEST)
		ask_at_once(source, piece);
	return mih_io_pread_full(source->fd, piece->data + got,
				 piece->len - got, piece->off + got);
}
