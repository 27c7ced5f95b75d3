/*
 * util/host/pages.h - what the kernel's page cache holds of a file
 *
 * Layer: src/util.  Threads: no state.
 * Source: mm/filemap.c, cachestat(2) of Linux 6.5.
 */
#ifndef MIH_UTIL_HOST_PAGES_H
#define MIH_UTIL_HOST_PAGES_H

#include <stdint.h>

/** Number of cachestat(2), for filters of system calls; older headers and
 * libraries have no name for it. Alpha alone has another. */
#define MIH_PAGES_CALL 451

enum mih_pages {
	MIH_PAGES_UNKNOWN, /* the kernel is older, or may not tell us: the file
			      belongs to another user */
	MIH_PAGES_ALL,	   /* in memory, or on their way there */
	MIH_PAGES_SOME,	   /* at least one is not */
};

/**
 * mih_pages_cached() - are the pages of a range in the page cache?
 * @fd:     open file
 * @off:    of the first byte
 * @nbytes: at least 1; all of them within the file
 *
 * Reads nothing and begins no reading, unlike RWF_NOWAIT, for which the kernel
 * reads ahead what it does not find.
 *
 * Return: what held a moment ago; never an error.
 */
enum mih_pages mih_pages_cached(int fd, uint64_t off, uint64_t nbytes);

#endif
