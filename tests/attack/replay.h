/*
 * tests/attack/replay.h - the ways in which model loaders read a file
 *
 * Each pattern reads a file of the mount and compares every byte it got with
 * the original, which lies in memory.
 */
#ifndef MIH_TESTS_ATTACK_REPLAY_H
#define MIH_TESTS_ATTACK_REPLAY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct replay {
	const char *path;    /* in the mount */
	const uint8_t *want; /* the original's bytes */
	size_t nbytes;
};

/**
 * A pattern: NULL when all bytes were right, else one line about what was not;
 * a line that begins with "SKIP " means that this host cannot do it.
 */
typedef const char *(*replay_pattern)(const struct replay *r);

/** replay_say() - format into a static buffer; for one thread at a time. */
const char *replay_say(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/** replay_same() - are the @len bytes at @off the original's? */
int replay_same(const struct replay *r, const void *got, size_t off,
		size_t len);

/**
 * replay_pread() - pread(2) [@off, @off + @len), cut at the end, and compare
 * @buf: at least @len bytes
 *
 * A loader takes a short read inside a file for the end of it, so one is an
 * error here even though POSIX allows it.
 *
 * Return: NULL or a static line that needs no replay_say().
 */
const char *replay_pread(const struct replay *r, int fd, void *buf, size_t off,
			 size_t len);

const char *replay_mmap_private(const struct replay *r);
const char *replay_mmap_shared(const struct replay *r);
const char *replay_mmap_copy_on_write(const struct replay *r);
const char *replay_mmap_populate(const struct replay *r);
const char *replay_mmap_advice(const struct replay *r);
const char *replay_mmap_strided(const struct replay *r);
const char *replay_mmap_locked(const struct replay *r);

const char *replay_read_whole(const struct replay *r);
const char *replay_seek_and_read(const struct replay *r);
const char *replay_file_advice(const struct replay *r);
const char *replay_interleaved(const struct replay *r);
const char *replay_direct_aligned(const struct replay *r);
const char *replay_direct_unaligned(const struct replay *r);
const char *replay_past_the_end(const struct replay *r);

const char *replay_threads(const struct replay *r);
const char *replay_processes(const struct replay *r);
const char *replay_uring(const struct replay *r);
const char *replay_uring_direct(const struct replay *r);

#endif
