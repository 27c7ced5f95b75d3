#include "verify/count/tally_internal.h"

#include <stdlib.h>
#include <string.h>

#define STRIPES	   16
#define CACHE_LINE 64

const uint32_t mih_verify_bucket_us[MIH_VERIFY_BUCKETS - 1] = {
	10,   25,    50,    100,   250,	   500,	   1000,    2500,
	5000, 10000, 25000, 50000, 100000, 250000, 1000000, 10000000,
};

struct stripe {
	_Atomic uint64_t counts[MIH_VERIFY_COUNTS];
	struct {
		_Atomic uint64_t buckets[MIH_VERIFY_BUCKETS];
		_Atomic uint64_t sum_ns;
	} spans[MIH_VERIFY_SPANS];
	struct {
		_Atomic uint64_t batches, bytes;
	} work[MIH_VERIFY_KINDS];
} __attribute__((aligned(CACHE_LINE)));

struct mih_verify_tally {
	struct stripe stripes[STRIPES];
};

struct mih_verify_tally *mih_verify_tally_new(void)
{
	struct mih_verify_tally *tally =
	    aligned_alloc(CACHE_LINE, sizeof(*tally));

	if (tally)
		memset(tally, 0, sizeof(*tally));
	return tally;
}

void mih_verify_tally_free(struct mih_verify_tally *tally)
{
	free(tally);
}

/* Threads take the stripes in turn, for as long as they live. */
static struct stripe *stripe_of(struct mih_verify_tally *tally)
{
	static atomic_uint nthreads;
	static _Thread_local unsigned mine; /* 0: none yet */

	if (!mine)
		mine = 1 + atomic_fetch_add(&nthreads, 1) % STRIPES;
	return &tally->stripes[mine - 1];
}

void mih_verify_tally_add(struct mih_verify_tally *tally,
			  enum mih_verify_count what, uint64_t n)
{
	atomic_fetch_add_explicit(&stripe_of(tally)->counts[what], n,
				  memory_order_relaxed);
}

void mih_verify_tally_time(struct mih_verify_tally *tally,
			   enum mih_verify_span span, uint64_t ns)
{
	struct stripe *stripe = stripe_of(tally);
	size_t i = 0;

	while (i < MIH_VERIFY_BUCKETS - 1 &&
	       ns > mih_verify_bucket_us[i] * (uint64_t)1000)
		i++;
	atomic_fetch_add_explicit(&stripe->spans[span].buckets[i], 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&stripe->spans[span].sum_ns, ns,
				  memory_order_relaxed);
}

static const char *const kind_names[MIH_VERIFY_KINDS] = {
	[MIH_VERIFY_CPU] = "cpu",
	[MIH_VERIFY_CUDA] = "cuda",
	[MIH_VERIFY_OPENCL] = "opencl",
};

const char *mih_verify_kind_name(enum mih_verify_kind kind)
{
	return kind_names[kind];
}

void mih_verify_tally_work(struct mih_verify_tally *tally, const char *kind,
			   uint64_t nbytes)
{
	struct stripe *stripe = stripe_of(tally);

	for (size_t i = 0; i < MIH_VERIFY_KINDS; i++) {
		if (strcmp(kind_names[i], kind) != 0)
			continue;
		atomic_fetch_add_explicit(&stripe->work[i].batches, 1,
					  memory_order_relaxed);
		atomic_fetch_add_explicit(&stripe->work[i].bytes, nbytes,
					  memory_order_relaxed);
	}
}

static void sum_work(const struct stripe *stripe, struct mih_verify_work *sum)
{
	for (size_t i = 0; i < MIH_VERIFY_KINDS; i++) {
		sum[i].batches += atomic_load_explicit(&stripe->work[i].batches,
						       memory_order_relaxed);
		sum[i].bytes += atomic_load_explicit(&stripe->work[i].bytes,
						     memory_order_relaxed);
	}
}

static void sum_span(const struct stripe *stripe, enum mih_verify_span span,
		     struct mih_verify_histogram *sum)
{
	for (size_t i = 0; i < MIH_VERIFY_BUCKETS; i++)
		sum->buckets[i] += atomic_load_explicit(
		    &stripe->spans[span].buckets[i], memory_order_relaxed);
	sum->sum_ns += atomic_load_explicit(&stripe->spans[span].sum_ns,
					    memory_order_relaxed);
}

void mih_verify_tally_sum(const struct mih_verify_tally *tally,
			  struct mih_verify_stats *stats)
{
	memset(stats->counts, 0, sizeof(stats->counts));
	memset(stats->spans, 0, sizeof(stats->spans));
	memset(stats->work, 0, sizeof(stats->work));
	for (size_t s = 0; s < STRIPES; s++) {
		const struct stripe *stripe = &tally->stripes[s];

		for (size_t i = 0; i < MIH_VERIFY_COUNTS; i++)
			stats->counts[i] += atomic_load_explicit(
			    &stripe->counts[i], memory_order_relaxed);
		for (size_t i = 0; i < MIH_VERIFY_SPANS; i++)
			sum_span(stripe, i, &stats->spans[i]);
		sum_work(stripe, stats->work);
	}
}
