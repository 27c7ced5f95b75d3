#include "status/status_internal.h"

void mih_status_sum(struct mih_verify_stats *sum,
		    const struct mih_verify_stats *one, bool gauges)
{
	sum->bytes_read += one->bytes_read;
	sum->bytes_verified += one->bytes_verified;
	sum->groups_bad += one->groups_bad;
	sum->cache_hits += one->cache_hits;
	if (gauges)
		sum->cache_bytes += one->cache_bytes;
}
