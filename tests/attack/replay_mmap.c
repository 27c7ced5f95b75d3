/*
 * Patterns that map the file.
 */
#include "attack/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define PAGE 4096

/* Map the whole file; MAP_FAILED with errno if it cannot be. */
static void *map_file(const struct replay *r, int prot, int flags)
{
	int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	int saved;
	void *map;

	if (fd < 0)
		return MAP_FAILED;
	map = mmap(NULL, r->nbytes, prot, flags, fd, 0);
	saved = errno;
	close(fd);
	errno = saved;
	return map;
}

static const char *compare_and_unmap(const struct replay *r, void *map)
{
	int same = replay_same(r, map, 0, r->nbytes);

	munmap(map, r->nbytes);
	return same ? NULL : "WRONG BYTES";
}

static const char *map_and_compare(const struct replay *r, int prot, int flags)
{
	void *map = map_file(r, prot, flags);

	if (map == MAP_FAILED)
		return replay_say("mmap: %s", strerror(errno));
	return compare_and_unmap(r, map);
}

const char *replay_mmap_private(const struct replay *r)
{
	return map_and_compare(r, PROT_READ, MAP_PRIVATE);
}

const char *replay_mmap_shared(const struct replay *r)
{
	return map_and_compare(r, PROT_READ, MAP_SHARED);
}

/* Tensors are changed in place in the private copy; the file must not be. */
const char *replay_mmap_copy_on_write(const struct replay *r)
{
	uint8_t *map = map_file(r, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (map == MAP_FAILED)
		return replay_say("mmap: %s", strerror(errno));
	if (!replay_same(r, map, 0, r->nbytes)) {
		munmap(map, r->nbytes);
		return "WRONG BYTES";
	}
	for (size_t off = 0; off < r->nbytes; off += 64 * PAGE)
		map[off] ^= 0xff;
	munmap(map, r->nbytes);
	return replay_mmap_private(r);
}

const char *replay_mmap_populate(const struct replay *r)
{
	return map_and_compare(r, PROT_READ, MAP_SHARED | MAP_POPULATE);
}

const char *replay_mmap_advice(const struct replay *r)
{
	void *map = map_file(r, PROT_READ, MAP_SHARED);

	if (map == MAP_FAILED)
		return replay_say("mmap: %s", strerror(errno));
	if (madvise(map, r->nbytes, MADV_SEQUENTIAL) ||
	    madvise(map, r->nbytes, MADV_WILLNEED)) {
		munmap(map, r->nbytes);
		return replay_say("madvise: %s", strerror(errno));
	}
	return compare_and_unmap(r, map);
}

/* Every rank takes its slice of each row: small pieces, far apart, here from
 * the end so that no readahead fits. */
const char *replay_mmap_strided(const struct replay *r)
{
	const size_t stride = 37 * PAGE;
	uint8_t *map = map_file(r, PROT_READ, MAP_PRIVATE);
	const char *why = NULL;

	if (map == MAP_FAILED)
		return replay_say("mmap: %s", strerror(errno));
	madvise(map, r->nbytes, MADV_RANDOM);
	for (size_t n = r->nbytes / stride; !why && n--;)
		if (!replay_same(r, map + n * stride, n * stride, 100))
			why = "WRONG BYTES";
	munmap(map, r->nbytes);
	return why;
}

const char *replay_mmap_locked(const struct replay *r)
{
	struct rlimit limit;
	size_t len =
	    r->nbytes < (size_t)32 << 20 ? r->nbytes : (size_t)32 << 20;
	void *map;
	int same;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) ||
	    (limit.rlim_cur < len && geteuid() != 0))
		return "SKIP RLIMIT_MEMLOCK is too low";
	map = map_file(r, PROT_READ, MAP_SHARED);
	if (map == MAP_FAILED)
		return replay_say("mmap: %s", strerror(errno));
	if (mlock(map, len)) {
		int err = errno;

		munmap(map, r->nbytes);
		return replay_say("mlock: %s", strerror(err));
	}
	same = replay_same(r, map, 0, len);
	munmap(map, r->nbytes);
	return same ? NULL : "WRONG BYTES";
}
