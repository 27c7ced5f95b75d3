/*
 * verify/count/tally_internal.h - counting from many threads without a shared
 * line
 *
 * Layer: src/verify.  Threads: any; adding is one relaxed add in a stripe that
 * a thread shares with few others, so that no cache line travels for it.
 */
#ifndef MIH_VERIFY_COUNT_TALLY_INTERNAL_H
#define MIH_VERIFY_COUNT_TALLY_INTERNAL_H

#include "util/err.h"
#include "verify/count/counts.h"

#include <stdatomic.h>

struct mih_verify_tally;

/** mih_verify_tally_new() - all zero. NULL: out of memory. */
struct mih_verify_tally *mih_verify_tally_new(void);

/** mih_verify_tally_free() - release; NULL is legal. */
void mih_verify_tally_free(struct mih_verify_tally *tally);

/** mih_verify_tally_add() - count @n more of @what. */
void mih_verify_tally_add(struct mih_verify_tally *tally,
			  enum mih_verify_count what, uint64_t n);

/** mih_verify_tally_time() - @span took @ns once. */
void mih_verify_tally_time(struct mih_verify_tally *tally,
			   enum mih_verify_span span, uint64_t ns);

/** mih_verify_tally_work() - devices of @kind hashed a batch of @nbytes. */
void mih_verify_tally_work(struct mih_verify_tally *tally, const char *kind,
			   uint64_t nbytes);

/** mih_verify_tally_sum() - counts, spans and work of all stripes together. */
void mih_verify_tally_sum(const struct mih_verify_tally *tally,
			  struct mih_verify_stats *stats);

#endif
