#include "lib/test.h"
#include "gpu/offload/staging_internal.h"

#include <string.h>

#define UNIT MIH_GPU_STAGING_UNIT

static uint8_t block[8 * UNIT];

static void test_lowest_run_first(void **state)
{
	struct mih_gpu_staging s;

	(void)state;
	mih_gpu_staging_init(&s);
	mih_gpu_staging_set(&s, block, sizeof(block));
	assert_ptr_equal(mih_gpu_staging_take(&s, UNIT), block);
	assert_ptr_equal(mih_gpu_staging_take(&s, 2 * UNIT), block + UNIT);
	assert_ptr_equal(mih_gpu_staging_take(&s, UNIT), block + 3 * UNIT);
	assert_true(mih_gpu_staging_give(&s, block + UNIT, 2 * UNIT));
	assert_ptr_equal(mih_gpu_staging_take(&s, 3 * UNIT), block + 4 * UNIT);
	assert_ptr_equal(mih_gpu_staging_take(&s, 2 * UNIT - 1), block + UNIT);
	mih_gpu_staging_fini(&s);
}

static void test_full_block_says_no(void **state)
{
	struct mih_gpu_staging s;

	(void)state;
	mih_gpu_staging_init(&s);
	mih_gpu_staging_set(&s, block, sizeof(block));
	assert_null(mih_gpu_staging_take(&s, sizeof(block) + 1));
	assert_ptr_equal(mih_gpu_staging_take(&s, sizeof(block)), block);
	assert_null(mih_gpu_staging_take(&s, UNIT));
	assert_true(mih_gpu_staging_give(&s, block, sizeof(block)));
	assert_non_null(mih_gpu_staging_take(&s, UNIT));
	mih_gpu_staging_fini(&s);
}

static void test_small_and_foreign_memory_is_not_its_own(void **state)
{
	struct mih_gpu_staging s;
	uint8_t other[16];

	(void)state;
	mih_gpu_staging_init(&s);
	mih_gpu_staging_set(&s, block, sizeof(block));
	assert_null(mih_gpu_staging_take(&s, UNIT / 2 - 1));
	assert_non_null(mih_gpu_staging_take(&s, UNIT / 2));
	assert_false(mih_gpu_staging_give(&s, other, sizeof(other)));
	assert_false(mih_gpu_staging_give(&s, block + sizeof(block), UNIT));
	mih_gpu_staging_fini(&s);
}

static void test_no_block_says_no(void **state)
{
	struct mih_gpu_staging s;

	(void)state;
	mih_gpu_staging_init(&s);
	assert_null(mih_gpu_staging_take(&s, UNIT));
	mih_gpu_staging_set(&s, NULL, 0);
	assert_null(mih_gpu_staging_take(&s, UNIT));
	assert_false(mih_gpu_staging_give(&s, block, UNIT));
	mih_gpu_staging_fini(&s);
}

/* Random takes and gives: no two pieces may ever share a byte. */
static void test_pieces_never_overlap(void **state)
{
	enum { N = 16 };
	struct mih_gpu_staging s;
	uint8_t *held[N] = { 0 };
	size_t len[N];

	(void)state;
	srandom(3);
	mih_gpu_staging_init(&s);
	mih_gpu_staging_set(&s, block, sizeof(block));
	for (int step = 0; step < 2000; step++) {
		size_t i = (size_t)random() % N;

		if (held[i]) {
			for (size_t at = 0; at < len[i]; at += 4096)
				assert_int_equal(held[i][at], i + 1);
			assert_true(mih_gpu_staging_give(&s, held[i], len[i]));
			held[i] = NULL;
			continue;
		}
		len[i] = UNIT / 2 + (size_t)random() % (2 * UNIT);
		held[i] = mih_gpu_staging_take(&s, len[i]);
		if (held[i])
			memset(held[i], (int)i + 1, len[i]);
	}
	mih_gpu_staging_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lowest_run_first),
		cmocka_unit_test(test_full_block_says_no),
		cmocka_unit_test(test_small_and_foreign_memory_is_not_its_own),
		cmocka_unit_test(test_no_block_says_no),
		cmocka_unit_test(test_pieces_never_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
