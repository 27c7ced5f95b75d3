#include "lib/test.h"
#include "util/host/thread.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* So many threads may be started before there are no more to be had. */
static unsigned left;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *arg), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *arg), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *arg), void *arg)
{
	if (!left)
		return EAGAIN;
	left--;
	return __real_pthread_create(thread, attr, run, arg);
}

#define NPIECES 1000

struct work {
	pthread_t owner;
	atomic_uint next, times[NPIECES], nworkers, nowner;
};

static void take_pieces(void *context)
{
	struct work *work = context;
	unsigned i;

	atomic_fetch_add(&work->nworkers, 1);
	if (pthread_equal(pthread_self(), work->owner))
		atomic_fetch_add(&work->nowner, 1);
	while ((i = atomic_fetch_add(&work->next, 1)) < NPIECES)
		atomic_fetch_add(&work->times[i], 1);
}

static void expect_workers(unsigned there, size_t wanted, unsigned nworkers)
{
	struct work work = { .owner = pthread_self() };

	left = there;
	mih_thread_crew("test-crew", wanted, take_pieces, &work);
	for (size_t i = 0; i < NPIECES; i++)
		assert_int_equal(work.times[i], 1);
	assert_int_equal(work.nworkers, nworkers);
	assert_int_equal(work.nowner, there && wanted ? 0 : 1);
}

static void test_a_crew_makes_do_with_what_there_is(void **state)
{
	(void)state;
	expect_workers(UINT_MAX, 5, 5);
	expect_workers(3, 5, 3);
	expect_workers(0, 5, 1);
	expect_workers(UINT_MAX, 0, 1);
}

static void *see_signals(void *arg)
{
	sigset_t *seen = arg;

	pthread_sigmask(SIG_SETMASK, NULL, seen);
	return NULL;
}

static void test_no_signal_reaches_them(void **state)
{
	static const int some[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	sigset_t seen, before, after;
	pthread_t thread;

	(void)state;
	left = 1;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(mih_thread_start(&thread, see_signals, &seen), 0);
	assert_true(mih_thread_join(&thread, 1, 100));
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		assert_true(sigismember(&seen, some[i]));
		assert_int_equal(sigismember(&before, some[i]),
				 sigismember(&after, some[i]));
	}
	assert_int_equal(mih_thread_start(&thread, see_signals, &seen), EAGAIN);
}

static void *wait_for_end(void *arg)
{
	char c;

	return read(*(const int *)arg, &c, 1) == 0 ? arg : NULL;
}

static void test_one_that_does_not_end_is_not_waited_for(void **state)
{
	pthread_t thread;
	int ends[2];

	(void)state;
	left = 1;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(mih_thread_start(&thread, wait_for_end, &ends[0]), 0);
	assert_false(mih_thread_join(&thread, 1, 1));
	close(ends[1]);
	assert_true(mih_thread_join(&thread, 1, 100));
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_crew_makes_do_with_what_there_is),
		cmocka_unit_test(test_no_signal_reaches_them),
		cmocka_unit_test(test_one_that_does_not_end_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
