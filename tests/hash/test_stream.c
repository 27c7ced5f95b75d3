#include "hash/common.h"
#include "util/checked.h"

#include <openssl/evp.h>

#define LEN_MAX (3 * MIH_HASH_GROUP + 4096)

static uint8_t data[LEN_MAX];

static const enum mih_hash_alg flats[] = { MIH_HASH_SHA256, MIH_HASH_SHA512,
					   MIH_HASH_SHA3_256, MIH_HASH_BLAKE2B,
					   MIH_HASH_BLAKE3 };

/* FIPS 180-4 and FIPS 202 example messages, RFC 7693 appendix A. */
static void test_published_examples(void **state)
{
	static const char long_message[] =
	    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	uint8_t digest[MIH_HASH_LEN_MAX];

	(void)state;
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA256, "abc", 3, digest), 0);
	assert_hex(
	    digest, 32,
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(
	    mih_hash_flat(MIH_HASH_SHA256, long_message, 56, digest), 0);
	assert_hex(
	    digest, 32,
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA512, "abc", 3, digest), 0);
	assert_hex(
	    digest, 64,
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA3_256, "abc", 3, digest), 0);
	assert_hex(
	    digest, 32,
	    "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
	assert_int_equal(mih_hash_flat(MIH_HASH_BLAKE2B, "abc", 3, digest), 0);
	assert_hex(
	    digest, 64,
	    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
	    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

static void in_pieces(enum mih_hash_alg alg, size_t len, uint64_t seed,
		      uint8_t *digest)
{
	struct mih_hash_stream *stream;
	size_t at = 0;

	assert_int_equal(mih_hash_stream_new(alg, &stream), 0);
	while (at < len) {
		size_t most = test_random(&seed) % 8 ? 200 : 100000;
		size_t take = test_random(&seed) % most;

		take = MIH_MIN(take, len - at);

		assert_int_equal(
		    mih_hash_stream_update(stream, data + at, take), 0);
		at += take;
	}
	memset(digest, POISON, MIH_HASH_LEN_MAX);
	assert_int_equal(mih_hash_stream_final(stream, digest), 0);
	mih_hash_stream_free(stream);
}

static void test_pieces_give_the_digest_of_the_whole(void **state)
{
	static const size_t lens[] = { 0,      1,      55,     56,    63,
				       64,     65,     119,    128,   1024,
				       1025,   65535,  65536,  65537, 131072,
				       131073, 196608, LEN_MAX };
	uint8_t whole[MIH_HASH_LEN_MAX], pieces[MIH_HASH_LEN_MAX];

	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(flats); a++) {
		for (size_t i = 0; i < MIH_ARRAY_LEN(lens); i++) {
			memset(whole, POISON, sizeof(whole));
			assert_int_equal(
			    mih_hash_flat(flats[a], data, lens[i], whole), 0);
			in_pieces(flats[a], lens[i], i, pieces);
			assert_memory_equal(whole, pieces, sizeof(whole));
		}
	}
}

#define STREAMS 41

/* Parts of all lengths, block by block and across blocks. */
static void side_by_side(enum mih_hash_alg alg, uint64_t seed)
{
	struct mih_hash_stream_part parts[STREAMS];
	size_t ends[STREAMS] = { 0 };
	uint8_t want[MIH_HASH_LEN_MAX], got[MIH_HASH_LEN_MAX];

	for (size_t i = 0; i < STREAMS; i++)
		assert_int_equal(mih_hash_stream_new(alg, &parts[i].stream), 0);
	for (size_t round = 0; round < 12; round++) {
		for (size_t i = 0; i < STREAMS; i++) {
			size_t most = test_random(&seed) % 4 ? 300 : 9000;

			parts[i].data = data + ends[i];
			parts[i].len = test_random(&seed) % most;
			ends[i] += parts[i].len;
		}
		assert_int_equal(mih_hash_stream_update_each(parts, STREAMS),
				 0);
	}
	for (size_t i = 0; i < STREAMS; i++) {
		memset(want, POISON, sizeof(want));
		memset(got, POISON, sizeof(got));
		assert_int_equal(mih_hash_flat(alg, data, ends[i], want), 0);
		assert_int_equal(mih_hash_stream_final(parts[i].stream, got),
				 0);
		assert_memory_equal(want, got, sizeof(want));
		mih_hash_stream_free(parts[i].stream);
	}
}

static void test_streams_side_by_side_do_not_disturb_each_other(void **state)
{
	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(flats); a++)
		side_by_side(flats[a], a);
	for (int p = 0; p < MIH_HASH_PATH_END; p++)
		if (!mih_hash_path_force((enum mih_hash_path)p))
			side_by_side(MIH_HASH_SHA256, 100 + (uint64_t)p);
	force(MIH_HASH_PATH_AUTO);
}

