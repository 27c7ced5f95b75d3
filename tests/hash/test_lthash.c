#include "hash/common.h"
#include "hash/lthash.h"
#include "util/checked.h"

/* SHA-256 of the output over the first bytes of the pattern; written by
 * tests/reference/mihtree.py, which agrees with the published vectors. */
static const struct {
	size_t len;
	uint32_t outlen;
	const char *sha256;
} xof[] = {
	{ 0, 1,
	  "4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a" },
	{ 1, 32,
	  "59f52141d743fc360ad3e52f1e5a6d3b138b2a94649816f22438ea96910f8143" },
	{ 3, 64,
	  "0b9c883cafa7ced03b6c761a60e193d4ead54825fdc410f8a8f4d681e4bd49d6" },
	{ 127, 65,
	  "e4f8198ad4a75e5bacf88266774006c9aa0e54e8aa4977996c22e655a18e6f65" },
	{ 128, 128,
	  "4b6eade048e305ab9f0ca43d589c42e1b2289f1285a6b32eae4b7fe6bb775097" },
	{ 129, 2048,
	  "1d20853d9446ed6fad03bfb62342c875f5b893e8a93326b8b53568fae6afbc62" },
	{ 256, 1000,
	  "78519cb698d82b1516468561f622e252b12e43d773779590280c528800c1d409" },
};

static uint8_t element[8][MIH_HASH_LT_LEN];

static void test_blake2xb_gives_the_vectors(void **state)
{
	uint8_t msg[256], out[MIH_HASH_LT_LEN + 1], digest[32];

	(void)state;
	mih_test_fill(msg, sizeof(msg), 0);
	for (size_t i = 0; i < MIH_ARRAY_LEN(xof); i++) {
		memset(out, POISON, sizeof(out));
		mih_hash_blake2xb(msg, xof[i].len, out, xof[i].outlen);
		assert_int_equal(out[xof[i].outlen], POISON);
		assert_int_equal(
		    mih_hash_flat(MIH_HASH_SHA256, out, xof[i].outlen, digest),
		    0);
		assert_hex(digest, 32, xof[i].sha256);
	}
}

static void test_order_does_not_matter(void **state)
{
	uint8_t up[MIH_HASH_LT_LEN] = { 0 }, down[MIH_HASH_LT_LEN] = { 0 };

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		mih_hash_lt_add(up, element[i]);
		mih_hash_lt_add(down, element[7 - i]);
	}
	assert_memory_equal(up, down, sizeof(up));
}

static void test_what_is_taken_out_leaves_no_trace(void **state)
{
	uint8_t with[MIH_HASH_LT_LEN] = { 0 }, without[MIH_HASH_LT_LEN] = { 0 };

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		mih_hash_lt_add(with, element[i]);
		if (i != 3)
			mih_hash_lt_add(without, element[i]);
	}
	assert_memory_not_equal(with, without, sizeof(with));
	mih_hash_lt_sub(with, element[3]);
	assert_memory_equal(with, without, sizeof(with));
}

/* No carry from one lane into the next, and all 1024 lanes in use. */
static void test_lanes_wrap_alone(void **state)
{
	uint8_t sum[MIH_HASH_LT_LEN], one[MIH_HASH_LT_LEN] = { 0 };

	(void)state;
	memset(sum, 0xff, sizeof(sum));
	for (size_t i = 0; i < MIH_HASH_LT_LEN; i += 2)
		one[i] = 1;
	mih_hash_lt_add(sum, one);
	for (size_t i = 0; i < MIH_HASH_LT_LEN; i++)
		assert_int_equal(sum[i], 0);
	mih_hash_lt_sub(sum, one);
	for (size_t i = 0; i < MIH_HASH_LT_LEN; i++)
		assert_int_equal(sum[i], 0xff);
}

static void test_an_element_binds_everything(void **state)
{
	uint8_t digest[32] = { 0 }, base[MIH_HASH_LT_LEN];
	uint8_t other[MIH_HASH_LT_LEN];

	(void)state;
	mih_hash_lt_element("a", 0, 1, digest, base);
	mih_hash_lt_element("b", 0, 1, digest, other);
	assert_memory_not_equal(base, other, sizeof(base));
	mih_hash_lt_element("a", 65536, 1, digest, other);
	assert_memory_not_equal(base, other, sizeof(base));
	mih_hash_lt_element("a", 0, 2, digest, other);
	assert_memory_not_equal(base, other, sizeof(base));
	digest[31] = 1;
	mih_hash_lt_element("a", 0, 1, digest, other);
	assert_memory_not_equal(base, other, sizeof(base));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blake2xb_gives_the_vectors),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_what_is_taken_out_leaves_no_trace),
		cmocka_unit_test(test_lanes_wrap_alone),
		cmocka_unit_test(test_an_element_binds_everything),
	};

	for (size_t i = 0; i < 8; i++)
		mih_hash_lt_element("file", i * 65536, 65536,
				    (const uint8_t *)"0123456789abcdef"
						     "0123456789abcdef",
				    element[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
