/*
 * Memory of the caller's that devices read where it lies: that they do, that
 * they do not when it was taken back, and that no failure of theirs changes a
 * digest or touches memory that is gone.
 */
#include "lib/test.h"
#include "gpu/device_internal.h"
#include "gpu/lend/lend.h"
#include "gpu/sim_port.h"

#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MIB	((size_t)1 << 20)
#define LEN	MIB
#define NGROUPS (LEN / MIH_HASH_GROUP)
#define ROOM	(8 * MIB)
#define NPARTS	(ROOM / LEN)

/* Longer than a driver is waited for. */
#define LONG_MS (HAVE_SANITIZERS ? 60000 : 20000)

struct job {
	struct mih_gpu_batch batch;
	struct mih_hash_range range;
	uint8_t digests[NGROUPS * 32];
};

static uint8_t *mine; /* ROOM bytes of it */
static uint8_t want[NPARTS][NGROUPS * 32];
static struct mih_gpu_dev *dev;
static sem_t ended;

static const char *const names[] = { "sim:0", "sim:1" };

static uint64_t now_ms(void)
{
	return mih_gpu_now_ns() / 1000000;
}

static void pause_a_little(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	nanosleep(&pause, NULL);
}

static void wait_pinned(unsigned n)
{
	uint64_t until = now_ms() + LONG_MS;

	while (mih_test_sims_pinned() != n && now_ms() < until)
		pause_a_little();
	assert_int_equal(mih_test_sims_pinned(), n);
}

static uint64_t in_place(void)
{
	return mih_test_sims[0].in_place + mih_test_sims[1].in_place;
}

static void open_devices(size_t n)
{
	const struct mih_gpu_batch like = { .alg = MIH_HASH_MTH4K_SHA256 };
	const struct mih_gpu_params params = { .specs = names,
					       .nspecs = n,
					       .memory = 16 * MIB };
	struct mih_gpu_speed speed;

	assert_int_equal(mih_gpu_open(&params, &dev), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(mih_gpu_measure(dev, &like, i, &speed), 0);
	assert_int_equal(in_place(), 0);
}

static int setup(void **state)
{
	(void)state;
	mih_test_sims_pin(true);
	for (size_t i = 0; i < 2; i++) {
		mih_test_sims[i].fault = MIH_TEST_NO_FAULT;
		mih_test_sims[i].after = 0;
		mih_test_sims[i].ns_per_mib = 1000000;
		mih_test_sims[i].in_place = 0;
		mih_test_sims[i].open_ms = 0;
	}
	sem_init(&ended, 0, 0);
	mine = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mine == MAP_FAILED)
		return -1;
	for (size_t i = 0; i < ROOM; i++)
		mine[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t i = 0; i < NPARTS; i++) {
		struct mih_hash_range range = { .data = mine + i * LEN,
						.len = LEN };

		mih_hash_groups(MIH_HASH_MTH4K_SHA256, &range, 1, want[i]);
	}
	return 0;
}

static void job_done(struct mih_gpu_batch *batch, mih_err err)
{
	(void)batch;
	assert_int_equal(err, 0);
	sem_post(&ended);
}

static void submit(struct job *job, size_t i)
{
	memset(job->digests, 0xa5, sizeof(job->digests));
	job->range =
	    (struct mih_hash_range){ .data = mine + i * LEN, .len = LEN };
	job->batch = (struct mih_gpu_batch){ .alg = MIH_HASH_MTH4K_SHA256,
					     .ranges = &job->range,
					     .nranges = 1,
					     .digests = job->digests,
					     .done = job_done };
	mih_gpu_submit(dev, &job->batch);
}

/* Parts @from to @to, @midway when all of them are submitted. */
static void hash(size_t from, size_t to, void (*midway)(void))
{
	static struct job jobs[NPARTS];

	for (size_t i = from; i < to; i++)
		submit(&jobs[i], i);
	if (midway)
		midway();
	for (size_t i = from; i < to; i++)
		sem_wait(&ended);
	for (size_t i = from; i < to; i++)
		assert_memory_equal(jobs[i].digests, want[i], sizeof(want[i]));
}

static void test_lent_is_read_in_place(void **state)
{
	(void)state;
	open_devices(1);
	assert_true(mih_gpu_borrows(dev));
	mih_gpu_lend(dev, mine, ROOM);
	wait_pinned(1);
	hash(0, NPARTS, NULL);
	assert_int_equal(in_place(), ROOM);
	assert_true(mih_gpu_take_back(dev, mine, ROOM, true));
	assert_int_equal(mih_test_sims_pinned(), 0);
	hash(0, NPARTS, NULL);
	assert_int_equal(in_place(), ROOM);
	munmap(mine, ROOM);
	mih_gpu_close(dev);
}

