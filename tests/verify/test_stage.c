/*
 * Whole files proven when they are opened: checked only, or kept in sealed
 * memory.
 */
#include "verify/engine_test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct mih_test_file files[] = {
	{ "0-empty", 0 },
	{ "1-byte", 1 },
	{ "2-three", 3 * MIB + 17 },
	{ "3-also-three", 3 * MIB + 4096 },
	{ "4-large", 37 * MIB + 4711 },
};
#define EMPTY	 0u
#define BYTE	 1u
#define THREE	 2u
#define ALSO	 3u
#define LARGE	 4u
#define NOPENERS 8

static struct engine_test test;

static struct engine_test *start(bool whole, uint64_t stage_memory)
{
	const struct mih_test_model_params params = {
		.files = files,
		.nfiles = MIH_ARRAY_LEN(files),
		.flat = MIH_HASH_SHA256,
		.tree = MIH_HASH_MTH4K_SHA256,
	};

	memset(&test, 0, sizeof(test));
	test.params.retry_ms = 50;
	test.params.whole = whole;
	test.params.stage_memory = stage_memory;
	mih_test_engine_start(&test, &params);
	return &test;
}

static int teardown(void **state)
{
	(void)state;
	mih_test_engine_end(&test);
	return 0;
}

static uint64_t disk_bytes(struct engine_test *t)
{
	return mih_test_engine_stats(t).counts[MIH_VERIFY_DISK_BYTES];
}

/* Bytes of memory that a staged file takes. */
static uint64_t pages_of(size_t file)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (files[file].nbytes + page - 1) / page * page;
}

static void assert_staged(struct engine_test *t, size_t file)
{
	int fd = mih_verify_staged(t->engine, file);
	uint8_t *got = malloc(MIB), *want = malloc(MIB);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, files[file].nbytes);
	for (uint64_t off = 0; off < files[file].nbytes; off += MIB) {
		size_t len = MIH_MIN(files[file].nbytes - off, MIB);

		assert_int_equal(pread(fd, got, len, (off_t)off), len);
		mih_test_model_bytes(file, off, len, want);
		assert_memory_equal(got, want, len);
	}
	free(got);
	free(want);
}

static void test_staged_bytes_are_right_and_sealed(void **state)
{
	struct engine_test *t = start(false, 64 * MIB);
	int fd;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(files); i++) {
		assert_int_equal(mih_test_engine_open(t, i), 0);
		if (files[i].nbytes)
			assert_staged(t, i);
	}
	assert_int_equal(mih_verify_staged(t->engine, EMPTY), -1);
	fd = mih_verify_staged(t->engine, LARGE);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 5), -1);
	assert_true(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) ==
		    MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(t->nlines, 0);
	/* What reads come all the same are answered as ever. */
	assert_int_equal(mih_test_engine_check(t, LARGE, 5 * MIB, MIB), 0);
}

static void test_bad_file_is_not_opened(void **state)
{
	for (int staged = 0; staged < 2; staged++) {
		struct engine_test *t = start(!staged, staged * 64 * MIB);
		const char *path = mih_test_model_path(&t->disk, LARGE);

		(void)state;
		mih_test_flip(path, 33 * MIB);
		assert_int_equal(mih_test_engine_open(t, LARGE), -EIO);
		assert_int_equal(t->nlines, 1);
		assert_non_null(strstr(t->line, "4-large: bytes 34603008-"));
		/* At once again: the verdict stands, nothing is read. */
		assert_int_equal(mih_test_engine_open(t, LARGE), -EIO);
		assert_int_equal(mih_test_engine_open(t, THREE), 0);
		mih_test_flip(path, 33 * MIB);
		mih_test_engine_sleep(100);
		assert_int_equal(mih_test_engine_open(t, LARGE), 0);
		if (staged)
			assert_staged(t, LARGE);
		assert_int_equal(mih_test_engine_check(t, LARGE, 33 * MIB, 1),
				 0);
		assert_int_equal(t->nlines, 1);
		if (!staged)
			mih_test_engine_end(t);
	}
}

static void test_whole_file_is_read_once(void **state)
{
	struct engine_test *t = start(true, 0);
	struct mih_verify_file_stats stats;
	uint64_t before;

	(void)state;
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_verify_staged(t->engine, LARGE), -1);
	mih_verify_file_stats(t->engine, LARGE, &stats);
	assert_int_equal(stats.status, MIH_VERIFY_VERIFIED);
	before = disk_bytes(t);
	assert_int_equal(before, files[LARGE].nbytes);
	mih_verify_close(t->engine, LARGE);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(disk_bytes(t), before);
	/* It may have changed since: what is read is proven again. */
	mih_test_flip(mih_test_model_path(&t->disk, LARGE), 0);
	assert_int_equal(mih_test_engine_check(t, LARGE, 0, 1), -EIO);
}

