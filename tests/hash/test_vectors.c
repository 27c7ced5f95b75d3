/* Every path against the vectors that the reference wrote. */
#include "hash/common.h"
#include "hash/lthash.h"
#include "hash/vectors.h"
#include "util/checked.h"

#define LEN_MAX ((size_t)1 << 21)

static uint8_t *data;
static uint8_t nodes[LEN_MAX / MIH_HASH_GROUP * MIH_HASH_LEN_MAX];

static void check_layer(enum mih_hash_alg alg, const struct vector *v,
			const char *hex)
{
	struct mih_hash_range range = { .data = data, .len = v->len };
	size_t len = mih_hash_info(alg)->len, n = mih_hash_ngroups(v->len);
	uint8_t digest[32];

	memset(nodes, POISON, sizeof(nodes));
	mih_hash_groups(alg, &range, 1, nodes);
	assert_int_equal(nodes[n * len], POISON);
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA256, nodes, n * len, digest),
			 0);
	assert_hex(digest, 32, hex);
}

static void check_root(enum mih_hash_alg alg, const struct vector *v,
		       const char *hex)
{
	size_t len = mih_hash_info(alg)->len, n = mih_hash_ngroups(v->len);
	struct mih_hash_range range = { .data = data,
					.len = v->len,
					.is_root = n == 1 };
	uint8_t root[MIH_HASH_LEN_MAX];

	memset(root, POISON, sizeof(root));
	memset(nodes, POISON, sizeof(nodes));
	mih_hash_groups(alg, &range, 1, nodes);
	if (n)
		test_fold(alg, nodes, n, true, root);
	else
		mih_hash_empty(alg, root);
	assert_hex(root, len, hex);
}

static void check_vector(const struct vector *v)
{
	uint8_t digest[32];

	check_root(MIH_HASH_MTH4K_SHA256, v, v->mth4k_sha256);
	check_layer(MIH_HASH_MTH4K_SHA256, v, v->mth4k_sha256_layer64k_sha256);
	check_root(MIH_HASH_MTH4K_SHA512, v, v->mth4k_sha512);
	check_layer(MIH_HASH_MTH4K_SHA512, v, v->mth4k_sha512_layer64k_sha256);
	check_root(MIH_HASH_MTH4K_SHA3_256, v, v->mth4k_sha3_256);
	check_layer(MIH_HASH_MTH4K_SHA3_256, v,
		    v->mth4k_sha3_256_layer64k_sha256);
	check_root(MIH_HASH_BLAKE3, v, v->blake3);
	check_layer(MIH_HASH_BLAKE3, v, v->blake3_layer64k_sha256);
	assert_int_equal(mih_hash_flat(MIH_HASH_BLAKE3, data, v->len, digest),
			 0);
	assert_hex(digest, 32, v->blake3);
}

static void check_path(enum mih_hash_path path)
{
	if (!mih_hash_path_available(path)) {
		print_message("# %s: not here\n", mih_hash_path_name(path));
		return;
	}
	force(path);
	for (size_t i = 0; i < nvectors; i++)
		check_vector(&vectors[i]);
	force(MIH_HASH_PATH_AUTO);
}

static void test_portable_path_gives_the_vectors(void **state)
{
	(void)state;
	check_path(MIH_HASH_PATH_PORTABLE);
}

static void test_avx2_path_gives_the_vectors(void **state)
{
	(void)state;
	check_path(MIH_HASH_PATH_AVX2);
}

static void test_avx512_path_gives_the_vectors(void **state)
{
	(void)state;
	check_path(MIH_HASH_PATH_AVX512);
}

static void test_shani_path_gives_the_vectors(void **state)
{
	(void)state;
	check_path(MIH_HASH_PATH_SHANI);
}

static void test_chosen_paths_give_the_vectors(void **state)
{
	(void)state;
	check_path(MIH_HASH_PATH_AUTO);
}

/* lthash16 of the file "a/b.bin" with the vector's bytes. */
static void lthash(const struct vector *v, uint8_t sum[MIH_HASH_LT_LEN])
{
	struct mih_hash_range range = { .data = data, .len = v->len };
	uint8_t element[MIH_HASH_LT_LEN];
	uint64_t off = 0;
	size_t i = 0;

	memset(sum, 0, MIH_HASH_LT_LEN);
	mih_hash_groups(MIH_HASH_MTH4K_SHA256, &range, 1, nodes);
	if (!v->len)
		mih_hash_empty(MIH_HASH_MTH4K_SHA256, nodes);
	do {
		uint64_t n = MIH_MIN(v->len - off, (uint64_t)MIH_HASH_GROUP);

		memset(element, POISON, sizeof(element));
		mih_hash_lt_element("a/b.bin", off, n, nodes + 32 * i++,
				    element);
		mih_hash_lt_add(sum, element);
		off += n;
	} while (off < v->len);
}

static void test_lthash_gives_the_vectors(void **state)
{
	uint8_t sum[MIH_HASH_LT_LEN], digest[32];

	(void)state;
	for (size_t i = 0; i < nvectors; i++) {
		lthash(&vectors[i], sum);
		assert_int_equal(
		    mih_hash_flat(MIH_HASH_SHA256, sum, sizeof(sum), digest),
		    0);
		assert_hex(digest, 32, vectors[i].lthash16_sha256);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_portable_path_gives_the_vectors),
		cmocka_unit_test(test_avx2_path_gives_the_vectors),
		cmocka_unit_test(test_avx512_path_gives_the_vectors),
		cmocka_unit_test(test_shani_path_gives_the_vectors),
		cmocka_unit_test(test_chosen_paths_give_the_vectors),
		cmocka_unit_test(test_lthash_gives_the_vectors),
	};
	int failed;

	data = malloc(LEN_MAX);
	if (!data)
		return 1;
	mih_test_fill(data, LEN_MAX, 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(data);
	return failed;
}
