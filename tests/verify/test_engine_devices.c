/*
 * An engine with a device that is wrong: what it says is never the last word,
 * neither against good bytes nor for bad ones.
 */
#include "verify/engine_test.h"
#include "gpu/sim_port.h"

#include <errno.h>
#include <string.h>

static const struct mih_test_file files[] = {
	{ "large", 20 * MIB + 4711 },
	{ "one", MIB },
};
#define LARGE 0u
#define ONE   1u

static struct engine_test test;

/* Its device is measured, so that it gets what is large enough. */
static struct engine_test *start(enum mih_hash_alg flat, enum mih_hash_alg tree,
				 bool no_sidecar)
{
	static const char *const names[] = { "sim:0" };
	const struct mih_gpu_params sim = { .specs = names, .nspecs = 1 };
	const struct mih_test_model_params params = {
		.files = files,
		.nfiles = MIH_ARRAY_LEN(files),
		.flat = flat,
		.tree = tree,
		.no_sidecar = no_sidecar,
	};
	struct engine_test *t = &test;

	memset(t, 0, sizeof(*t));
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
	mih_test_engine_start(t, &params);
	assert_int_equal(mih_gpu_open(&sim, &t->dev), 0);
	mih_gpu_wait(t->dev);
	t->params.memory = 1; /* nothing is kept: each read is a load */
	mih_test_engine_restart(t);
	return t;
}

static int teardown(void **state)
{
	(void)state;
	mih_test_engine_end(&test);
	return 0;
}

static bool is_down(struct engine_test *t)
{
	struct mih_gpu_member member;

	assert_int_equal(mih_gpu_members(t->dev, &member, 1), 1);
	return member.state == MIH_GPU_DOWN;
}

static void test_wrong_device_blames_no_file(void **state)
{
	static const struct {
		enum mih_hash_alg flat, tree;
		bool no_sidecar;
	} kinds[] = {
		{ MIH_HASH_SHA256, MIH_HASH_NONE, true },
		{ MIH_HASH_SHA256, MIH_HASH_NONE, false },
		{ MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256, true },
		{ MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256, false },
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(kinds); i++) {
		struct engine_test *t =
		    start(kinds[i].flat, kinds[i].tree, kinds[i].no_sidecar);

		mih_test_sims[0].fault = MIH_TEST_WRONG;
		mih_test_engine_check_all(t, LARGE);
		assert_int_equal(t->nlines, 0);
		assert_true(is_down(t));
		if (i + 1 < MIH_ARRAY_LEN(kinds))
			mih_test_engine_end(t);
	}
}

/* What it gives was right of the bytes that it had before. */
static void test_idle_device_vouches_for_nothing(void **state)
{
	struct engine_test *t =
	    start(MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256, false);
	mih_err err = 0;

	(void)state;
	assert_int_equal(mih_test_engine_open(t, ONE), 0);
	/* Each of its lanes has had these bytes. Some reads find them kept. */
	mih_test_sims[0].nbytes = 0;
	while (mih_test_sims[0].nbytes < 64 * MIB)
		assert_int_equal(mih_test_engine_check(t, ONE, 0, MIB), 0);
	mih_test_sims[0].fault = MIH_TEST_IDLE;
	mih_test_flip(mih_test_model_path(&t->disk, ONE), MIB / 2);
	while (!err)
		err = mih_test_engine_check(t, ONE, 0, MIB);
	assert_int_equal(err, -EIO);
	assert_true(is_down(t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_wrong_device_blames_no_file,
					  teardown),
		cmocka_unit_test_teardown(test_idle_device_vouches_for_nothing,
					  teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