static void test_budget_drops_what_was_closed_first(void **state)
{
	struct engine_test *t = start(false, 7 * MIB);
	struct mih_verify_stats stats;
	uint64_t before;

	(void)state;
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_verify_staged(t->engine, LARGE), -1);
	assert_int_equal(mih_test_engine_open(t, THREE), 0);
	assert_int_equal(mih_test_engine_open(t, ALSO), 0);
	assert_staged(t, THREE);
	assert_staged(t, ALSO);
	/* Both fit and stay; what is open is never dropped. */
	mih_verify_close(t->engine, ALSO);
	before = disk_bytes(t);
	assert_int_equal(mih_test_engine_open(t, ALSO), 0);
	assert_int_equal(disk_bytes(t), before);
	assert_staged(t, ALSO);
	assert_int_equal(t->nlines, 0);
	stats = mih_test_engine_stats(t);
	assert_int_equal(stats.counts[MIH_VERIFY_STAGED], 2);
	assert_int_equal(stats.counts[MIH_VERIFY_UNSTAGED], 1);
	assert_int_equal(stats.gauges[MIH_VERIFY_STAGE_BYTES],
			 pages_of(THREE) + pages_of(ALSO));
	assert_int_equal(stats.gauges[MIH_VERIFY_STAGE_LIMIT], 7 * MIB);
}

static void test_budget_makes_room(void **state)
{
	struct engine_test *t = start(false, 4 * MIB);
	uint64_t before;

	(void)state;
	assert_int_equal(mih_test_engine_open(t, THREE), 0);
	assert_int_equal(mih_test_engine_open(t, ALSO), 0);
	assert_int_equal(mih_verify_staged(t->engine, ALSO), -1);
	mih_verify_close(t->engine, ALSO);
	mih_verify_close(t->engine, THREE);
	assert_int_equal(mih_test_engine_open(t, ALSO), 0);
	assert_staged(t, ALSO); /* THREE went */
	mih_verify_close(t->engine, ALSO);
	before = disk_bytes(t);
	assert_int_equal(mih_test_engine_open(t, THREE), 0);
	assert_int_equal(disk_bytes(t) - before, files[THREE].nbytes);
	assert_staged(t, THREE);
}

struct waiting {
	struct mih_verify_open request;
	sem_t done;
	mih_err err;
};

static void waiting_done(struct mih_verify_open *request, mih_err err)
{
	struct waiting *c = (struct waiting *)request;

	c->err = err;
	sem_post(&c->done);
}

/* Another version is served now; this engine has its last readers. */
static void test_shrunk_engine_keeps_what_is_open(void **state)
{
	struct engine_test *t = start(false, 64 * MIB);

	(void)state;
	assert_int_equal(mih_test_engine_open(t, THREE), 0);
	assert_int_equal(mih_test_engine_open(t, LARGE), 0);
	assert_int_equal(mih_test_engine_open(t, ALSO), 0);
	mih_verify_close(t->engine, LARGE);
	mih_verify_engine_shrink(t->engine, 8 * MIB);
	assert_int_equal(
	    mih_test_engine_stats(t).gauges[MIH_VERIFY_STAGE_BYTES],
	    pages_of(THREE) + pages_of(ALSO));
	assert_staged(t, THREE);
	mih_verify_close(t->engine, ALSO);
	assert_int_equal(
	    mih_test_engine_stats(t).gauges[MIH_VERIFY_STAGE_BYTES],
	    pages_of(THREE));
	assert_int_equal(mih_test_engine_open(t, ALSO), 0);
	assert_int_equal(mih_verify_staged(t->engine, ALSO), -1);
	assert_int_equal(mih_test_engine_check(t, ALSO, 0, MIB), 0);
	assert_int_equal(t->nlines, 0);
}

/* A descriptor is only told while it cannot be closed behind the caller. */
static void test_unstaged_open_gets_no_descriptor(void **state)
{
	struct engine_test *t = start(false, 64 * MIB);
	struct waiting w = { .request = { .file = THREE,
					  .unstaged = true,
					  .done = waiting_done } };

	(void)state;
	assert_int_equal(mih_test_engine_open(t, THREE), 0);
	mih_verify_close(t->engine, THREE);
	assert_int_equal(mih_verify_staged(t->engine, THREE), -1);
	sem_init(&w.done, 0, 0);
	mih_verify_open(t->engine, &w.request);
	sem_wait(&w.done);
	sem_destroy(&w.done);
	assert_int_equal(w.err, 0);
	assert_int_equal(mih_verify_staged(t->engine, THREE), -1);
	mih_verify_close(t->engine, THREE);
}

