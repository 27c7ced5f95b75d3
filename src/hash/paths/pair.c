/*
 * SHA-256 on a processor with both SHA-NI and AVX-512.
 *
 * Which is faster differs: on Zen 4 four messages of SHA-NI beat sixteen lanes
 * by 1.1, on Sapphire Rapids the lanes win by 1.7. But lanes take as long for
 * one message as for sixteen, and trees end in levels of 8, 4, 2 and 1 nodes.
 * So it is measured once from how many messages on the lanes are sooner done.
 */
#include "hash/paths/ops_internal.h"
#include "util/checked.h"
#include "util/host/clock.h"

#include <pthread.h>
#include <stdatomic.h>

#define LANES  MIH_HASH_PAIR_LANES
#define UNIT   4 /* messages of SHA-NI side by side */
#define ROUNDS 5 /* the best one counts; together 0.3 ms */

size_t mih_hash_pair_rest(size_t n, size_t few)
{
	size_t rest = n % LANES;

	if (few >= LANES)
		return n;
	return rest <= few ? rest : 0;
}

#if HAVE_SHANI && HAVE_AVX512

static pthread_once_t measured = PTHREAD_ONCE_INIT;
static _Atomic size_t few, forced;

/* The time of what all groups are: sixteen leaves. */
static void time_leaves(const struct mih_hash_ops *ops, uint64_t *best_ns)
{
	static const uint8_t leaf[MIH_HASH_BLOCK];
	uint8_t digests[LANES][32];
	struct mih_hash_msg msgs[LANES];
	uint64_t from = mih_clock_ns();

	for (size_t i = 0; i < LANES; i++)
		msgs[i] =
		    (struct mih_hash_msg){ .data = leaf, .out = digests[i] };
	ops->run[MIH_HASH_CORE_SHA256](msgs, LANES, MIH_HASH_BLOCK,
				       MIH_HASH_MARK_LEAF);
	*best_ns = MIH_MIN(*best_ns, mih_clock_ns() - from);
}

static void measure(void)
{
	uint64_t shani = UINT64_MAX, avx512 = UINT64_MAX;
	size_t n = LANES;

	for (int i = 0; i < ROUNDS; i++) {
		time_leaves(&mih_hash_shani_ops, &shani);
		time_leaves(&mih_hash_avx512_ops, &avx512);
	}
	if (avx512 < shani)
		n = (size_t)(LANES / UNIT * avx512 / shani) * UNIT;
	few = MIH_MAX(n, (size_t)1); /* lanes have nothing for a lone one */
}

/* Up to so many SHA-NI hashes sooner; LANES: any number. */
static size_t few_messages(void)
{
	pthread_once(&measured, measure);
	return forced ? forced : few;
}

void mih_hash_pair_force(size_t n)
{
	forced = n;
}

bool mih_hash_pair_has_lanes(void)
{
	return few_messages() < LANES;
}

static void sha256_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		       uint32_t mark)
{
	size_t rest = mih_hash_pair_rest(n, few_messages());

	mih_hash_avx512_ops.run[MIH_HASH_CORE_SHA256](msgs, n - rest, len,
						      mark);
	mih_hash_shani_ops.run[MIH_HASH_CORE_SHA256](msgs + n - rest, rest, len,
						     mark);
}

static void segments_run(struct mih_hash_segment *const *segments, size_t n,
			 size_t nblocks)
{
	if (n > few_messages()) {
		mih_hash_avx512_ops.segments(segments, n, nblocks);
		return;
	}
	for (size_t i = 0; i < n; i += UNIT)
		mih_hash_shani_ops.segments(
		    segments + i, MIH_MIN(n - i, (size_t)UNIT), nblocks);
}

const struct mih_hash_ops mih_hash_pair_ops = {
	.run = { [MIH_HASH_CORE_SHA256] = sha256_run },
	.segments = segments_run,
	.segment_width = LANES,
};
#else
bool mih_hash_pair_has_lanes(void)
{
	return false;
}

void mih_hash_pair_force(size_t n)
{
	(void)n;
}

const struct mih_hash_ops mih_hash_pair_ops = { .segment_width = 0 };
#endif
