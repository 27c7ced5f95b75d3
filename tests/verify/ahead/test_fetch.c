/*
 * What is loaded ahead, to the byte.
 */
#include "verify/engine_test.h"

#include <string.h>

#define HEADER	 (200 * KIB) /* all 8 + N bytes of it */
#define NTENSORS 12u
#define TENSOR	 (1 * MIB + 3 * KIB) /* no multiple of a group */
#define WEIGHTS	 0u
#define WRONG	 1u
#define RANKS	 2u
#define RAGGED	 3u /* ends within a piece of its readers */
#define PAGES	 4u /* and at the end of a page of its tree */

static char head[HEADER], wrong[HEADER];

static struct mih_test_file files[] = {
	{ "a.safetensors", HEADER + NTENSORS *TENSOR, head, sizeof(head) },
	{ "b.safetensors", HEADER + NTENSORS *TENSOR, wrong, sizeof(wrong) },
	{ "c.bin", 40 * MIB, NULL, 0 },
	{ "d.bin", 13 * MIB + 300 * KIB, NULL, 0 },
	{ "e.bin", 16 * MIB, NULL, 0 },
};

static const struct mih_test_model_params by_tree = {
	.files = files,
	.nfiles = MIH_ARRAY_LEN(files),
	.flat = MIH_HASH_SHA256,
	.tree = MIH_HASH_MTH4K_SHA256,
};

static struct engine_test test;

/* Spaces up to its end, as writers pad it. */
static void make_headers(void)
{
	size_t at = 8;

	memset(head, ' ', sizeof(head));
	memset(wrong, ' ', sizeof(wrong));
	for (unsigned i = 0; i < 8; i++)
		head[i] = wrong[i] = (char)((HEADER - 8) >> (8 * i));
	wrong[4] = 1; /* 4 GiB and more */
	for (unsigned i = 0; i < NTENSORS; i++) {
		char one[128];
		int len = snprintf(
		    one, sizeof(one),
		    "%c\"t%u\":{\"dtype\":\"U8\",\"shape\":[%ju],"
		    "\"data_offsets\":[%ju,%ju]}",
		    i ? ',' : '{', i, (uintmax_t)TENSOR,
		    (uintmax_t)(i * TENSOR), (uintmax_t)((i + 1) * TENSOR));

		memcpy(head + at, one, (size_t)len);
		memcpy(wrong + at, one, (size_t)len);
		at += (size_t)len;
	}
	head[sizeof(head) - 1] = '}';
}

static int setup_all(void **state)
{
	(void)state;
	make_headers();
	memset(&test, 0, sizeof(test));
	test.params.memory = 512 * MIB; /* a window for 32 readers */
	mih_test_engine_start(&test, &by_tree);
	return 0;
}

static int teardown_all(void **state)
{
	(void)state;
	mih_test_engine_end(&test);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	mih_test_engine_restart(&test);
	return 0;
}

static uint64_t count(enum mih_verify_count what)
{
	return mih_test_engine_stats(&test).counts[what];
}

/* What was begun ahead ends by itself. */
static void settle(void)
{
	for (unsigned ms = 0; ms < 20000; ms += 2) {
		if (!mih_test_engine_stats(&test).gauges[MIH_VERIFY_INFLIGHT])
			return;
		mih_test_engine_sleep(2);
	}
	fail_msg("loads do not end");
}

static uint64_t groups_of(uint64_t from, uint64_t to)
{
	return mih_checked_ceil_div(to, GROUP) - from / GROUP;
}

static void open_and_learn(size_t file, uint8_t *page)
{
	assert_int_equal(mih_test_engine_open(&test, file), 0);
	assert_int_equal(mih_test_engine_read(&test, file, 0, 4096, page), 0);
	settle();
}

static void test_the_header_and_no_more_is_read(void **state)
{
	uint8_t page[4096];

	(void)state;
	open_and_learn(WEIGHTS, page);
	assert_memory_equal(page, head, sizeof(page));
	assert_int_equal(count(MIH_VERIFY_GOOD_GROUPS), groups_of(0, HEADER));
	assert_int_equal(count(MIH_VERIFY_READS), 1);
	assert_int_equal(count(MIH_VERIFY_SERVED_BYTES), sizeof(page));
	mih_verify_close(test.engine, WEIGHTS);
}

