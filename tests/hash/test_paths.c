/* Every path held to the portable one, and that one to the definitions. */
#include "hash/common.h"
#include "hash/leaves.h"
#include "hash/paths/ops_internal.h"
#include "util/checked.h"

#define DATA_MAX (3 * MIH_HASH_GROUP * 16)
#define MARGIN	 64

static uint8_t *data;
static uint8_t want[DATA_MAX / MIH_HASH_BLOCK * 64 + MARGIN];
static uint8_t got[sizeof(want)];

static const enum mih_hash_alg trees[] = {
	MIH_HASH_MTH4K_SHA256,
	MIH_HASH_MTH4K_SHA512,
	MIH_HASH_MTH4K_SHA3_256,
	MIH_HASH_BLAKE3,
};

static const enum mih_hash_path fast[] = {
	MIH_HASH_PATH_AVX2,
	MIH_HASH_PATH_AVX512,
	MIH_HASH_PATH_SHANI,
	MIH_HASH_PATH_AUTO,
};

/* Around the blocks and paddings of each hash, leaves, lanes and groups. */
static const size_t edges[] = {
	0,	 1,	  2,	  54,	  55,	   56,	    57,	     62,
	63,	 64,	  65,	  109,	  110,	   111,	    112,     119,
	127,	 128,	  129,	  134,	  135,	   136,	    137,     271,
	272,	 1022,	  1023,	  1024,	  1025,	   2047,    2048,    2049,
	4031,	 4032,	  4033,	  4040,	  4079,	   4080,    4081,    4094,
	4095,	 4096,	  4097,	  8191,	  8192,	   8193,    12288,   16383,
	16384,	 16385,	  28672,  32767,  32768,   32769,   36864,   61440,
	65472,	 65535,	  65536,  65537,  69632,   131071,  131072,  131073,
	524287,	 524288,  524289, 983040, 1048575, 1048576, 1048577, 1114112,
	2097151, 2097153,
};

static void compare(enum mih_hash_alg alg, const struct mih_hash_range *ranges,
		    size_t n)
{
	force(MIH_HASH_PATH_PORTABLE);
	memset(want, POISON, sizeof(want));
	mih_hash_groups(alg, ranges, n, want);
	for (size_t i = 0; i < MIH_ARRAY_LEN(fast); i++) {
		if (!mih_hash_path_available(fast[i]))
			continue;
		force(fast[i]);
		memset(got, POISON, sizeof(got));
		mih_hash_groups(alg, ranges, n, got);
		assert_memory_equal(got, want, sizeof(got));
	}
	force(MIH_HASH_PATH_AUTO);
}

static void test_one_range_at_every_edge(void **state)
{
	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(trees); a++) {
		for (size_t i = 0; i < MIH_ARRAY_LEN(edges); i++) {
			struct mih_hash_range range = { .data = data,
							.len = edges[i] };

			compare(trees[a], &range, 1);
		}
	}
}

static void test_roots_of_small_files(void **state)
{
	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(trees); a++) {
		for (size_t i = 1; edges[i] <= MIH_HASH_GROUP; i++) {
			struct mih_hash_range range = { .data = data + 1,
							.len = edges[i],
							.is_root = true };

			compare(trees[a], &range, 1);
		}
	}
}

/* Ragged ranges of several files, at odd addresses and far offsets. */
static void test_ragged_mixes(void **state)
{
	struct mih_hash_range ranges[12];
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 24; round++) {
		size_t used = 0;

		for (size_t i = 0; i < MIH_ARRAY_LEN(ranges); i++) {
			size_t len = edges[test_random(&seed) %
					   (MIH_ARRAY_LEN(edges) - 9)];

			ranges[i] = (struct mih_hash_range){
				.data = data + used,
				.len = len,
				.off = test_random(&seed) % 4 *
				       ((uint64_t)1 << 42),
				.is_root = len && len <= MIH_HASH_GROUP &&
					   test_random(&seed) % 2,
			};
			used += len + test_random(&seed) % 3;
		}
		assert_true(used < DATA_MAX);
		compare(trees[round % 4], ranges, MIH_ARRAY_LEN(ranges));
	}
}

