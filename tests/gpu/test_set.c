/*
 * Sets of simulated devices: who gets how much, who is lost and how, and that
 * every batch ends with the right digests all the same.
 */
#include "lib/test.h"
#include "gpu/batch_internal.h"
#include "gpu/device_internal.h"
#include "gpu/sim_port.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB	((size_t)1 << 20)
#define LEN	MIB
#define NGROUPS (LEN / MIH_HASH_GROUP)
#define MEMORY	((uint64_t)16 << 20) /* lanes of 4 MiB */

/* What devices are told to take must be more than hashing takes. */
#define SLOWER (HAVE_SANITIZERS ? 4 : 1)

struct job {
	struct mih_gpu_batch batch;
	struct mih_hash_range range;
	uint8_t digests[NGROUPS * 32];
};

static uint8_t data[4 * LEN];
static uint8_t want[4][NGROUPS * 32];
static sem_t ended;

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t i = 0; i < 4; i++) {
		struct mih_hash_range range = { .data = data + i * LEN,
						.len = LEN };

		mih_hash_groups(MIH_HASH_MTH4K_SHA256, &range, 1, want[i]);
	}
	return 0;
}

static void reset(unsigned us_per_mib)
{
	for (size_t i = 0; i < MIH_TEST_SIMS; i++) {
		mih_test_sims[i].fault = MIH_TEST_NO_FAULT;
		mih_test_sims[i].after = 0;
		mih_test_sims[i].ns_per_mib = us_per_mib * 1000;
		mih_test_sims[i].nbytes = 0;
	}
}

static struct mih_gpu_dev *open_set(const char *const *specs, size_t n)
{
	const struct mih_gpu_params params = { .specs = specs,
					       .nspecs = n,
					       .memory = MEMORY };
	struct mih_gpu_dev *dev;

	assert_int_equal(mih_gpu_open(&params, &dev), 0);
	return dev;
}

static mih_err measure(struct mih_gpu_dev *dev, size_t member)
{
	const struct mih_gpu_batch like = { .alg = MIH_HASH_MTH4K_SHA256 };
	struct mih_gpu_speed speed;

	return mih_gpu_measure(dev, &like, member, &speed);
}

static void job_done(struct mih_gpu_batch *batch, mih_err err)
{
	assert_int_equal(err, 0);
	(void)batch;
	sem_post(&ended);
}

static void submit_bytes(struct mih_gpu_dev *dev, struct job *job,
			 const uint8_t *bytes)
{
	memset(job->digests, 0xa5, sizeof(job->digests));
	job->range = (struct mih_hash_range){ .data = bytes, .len = LEN };
	job->batch = (struct mih_gpu_batch){ .alg = MIH_HASH_MTH4K_SHA256,
					     .ranges = &job->range,
					     .nranges = 1,
					     .digests = job->digests,
					     .done = job_done };
	mih_gpu_submit(dev, &job->batch);
}

static void submit(struct mih_gpu_dev *dev, struct job *job, size_t i)
{
	submit_bytes(dev, job, data + i % 4 * LEN);
}

/* Submit @n batches, call @midway after half of them, compare all. */
static void run(struct mih_gpu_dev *dev, size_t n, void (*midway)(void))
{
	struct job *jobs = calloc(n, sizeof(*jobs));

	assert_non_null(jobs);
	sem_init(&ended, 0, 0);
	for (size_t i = 0; i < n; i++) {
		if (midway && i == n / 2)
			midway();
		submit(dev, &jobs[i], i);
	}
	for (size_t i = 0; i < n; i++)
		sem_wait(&ended);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(jobs[i].digests, want[i % 4],
				    sizeof(want[0]));
	free(jobs);
}

static const char *const all[] = { "sim:0", "sim:1",	  "sim:2", "sim:3",
				   "sim:4", "sim:SIM-05", "sim:6", "sim:7" };

static void forget_measuring(void)
{
	for (size_t i = 0; i < MIH_TEST_SIMS; i++)
		mih_test_sims[i].nbytes = 0;
}

/* Other work on this machine makes a simulated device slow now and then, so
 * one fair round of several is enough; a set that shares badly has none. */
