#include "tree/model.h"

#include <string.h>

/* RFC 9162 2.1.1 word by word, one pair at a time. */
static void by_the_book(enum mih_hash_alg alg, const uint8_t *nodes, size_t n,
			bool is_root, uint8_t *out)
{
	const size_t len = mih_hash_info(alg)->len;
	uint8_t pair[2 * MIH_HASH_LEN_MAX];
	size_t k = 1;

	if (n == 1) {
		memcpy(out, nodes, len);
		return;
	}
	while (2 * k < n)
		k *= 2;
	by_the_book(alg, nodes, k, false, pair);
	by_the_book(alg, nodes + k * len, n - k, false, pair + len);
	mih_hash_nodes(alg, pair, 1, is_root, out);
}

static void check_fold(enum mih_hash_alg alg, size_t n)
{
	const size_t len = mih_hash_info(alg)->len;
	uint8_t want[MIH_HASH_LEN_MAX], got[MIH_HASH_LEN_MAX];

	for (int is_root = 0; is_root < 2; is_root++) {
		mih_autofree uint8_t *nodes = model_layer(alg, n, n);

		by_the_book(alg, nodes, n, is_root, want);
		mih_tree_fold(alg, nodes, n, is_root, got);
		assert_memory_equal(got, want, len);
	}
}

static void test_fold_has_the_shape_of_rfc9162(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(model_algs); a++) {
		for (size_t n = 1; n <= 130; n++)
			check_fold(model_algs[a], n);
		for (int i = 0; i < 10; i++)
			check_fold(model_algs[a],
				   1 + model_random(&seed) % 3000);
	}
}

static void test_fold_of_blake3_marks_the_root_alone(void **state)
{
	uint8_t as_node[32], as_root[32];

	(void)state;
	for (size_t n = 1; n < 6; n++) {
		mih_autofree uint8_t *x = model_layer(MIH_HASH_BLAKE3, 0, n);
		mih_autofree uint8_t *y = model_layer(MIH_HASH_BLAKE3, 0, n);

		mih_tree_fold(MIH_HASH_BLAKE3, x, n, false, as_node);
		mih_tree_fold(MIH_HASH_BLAKE3, y, n, true, as_root);
		assert_int_equal(memcmp(as_node, as_root, 32) == 0, n == 1);
	}
}

/* Every node of a coarser layer is the fold of its part of the finer one. */
static void check_coarsen(enum mih_hash_alg alg, size_t n, size_t factor)
{
	const size_t len = mih_hash_info(alg)->len;
	mih_autofree uint8_t *nodes = model_layer(alg, n, n);
	mih_autofree uint8_t *copy = model_layer(alg, n, n);
	uint8_t want[MIH_HASH_LEN_MAX];

	mih_tree_coarsen(alg, copy, n, factor, copy);
	for (size_t i = 0; i * factor < n; i++) {
		by_the_book(alg, nodes + i * factor * len,
			    MIH_MIN(factor, n - i * factor), false, want);
		assert_memory_equal(copy + i * len, want, len);
	}
}

static void test_coarsen_folds_each_span(void **state)
{
	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(model_algs); a++)
		for (size_t n = 1; n < 300; n += 1 + n / 8)
			for (size_t factor = 1; factor <= 512; factor *= 2)
				check_coarsen(model_algs[a], n, factor);
}