static void test_blake3_counts_chunks(void **state)
{
	struct mih_hash_range range = { .data = data, .len = 65536 };
	uint8_t first[32], second[32];

	(void)state;
	mih_hash_groups(MIH_HASH_BLAKE3, &range, 1, first);
	range.off = (uint64_t)1 << 42; /* chunk 2^32: the high word counts */
	mih_hash_groups(MIH_HASH_BLAKE3, &range, 1, second);
	assert_memory_not_equal(first, second, 32);
	compare(MIH_HASH_BLAKE3, &range, 1);
}

static void every_number_of_nodes(void)
{
	for (size_t a = 0; a < MIH_ARRAY_LEN(trees); a++) {
		size_t len = mih_hash_info(trees[a])->len;

		for (size_t n = 0; n <= 70; n++) {
			force(MIH_HASH_PATH_PORTABLE);
			memset(want, POISON, sizeof(want));
			mih_hash_nodes(trees[a], data, n, false, want);
			for (size_t i = 0; i < MIH_ARRAY_LEN(fast); i++) {
				if (mih_hash_path_force(fast[i]))
					continue;
				memset(got, POISON, sizeof(got));
				memcpy(got, data, 2 * n * len);
				mih_hash_nodes(trees[a], got, n, false, got);
				assert_memory_equal(got, want, n * len);
			}
		}
	}
	force(MIH_HASH_PATH_AUTO);
}

static void test_every_number_of_nodes(void **state)
{
	(void)state;
	every_number_of_nodes();
}

/* However many of them SHA-NI takes, which is another number on each kind of
 * processor. */
static void test_every_number_of_nodes_and_any_pair(void **state)
{
	(void)state;
	for (size_t few = 1; few <= MIH_HASH_PAIR_LANES; few++) {
		mih_hash_pair_force(few);
		every_number_of_nodes();
	}
	mih_hash_pair_force(0);
}

/* H(mark, data) by the flat streams. */
static void flat_marked(enum mih_hash_alg flat, uint8_t mark, const uint8_t *p,
			size_t len, uint8_t *out)
{
	struct mih_hash_stream *stream;

	assert_int_equal(mih_hash_stream_new(flat, &stream), 0);
	assert_int_equal(mih_hash_stream_update(stream, &mark, 1), 0);
	assert_int_equal(mih_hash_stream_update(stream, p, len), 0);
	assert_int_equal(mih_hash_stream_final(stream, out), 0);
	mih_hash_stream_free(stream);
}

/* RFC 9162 2.1.1, word for word. */
static void define_mth(enum mih_hash_alg flat, const uint8_t *p, size_t len,
		       uint8_t *out)
{
	size_t n = (len + MIH_HASH_BLOCK - 1) / MIH_HASH_BLOCK, k = 1;
	size_t dlen = mih_hash_info(flat)->len;
	uint8_t pair[2 * MIH_HASH_LEN_MAX];

	if (n <= 1) {
		flat_marked(flat, 0, p, len, out);
		return;
	}
	while (2 * k < n)
		k *= 2;
	define_mth(flat, p, k * MIH_HASH_BLOCK, pair);
	define_mth(flat, p + k * MIH_HASH_BLOCK, len - k * MIH_HASH_BLOCK,
		   pair + dlen);
	flat_marked(flat, 1, pair, 2 * dlen, out);
}

static void test_portable_follows_the_definition(void **state)
{
	static const enum mih_hash_alg flats[] = { MIH_HASH_SHA256,
						   MIH_HASH_SHA512,
						   MIH_HASH_SHA3_256 };
	uint8_t digest[MIH_HASH_LEN_MAX], defined[MIH_HASH_LEN_MAX];

	(void)state;
	force(MIH_HASH_PATH_PORTABLE);
	for (size_t a = 0; a < MIH_ARRAY_LEN(flats); a++) {
		for (size_t i = 1; edges[i] <= MIH_HASH_GROUP; i++) {
			struct mih_hash_range range = { .data = data,
							.len = edges[i] };

			memset(digest, POISON, sizeof(digest));
			mih_hash_groups(trees[a], &range, 1, digest);
			define_mth(flats[a], data, edges[i], defined);
			assert_memory_equal(digest, defined,
					    mih_hash_info(flats[a])->len);
		}
	}
	force(MIH_HASH_PATH_AUTO);
}

