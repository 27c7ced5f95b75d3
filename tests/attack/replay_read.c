/*
 * Patterns of read(2) on one descriptor.
 */
#include "attack/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* Open with @flags, run @body with a buffer of @cap bytes, close. */
static const char *with_file(const struct replay *r, int flags, size_t cap,
			     const char *(*body)(const struct replay *r, int fd,
						 uint8_t *buf, size_t cap))
{
	int fd = open(r->path, O_RDONLY | O_CLOEXEC | flags);
	const char *why;
	void *buf;

	if (fd < 0)
		return replay_say("open: %s", strerror(errno));
	if (posix_memalign(&buf, 4096, cap + 4096)) {
		close(fd);
		return "out of memory";
	}
	why = body(r, fd, buf, cap);
	free(buf);
	close(fd);
	return why;
}

static const char *whole(const struct replay *r, int fd, uint8_t *buf,
			 size_t cap)
{
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, buf + have, cap - have)) > 0)
		have += (size_t)n;
	if (n < 0)
		return replay_say("read: %s", strerror(errno));
	return have == r->nbytes && replay_same(r, buf, 0, have)
		   ? NULL
		   : "WRONG BYTES or length";
}

const char *replay_read_whole(const struct replay *r)
{
	return with_file(r, 0, r->nbytes + 1, whole);
}

static const char *seek_and_read(const struct replay *r, int fd, uint8_t *buf,
				 size_t cap)
{
	/* Backwards by pieces: every read needs its lseek. */
	for (size_t n = (r->nbytes + cap - 1) / cap; n--;) {
		size_t off = n * cap;
		size_t due = r->nbytes - off < cap ? r->nbytes - off : cap;
		ssize_t got;

		if (lseek(fd, (off_t)off, SEEK_SET) != (off_t)off)
			return replay_say("lseek: %s", strerror(errno));
		got = read(fd, buf, due);
		if (got < 0)
			return replay_say("read: %s", strerror(errno));
		if ((size_t)got != due || !replay_same(r, buf, off, due))
			return "WRONG BYTES or a short read";
	}
	return NULL;
}

const char *replay_seek_and_read(const struct replay *r)
{
	return with_file(r, 0, 2 * MIB, seek_and_read);
}

static const char *file_advice(const struct replay *r, int fd, uint8_t *buf,
			       size_t cap)
{
	const char *why = NULL;

	if (posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) ||
	    posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED))
		return "posix_fadvise failed";
	/* Drop what was read, piece by piece, as loaders do to save memory;
	 * what is read again afterwards is checked again. */
	for (size_t off = 0; !why && off < r->nbytes; off += cap) {
		why = replay_pread(r, fd, buf, off, cap);
		if (posix_fadvise(fd, (off_t)off, (off_t)cap,
				  POSIX_FADV_DONTNEED))
			return "posix_fadvise failed";
	}
	return why ? why : replay_pread(r, fd, buf, 0, cap);
}

const char *replay_file_advice(const struct replay *r)
{
	return with_file(r, 0, 4 * MIB, file_advice);
}

/* Two streams from one descriptor: no seek for either of them. */
static const char *interleaved(const struct replay *r, int fd, uint8_t *buf,
			       size_t cap)
{
	size_t half = r->nbytes / 2 / cap * cap;
	const char *why = NULL;

	for (size_t off = 0; !why && off < half; off += cap) {
		why = replay_pread(r, fd, buf, off, cap);
		if (!why)
			why = replay_pread(r, fd, buf, half + off, cap);
	}
	return why;
}

const char *replay_interleaved(const struct replay *r)
{
	return with_file(r, 0, 128 * KIB, interleaved);
}

static const char *direct(const struct replay *r, int fd, uint8_t *buf,
			  size_t cap)
{
	const char *why = NULL;

	for (size_t off = 0; !why && off < r->nbytes; off += cap)
		why = replay_pread(r, fd, buf, off, cap);
	return why;
}

const char *replay_direct_aligned(const struct replay *r)
{
	return with_file(r, O_DIRECT, 8 * MIB, direct);
}

/* Odd lengths, so that offsets and ends fall anywhere in pages and groups. */
static const char *direct_unaligned(const struct replay *r, int fd,
				    uint8_t *buf, size_t cap)
{
	return direct(r, fd, buf + 1, cap - 1);
}

const char *replay_direct_unaligned(const struct replay *r)
{
	return with_file(r, O_DIRECT, 1000 * KIB, direct_unaligned);
}

static const char *past_the_end(const struct replay *r, int fd, uint8_t *buf,
				size_t cap)
{
	const char *why = NULL;

	for (size_t back = 1; !why && back < 3 * 65536 && back < r->nbytes;
	     back = back * 3 + 1)
		why = replay_pread(r, fd, buf, r->nbytes - back, cap);
	if (why)
		return why;
	if (pread(fd, buf, cap, (off_t)r->nbytes) != 0 ||
	    pread(fd, buf, cap, (off_t)(r->nbytes + MIB)) != 0)
		return "a read behind the end gave bytes";
	return NULL;
}

const char *replay_past_the_end(const struct replay *r)
{
	return with_file(r, 0, MIB, past_the_end);
}