static void *open_one(void *arg)
{
	(void)arg;
	assert_int_equal(mih_test_engine_open(&test, LARGE), 0);
	return NULL;
}

static void test_opens_share_one_staging(void **state)
{
	struct engine_test *t = start(false, 64 * MIB);
	pthread_t openers[NOPENERS];

	(void)state;
	for (size_t i = 0; i < NOPENERS; i++)
		assert_int_equal(
		    pthread_create(&openers[i], NULL, open_one, NULL), 0);
	for (size_t i = 0; i < NOPENERS; i++)
		pthread_join(openers[i], NULL);
	assert_int_equal(disk_bytes(t), files[LARGE].nbytes);
	for (size_t i = 1; i < NOPENERS; i++)
		mih_verify_close(t->engine, LARGE);
	assert_staged(t, LARGE);
}

/* Whatever moment the cancel hits, there is one answer or none, and the file
 * can be opened afterwards. */
static void test_cancelled_open_lets_go(void **state)
{
	struct engine_test *t = start(false, 64 * MIB);
	unsigned ncancelled = 0;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		struct waiting c = { .request = { .file = LARGE,
						  .done = waiting_done } };

		sem_init(&c.done, 0, 0);
		mih_verify_open(t->engine, &c.request);
		if (mih_verify_open_cancel(t->engine, &c.request)) {
			ncancelled++;
		} else {
			sem_wait(&c.done);
			assert_int_equal(c.err, 0);
			mih_verify_close(t->engine, LARGE);
		}
		sem_destroy(&c.done);
		if (i % 10 == 9) {
			assert_int_equal(mih_test_engine_open(t, LARGE), 0);
			assert_staged(t, LARGE);
			mih_verify_close(t->engine, LARGE);
			mih_test_engine_restart(t);
		}
	}
	assert_true(ncancelled > 0);
	assert_int_equal(t->nlines, 0);
}

static void test_open_may_be_cancelled_before_it_begins(void **state)
{
	struct engine_test *t = start(false, 64 * MIB);
	struct waiting c = { .request = { .file = LARGE,
					  .done = waiting_done } };

	(void)state;
	sem_init(&c.done, 0, 0);
	assert_false(mih_verify_open_cancel(t->engine, &c.request));
	mih_verify_open(t->engine, &c.request);
	sem_wait(&c.done);
	sem_destroy(&c.done);
	assert_int_equal(c.err, -EINTR);
	assert_int_equal(disk_bytes(t), 0);
}

/* Some programs get a signal every millisecond, and ask again each time. */
static void test_interrupted_open_gets_on(void **state)
{
	struct engine_test *t = start(false, 64 * MIB);
	bool opened = false;
	unsigned n;

	(void)state;
	for (n = 0; !opened; n++) {
		struct waiting c = { .request = { .file = LARGE,
						  .done = waiting_done } };

		assert_true(n < 60000);
		sem_init(&c.done, 0, 0);
		mih_verify_open(t->engine, &c.request);
		mih_test_engine_sleep(1);
		opened = !mih_verify_open_cancel(t->engine, &c.request);
		if (opened)
			sem_wait(&c.done);
		sem_destroy(&c.done);
	}
	assert_true(n > 1);
	assert_staged(t, LARGE);
	assert_int_equal(disk_bytes(t), files[LARGE].nbytes);
	assert_int_equal(t->nlines, 0);
}

/* Each of them gives up at any moment; who does not is never refused. */
static void *open_and_give_up(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < 300; i++) {
		struct waiting c = { .request = { .file = THREE,
						  .done = waiting_done } };

		sem_init(&c.done, 0, 0);
		mih_verify_open(test.engine, &c.request);
		if (rand_r(&seed) % 4 == 0 ||
		    !mih_verify_open_cancel(test.engine, &c.request)) {
			sem_wait(&c.done);
			assert_int_equal(c.err, 0);
			mih_verify_close(test.engine, THREE);
		}
		sem_destroy(&c.done);
	}
	return NULL;
}

