#include "status/status_internal.h"

static void sum_span(struct mih_verify_histogram *sum,
		     const struct mih_verify_histogram *one)
{
	for (size_t i = 0; i < MIH_VERIFY_BUCKETS; i++)
		sum->buckets[i] += one->buckets[i];
	sum->sum_ns += one->sum_ns;
}

void mih_status_sum(struct mih_verify_stats *sum,
		    const struct mih_verify_stats *one, bool gauges)
{
	for (size_t i = 0; i < MIH_VERIFY_COUNTS; i++)
		sum->counts[i] += one->counts[i];
	for (size_t i = 0; i < MIH_VERIFY_SPANS; i++)
		sum_span(&sum->spans[i], &one->spans[i]);
	for (size_t i = 0; gauges && i < MIH_VERIFY_GAUGES; i++)
		sum->gauges[i] += one->gauges[i];
}
