#include "lib/test.h"
#include "util/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

struct job {
	struct mih_pool_work work;
	atomic_int *count;
	struct mih_pool *again; /* resubmit once to this pool */
};

static void count_up(struct mih_pool_work *work)
{
	struct job *job = (struct job *)work;
	struct mih_pool *again = job->again;

	atomic_fetch_add(job->count, 1);
	job->again = NULL;
	if (again)
		mih_pool_submit(again, work, MIH_POOL_BACKGROUND);
}

static void test_every_item_runs_once(void **state)
{
	enum { N = 1000 };
	static struct job jobs[N];
	struct mih_pool *pool;
	atomic_int count = 0;

	(void)state;
	assert_int_equal(mih_pool_new("test", 3, &pool), 0);
	assert_int_equal(mih_pool_nthreads(pool), 3);
	for (int i = 0; i < N; i++) {
		jobs[i] = (struct job){ .work.run = count_up, .count = &count };
		mih_pool_submit(pool, &jobs[i].work, i % MIH_POOL_LANES);
	}
	mih_pool_free(pool);
	assert_int_equal(count, N);
}

static void test_work_may_resubmit_itself(void **state)
{
	struct mih_pool *pool;
	atomic_int count = 0;
	struct job job = { .work.run = count_up, .count = &count };

	(void)state;
	assert_int_equal(mih_pool_new("test", 2, &pool), 0);
	job.again = pool;
	mih_pool_submit(pool, &job.work, MIH_POOL_URGENT);
	mih_pool_free(pool);
	assert_int_equal(count, 2);
}

enum { NTHREADS = 8, NBUSY = 2 };

/* What works with and without a place share. */
struct shared {
	atomic_int busy, most_busy, nended;
	pthread_barrier_t all_wait;
};

struct waiter {
	struct mih_pool_work work;
	struct shared *shared;
};

static void run_busy(struct shared *shared)
{
	int busy = atomic_fetch_add(&shared->busy, 1) + 1;
	int most = atomic_load(&shared->most_busy);

	while (busy > most &&
	       !atomic_compare_exchange_weak(&shared->most_busy, &most, busy))
		;
	sched_yield();
	atomic_fetch_sub(&shared->busy, 1);
}

static void wait_a_little(struct mih_pool_work *work)
{
	struct waiter *waiter = (struct waiter *)work;

	run_busy(waiter->shared);
	mih_pool_wait_begin();
	sched_yield();
	mih_pool_wait_end();
	run_busy(waiter->shared);
	atomic_fetch_add(&waiter->shared->nended, 1);
}

static void wait_for_all(struct mih_pool_work *work)
{
	struct waiter *waiter = (struct waiter *)work;

	mih_pool_wait_begin();
	pthread_barrier_wait(&waiter->shared->all_wait);
	mih_pool_wait_end();
	atomic_fetch_add(&waiter->shared->nended, 1);
}

static void submit_waiters(struct mih_pool *pool, struct shared *shared,
			   struct waiter *waiters, int n,
			   void (*run)(struct mih_pool_work *work))
{
	for (int i = 0; i < n; i++) {
		waiters[i] = (struct waiter){ { .run = run }, shared };
		mih_pool_submit(pool, &waiters[i].work, MIH_POOL_BACKGROUND);
	}
}

static struct mih_pool *limited(void)
{
	struct mih_pool *pool;

	assert_int_equal(mih_pool_new("test", NTHREADS, &pool), 0);
	mih_pool_limit(pool, NBUSY);
	return pool;
}

/* A place that is forgotten would leave works behind; alarm() ends that. */
static void test_no_more_run_than_may(void **state)
{
	enum { N = 20000 };
	static struct waiter waiters[N];
	struct shared shared = { 0 };
	struct mih_pool *pool = limited();

	(void)state;
	for (int i = 0; i < N; i++) {
		waiters[i] =
		    (struct waiter){ { .run = wait_a_little }, &shared };
		mih_pool_submit(pool, &waiters[i].work, i % MIH_POOL_LANES);
		if (i % 100 == 0) /* let them run dry */
			while (atomic_load(&shared.nended) < i)
				sched_yield();
	}
	mih_pool_free(pool);
	assert_int_equal(shared.nended, N);
	assert_in_range(shared.most_busy, 1, NBUSY);
}

