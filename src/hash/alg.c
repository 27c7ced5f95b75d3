#include "hash/alg.h"
#include "util/checked.h"

#include <string.h>

static const struct mih_hash_info infos[] = {
	{ MIH_HASH_SHA256, "sha256", 32, .is_flat = true },
	{ MIH_HASH_SHA512, "sha512", 64, .is_flat = true },
	{ MIH_HASH_SHA3_256, "sha3-256", 32, .is_flat = true },
	{ MIH_HASH_BLAKE2B, "blake2b", 64, .is_flat = true },
	{ MIH_HASH_BLAKE3, "blake3", 32, .is_flat = true, .is_tree = true },
	{ MIH_HASH_MTH4K_SHA256, "mth4k-sha256", 32, .is_tree = true },
	{ MIH_HASH_MTH4K_SHA512, "mth4k-sha512", 64, .is_tree = true },
	{ MIH_HASH_MTH4K_SHA3_256, "mth4k-sha3-256", 32, .is_tree = true },
};

const struct mih_hash_info *mih_hash_info(enum mih_hash_alg alg)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(infos); i++)
		if (infos[i].id == alg)
			return &infos[i];
	return NULL;
}

const struct mih_hash_info *mih_hash_by_name(const char *name)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(infos); i++)
		if (!strcmp(infos[i].name, name))
			return &infos[i];
	return NULL;
}

/* The volatile accumulator keeps the compiler from leaving the loop early. */
bool mih_hash_eq(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	volatile uint8_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}