static void test_sha256_equals_the_crypto_library(void **state)
{
	uint8_t ours[MIH_HASH_LEN_MAX], theirs[32];

	(void)state;
	for (int p = 0; p < MIH_HASH_PATH_END; p++) {
		if (mih_hash_path_force((enum mih_hash_path)p))
			continue;
		for (size_t len = 0; len <= 400; len++) {
			in_pieces(MIH_HASH_SHA256, len, len, ours);
			assert_int_equal(EVP_Digest(data, len, theirs, NULL,
						    EVP_sha256(), NULL),
					 1);
			assert_memory_equal(ours, theirs, 32);
		}
	}
	force(MIH_HASH_PATH_AUTO);
}

/* A state after n blocks, padded by hand, must end as the digest of them. */
static void test_sha256_state_continues_to_the_digest(void **state)
{
	struct mih_hash_segment segment;
	struct mih_hash_stream *stream;
	uint8_t digest[32], tail[64] = { 0x80 };

	(void)state;
	tail[62] = 192 * 8 >> 8;
	tail[63] = 192 * 8 & 0xff;
	assert_int_equal(mih_hash_stream_new(MIH_HASH_SHA256, &stream), 0);
	assert_int_equal(mih_hash_stream_update(stream, data, 100), 0);
	assert_int_equal(mih_hash_stream_update(stream, data + 100, 92), 0);
	mih_hash_stream_sha256_state(stream, segment.state);
	mih_hash_stream_free(stream);
	segment.data = tail;
	segment.nblocks = 1;
	mih_hash_sha256_segments(&segment, 1);
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA256, data, 192, digest), 0);
	assert_memory_equal(segment.state, digest, 32);
}

static void test_sha256_resumes_behind_a_state(void **state)
{
	static const size_t ats[] = { 0, 64, 640, 65536 };
	uint8_t at[MIH_HASH_SHA256_STATE], want[32], got[32];
	struct mih_hash_stream *stream;

	(void)state;
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA256, data, 70001, want), 0);
	for (size_t i = 0; i < MIH_ARRAY_LEN(ats); i++) {
		assert_int_equal(mih_hash_stream_new(MIH_HASH_SHA256, &stream),
				 0);
		assert_int_equal(mih_hash_stream_update(stream, data, ats[i]),
				 0);
		mih_hash_stream_sha256_state(stream, at);
		mih_hash_stream_free(stream);
		assert_int_equal(
		    mih_hash_stream_sha256_resume(at, ats[i], &stream), 0);
		assert_int_equal(mih_hash_stream_update(stream, data + ats[i],
							70001 - ats[i]),
				 0);
		assert_int_equal(mih_hash_stream_final(stream, got), 0);
		assert_memory_equal(want, got, 32);
		mih_hash_stream_free(stream);
	}
}

/* Segments of all lengths side by side equal one after the other. */
static void test_segments_do_not_disturb_each_other(void **state)
{
	struct mih_hash_segment want[41], got[41];

	(void)state;
	for (size_t i = 0; i < 41; i++) {
		want[i].data = data + 64 * i;
		want[i].nblocks = i * 7 % 23;
		memcpy(want[i].state, data + i, 32);
	}
	for (int p = 0; p < MIH_HASH_PATH_END; p++) {
		if (mih_hash_path_force((enum mih_hash_path)p))
			continue;
		memcpy(got, want, sizeof(got));
		mih_hash_sha256_segments(got, 41);
		for (size_t i = 0; i < 41; i++) {
			struct mih_hash_segment one = want[i];

			force(MIH_HASH_PATH_PORTABLE);
			mih_hash_sha256_segments(&one, 1);
			assert_memory_equal(one.state, got[i].state, 32);
		}
	}
	force(MIH_HASH_PATH_AUTO);
}

static void test_only_flat_algorithms_have_streams(void **state)
{
	struct mih_hash_stream *stream;

	(void)state;
	assert_int_equal(mih_hash_stream_new(MIH_HASH_MTH4K_SHA256, &stream),
			 -EINVAL);
	assert_int_equal(mih_hash_stream_new(MIH_HASH_NONE, &stream), -EINVAL);
	mih_hash_stream_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_examples),
		cmocka_unit_test(test_pieces_give_the_digest_of_the_whole),
		cmocka_unit_test(
		    test_streams_side_by_side_do_not_disturb_each_other),
		cmocka_unit_test(test_sha256_resumes_behind_a_state),
		cmocka_unit_test(test_sha256_equals_the_crypto_library),
		cmocka_unit_test(test_sha256_state_continues_to_the_digest),
		cmocka_unit_test(test_segments_do_not_disturb_each_other),
		cmocka_unit_test(test_only_flat_algorithms_have_streams),
	};

	mih_test_fill(data, sizeof(data), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
