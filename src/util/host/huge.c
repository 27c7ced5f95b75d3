#include "util/host/huge.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

/* Addresses enough, of which those before and behind go back. */
void *mih_huge_map(int fd, size_t len)
{
	size_t room = len + MIH_HUGE_PAGE, before;
	int flags =
	    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	uint8_t *at = mmap(NULL, room, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	void *map;

	if (at == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)at & (MIH_HUGE_PAGE - 1);
	map = mmap(at + before, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED,
		   fd, 0);
	if (map == MAP_FAILED) {
		int err = errno;

		munmap(at, room);
		errno = err;
		return NULL;
	}
	if (before)
		munmap(at, before);
	munmap(at + before + len, room - before - len);
	(void)madvise(map, len, MADV_HUGEPAGE);
	return map;
}
