#include "lib/test.h"
#include "util/pool.h"

#include <stdatomic.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_item_runs_once),
		cmocka_unit_test(test_work_may_resubmit_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
