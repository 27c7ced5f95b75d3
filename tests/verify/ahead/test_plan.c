/*
 * What requests say about the ones to come. Nothing is read here.
 */
#include "lib/test.h"
#include "util/checked.h"
#include "verify/engine/engine_internal.h"

#include <string.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

static struct mih_verify_engine engine;
static struct mih_verify_pattern pattern;
static struct mih_verify_file file;
static char path[] = "weights.bin";

static int setup(void **state)
{
	memset(&engine, 0, sizeof(engine));
	memset(&pattern, 0, sizeof(pattern));
	memset(&file, 0, sizeof(file));
	atomic_init(&engine.memory, 256 * MIB);
	file.path = path;
	file.nbytes = 4096 * MIB;
	(void)state;
	return 0;
}

static struct mih_verify_plan ask(uint64_t off, uint64_t len)
{
	return mih_verify_ahead_note(&engine, &file, &pattern, off, off + len);
}

static bool is_nothing(const struct mih_verify_plan *plan)
{
	return plan->from >= plan->to && !plan->whole;
}

static void assert_nothing(const struct mih_verify_plan *plan)
{
	if (!is_nothing(plan))
		fail_msg("%ju-%ju by %ju, whole %d", (uintmax_t)plan->from,
			 (uintmax_t)plan->to, (uintmax_t)plan->stride,
			 plan->whole);
}

static void assert_range(const struct mih_verify_plan *plan, uint64_t from,
			 uint64_t to)
{
	assert_int_equal(plan->stride, 0);
	assert_int_equal(plan->from, from);
	assert_int_equal(plan->to, to);
}

static void assert_steps(const struct mih_verify_plan *plan, uint64_t from,
			 uint64_t stride, uint64_t piece)
{
	assert_int_equal(plan->stride, stride);
	assert_int_equal(plan->piece, piece);
	assert_int_equal(plan->from, from);
	assert_true(plan->to > plan->from);
	assert_false(plan->whole);
}

static void test_a_window_grows_with_the_way(void **state)
{
	struct mih_verify_plan plan = ask(0, 64 * KIB);

	(void)state;
	assert_nothing(&plan);
	plan = ask(64 * KIB, 64 * KIB);
	assert_true(plan.whole);
	plan = ask(128 * KIB, MIB);
	assert_range(&plan, 128 * KIB + MIB, 3 * MIB);
	plan = ask(128 * KIB + MIB, MIB);
	assert_range(&plan, 3 * MIB, 6 * MIB);
	for (uint64_t at = 128 * KIB + 2 * MIB; at < 40 * MIB; at += MIB)
		plan = ask(at, MIB);
	assert_int_equal(plan.to, 56 * MIB);
	assert_int_equal(plan.from, 55 * MIB);
}

/* The kernel sends what it reads ahead all at once. */
static void test_requests_may_come_in_another_order(void **state)
{
	static const unsigned order[] = { 1, 0, 3, 2, 5, 7, 4, 6, 8 };
	struct mih_verify_plan plan = { 0 };

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(order); i++)
		plan = ask(100 * MIB + order[i] * MIB, MIB);
	assert_true(plan.whole);
	assert_int_equal(plan.to, 125 * MIB);
}

/* No four squares are at equal distances. */
static void test_no_order_is_no_pattern(void **state)
{
	(void)state;
	for (uint64_t i = 1; i < 2000; i++) {
		uint64_t k = i * 7919 % 2000;
		struct mih_verify_plan plan = ask(k * k * 1024, 4096);

		if (i < 3 || k * k * 1024 > 64 * MIB)
			assert_nothing(&plan);
	}
}

struct ranks {
	unsigned n;
	uint64_t piece, len; /* of a piece, of one request */
	bool shuffled;	     /* the requests of a piece */
};

static void ask_rest(const struct ranks *ranks, uint64_t at, bool known)
{
	for (uint64_t i = 1; i < ranks->piece / ranks->len; i++) {
		uint64_t in = ranks->shuffled ? i ^ 1 : i;
		struct mih_verify_plan plan =
		    ask(at + in * ranks->len, ranks->len);

		if (known && !plan.stride)
			assert_true(plan.to <= at + ranks->piece);
	}
}

/* Each is somewhere else by now, so that together they leave gaps. From the
 * fourth piece on whatever is asked for was planned before, and nothing that
 * another rank reads was. */
