/*
 * tests/hash/common.h - what the hash tests share
 */
#ifndef MIH_TESTS_HASH_COMMON_H
#define MIH_TESTS_HASH_COMMON_H

#include "lib/test.h"
#include "hash/group.h"
#include "hash/path.h"
#include "hash/stream.h"
#include "util/bytes.h"

#include <string.h>

#define POISON 0xa5 /* what every output holds before */

static inline void force(enum mih_hash_path path)
{
	assert_int_equal(mih_hash_path_force(path), 0);
}

static inline void assert_hex(const uint8_t *digest, size_t len,
			      const char *hex)
{
	char got[2 * MIH_HASH_LEN_MAX + 1];

	mih_bytes_to_hex(digest, len, got);
	assert_string_equal(got, hex);
}

/* A small generator, so that a failure can be repeated (splitmix64). */
static inline uint64_t test_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline void test_random_fill(uint8_t *buf, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)test_random(&seed);
}

/* Root over group digests, by the recursive definition of RFC 9162 2.1.1. */
static inline void test_fold(enum mih_hash_alg alg, const uint8_t *nodes,
			     size_t n, bool is_root, uint8_t *out)
{
	size_t len = mih_hash_info(alg)->len, left = 1;
	uint8_t pair[2 * MIH_HASH_LEN_MAX];

	if (n == 1) {
		memcpy(out, nodes, len);
		return;
	}
	while (2 * left < n)
		left *= 2;
	test_fold(alg, nodes, left, false, pair);
	test_fold(alg, nodes + left * len, n - left, false, pair + len);
	mih_hash_nodes(alg, pair, 1, is_root, out);
}

#endif
