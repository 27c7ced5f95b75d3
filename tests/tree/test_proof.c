#include "tree/model.h"
#include "tree/proof.h"

#include <string.h>

struct fixture {
	struct mih_tree_layer layer;
	uint8_t *nodes;
	uint8_t root[MIH_HASH_LEN_MAX];
	uint8_t proof[MIH_TREE_PROOF_MAX * MIH_HASH_LEN_MAX];
	struct mih_tree_claim claim;
};

static void setup(struct fixture *f, enum mih_hash_alg alg, size_t n)
{
	mih_autofree uint8_t *copy = model_layer(alg, n, n);

	f->nodes = model_layer(alg, n, n);
	f->layer = (struct mih_tree_layer){ alg, f->nodes, n };
	mih_tree_fold(alg, copy, n, true, f->root);
}

/* A true claim about node @index. */
static void claim(struct fixture *f, uint64_t index)
{
	const size_t len = mih_hash_info(f->layer.alg)->len;
	size_t proof_len = 0;

	assert_int_equal(
	    mih_tree_proof_make(&f->layer, index, f->proof, &proof_len), 0);
	f->claim = (struct mih_tree_claim){
		.alg = f->layer.alg,
		.index = index,
		.n = f->layer.n,
		.node = f->nodes + index * len,
		.root = f->root,
		.proof = f->proof,
		.proof_len = proof_len,
	};
}

static mih_err check(const struct fixture *f)
{
	return mih_tree_proof_check(&f->claim);
}

static void test_proof_of_every_node_up_to_70(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(model_algs); a++)
		for (size_t n = 1; n <= 70; n++) {
			setup(&f, model_algs[a], n);
			for (uint64_t i = 0; i < n; i++) {
				claim(&f, i);
				assert_int_equal(check(&f), 0);
			}
			free(f.nodes);
		}
}

static void test_proof_in_large_layers(void **state)
{
	uint64_t seed = 7;
	struct fixture f;

	(void)state;
	for (int i = 0; i < 20; i++) {
		size_t n = 1000 + model_random(&seed) % 20000;

		setup(&f, model_algs[i % MIH_ARRAY_LEN(model_algs)], n);
		claim(&f, model_random(&seed) % n);
		assert_int_equal(check(&f), 0);
		claim(&f, n - 1);
		assert_int_equal(check(&f), 0);
		free(f.nodes);
	}
}

/* Figure of RFC 9162 2.1.5: seven leaves, PATH(3) = [c, g, l]. */
static void test_proof_has_the_nodes_of_rfc9162(void **state)
{
	struct fixture f;
	uint8_t g[32], l[32], copy[7 * 32];

	(void)state;
	setup(&f, MIH_HASH_MTH4K_SHA256, 7);
	memcpy(copy, f.nodes, sizeof(copy));
	mih_tree_fold(f.layer.alg, copy, 2, false, g);
	mih_tree_fold(f.layer.alg, copy + 4 * 32, 3, false, l);
	claim(&f, 3);
	assert_int_equal(f.claim.proof_len, 3);
	assert_memory_equal(f.proof, f.nodes + 2 * 32, 32);
	assert_memory_equal(f.proof + 32, g, 32);
	assert_memory_equal(f.proof + 64, l, 32);
	claim(&f, 6); /* the last has one sibling less */
	assert_int_equal(f.claim.proof_len, 2);
	free(f.nodes);
}

static void check_bit_flips(struct fixture *f)
{
	const size_t len = mih_hash_info(f->layer.alg)->len;
	uint8_t node[MIH_HASH_LEN_MAX];

	for (size_t bit = 0; bit < 8 * len * f->claim.proof_len; bit++) {
		f->proof[bit / 8] ^= 1u << bit % 8;
		assert_int_equal(check(f), MIH_EDIGEST);
		f->proof[bit / 8] ^= 1u << bit % 8;
	}
	memcpy(node, f->claim.node, len);
	f->claim.node = node;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		node[bit / 8] ^= 1u << bit % 8;
		assert_int_equal(check(f), MIH_EDIGEST);
		node[bit / 8] ^= 1u << bit % 8;
		f->root[bit / 8] ^= 1u << bit % 8;
		assert_int_equal(check(f), MIH_EDIGEST);
		f->root[bit / 8] ^= 1u << bit % 8;
	}
	assert_int_equal(check(f), 0);
}

static void test_proof_with_any_bit_flipped_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t a = 0; a < MIH_ARRAY_LEN(model_algs); a++)
		for (size_t n = 1; n <= 7; n++) {
			setup(&f, model_algs[a], n);
			for (uint64_t i = 0; i < n; i++) {
				claim(&f, i);
				check_bit_flips(&f);
			}
			free(f.nodes);
		}
}

/*
 * A wrong number of nodes is not always refused: the root does not hold it,
 * and two numbers may give a node the same path. Those that ask for another
 * length of path must be, and index and size out of range are misuse.
 */
static void test_proof_of_another_place_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, MIH_HASH_BLAKE3, 13);
	for (uint64_t i = 0; i < 13; i++) {
		for (uint64_t other = 0; other < 13; other++) {
			claim(&f, i);
			f.claim.index = other;
			assert_int_equal(check(&f),
					 other == i ? 0 : MIH_EDIGEST);
		}
		claim(&f, i);
		f.claim.n = 33 + i;
		assert_int_equal(check(&f), MIH_EDIGEST);
		f.claim.n = i + 1;
		assert_int_equal(check(&f), i == 12 ? 0 : MIH_EDIGEST);
		f.claim.n = i;
		assert_int_equal(check(&f), -EINVAL);
		f.claim.n = 0;
		assert_int_equal(check(&f), -EINVAL);
	}
	free(f.nodes);
}

static void test_proof_of_wrong_length_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, MIH_HASH_MTH4K_SHA512, 21);
	for (uint64_t i = 0; i < 21; i++) {
		claim(&f, i);
		for (size_t len = 0; len < MIH_TREE_PROOF_MAX; len++) {
			size_t right = f.claim.proof_len;

			f.claim.proof_len = len;
			assert_int_equal(check(&f),
					 len == right ? 0 : MIH_EDIGEST);
			f.claim.proof_len = right;
		}
	}
	free(f.nodes);
}

static void test_proof_make_refuses_index_out_of_range(void **state)
{
	struct fixture f;
	size_t len;

	(void)state;
	setup(&f, MIH_HASH_BLAKE3, 5);
	assert_int_equal(mih_tree_proof_make(&f.layer, 5, f.proof, &len),
			 -EINVAL);
	assert_int_equal(
	    mih_tree_proof_make(&f.layer, UINT64_MAX, f.proof, &len), -EINVAL);
	free(f.nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proof_of_every_node_up_to_70),
		cmocka_unit_test(test_proof_in_large_layers),
		cmocka_unit_test(test_proof_has_the_nodes_of_rfc9162),
		cmocka_unit_test(test_proof_with_any_bit_flipped_is_refused),
		cmocka_unit_test(test_proof_of_another_place_is_refused),
		cmocka_unit_test(test_proof_of_wrong_length_is_refused),
		cmocka_unit_test(test_proof_make_refuses_index_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