/* For files above the largest span: no span has a lonely blake3 node then. */
/* Of the first of several pages, of a short last one, and of a single one. */
static void test_page_has_one_node_above_it(void **state)
{
	static const struct {
		uint64_t nbytes, page;
		size_t n;
		bool is_root;
	} pages[] = {
		{ 3 * MIH_TREE_PAGE, 0, MIH_TREE_PAGE_GROUPS, false },
		{ 2 * MIH_TREE_PAGE + 5 * MIH_HASH_GROUP - 1, 2, 5, false },
		{ MIH_TREE_PAGE, 0, MIH_TREE_PAGE_GROUPS, true },
		{ 6 * MIH_HASH_GROUP + 1, 0, 7, true },
	};

	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(model_algs); a++)
		for (size_t i = 0; i < MIH_ARRAY_LEN(pages); i++) {
			enum mih_hash_alg alg = model_algs[a];
			size_t n = pages[i].n, len = mih_hash_info(alg)->len;
			mih_autofree uint8_t *nodes = model_layer(alg, n, n);
			mih_autofree uint8_t *kept = model_layer(alg, n, n);
			uint8_t want[MIH_HASH_LEN_MAX], got[MIH_HASH_LEN_MAX];

			by_the_book(alg, nodes, n, pages[i].is_root, want);
			mih_tree_page_node(alg, pages[i].nbytes, pages[i].page,
					   nodes, got);
			assert_memory_equal(got, want, len);
			assert_memory_equal(nodes, kept, n * len);
		}
}

static void test_root_is_the_same_from_every_span(void **state)
{
	uint8_t want[MIH_HASH_LEN_MAX], got[MIH_HASH_LEN_MAX];
	uint64_t nbytes = 700 * (uint64_t)MIH_HASH_GROUP + 1;

	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(model_algs); a++) {
		enum mih_hash_alg alg = model_algs[a];
		const size_t len = mih_hash_info(alg)->len;
		mih_autofree uint8_t *all = model_layer(alg, 3, 701);

		by_the_book(alg, all, 701, true, want);
		for (size_t factor = 1; factor <= 512; factor *= 2) {
			mih_autofree uint8_t *layer = model_layer(alg, 3, 701);

			mih_tree_coarsen(alg, layer, 701, factor, layer);
			mih_tree_root(alg, nbytes, factor * MIH_HASH_GROUP,
				      layer, got);
			assert_memory_equal(got, want, len);
		}
	}
}