static void test_who_waits_is_not_given_up(void **state)
{
	struct engine_test *t = start(false, 4 * MIB);
	pthread_t openers[NOPENERS];

	(void)state;
	for (size_t i = 0; i < NOPENERS; i++)
		assert_int_equal(pthread_create(&openers[i], NULL,
						open_and_give_up,
						(void *)(uintptr_t)(i + 1)),
				 0);
	/* What lies in memory is pushed out again and again. */
	for (size_t i = 0; i < 50; i++)
		if (mih_test_engine_open(t, ALSO) == 0)
			mih_verify_close(t->engine, ALSO);
	for (size_t i = 0; i < NOPENERS; i++)
		pthread_join(openers[i], NULL);
	assert_int_equal(t->nlines, 0);
}

/* A staged file keeps a descriptor; very many small ones must leave enough of
 * them for what is opened next. */
static void test_stages_leave_descriptors(void **state)
{
	static struct mih_test_file small[200];
	const struct mih_test_model_params params = {
		.files = small,
		.nfiles = MIH_ARRAY_LEN(small),
		.flat = MIH_HASH_SHA256,
		.tree = MIH_HASH_MTH4K_SHA256,
	};
	static char names[MIH_ARRAY_LEN(small)][8];
	struct rlimit before, few;
	struct engine_test *t = &test;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(small); i++) {
		snprintf(names[i], sizeof(names[i]), "%03zu", i);
		small[i] = (struct mih_test_file){ names[i], 1 };
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ 100, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	memset(t, 0, sizeof(*t));
	t->params.stage_memory = 64 * MIB;
	mih_test_engine_start(t, &params);
	for (size_t i = 0; i < MIH_ARRAY_LEN(small); i++) {
		assert_int_equal(mih_test_engine_open(t, i), 0);
		assert_true(mih_verify_staged(t->engine, i) >= 0);
		mih_verify_close(t->engine, i);
	}
	/* Those that are open at once may have no more than their share. */
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(mih_test_engine_open(t, i), 0);
	assert_true(mih_verify_staged(t->engine, 0) >= 0);
	assert_int_equal(mih_verify_staged(t->engine, 49), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* The budget is of memory, and that comes in pages. */
static void test_stages_are_counted_in_pages(void **state)
{
	struct engine_test *t = start(false, 64 * MIB);

	(void)state;
	assert_int_equal(mih_test_engine_open(t, BYTE), 0);
	assert_true(mih_verify_staged(t->engine, BYTE) >= 0);
	assert_int_equal(
	    mih_test_engine_stats(t).gauges[MIH_VERIFY_STAGE_BYTES],
	    pages_of(BYTE));
	assert_true(pages_of(BYTE) > 1);
	mih_verify_close(t->engine, BYTE);
	mih_verify_engine_shrink(t->engine, 8 * MIB);
	assert_int_equal(
	    mih_test_engine_stats(t).gauges[MIH_VERIFY_STAGE_BYTES], 0);
}

static void test_engine_ends_while_staging(void **state)
{
	struct engine_test *t = start(false, 64 * MIB);
	struct waiting c = { .request = { .file = LARGE,
					  .done = waiting_done } };

	(void)state;
	sem_init(&c.done, 0, 0);
	mih_verify_open(t->engine, &c.request);
	mih_test_engine_restart(t);
	sem_wait(&c.done);
	assert_true(c.err == 0 || c.err == -ECANCELED);
	sem_destroy(&c.done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    test_staged_bytes_are_right_and_sealed, teardown),
		cmocka_unit_test_teardown(test_bad_file_is_not_opened,
					  teardown),
		cmocka_unit_test_teardown(test_whole_file_is_read_once,
					  teardown),
		cmocka_unit_test_teardown(
		    test_budget_drops_what_was_closed_first, teardown),
		cmocka_unit_test_teardown(test_budget_makes_room, teardown),
		cmocka_unit_test_teardown(test_shrunk_engine_keeps_what_is_open,
					  teardown),
		cmocka_unit_test_teardown(test_unstaged_open_gets_no_descriptor,
					  teardown),
		cmocka_unit_test_teardown(test_opens_share_one_staging,
					  teardown),
		cmocka_unit_test_teardown(test_cancelled_open_lets_go,
					  teardown),
		cmocka_unit_test_teardown(
		    test_open_may_be_cancelled_before_it_begins, teardown),
		cmocka_unit_test_teardown(test_interrupted_open_gets_on,
					  teardown),
		cmocka_unit_test_teardown(test_who_waits_is_not_given_up,
					  teardown),
		cmocka_unit_test_teardown(test_stages_leave_descriptors,
					  teardown),
		cmocka_unit_test_teardown(test_stages_are_counted_in_pages,
					  teardown),
		cmocka_unit_test_teardown(test_engine_ends_while_staging,
					  teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
