#include "util/host/pages.h"

#include <sys/syscall.h>
#include <unistd.h>

/* As in linux/mman.h, which older systems have without them. */
struct range {
	uint64_t off, len;
};

struct counts {
	uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

enum mih_pages mih_pages_cached(int fd, uint64_t off, uint64_t nbytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct range range = { off, nbytes };
	struct counts counts = { 0 };

	if (syscall(MIH_PAGES_CALL, fd, &range, &counts, 0) < 0)
		return MIH_PAGES_UNKNOWN;
	return counts.cached > (off + nbytes - 1) / page - off / page
		   ? MIH_PAGES_ALL
		   : MIH_PAGES_SOME;
}
