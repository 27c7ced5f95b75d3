/*
 * util/host/huge.h - memory in huge pages, where the kernel allows them
 *
 * Layer: src/util.  Threads: no state.
 * Source: madvise(2); Documentation/admin-guide/mm/transhuge.rst of Linux.
 */
#ifndef MIH_UTIL_HOST_HUGE_H
#define MIH_UTIL_HOST_HUGE_H

#include <stddef.h>

#define MIH_HUGE_PAGE ((size_t)2 << 20)

/* Linux 5.14; older headers have no name for it. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/**
 * mih_huge_map() - map addresses that begin with a huge page
 * @fd:  memory file to be shared, to its end at least; -1: private memory
 * @len: a multiple of the page size
 *
 * No memory is taken yet. Fresh small pages cost more than what is done with
 * them: 64 KiB take longer to fault in (30 us) than to hash (20 us), and a
 * memory file is filled at 4 to 5 GB/s however many threads do it.
 *
 * Return: for munmap(2); NULL with errno.
 */
void *mih_huge_map(int fd, size_t len);

#endif
