/*
 * sig/freshness/freshness.h - is a rightly signed model new enough?
 *
 * Layer: src/sig.  Threads: functions without state.
 */
#ifndef MIH_SIG_FRESHNESS_FRESHNESS_H
#define MIH_SIG_FRESHNESS_FRESHNESS_H

#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

struct mih_sig_bundle;

/** struct mih_sig_freshness, read; all 0 demands nothing. */
struct mih_sig_demand {
	bool has_digest, has_min_time, has_max_age;
	uint8_t digest[32];
	int64_t min_time; /* seconds since 1970 */
	int64_t max_age;  /* seconds */
};

/** When a signature was made, as far as its method proves it. */
struct mih_sig_moment {
	bool is_proven;
	int64_t at; /* the earliest of several; seconds since 1970 */
};

/**
 * mih_sig_demand_check() - does a bundle that verified meet the demand?
 * @moment: what its method proved
 *
 * Return: 0; MIH_EUNTRUSTED with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_demand_check(
    const struct mih_sig_demand *demand, const struct mih_sig_bundle *bundle,
    const struct mih_sig_moment *moment);

#endif