static void expect_ranks(const struct ranks *ranks)
{
	uint64_t stride = ranks->n * ranks->piece, planned[8] = { 0 };

	for (uint64_t k = 0; k < 8 * (uint64_t)ranks->n; k++) {
		uint64_t rank = k % ranks->n, round = k / ranks->n;
		uint64_t base = rank * ranks->piece + rank * rank * 64 * MIB;
		uint64_t at = base + round * stride;
		uint64_t in = ranks->shuffled ? ranks->len : 0;
		struct mih_verify_plan plan = ask(at + in, ranks->len);

		if (round == MIH_VERIFY_STEPS)
			assert_steps(&plan, at + stride, stride, ranks->piece);
		if (round > MIH_VERIFY_STEPS)
			assert_true(at < planned[rank]);
		if (plan.from < plan.to && round >= MIH_VERIFY_STEPS) {
			assert_int_equal(plan.stride, stride);
			assert_int_equal((plan.from - base) % stride, 0);
			planned[rank] = plan.to;
		}
		if (ranks->shuffled)
			ask(at, ranks->len);
		ask_rest(ranks, at, round >= MIH_VERIFY_STEPS);
	}
}

static void test_ranks_among_each_other(void **state)
{
	static const struct ranks rows[] = {
		{ 2, MIB, MIB, false },	     { 4, MIB, MIB, false },
		{ 8, MIB, MIB, false },	     { 4, 128 * KIB, 128 * KIB, false },
		{ 4, 4 * MIB, MIB, false },  { 4, MIB, 128 * KIB, false },
		{ 4, MIB, 256 * KIB, true },
	};

	for (size_t i = 0; i < MIH_ARRAY_LEN(rows); i++) {
		setup(state);
		expect_ranks(&rows[i]);
	}
}

/* In step with each other they leave no gaps: that is one reader for all. */
static void test_ranks_in_step_are_a_stream(void **state)
{
	struct mih_verify_plan plan = { 0 };

	(void)state;
	for (uint64_t at = 0; at < 64 * MIB; at += 4 * MIB)
		for (unsigned i = 0; i < 4; i++)
			plan = ask(at + (i ^ 2) * MIB, MIB);
	assert_true(plan.whole);
	assert_range(&plan, plan.from, 80 * MIB);
}

static void test_a_rank_alone(void **state)
{
	(void)state;
	for (unsigned ranks = 2; ranks <= 8; ranks *= 2) {
		uint64_t stride = ranks * MIB;

		setup(state);
		for (unsigned k = 0; k < 3; k++) {
			struct mih_verify_plan plan = ask(k * stride, MIB);

			assert_nothing(&plan);
		}
		for (unsigned k = 3; k < 100; k++) {
			struct mih_verify_plan plan = ask(k * stride, MIB);

			assert_int_equal(plan.stride, stride);
			assert_int_equal(plan.piece, MIB);
			assert_true(plan.from > k * stride);
			assert_true(plan.to <= (k + 16) * stride + 1);
			assert_false(plan.whole);
		}
	}
}

/* The kernel asks for whole pages, so that steps differ by one. */
static void test_steps_are_known_to_the_page(void **state)
{
	struct mih_verify_plan plan = { 0 };

	(void)state;
	for (uint64_t k = 0; k < 10; k++) {
		uint64_t at = k * (32 * MIB + 1234) / 4096 * 4096;

		plan = ask(at, MIB);
		if (k >= MIH_VERIFY_STEPS)
			assert_int_equal(plan.stride / MIB, 32);
		else
			assert_nothing(&plan);
	}
}

static const struct {
	size_t n;
	struct mih_verify_range at[4];
} tensors = {
	.n = 4,
	.at = {
		{ 1000, 3 * MIB + 5 },
		{ 3 * MIB + 5, 3 * MIB + 50 },
		{ 3 * MIB + 50, 9 * MIB },
		{ 9 * MIB, 109 * MIB },
	},
};

static int setup_tensors(void **state)
{
	setup(state);
	pattern.tensors = (struct mih_verify_tensors *)&tensors;
	pattern.learning = MIH_VERIFY_LEARNT;
	return 0;
}

