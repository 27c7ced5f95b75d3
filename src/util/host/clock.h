/*
 * util/host/clock.h - how much time has passed
 *
 * Layer: src/util.  Threads: no state.
 */
#ifndef MIH_UTIL_HOST_CLOCK_H
#define MIH_UTIL_HOST_CLOCK_H

#include <stdint.h>
#include <time.h>

/** mih_clock_ns() - nanoseconds since some moment; never goes back. */
static inline uint64_t mih_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

#endif