/* Those that wait need no place, or the last of them would never get one. */
static void test_all_threads_wait_at_once(void **state)
{
	struct waiter waiters[NTHREADS];
	struct shared shared = { 0 };
	struct mih_pool *pool = limited();

	(void)state;
	pthread_barrier_init(&shared.all_wait, NULL, NTHREADS);
	submit_waiters(pool, &shared, waiters, NTHREADS, wait_for_all);
	mih_pool_free(pool);
	assert_int_equal(shared.nended, NTHREADS);
	pthread_barrier_destroy(&shared.all_wait);
}

/* They have no place that they could leave. */
struct busy {
	struct mih_pool_work work;
	struct mih_pool *pool;
	atomic_bool *stop;
};

static void always_again(struct mih_pool_work *work)
{
	struct busy *busy = (struct busy *)work;

	usleep(2000);
	if (!atomic_load(busy->stop))
		mih_pool_submit(busy->pool, work, MIH_POOL_URGENT);
}

/* Who has waited goes on although there is always urgent work; alarm() ends a
 * test in which it does not. */
static void test_who_comes_back_goes_first(void **state)
{
	static struct busy busy[8 * NBUSY];
	struct shared shared = { 0 };
	struct waiter waiter = { { .run = wait_for_all }, &shared };
	struct mih_pool *pool = limited();
	atomic_bool stop = false;

	(void)state;
	pthread_barrier_init(&shared.all_wait, NULL, 2);
	mih_pool_submit(pool, &waiter.work, MIH_POOL_URGENT);
	for (int i = 0; i < 8 * NBUSY; i++) {
		busy[i] = (struct busy){ { .run = always_again }, pool, &stop };
		mih_pool_submit(pool, &busy[i].work, MIH_POOL_URGENT);
	}
	pthread_barrier_wait(&shared.all_wait);
	while (!atomic_load(&shared.nended))
		usleep(1000);
	atomic_store(&stop, true);
	mih_pool_free(pool);
	pthread_barrier_destroy(&shared.all_wait);
}

/* Works that hold their places until all of them run. */
static void run_together(struct mih_pool_work *work)
{
	struct waiter *waiter = (struct waiter *)work;

	pthread_barrier_wait(&waiter->shared->all_wait);
	atomic_fetch_add(&waiter->shared->nended, 1);
}

/* alarm() ends a test in which what is queued waits for ever. */
static void test_limit_may_be_raised(void **state)
{
	struct waiter waiters[NTHREADS];
	struct shared shared = { 0 };
	struct mih_pool *pool = limited();

	(void)state;
	pthread_barrier_init(&shared.all_wait, NULL, NTHREADS);
	submit_waiters(pool, &shared, waiters, NTHREADS, run_together);
	while (mih_pool_queued(pool, MIH_POOL_BACKGROUND) > NTHREADS - NBUSY)
		sched_yield();
	assert_int_equal(shared.nended, 0);
	mih_pool_limit(pool, NTHREADS);
	mih_pool_free(pool);
	assert_int_equal(shared.nended, NTHREADS);
	pthread_barrier_destroy(&shared.all_wait);
}

/* Those that run go on; no more begin. */
static void test_limit_may_be_lowered(void **state)
{
	enum { N = 2000 };
	static struct waiter waiters[N];
	struct shared shared = { 0 };
	struct mih_pool *pool = limited();

	(void)state;
	mih_pool_limit(pool, NTHREADS);
	mih_pool_limit(pool, 1);
	submit_waiters(pool, &shared, waiters, N, wait_a_little);
	mih_pool_free(pool);
	assert_int_equal(shared.nended, N);
	assert_int_equal(shared.most_busy, 1);
}

