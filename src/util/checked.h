/*
 * util/checked.h - arithmetic on sizes that come from disk
 *
 * Layer: src/util.  Threads: no state.
 *
 * Each returns true if the result fits and was stored, false on overflow.
 */
#ifndef MIH_UTIL_CHECKED_H
#define MIH_UTIL_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#define MIH_MIN(a, b)	 ((a) < (b) ? (a) : (b))
#define MIH_MAX(a, b)	 ((a) > (b) ? (a) : (b))
#define MIH_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline bool mih_checked_add(uint64_t a, uint64_t b, uint64_t *sum_out)
{
	return !__builtin_add_overflow(a, b, sum_out);
}

static inline bool mih_checked_mul(uint64_t a, uint64_t b, uint64_t *prod_out)
{
	return !__builtin_mul_overflow(a, b, prod_out);
}

/* Number of @unit-sized pieces that cover @n; no overflow for any @n. */
static inline uint64_t mih_checked_ceil_div(uint64_t n, uint64_t unit)
{
	return n / unit + (n % unit != 0);
}

#endif
