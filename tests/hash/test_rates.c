#include "lib/test.h"
#include "hash/rates.h"

static void test_every_row_is_measured(void **state)
{
	struct mih_hash_rates rates = { .nbytes = 1 << 20, .repeat = 1 };

	(void)state;
	assert_int_equal(mih_hash_rates_measure(&rates), 0);
	assert_true(rates.n >= 8);
	for (size_t i = 0; i < rates.n; i++) {
		assert_non_null(rates.rows[i].what);
		assert_true(mih_hash_path_available(rates.rows[i].path));
		assert_true(rates.rows[i].gb_per_s > 0);
		assert_true(rates.rows[i].base_gb_per_s >= 0);
	}
}

static void test_the_choice_of_path_is_given_back(void **state)
{
	struct mih_hash_rates rates = { .nbytes = MIH_HASH_GROUP, .repeat = 1 };
	enum mih_hash_path before = mih_hash_path_used(MIH_HASH_BLAKE3);

	(void)state;
	assert_int_equal(mih_hash_rates_measure(&rates), 0);
	assert_int_equal(mih_hash_path_used(MIH_HASH_BLAKE3), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_measured),
		cmocka_unit_test(test_the_choice_of_path_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