/* From the published vectors; byte i of the file is i mod 251. */
static const struct {
	enum mih_hash_alg alg;
	size_t nbytes;
	const char *root;
} vectors[] = {
	{ MIH_HASH_MTH4K_SHA256, 0,
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ MIH_HASH_MTH4K_SHA512, 0,
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ MIH_HASH_MTH4K_SHA3_256, 0,
	  "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a" },
	{ MIH_HASH_BLAKE3, 0,
	  "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262" },
	{ MIH_HASH_MTH4K_SHA256, 1,
	  "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7" },
	{ MIH_HASH_MTH4K_SHA512, 1,
	  "5ea71dc6d0b4f57bf39aadd07c208c35f06cd2bac5fde210397f70de11d439c6"
	  "2ec1cdf3183758865fd387fcea0bada2f6c37a4a17851dd1d78fefe6f204ee54" },
	{ MIH_HASH_MTH4K_SHA3_256, 1,
	  "762ba6a3d9312bf3e6dc71e74f34208e889fc44e6ff400724deecfeda7d5b3ce" },
	{ MIH_HASH_BLAKE3, 1,
	  "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213" },
	{ MIH_HASH_MTH4K_SHA256, 65536,
	  "2f1e4e94c78c5be2648ed89fe7e80850612e066ad5f39447af6e1b489d4e3f70" },
	{ MIH_HASH_MTH4K_SHA512, 65536,
	  "157225c23daf5bcafe60003954f1e87ace9e4dd49e91ab7e5473d83f8138ad4b"
	  "46540b36c7e66ec34ed3850e164d279628d2170b0cc84ae1bde50d9f8f7603ee" },
	{ MIH_HASH_MTH4K_SHA3_256, 65536,
	  "a56395564ec3ba36aaf62ee03f1bc2e71da32ec6bb6d341cb0866c880a3e1e12" },
	{ MIH_HASH_BLAKE3, 65536,
	  "68d647e619a930e7b1082f74f334b0c65a315725569bdc123f0ee11881717bfe" },
	{ MIH_HASH_MTH4K_SHA256, 65537,
	  "66fe1e26eb643e5b629c777955b89d0324e6d675053e459b33353151cd40d360" },
	{ MIH_HASH_MTH4K_SHA512, 65537,
	  "4ea82f31673d404c900af3308086e60a67a25f7ce27463ed9e70a4a23967967a"
	  "3097705712403b1d7d76f98c2bf1a57baacb2bf09876e3c7cd6cd6ac0fec52c9" },
	{ MIH_HASH_MTH4K_SHA3_256, 65537,
	  "6e8aad311c2fc7c468e770d6aec91498b11faf2236be6350729637dfa0520f3f" },
	{ MIH_HASH_BLAKE3, 65537,
	  "7c99f9840a73dfcb6e5bfe4ff6d1558acab7e015640790c26411818bdbe17eca" },
	{ MIH_HASH_MTH4K_SHA256, 196609,
	  "09e912df2fac10cce0823f835bb712c1a7ec33f8150bd3949fba5a27cd66c5a5" },
	{ MIH_HASH_MTH4K_SHA512, 196609,
	  "68af9bcd052a90ab46301e45049f084d1ba753c17da2025510d000ced4476e88"
	  "7ff70192432fa775605d7c002d4cb2a203d42cb7974af085488f56c551bf944f" },
	{ MIH_HASH_MTH4K_SHA3_256, 196609,
	  "bd72a8f6343f336190c01e03797ba8146c1a59a8e97a14a8a1b6036713beb249" },
	{ MIH_HASH_BLAKE3, 196609,
	  "24af087e4d878227c008c68e1813d2c10d621f9ffcca0160cf11b9bc5f19a532" },
	{ MIH_HASH_MTH4K_SHA256, 1048577,
	  "fe4cd8690560297c8791ff0bb3dfa5a8d3ba7bf27f1fadd1cfd1f9ed11f58c28" },
	{ MIH_HASH_MTH4K_SHA512, 1048577,
	  "3aaf0f1317b6285f2c7ddf5d9c928ed9682fdfad9b73f70e8bda95baa83c1da5"
	  "cecb2562e321e103ab4eaab4dbfe5447e6145fa8eb0e7b5c54705facbe9c75a0" },
	{ MIH_HASH_MTH4K_SHA3_256, 1048577,
	  "99ffd8079ed179931771d9a4769d11500444af2292362c8987c781a9b170854e" },
	{ MIH_HASH_BLAKE3, 1048577,
	  "2f053cd7472cf0cd2f9adaf45c1180255b91b9a865404a63671a0ee5f792ed33" },
};

static void test_root_of_files_equals_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(vectors); i++) {
		size_t n = vectors[i].nbytes;
		mih_autofree uint8_t *data = malloc(n + 1);
		uint8_t layer[32 * MIH_HASH_LEN_MAX], root[MIH_HASH_LEN_MAX];
		char hex[2 * MIH_HASH_LEN_MAX + 1];
		struct mih_hash_range range = { data, n, 0,
						n <= MIH_HASH_GROUP };

		assert_non_null(data);
		mih_test_fill(data, n, 0);
		mih_hash_groups(vectors[i].alg, &range, 1, layer);
		mih_tree_root(vectors[i].alg, n, MIH_HASH_GROUP, layer, root);
		mih_bytes_to_hex(root, mih_hash_info(vectors[i].alg)->len, hex);
		assert_string_equal(hex, vectors[i].root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold_has_the_shape_of_rfc9162),
		cmocka_unit_test(test_fold_of_blake3_marks_the_root_alone),
		cmocka_unit_test(test_coarsen_folds_each_span),
		cmocka_unit_test(test_page_has_one_node_above_it),
		cmocka_unit_test(test_root_is_the_same_from_every_span),
		cmocka_unit_test(test_root_of_files_equals_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
