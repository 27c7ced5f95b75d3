/* digests FILE: what crosscheck.py holds against the reference. */
#include "hash/common.h"
#include "hash/lthash.h"

static void print_hex(const char *name, const uint8_t *digest, size_t len)
{
	char hex[2 * MIH_HASH_LEN_MAX + 1];

	mih_bytes_to_hex(digest, len, hex);
	printf("%s %s\n", name, hex);
}

static int print_tree(enum mih_hash_alg alg, const uint8_t *data, size_t len)
{
	size_t n = mih_hash_ngroups(len);
	struct mih_hash_range range = { .data = data,
					.len = len,
					.is_root = n == 1 };
	uint8_t root[MIH_HASH_LEN_MAX];
	uint8_t *nodes = malloc((n + 1) * MIH_HASH_LEN_MAX);

	if (!nodes)
		return 1;
	mih_hash_groups(alg, &range, 1, nodes);
	if (n)
		test_fold(alg, nodes, n, true, root);
	else
		mih_hash_empty(alg, root);
	print_hex(mih_hash_info(alg)->name, root, mih_hash_info(alg)->len);
	free(nodes);
	return 0;
}

static int print_xof(const uint8_t *data, size_t len)
{
	uint8_t out[1000], digest[32];

	mih_hash_blake2xb(data, len, out, sizeof(out));
	if (mih_hash_flat(MIH_HASH_SHA256, out, sizeof(out), digest))
		return 1;
	print_hex("blake2xb-1000-sha256", digest, 32);
	return 0;
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	uint8_t *data = malloc((size_t)1 << 22);
	size_t len = 0;
	int failed;

	if (!file || !data)
		return 1;
	len = fread(data, 1, (size_t)1 << 22, file);
	fclose(file);
	failed = print_tree(MIH_HASH_MTH4K_SHA256, data, len) ||
		 print_tree(MIH_HASH_MTH4K_SHA512, data, len) ||
		 print_tree(MIH_HASH_MTH4K_SHA3_256, data, len) ||
		 print_tree(MIH_HASH_BLAKE3, data, len) || print_xof(data, len);
	free(data);
	return failed;
}