static void test_a_tensor_is_wanted_as_a_whole(void **state)
{
	struct mih_verify_plan plan = ask(3 * MIB + 50, 128 * KIB);

	(void)state;
	assert_range(&plan, 3 * MIB + 50 + 128 * KIB, 9 * MIB);
	assert_false(plan.whole);
	plan = ask(3 * MIB + 50 + 128 * KIB, 128 * KIB);
	assert_true(plan.from >= plan.to);
	assert_false(plan.whole); /* its extent has another one's bytes */
	plan = ask(4 * MIB, 128 * KIB);
	assert_true(plan.from >= plan.to);
	plan = ask(3 * MIB + 5, 45);
	assert_nothing(&plan);
}

/* As the page cache asks: by a page before it, or around it. */
static void test_pages_around_a_beginning(void **state)
{
	struct mih_verify_plan plan = ask(0, 16 * KIB);

	assert_range(&plan, 16 * KIB, 3 * MIB + 5);
	setup_tensors(state);
	plan = ask(9 * MIB - 64 * KIB, 128 * KIB);
	assert_range(&plan, 9 * MIB + 64 * KIB, 25 * MIB);
	setup_tensors(state);
	plan = ask(9 * MIB - 32 * KIB, 128 * KIB);
	assert_nothing(&plan);
	plan = ask(20 * MIB, 128 * KIB);
	assert_nothing(&plan);
}

/* 16 MiB at a time, to its end; who goes on behind it is a new reader, as far
 * as can be told. */
static void test_a_long_tensor_has_a_window(void **state)
{
	struct mih_verify_plan plan = ask(9 * MIB, MIB);

	(void)state;
	assert_range(&plan, 10 * MIB, 26 * MIB);
	for (uint64_t at = 10 * MIB; at < 109 * MIB; at += MIB) {
		plan = ask(at, MIB);
		assert_true(plan.whole);
		assert_true(plan.to <= 109 * MIB);
		if (at < 92 * MIB)
			assert_range(&plan, at + 16 * MIB, at + 17 * MIB);
	}
	plan = ask(109 * MIB, MIB);
	assert_nothing(&plan);
	plan = ask(110 * MIB, MIB);
	assert_range(&plan, 111 * MIB, 115 * MIB);
}

/* The kernel cuts a read up, and sends the pieces all at once. */
static void test_a_beginning_may_come_second(void **state)
{
	struct mih_verify_plan plan = ask(10 * MIB, MIB);

	(void)state;
	assert_nothing(&plan);
	plan = ask(9 * MIB, MIB);
	assert_range(&plan, 11 * MIB, 27 * MIB);
	plan = ask(12 * MIB, MIB);
	assert_range(&plan, 27 * MIB, 29 * MIB);
}

static void test_steps_end_with_their_tensor(void **state)
{
	struct mih_verify_plan plan = { 0 };

	(void)state;
	for (uint64_t at = 10 * MIB; at < 109 * MIB; at += 24 * MIB)
		plan = ask(at, 64 * KIB);
	assert_int_equal(plan.stride, 24 * MIB);
	assert_true(plan.from >= plan.to);
}

static void test_one_request_asks_for_the_header(void **state)
{
	static char name[] = "a.safetensors";

	(void)state;
	assert_false(ask(0, 1).learn);
	assert_int_equal(pattern.learning, MIH_VERIFY_LEARNT);
	pattern.learning = MIH_VERIFY_UNLEARNT;
	file.path = name;
	assert_true(ask(0, 1).learn);
	assert_false(ask(0, 1).learn);
	assert_int_equal(pattern.learning, MIH_VERIFY_LEARNING);
}

#define PLAN(name)    cmocka_unit_test_setup(name, setup)
#define TENSORS(name) cmocka_unit_test_setup(name, setup_tensors)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAN(test_a_window_grows_with_the_way),
		PLAN(test_requests_may_come_in_another_order),
		PLAN(test_no_order_is_no_pattern),
		PLAN(test_ranks_among_each_other),
		PLAN(test_ranks_in_step_are_a_stream),
		PLAN(test_a_rank_alone),
		PLAN(test_steps_are_known_to_the_page),
		TENSORS(test_a_tensor_is_wanted_as_a_whole),
		TENSORS(test_pages_around_a_beginning),
		TENSORS(test_a_long_tensor_has_a_window),
		TENSORS(test_a_beginning_may_come_second),
		TENSORS(test_steps_end_with_their_tensor),
		PLAN(test_one_request_asks_for_the_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