/* Holds its thread until the barrier is full. */
struct held {
	struct mih_pool_work work;
	pthread_barrier_t *all;
	atomic_int *nheld;
};

static void hold(struct mih_pool_work *work)
{
	struct held *held = (struct held *)work;

	atomic_fetch_add(held->nheld, 1);
	mih_pool_wait_begin();
	pthread_barrier_wait(held->all);
	mih_pool_wait_end();
}

/* Each as @like. */
static void submit_held(struct mih_pool *pool, struct held *held, size_t n,
			const struct held *like, enum mih_pool_lane lane)
{
	for (size_t i = 0; i < n; i++) {
		held[i] = *like;
		mih_pool_submit(pool, &held[i].work, lane);
	}
}

static void wait_held(const struct held *held, int n)
{
	while (atomic_load(held->nheld) < n)
		sched_yield();
}

/* All that may run in the background does, and waits: what is urgent runs
 * nevertheless, or alarm() ends this. */
static void test_some_threads_are_for_what_is_urgent(void **state)
{
	enum { NFREE = 2, N = NTHREADS - NFREE };
	struct held background[2 * N], urgent[2][NFREE];
	atomic_int nbackground = 0, nurgent = 0;
	pthread_barrier_t all;
	const struct held back = { { .run = hold }, &all, &nbackground };
	const struct held front = { { .run = hold }, &all, &nurgent };
	struct mih_pool *pool;

	(void)state;
	assert_int_equal(mih_pool_new("test", NTHREADS, &pool), 0);
	mih_pool_reserve(pool, NFREE);
	pthread_barrier_init(&all, NULL, NTHREADS + 1);
	submit_held(pool, background, 2 * N, &back, MIH_POOL_BACKGROUND);
	wait_held(&back, N);
	for (int round = 1; round <= 2; round++) {
		submit_held(pool, urgent[round - 1], NFREE, &front,
			    MIH_POOL_URGENT);
		wait_held(&front, round * NFREE);
		wait_held(&back, round * N);
		assert_int_equal(nbackground, round * N);
		pthread_barrier_wait(&all);
	}
	mih_pool_free(pool);
	assert_int_equal(nurgent, 2 * NFREE);
	pthread_barrier_destroy(&all);
}

static void test_many_are_submitted_at_once(void **state)
{
	enum { N = 100 };
	static struct job jobs[N];
	struct mih_pool *pool;
	atomic_int count = 0;

	(void)state;
	assert_int_equal(mih_pool_new("test", 3, &pool), 0);
	for (int i = 0; i < N; i++)
		jobs[i] = (struct job){
			.work = { i + 1 < N ? &jobs[i + 1].work : NULL,
				  count_up },
			.count = &count,
		};
	mih_pool_submit_all(pool, NULL, MIH_POOL_URGENT);
	mih_pool_submit_all(pool, &jobs[0].work, MIH_POOL_URGENT);
	mih_pool_free(pool);
	assert_int_equal(count, N);
}

static void test_other_threads_do_not_wait(void **state)
{
	(void)state;
	mih_pool_wait_begin();
	mih_pool_wait_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_item_runs_once),
		cmocka_unit_test(test_work_may_resubmit_itself),
		cmocka_unit_test(test_no_more_run_than_may),
		cmocka_unit_test(test_all_threads_wait_at_once),
		cmocka_unit_test(test_who_comes_back_goes_first),
		cmocka_unit_test(test_limit_may_be_raised),
		cmocka_unit_test(test_limit_may_be_lowered),
		cmocka_unit_test(test_some_threads_are_for_what_is_urgent),
		cmocka_unit_test(test_many_are_submitted_at_once),
		cmocka_unit_test(test_other_threads_do_not_wait),
	};

	alarm(120);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
