/*
 * tests/hash/vectors.h - digests that the reference implementation wrote
 */
#ifndef MIH_TESTS_HASH_VECTORS_H
#define MIH_TESTS_HASH_VECTORS_H

#include <stddef.h>

/* Of the first @len bytes of the pattern, as a file called "a/b.bin"; all in
 * hex. A layer stands as the sha256 of its digests. */
struct vector {
	size_t len;
	const char *blake3, *blake3_layer64k_sha256;
	const char *mth4k_sha256, *mth4k_sha256_layer64k_sha256;
	const char *mth4k_sha512, *mth4k_sha512_layer64k_sha256;
	const char *mth4k_sha3_256, *mth4k_sha3_256_layer64k_sha256;
	const char *lthash16_sha256;
};

extern const struct vector vectors[];
extern const size_t nvectors;

#endif
