/*
 * util/cleanup.h - release at the end of the scope, and hand over on success
 *
 * Layer: src/util.  Threads: no state.
 *
 *     mih_autofree char *p = malloc(n);
 *     mih_autoclose int fd = open(...);
 *     ...
 *     *out = MIH_STEAL(&p);      // now the caller owns it
 *
 * Every closer preserves errno.
 */
#ifndef MIH_UTIL_CLEANUP_H
#define MIH_UTIL_CLEANUP_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static inline void mih_cleanup_free(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void mih_cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void mih_cleanup_unlock(pthread_mutex_t **m)
{
	if (*m)
		pthread_mutex_unlock(*m);
}

#define MIH_CLEANUP(fn) __attribute__((cleanup(fn)))
#define mih_autofree	MIH_CLEANUP(mih_cleanup_free)
#define mih_autoclose	MIH_CLEANUP(mih_cleanup_close)
#define mih_autounlock	MIH_CLEANUP(mih_cleanup_unlock)

/* Take the pointer (or anything whose empty value is 0) out of its scope. */
#define MIH_STEAL(pp)                                                          \
	({                                                                     \
		__typeof__(*(pp)) stolen_ = *(pp);                             \
		*(pp) = 0;                                                     \
		stolen_;                                                       \
	})

/* The same for a file descriptor, whose empty value is -1. */
#define MIH_STEAL_FD(fdp)                                                      \
	({                                                                     \
		int stolen_ = *(fdp);                                          \
		*(fdp) = -1;                                                   \
		stolen_;                                                       \
	})

#endif