#define ROUNDS 5

static bool shares_evenly(struct mih_gpu_dev *dev)
{
	bool evenly = true;

	forget_measuring();
	run(dev, 320, NULL);
	for (size_t i = 0; i < 8; i++) {
		size_t mib = (size_t)(mih_test_sims[i].nbytes / MIB);

		printf("# sim:%zu %zu MiB\n", i, mib);
		evenly = evenly && mib >= 26 && mib <= 60;
	}
	return evenly;
}

static void test_eight_share_evenly(void **state)
{
	struct mih_gpu_dev *dev;
	bool evenly = false;

	(void)state;
	reset(5000);
	dev = open_set(all, 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(measure(dev, i), 0);
	for (int i = 0; i < ROUNDS && !evenly; i++)
		evenly = shares_evenly(dev);
	assert_true(evenly);
	mih_gpu_close(dev);
}

static void test_a_slow_one_gets_less(void **state)
{
	struct mih_gpu_dev *dev;
	bool less = false;

	(void)state;
	reset(4000 * SLOWER);
	mih_test_sims[1].ns_per_mib = 16000000 * SLOWER;
	dev = open_set(all, 2);
	assert_int_equal(measure(dev, 1), 0);
	for (int i = 0; i < ROUNDS && !less; i++) {
		forget_measuring();
		run(dev, 100, NULL);
		less = mih_test_sims[1].nbytes >= 8 * MIB &&
		       mih_test_sims[1].nbytes <= 46 * MIB;
	}
	assert_true(less);
	mih_gpu_close(dev);
}

static void lose_three(void)
{
	mih_test_sims[1].fault = MIH_TEST_LAUNCH_FAILS;
	mih_test_sims[4].fault = MIH_TEST_HANGS;
	mih_test_sims[7].fault = MIH_TEST_LAUNCH_FAILS;
}

static void test_eight_lose_three(void **state)
{
	struct mih_gpu_dev *dev;

	(void)state;
	reset(4000);
	dev = open_set(all, 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(measure(dev, i), 0);
	run(dev, 320, lose_three);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(measure(dev, i),
				 i == 1 || i == 4 || i == 7 ? MIH_EBACKEND : 0);
	/* The five that are left share what comes. */
	forget_measuring();
	run(dev, 200, NULL);
	for (size_t i = 0; i < 8; i++)
		if (i == 1 || i == 4 || i == 7)
			assert_int_equal(mih_test_sims[i].nbytes, 0);
		else
			assert_in_range(mih_test_sims[i].nbytes, 24 * MIB,
					64 * MIB);
	mih_gpu_close(dev);
}

/* One device, one fault from the start or from the Nth launch on. */
static void provoke(enum mih_test_fault fault, unsigned after)
{
	struct mih_gpu_dev *dev;

	reset(100);
	mih_test_sims[0].after = after;
	mih_test_sims[0].fault = fault;
	dev = open_set(all, 1);
	run(dev, 10, NULL);
	(void)!measure(dev, 0);
	run(dev, 20, NULL);
	assert_int_equal(measure(dev, 0), MIH_EBACKEND);
	run(dev, 10, NULL);
	mih_gpu_close(dev);
}

static void test_open_fails(void **state)
{
	(void)state;
	provoke(MIH_TEST_OPEN_FAILS, 0);
}

/* A simulated one has 1 GiB. */
static void test_no_device_gives_all_its_memory(void **state)
{
	const struct mih_gpu_params params = { .specs = all,
					       .nspecs = 1,
					       .memory = (uint64_t)1 << 40 };
	struct mih_gpu_member member;
	struct mih_gpu_dev *dev;
	unsigned taken;

	(void)state;
	assert_int_equal(mih_gpu_open(&params, &dev), 0);
	assert_int_equal(mih_gpu_found(dev, NULL), 0);
	assert_int_equal(mih_gpu_members(dev, &member, 1), 1);
	assert_int_equal(sscanf(strstr(member.line, "1024 MiB of which"),
				"1024 MiB of which %u", &taken),
			 1);
	assert_in_range(taken, 256, 512);
	mih_gpu_close(dev);
}

static void test_out_of_memory_at_start(void **state)
{
	(void)state;
	provoke(MIH_TEST_OUT_OF_MEMORY, 0);
}

static void test_launch_fails(void **state)
{
	(void)state;
	provoke(MIH_TEST_LAUNCH_FAILS, 0);
	provoke(MIH_TEST_LAUNCH_FAILS, 10);
}

static void test_hangs(void **state)
{
	(void)state;
	provoke(MIH_TEST_HANGS, 0);
	provoke(MIH_TEST_HANGS, 10);
}

/* A call of the driver that does not return, where no clock of ours runs. The
 * batches are redone; what they were given may be gone when it returns. */
static void driver_does_not_return(enum mih_test_fault fault)
{
	enum { N = 24 };
	struct mih_gpu_dev *dev;
	struct job *jobs = calloc(N, sizeof(*jobs));
	uint8_t *mine = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_non_null(jobs);
	assert_true(mine != MAP_FAILED);
	memcpy(mine, data, LEN);
	reset(100);
	dev = open_set(all, 1);
	assert_int_equal(measure(dev, 0), 0);
	sem_init(&ended, 0, 0);
	mih_test_sims[0].fault = fault;
	for (size_t i = 0; i < N; i++)
		submit_bytes(dev, &jobs[i], mine);
	for (size_t i = 0; i < N; i++)
		sem_wait(&ended);
	for (size_t i = 0; i < N; i++)
		assert_memory_equal(jobs[i].digests, want[0], sizeof(want[0]));
	assert_int_equal(measure(dev, 0), MIH_EBACKEND);
	munmap(mine, LEN);
	free(jobs);
	run(dev, 10, NULL);
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
	mih_gpu_close(dev);
}

static void test_driver_does_not_return(void **state)
{
	(void)state;
	driver_does_not_return(MIH_TEST_STUCK);
	driver_does_not_return(MIH_TEST_STUCK_EARLY);
}

static void segments_done(struct mih_gpu_batch *batch, mih_err err)
{
	assert_int_equal(err, MIH_EBACKEND);
	(void)batch;
	sem_post(&ended);
}

/* The same for segments, which are looked at once more for each copy. */
static void test_driver_does_not_return_segments(void **state)
{
	static uint8_t digests[2 * 32];
	struct mih_hash_segment *segments =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mih_gpu_batch batch = { .task = MIH_GPU_SEGMENTS,
				       .segments = segments,
				       .nsegments = 2,
				       .digests = digests,
				       .done = segments_done };
	struct mih_gpu_dev *dev;

	(void)state;
	assert_true(segments != MAP_FAILED);
	reset(100);
	assert_int_equal(mih_gpu_device_open("sim:0", MEMORY, &dev), 0);
	assert_int_equal(dev->ops->state(dev, true), MIH_GPU_READY);
	for (size_t i = 0; i < 2; i++) {
		segments[i].data = data + i * LEN;
		segments[i].nblocks = LEN / 64;
	}
	sem_init(&ended, 0, 0);
	mih_test_sims[0].fault = MIH_TEST_STUCK;
	mih_gpu_submit(dev, &batch);
	sem_wait(&ended);
	munmap(segments, 4096);
	mih_test_sims[0].fault = MIH_TEST_NO_FAULT;
	usleep(200000); /* the call returns meanwhile */
	mih_gpu_close(dev);
}

/* Found out when it is measured, so no batch ever gets a wrong digest. */
static void test_wrong_from_the_start(void **state)
{
	(void)state;
	provoke(MIH_TEST_WRONG, 0);
}

static void test_wrong_later_is_confirmed_and_ends_it(void **state)
{
	struct mih_gpu_dev *dev;
	struct job job;
	bool wrong;

	(void)state;
	reset(100);
	dev = open_set(all, 1);
	assert_int_equal(measure(dev, 0), 0);
	sem_init(&ended, 0, 0);
	mih_test_sims[0].fault = MIH_TEST_WRONG;
	submit(dev, &job, 0);
	sem_wait(&ended);
	assert_memory_not_equal(job.digests, want[0], sizeof(want[0]));
	assert_true(mih_gpu_confirm(&job.batch, &wrong));
	assert_true(wrong);
	assert_memory_equal(job.digests, want[0], sizeof(want[0]));
	assert_false(mih_gpu_confirm(&job.batch, &wrong));
	assert_false(wrong);
	assert_int_equal(measure(dev, 0), MIH_EBACKEND);
	run(dev, 10, NULL);
	mih_gpu_close(dev);
}

/* It gives back what lies in its memory: that must not be the digests of what
 * it was given before, for these may be the ones that are wanted. */
static void test_kernel_does_not_run(void **state)
{
	struct mih_gpu_dev *dev;
	struct job job;
	bool wrong;

	(void)state;
	reset(100);
	dev = open_set(all, 1);
	assert_int_equal(measure(dev, 0), 0);
	/* Each lane has had these bytes. */
	run(dev, 400, NULL);
	mih_test_sims[0].fault = MIH_TEST_IDLE;
	sem_init(&ended, 0, 0);
	for (size_t i = 0; i < 16; i++) {
		submit(dev, &job, 1);
		sem_wait(&ended);
		assert_memory_not_equal(job.digests, want[i % 4],
					sizeof(want[0]));
		for (size_t j = 0; j < 4; j++)
			assert_memory_not_equal(job.digests, want[j], 32);
	}
	assert_true(mih_gpu_confirm(&job.batch, &wrong));
	assert_true(wrong);
	assert_int_equal(measure(dev, 0), MIH_EBACKEND);
	run(dev, 10, NULL);
	mih_gpu_close(dev);
}

static void test_right_digests_leave_it_in_use(void **state)
{
	struct mih_gpu_dev *dev;
	struct job job;
	bool wrong;

	(void)state;
	reset(100);
	dev = open_set(all, 1);
	assert_int_equal(measure(dev, 0), 0);
	sem_init(&ended, 0, 0);
	submit(dev, &job, 0);
	sem_wait(&ended);
	assert_true(mih_gpu_confirm(&job.batch, &wrong));
	assert_false(wrong);
	assert_int_equal(measure(dev, 0), 0);
	mih_gpu_close(dev);
}

/* Names ---------------------------------------------------------------------
 */

static mih_err try_open(const char *a, const char *b)
{
	const char *specs[] = { a, b };
	const struct mih_gpu_params params = { .specs = specs,
					       .nspecs = b ? 2 : 1,
					       .memory = MEMORY };
	struct mih_gpu_dev *dev;
	mih_err err = mih_gpu_open(&params, &dev);

	if (!err) {
		err = mih_gpu_found(dev, NULL);
		mih_gpu_close(dev);
	}
	return err;
}

static void test_names(void **state)
{
	(void)state;
	reset(100);
	assert_int_equal(try_open("sim", NULL), 0);
	assert_int_equal(try_open("sim:7", NULL), 0);
	assert_int_equal(try_open("sim:sim-03", NULL), 0);
	assert_int_equal(try_open("sim:1", "cpu"), 0);
	assert_int_equal(try_open("sim:8", NULL), MIH_EBACKEND);
	assert_int_equal(try_open("sim:SIM-99", NULL), MIH_EBACKEND);
	assert_int_equal(try_open("sim:", NULL), MIH_EUSAGE);
	assert_int_equal(try_open("tpu", NULL), MIH_EUSAGE);
	assert_int_equal(try_open("sim:3", "sim:SIM-03"), MIH_EUSAGE);
}

/* Which device a driver may start alone; -1: it is told of none. */
static int only_of(const char *a, const char *b, bool alone)
{
	const char *specs[] = { a, b };
	const struct mih_gpu_params params = { .specs = specs,
					       .nspecs = b ? 2 : 1,
					       .memory = MEMORY,
					       .alone = alone };
	struct mih_gpu_dev *dev;

	atomic_store(&mih_test_sims_only, -1);
	assert_int_equal(mih_gpu_open(&params, &dev), 0);
	mih_gpu_close(dev);
	return atomic_load(&mih_test_sims_only);
}

static void test_one_that_is_alone(void **state)
{
	(void)state;
	reset(100);
	assert_int_equal(only_of("sim:5", NULL, true), 5);
	assert_int_equal(only_of("sim", NULL, true), 0);
	assert_int_equal(only_of("sim:5", "cpu", true), 5);
	assert_int_equal(only_of("sim:5", NULL, false), -1);
	assert_int_equal(only_of("sim:5", "sim:2", true), -1);
	assert_int_equal(only_of("sim:SIM-03", NULL, true), -1);
	assert_int_equal(only_of("cpu", NULL, true), -1);
}

/* The system shows a card that its driver then does not know: the others, or
 * the processor, do the work, and who asks is told. */
static void test_missing_is_told_late(void **state)
{
	static const char *const specs[] = { "sim:9", "sim:2" };

	(void)state;
	for (size_t n = 1; n <= 2; n++) {
		struct mih_gpu_dev *dev;
		struct mih_gpu_member member;
		struct job job;

		reset(100);
		dev = open_set(specs, n);
		assert_int_equal(mih_gpu_expected(dev), n);
		assert_int_equal(mih_gpu_found(dev, NULL), MIH_EBACKEND);
		assert_string_equal(mih_err_message(),
				    "sim:9: no such device here");
		assert_int_equal(mih_gpu_members(dev, &member, 1), n - 1);
		sem_init(&ended, 0, 0);
		submit(dev, &job, 0);
		sem_wait(&ended);
		assert_memory_equal(job.digests, want[0], sizeof(want[0]));
		mih_gpu_close(dev);
	}
}

/* Small batches stay with the processor, whatever is named. */
static void test_small_batches_stay(void **state)
{
	struct mih_gpu_dev *dev;
	struct job job;

	(void)state;
	reset(20000 * SLOWER);
	dev = open_set(all, 1);
	assert_int_equal(measure(dev, 0), 0);
	sem_init(&ended, 0, 0);
	job.range = (struct mih_hash_range){ .data = data, .len = 65536 };
	job.batch = (struct mih_gpu_batch){ .alg = MIH_HASH_MTH4K_SHA256,
					    .ranges = &job.range,
					    .nranges = 1,
					    .digests = job.digests,
					    .done = job_done };
	mih_gpu_submit(dev, &job.batch);
	sem_wait(&ended);
	assert_ptr_equal(job.batch.by, mih_gpu_cpu());
	submit(dev, &job, 0);
	sem_wait(&ended);
	assert_ptr_not_equal(job.batch.by, mih_gpu_cpu());
	mih_gpu_close(dev);
}

/* With "cpu" named too, a device that is slower than a core gets nothing. */
static void test_cpu_shares_when_it_is_named(void **state)
{
	const char *const specs[] = { "sim:0", "cpu" };
	struct mih_gpu_dev *dev;

	(void)state;
	reset(20000);
	dev = open_set(specs, 2);
	assert_int_equal(measure(dev, 0), 0);
	forget_measuring();
	run(dev, 20, NULL);
	assert_int_equal(mih_test_sims[0].nbytes, 0);
	mih_gpu_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eight_share_evenly),
		cmocka_unit_test(test_a_slow_one_gets_less),
		cmocka_unit_test(test_eight_lose_three),
		cmocka_unit_test(test_open_fails),
		cmocka_unit_test(test_no_device_gives_all_its_memory),
		cmocka_unit_test(test_out_of_memory_at_start),
		cmocka_unit_test(test_launch_fails),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_driver_does_not_return),
		cmocka_unit_test(test_driver_does_not_return_segments),
		cmocka_unit_test(test_wrong_from_the_start),
		cmocka_unit_test(test_wrong_later_is_confirmed_and_ends_it),
		cmocka_unit_test(test_kernel_does_not_run),
		cmocka_unit_test(test_right_digests_leave_it_in_use),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_one_that_is_alone),
		cmocka_unit_test(test_missing_is_told_late),
		cmocka_unit_test(test_small_batches_stay),
		cmocka_unit_test(test_cpu_shares_when_it_is_named),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