static void test_empty_digests(void **state)
{
	uint8_t digest[MIH_HASH_LEN_MAX], flat[MIH_HASH_LEN_MAX];

	(void)state;
	mih_hash_empty(MIH_HASH_MTH4K_SHA256, digest);
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA256, NULL, 0, flat), 0);
	assert_memory_equal(digest, flat, 32);
	mih_hash_empty(MIH_HASH_MTH4K_SHA512, digest);
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA512, NULL, 0, flat), 0);
	assert_memory_equal(digest, flat, 64);
	mih_hash_empty(MIH_HASH_MTH4K_SHA3_256, digest);
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA3_256, NULL, 0, flat), 0);
	assert_memory_equal(digest, flat, 32);
}

static void test_blake2b_leaves_are_blake2b(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 17; n++) {
		for (size_t i = 0; i < n; i++)
			assert_int_equal(
			    mih_hash_flat(MIH_HASH_BLAKE2B,
					  data + i * MIH_HASH_BLOCK,
					  MIH_HASH_BLOCK, want + 64 * i),
			    0);
		for (int p = 0; p < MIH_HASH_PATH_END; p++) {
			if (mih_hash_path_force((enum mih_hash_path)p))
				continue;
			memset(got, POISON, sizeof(got));
			mih_hash_blake2b_leaves(data, n, got);
			assert_memory_equal(got, want, 64 * n);
			assert_int_equal(got[64 * n], POISON);
		}
	}
	force(MIH_HASH_PATH_AUTO);
}

static void test_a_forced_path_is_never_another(void **state)
{
	(void)state;
	force(MIH_HASH_PATH_PORTABLE);
	for (size_t a = 0; a < MIH_ARRAY_LEN(trees); a++)
		assert_int_equal(mih_hash_path_used(trees[a]),
				 MIH_HASH_PATH_PORTABLE);
	if (!mih_hash_path_force(MIH_HASH_PATH_SHANI))
		assert_int_equal(mih_hash_path_used(MIH_HASH_BLAKE3),
				 MIH_HASH_PATH_PORTABLE);
	assert_int_equal(mih_hash_path_force(MIH_HASH_PATH_END), -ENOTSUP);
	force(MIH_HASH_PATH_AUTO);
}

/* Whole lots on the lanes, and what is left where it is sooner done. */
static void test_a_pair_shares_messages(void **state)
{
	const size_t all = MIH_HASH_PAIR_LANES;

	(void)state;
	for (size_t few = 1; few < all; few++)
		for (size_t n = 0; n <= 3 * all; n++) {
			size_t rest = mih_hash_pair_rest(n, few);

			assert_int_equal(rest, n % all <= few ? n % all : 0);
		}
	for (size_t n = 0; n <= 3 * all; n++)
		assert_int_equal(mih_hash_pair_rest(n, all), n);
	if (mih_hash_path_available(MIH_HASH_PATH_SHANI) &&
	    mih_hash_path_available(MIH_HASH_PATH_AVX512))
		assert_int_equal(mih_hash_path_used(MIH_HASH_MTH4K_SHA256),
				 mih_hash_pair_has_lanes()
				     ? MIH_HASH_PATH_AVX512
				     : MIH_HASH_PATH_SHANI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_range_at_every_edge),
		cmocka_unit_test(test_roots_of_small_files),
		cmocka_unit_test(test_ragged_mixes),
		cmocka_unit_test(test_blake3_counts_chunks),
		cmocka_unit_test(test_every_number_of_nodes),
		cmocka_unit_test(test_every_number_of_nodes_and_any_pair),
		cmocka_unit_test(test_portable_follows_the_definition),
		cmocka_unit_test(test_empty_digests),
		cmocka_unit_test(test_blake2b_leaves_are_blake2b),
		cmocka_unit_test(test_a_forced_path_is_never_another),
		cmocka_unit_test(test_a_pair_shares_messages),
	};
	int failed;

	data = malloc(DATA_MAX);
	if (!data)
		return 1;
	test_random_fill(data, DATA_MAX, 7);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(data);
	return failed;
}