/* 4 KiB of each tensor, in no order: all of each is there, once. */
static void test_tensors_in_no_order(void **state)
{
	uint8_t page[4096];
	uint64_t groups = groups_of(0, HEADER);
	bool there[1024] = { false };

	(void)state;
	open_and_learn(WEIGHTS, page);
	memset(there, 1, groups);
	for (unsigned i = 0; i < NTENSORS / 2; i++) {
		uint64_t at = HEADER + i * 7 % NTENSORS * TENSOR;

		for (uint64_t g = at / GROUP; g * GROUP < at + TENSOR; g++) {
			groups += !there[g];
			there[g] = true;
		}
		assert_int_equal(
		    mih_test_engine_check(&test, WEIGHTS, at, 4096), 0);
		settle();
		assert_int_equal(count(MIH_VERIFY_GOOD_GROUPS), groups);
	}
	assert_true(count(MIH_VERIFY_LOADS_AHEAD) >= NTENSORS / 2);
	assert_int_equal(count(MIH_VERIFY_DISK_BYTES),
			 count(MIH_VERIFY_GOOD_BYTES));
	mih_verify_close(test.engine, WEIGHTS);
}

/* All the rest of the tensor comes from what was fetched. */
static void test_a_tensor_is_loaded_once(void **state)
{
	uint64_t at = HEADER + 5 * TENSOR, loads;
	uint8_t page[4096];

	(void)state;
	open_and_learn(WEIGHTS, page);
	assert_int_equal(mih_test_engine_check(&test, WEIGHTS, at, 4096), 0);
	settle();
	loads = count(MIH_VERIFY_LOADS);
	for (uint64_t in = 4096; in < TENSOR; in += 128 * KIB)
		assert_int_equal(
		    mih_test_engine_check(&test, WEIGHTS, at + in,
					  MIH_MIN(128 * KIB, TENSOR - in)),
		    0);
	settle();
	assert_int_equal(count(MIH_VERIFY_LOADS), loads);
	assert_int_equal(count(MIH_VERIFY_GOOD_GROUPS),
			 groups_of(0, HEADER) + groups_of(at, at + TENSOR));
	mih_verify_close(test.engine, WEIGHTS);
}

/* Whoever opens it again learns again. */
static void test_a_close_forgets_and_an_open_learns(void **state)
{
	uint8_t page[4096];

	(void)state;
	open_and_learn(WEIGHTS, page);
	mih_verify_close(test.engine, WEIGHTS);
	for (unsigned i = 0; i < 50; i++) { /* also while it learns */
		assert_int_equal(mih_test_engine_open(&test, WEIGHTS), 0);
		assert_int_equal(
		    mih_test_engine_read(&test, WEIGHTS, 0, 4096, page), 0);
		mih_verify_close(test.engine, WEIGHTS);
	}
	settle();
	assert_int_equal(count(MIH_VERIFY_GOOD_GROUPS), groups_of(0, HEADER));
	open_and_learn(WEIGHTS, page);
	assert_int_equal(/* the first may have come while another's failed */
			 mih_test_engine_read(&test, WEIGHTS, 0, 4096, page),
			 0);
	settle();
	assert_int_equal(
	    mih_test_engine_check(&test, WEIGHTS, HEADER + TENSOR, 4096), 0);
	settle();
	assert_int_equal(count(MIH_VERIFY_GOOD_GROUPS),
			 groups_of(0, HEADER) +
			     groups_of(HEADER + TENSOR, HEADER + 2 * TENSOR));
	mih_verify_close(test.engine, WEIGHTS);
}

static void expect_lone_groups(size_t file, uint64_t groups)
{
	for (unsigned i = 1; i < 6; i++) {
		uint64_t at = HEADER + i * i % NTENSORS * TENSOR;

		assert_int_equal(mih_test_engine_check(&test, file, at, 4096),
				 0);
	}
	settle();
	/* Tensors 1, 4, 9 (twice) and 25 % 12: 1 again. */
	assert_int_equal(count(MIH_VERIFY_GOOD_GROUPS), groups + 3);
	assert_int_equal(count(MIH_VERIFY_LOADS_AHEAD), 0);
}