static void test_parts_come_back_while_others_stay(void **state)
{
	(void)state;
	open_devices(1);
	for (size_t i = 0; i < NPARTS; i++)
		mih_gpu_lend(dev, mine + i * LEN, LEN);
	wait_pinned(NPARTS);
	hash(0, 2, NULL);
	mih_gpu_take_back(dev, mine, 2 * LEN, false);
	wait_pinned(NPARTS - 2);
	hash(0, NPARTS, NULL);
	assert_int_equal(in_place(), ROOM);
	assert_true(mih_gpu_take_back(dev, mine, ROOM, true));
	assert_int_equal(mih_test_sims_pinned(), 0);
	munmap(mine, ROOM);
	mih_gpu_close(dev);
}

/* The driver knows two parts as two, and copies from none that is both. */
static void test_over_a_border_is_copied(void **state)
{
	(void)state;
	open_devices(1);
	mih_gpu_lend(dev, mine, LEN + LEN / 2);
	mih_gpu_lend(dev, mine + LEN + LEN / 2, LEN / 2);
	wait_pinned(2);
	hash(0, 3, NULL);
	assert_int_equal(in_place(), LEN);
	assert_true(mih_gpu_take_back(dev, mine, ROOM, true));
	munmap(mine, ROOM);
	mih_gpu_close(dev);
}

static void test_one_pins_for_all(void **state)
{
	(void)state;
	open_devices(2);
	mih_gpu_lend(dev, mine, ROOM);
	wait_pinned(1);
	for (int i = 0; i < 100 && !(mih_test_sims[0].in_place &&
				     mih_test_sims[1].in_place);
	     i++)
		hash(0, NPARTS, NULL);
	assert_int_not_equal(mih_test_sims[0].in_place, 0);
	assert_int_not_equal(mih_test_sims[1].in_place, 0);
	assert_int_equal(mih_test_sims_pinned(), 1);
	assert_true(mih_gpu_take_back(dev, mine, ROOM, true));
	assert_int_equal(mih_test_sims_pinned(), 0);
	munmap(mine, ROOM);
	mih_gpu_close(dev);
}

static void test_more_than_there_are_rows_for(void **state)
{
	enum { SMALL = 65536 };

	(void)state;
	open_devices(1);
	for (size_t at = 0; at < ROOM; at += SMALL)
		mih_gpu_lend(dev, mine + at, SMALL);
	hash(0, NPARTS, NULL);
	assert_true(mih_gpu_take_back(dev, mine, ROOM, true));
	assert_int_equal(mih_test_sims_pinned(), 0);
	munmap(mine, ROOM);
	mih_gpu_close(dev);
}

static void test_what_cannot_be_pinned_is_copied(void **state)
{
	uint64_t until = now_ms() + LONG_MS;

	(void)state;
	open_devices(1);
	mih_test_sims[0].fault = MIH_TEST_PINS_NOT;
	mih_gpu_lend(dev, mine, ROOM);
	while (mih_gpu_borrows(dev) && now_ms() < until)
		pause_a_little();
	assert_false(mih_gpu_borrows(dev));
	mih_gpu_lend(dev, mine, ROOM);
	hash(0, NPARTS, NULL);
	assert_int_equal(in_place(), 0);
	assert_true(mih_gpu_take_back(dev, mine, ROOM, true));
	munmap(mine, ROOM);
	mih_gpu_close(dev);
}

static void test_device_that_cannot_pin_takes_nothing(void **state)
{
	(void)state;
	mih_test_sims_pin(false);
	open_devices(1);
	assert_false(mih_gpu_borrows(dev));
	mih_gpu_lend(dev, mine, ROOM);
	hash(0, NPARTS, NULL);
	assert_int_equal(in_place(), 0);
	assert_true(mih_gpu_take_back(dev, mine, ROOM, true));
	munmap(mine, ROOM);
	mih_gpu_close(dev);
	assert_false(mih_gpu_borrows(mih_gpu_cpu()));
	assert_true(mih_gpu_take_back(mih_gpu_cpu(), mine, ROOM, true));
}

/* It is still opened while the memory is lent, used and gone. */
static void test_device_that_starts_is_not_waited_for(void **state)
{
	const struct mih_gpu_params params = { .specs = names, .nspecs = 1 };

	(void)state;
	mih_test_sims[0].open_ms = 1000;
	assert_int_equal(mih_gpu_open(&params, &dev), 0);
	assert_false(mih_gpu_borrows(dev));
	mih_gpu_lend(dev, mine, ROOM);
	hash(0, 2, NULL);
	assert_true(mih_gpu_take_back(dev, mine, ROOM, true));
	munmap(mine, ROOM);
	mih_gpu_wait(dev);
	assert_int_equal(mih_test_sims_pinned(), 0);
	mih_gpu_close(dev);
}

