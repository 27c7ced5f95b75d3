/*
 * An engine with a device that is wrong: what it says is never the last word,
 * neither against good bytes nor for bad ones.
 */
#include "verify/engine_test.h"
#include "gpu/about.h"
#include "gpu/sim_port.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct mih_test_file files[] = {
	{ "large", 20 * MIB + 4711 },
	{ "one", MIB },
	{ "two.safetensors", 2 * MIB },
};
#define LARGE 0u
#define ONE   1u
#define TWO   2u

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
	mih_gpu_wait_for(t->dev, MIH_HASH_MTH4K_SHA256, NULL);
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

/* A device that is down hashed nothing of it, so there is nobody to ask. */
static void test_bad_file_is_not_read_again_for_nothing(void **state)
{
	struct engine_test *t =
	    start(MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256, true);

	(void)state;
	mih_test_sims[0].fault = MIH_TEST_LAUNCH_FAILS;
	assert_int_equal(mih_test_engine_open(t, ONE), 0);
	while (!is_down(t))
		assert_int_equal(mih_test_engine_check(t, ONE, 0, MIB), 0);
	mih_test_flip(mih_test_model_path(&t->disk, LARGE), 11 * MIB);
	mih_test_engine_restart(t);
	assert_int_equal(mih_test_engine_open(t, LARGE), -EIO);
	assert_int_equal(mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES],
			 files[LARGE].nbytes);
	assert_int_equal(
	    mih_test_engine_stats(t).counts[MIH_VERIFY_DEVICE_RECHECKS], 0);
}

/* Longer than an open is silent about its check, and not as long as the device
 * is waited for. */
#define CHECK_MS 3300

static void *go_on_later(void *arg)
{
	(void)arg;
	mih_test_engine_sleep(CHECK_MS);
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
	return NULL;
}

/* What the log says while @file is opened. Return: it, to be freed. */
static char *log_of_open(struct engine_test *t, size_t file, bool slow)
{
	char path[] = "/tmp/mihfs-log-XXXXXX", *text = calloc(1, 4096);
	int fd = mkstemp(path), before = dup(STDERR_FILENO);
	pthread_t thread;

	assert_non_null(text);
	assert_true(fd >= 0 && before >= 0);
	unlink(path);
	if (slow) {
		mih_test_sims[0].fault = MIH_TEST_STUCK;
		pthread_create(&thread, NULL, go_on_later, NULL);
	}
	dup2(fd, STDERR_FILENO);
	assert_int_equal(mih_test_engine_open(t, file), 0);
	dup2(before, STDERR_FILENO);
	if (slow)
		pthread_join(thread, NULL);
	assert_true(pread(fd, text, 4095, 0) >= 0);
	close(before);
	close(fd);
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* Two lines of a check that takes long, and none of others; of whatever all the
 * file is read for. */
static void test_long_check_is_told(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct engine_test *t =
		    start(MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256, i == 1);
		char *text;

		t->params.whole = i == 0;
		t->params.stage_memory = i == 2 ? 64 * MIB : 0;
		mih_test_engine_restart(t);
		text = log_of_open(t, ONE, false);
		assert_string_equal(text, "");
		free(text);
		text = log_of_open(t, LARGE, true);
		printf("# %s", text);
		assert_int_equal(count(text, "info: large: "), 2);
		assert_non_null(strstr(text, "large: all of its 0.02 GB are "
					     "checked before it is opened"));
		assert_non_null(strstr(text, "large: checked, 0.02 GB in "));
		free(text);
		if (i < 2)
			mih_test_engine_end(t);
	}
}

static atomic_uint nanswering, nanswered;
static atomic_bool ending;

static void answer(struct mih_verify_read *request, mih_err err)
{
	mih_verify_read_release(request);
	atomic_fetch_add(&nanswered, !err);
}

/* Like one of many readers, on a machine that does something else: after the
 * engine was told to end. */
static void answer_late(struct mih_verify_read *request, mih_err err)
{
	atomic_fetch_add(&nanswering, 1);
	while (!atomic_load(&ending))
		mih_test_engine_sleep(1);
	mih_test_engine_sleep(50);
	answer(request, err);
}

/* All of them wait for the same load, which the device hashes. */
static void ask_together(struct engine_test *t, struct mih_verify_read *reads,
			 size_t n, size_t file,
			 void (*done)(struct mih_verify_read *read,
				      mih_err err))
{
	mih_test_sims[0].fault = MIH_TEST_STUCK;
	for (size_t i = 0; i < n; i++) {
		reads[i] = (struct mih_verify_read){ .file = file,
						     .len = MIB,
						     .done = done };
		mih_verify_read(t->engine, &reads[i]);
	}
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
}

static void wait_for_groups(struct engine_test *t, uint64_t n)
{
	while (mih_test_engine_stats(t).counts[MIH_VERIFY_GOOD_GROUPS] < n)
		mih_test_engine_sleep(1);
}

/* The first bytes of a file of tensors are read for the engine itself as well,
 * and then parsed: here that answer is the last one of all. */
static void test_end_waits_for_the_last_answer(void **state)
{
	static struct mih_verify_read late[256], last;
	struct engine_test *t =
	    start(MIH_HASH_SHA256, MIH_HASH_MTH4K_SHA256, false);
	size_t n = mih_pool_cores() + 1; /* threads that answer */

	(void)state;
	assert_true(n <= MIH_ARRAY_LEN(late));
	assert_int_equal(mih_test_engine_open(t, ONE), 0);
	assert_int_equal(mih_test_engine_open(t, TWO), 0);
	ask_together(t, late, n, ONE, answer_late);
	while (atomic_load(&nanswering) < n)
		mih_test_engine_sleep(1);
	ask_together(t, &last, 1, TWO, answer);
	wait_for_groups(t, 2 * MIB / GROUP);
	atomic_store(&ending, true);
	mih_test_engine_restart(t);
	assert_int_equal(nanswered, n + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_wrong_device_blames_no_file,
					  teardown),
		cmocka_unit_test_teardown(test_idle_device_vouches_for_nothing,
					  teardown),
		cmocka_unit_test_teardown(
		    test_bad_file_is_not_read_again_for_nothing, teardown),
		cmocka_unit_test_teardown(test_long_check_is_told, teardown),
		cmocka_unit_test_teardown(test_end_waits_for_the_last_answer,
					  teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