static void test_a_malformed_header_means_nothing(void **state)
{
	uint8_t page[4096];

	(void)state;
	open_and_learn(WRONG, page);
	assert_int_equal(count(MIH_VERIFY_GOOD_GROUPS), 1);
	expect_lone_groups(WRONG, 1);
	assert_int_equal(test.nlines, 0);
	mih_verify_close(test.engine, WRONG);
}

/* A header that is not as signed says nothing, and hurts only its readers. */
static void test_a_damaged_header_means_nothing(void **state)
{
	uint8_t page[4096];

	(void)state;
	mih_test_flip(mih_test_model_path(&test.disk, WEIGHTS), 2 * GROUP);
	open_and_learn(WEIGHTS, page);
	mih_test_engine_sleep(50); /* its answer comes late */
	expect_lone_groups(WEIGHTS, groups_of(0, HEADER) - 1);
	assert_int_equal(count(MIH_VERIFY_READ_ERRORS), 0);
	assert_int_equal(test.nlines, 1);
	mih_verify_close(test.engine, WEIGHTS);
	mih_test_flip(mih_test_model_path(&test.disk, WEIGHTS), 2 * GROUP);
}

/* Four of them, each somewhere else: each gets what comes next for it. */
static void test_ranks_among_each_other(void **state)
{
	enum { RANK_COUNT = 4, ROUNDS = 8 };
	uint64_t stride = RANK_COUNT * GROUP, early = 0;

	(void)state;
	assert_int_equal(mih_test_engine_open(&test, RANKS), 0);
	for (uint64_t k = 0; k < RANK_COUNT * ROUNDS; k++) {
		uint64_t rank = k % RANK_COUNT, round = k / RANK_COUNT;
		uint64_t at =
		    rank * GROUP + rank * rank * 3 * MIB + round * stride;

		if (round == 4 && rank == 0)
			early = count(MIH_VERIFY_LOADS);
		assert_int_equal(mih_test_engine_check(&test, RANKS, at, GROUP),
				 0);
		settle();
	}
	/* Nobody waited for a load after the fourth piece of each. With the
	 * last one, their seventh step, twice as many are fetched: no more. */
	assert_int_equal(early, 4 * RANK_COUNT);
	assert_int_equal(count(MIH_VERIFY_LOADS), early);
	assert_int_equal(count(MIH_VERIFY_LOADS_AHEAD),
			 RANK_COUNT * (ROUNDS - 4 + 2 * (ROUNDS - 1)));
	assert_int_equal(count(MIH_VERIFY_GOOD_GROUPS),
			 count(MIH_VERIFY_LOADS) +
			     count(MIH_VERIFY_LOADS_AHEAD));
	mih_verify_close(test.engine, RANKS);
}

/* Pieces of @piece bytes every @stride bytes, up to the end of the file, each
 * by small requests: nothing behind the end is fetched. */
static void read_to_the_end(size_t file, uint64_t piece, uint64_t stride)
{
	uint64_t nbytes = files[file].nbytes;

	assert_int_equal(mih_test_engine_open(&test, file), 0);
	for (uint64_t at = MIB; at < nbytes; at += stride) {
		uint64_t end = MIH_MIN(at + piece, nbytes);

		for (uint64_t in = at; in < end; in += 128 * KIB)
			assert_int_equal(
			    mih_test_engine_check(&test, file, in,
						  MIH_MIN(128 * KIB, end - in)),
			    0);
	}
	settle();
	assert_int_equal(count(MIH_VERIFY_BAD_GROUPS), 0);
	assert_int_equal(test.nlines, 0);
	assert_true(count(MIH_VERIFY_DISK_BYTES) <= nbytes);
	mih_verify_close(test.engine, file);
}

static void test_nothing_behind_the_end(void **state)
{
	(void)state;
	read_to_the_end(RAGGED, MIB, 3 * MIB);
	mih_test_engine_restart(&test);
	read_to_the_end(PAGES, 2560 * KIB, 4608 * KIB);
}

#define FETCH(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FETCH(test_the_header_and_no_more_is_read),
		FETCH(test_tensors_in_no_order),
		FETCH(test_a_tensor_is_loaded_once),
		FETCH(test_a_close_forgets_and_an_open_learns),
		FETCH(test_a_malformed_header_means_nothing),
		FETCH(test_a_damaged_header_means_nothing),
		FETCH(test_ranks_among_each_other),
		FETCH(test_nothing_behind_the_end),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