static void test_driver_does_not_return_from_pinning(void **state)
{
	struct mih_gpu_member member;
	uint64_t begun;

	(void)state;
	open_devices(1);
	mih_test_sims[0].fault = MIH_TEST_PINS_STUCK;
	mih_gpu_lend(dev, mine, ROOM);
	hash(0, NPARTS, NULL);
	assert_int_equal(in_place(), 0);
	begun = now_ms();
	mih_gpu_take_back(dev, mine, ROOM, false);
	assert_false(mih_gpu_take_back(dev, mine, ROOM, true));
	assert_in_range(now_ms() - begun, 0, LONG_MS);
	mih_gpu_members(dev, &member, 1);
	assert_int_equal(member.state, MIH_GPU_DOWN);
	hash(0, NPARTS, NULL);
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
	mih_gpu_close(dev);
}

static void replace_mine(void)
{
	assert_ptr_equal(mmap(mine, ROOM, PROT_READ,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			 mine);
}

/* In a copy from lent memory: its owner is told that the addresses stay. */
static void test_driver_does_not_return_from_a_copy(void **state)
{
	unsigned before = mih_test_sims_pinned();

	(void)state;
	open_devices(1);
	mih_gpu_lend(dev, mine, ROOM);
	wait_pinned(before + 1);
	mih_test_sims[0].fault = MIH_TEST_LENT_STUCK;
	hash(0, NPARTS, NULL);
	assert_int_not_equal(in_place(), 0);
	assert_false(mih_gpu_take_back(dev, mine, ROOM, true));
	replace_mine();
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
	mih_gpu_close(dev);
}

static void fail_first(void)
{
	mih_test_sims[0].fault = MIH_TEST_LAUNCH_FAILS;
}

/* Its bytes may be on their way still: they stay pinned. */
static void test_device_goes_down(void **state)
{
	unsigned before = mih_test_sims_pinned();

	(void)state;
	open_devices(1);
	mih_gpu_lend(dev, mine, ROOM);
	wait_pinned(before + 1);
	hash(0, NPARTS, fail_first);
	hash(0, NPARTS, NULL);
	mih_gpu_take_back(dev, mine, ROOM, false);
	assert_false(mih_gpu_take_back(dev, mine, ROOM, true));
	assert_int_equal(mih_test_sims_pinned(), before + 1);
	assert_false(mih_gpu_borrows(dev));
	hash(0, NPARTS, NULL);
	mih_gpu_close(dev);
}

/* Not the one that pinned them, but one that has read them. */
static void test_reader_goes_down(void **state)
{
	unsigned before = mih_test_sims_pinned();
	uint64_t so_far;

	(void)state;
	open_devices(2);
	mih_gpu_lend(dev, mine, ROOM);
	wait_pinned(before + 1);
	mih_test_sims[1].fault = MIH_TEST_LENT_FAILS;
	for (int i = 0; i < 100 && !mih_test_sims[1].in_place; i++)
		hash(0, NPARTS, NULL);
	assert_int_not_equal(mih_test_sims[1].in_place, 0);
	assert_false(mih_gpu_take_back(dev, mine, ROOM, true));
	assert_int_equal(mih_test_sims_pinned(), before + 1);
	/* The other one goes on, with other memory. */
	assert_true(mih_gpu_borrows(dev));
	mine = NULL;
	assert_int_equal(setup(NULL), 0);
	so_far = in_place();
	mih_gpu_lend(dev, mine, ROOM);
	wait_pinned(before + 2);
	hash(0, NPARTS, NULL);
	assert_in_range(in_place(), so_far + 1, UINT64_MAX);
	assert_true(mih_gpu_take_back(dev, mine, ROOM, true));
	assert_int_equal(mih_test_sims_pinned(), before + 1);
	munmap(mine, ROOM);
	mih_gpu_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lent_is_read_in_place, setup),
		cmocka_unit_test_setup(test_parts_come_back_while_others_stay,
				       setup),
		cmocka_unit_test_setup(test_over_a_border_is_copied, setup),
		cmocka_unit_test_setup(test_one_pins_for_all, setup),
		cmocka_unit_test_setup(test_more_than_there_are_rows_for,
				       setup),
		cmocka_unit_test_setup(test_what_cannot_be_pinned_is_copied,
				       setup),
		cmocka_unit_test_setup(
		    test_device_that_cannot_pin_takes_nothing, setup),
		cmocka_unit_test_setup(
		    test_device_that_starts_is_not_waited_for, setup),
		cmocka_unit_test_setup(test_device_goes_down, setup),
		cmocka_unit_test_setup(test_reader_goes_down, setup),
		cmocka_unit_test_setup(test_driver_does_not_return_from_pinning,
				       setup),
		cmocka_unit_test_setup(test_driver_does_not_return_from_a_copy,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
