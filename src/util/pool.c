#include "util/pool.h"
#include "util/cleanup.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct lane {
	struct mih_pool_work *head, **tail;
	size_t n;
};

/* A thread that runs work has a place; one that waits within its work has left
 * it, and comes back for one. */
struct mih_pool {
	pthread_mutex_t lock;
	pthread_cond_t work_there, place_there[MIH_POOL_LANES];
	struct lane lanes[MIH_POOL_LANES];
	size_t nplaces, nidle, nback[MIH_POOL_LANES];
	bool stopping;
	size_t nthreads;
	char name[16];
	pthread_t threads[];
};

static _Thread_local struct mih_pool *mine; /* of a thread of a pool */

/* Whose turn a free place is; the lock is held. Those who come back go first,
 * of whatever lane: there are few, their work is half done, and somebody may
 * have come meanwhile who waits for it. NULL: nobody wants one. */
static pthread_cond_t *next(struct mih_pool *pool)
{
	if (!pool->nplaces)
		return NULL;
	for (size_t i = 0; i < MIH_POOL_LANES; i++)
		if (pool->nback[i])
			return &pool->place_there[i];
	for (size_t i = 0; i < MIH_POOL_LANES; i++)
		if (pool->lanes[i].n && pool->nidle)
			return &pool->work_there;
	return NULL;
}

static void wake_next(struct mih_pool *pool)
{
	pthread_cond_t *who = next(pool);

	if (who)
		pthread_cond_signal(who);
}

static struct mih_pool_work *take(struct mih_pool *pool)
{
	for (size_t i = 0; i < MIH_POOL_LANES; i++) {
		struct lane *lane = &pool->lanes[i];
		struct mih_pool_work *work = lane->head;

		if (!work)
			continue;
		lane->head = work->next;
		if (!lane->head)
			lane->tail = &lane->head;
		lane->n--;
		return work;
	}
	return NULL;
}

/* Wait for a place and for work to do there; the lock is held. NULL: the pool
 * ends. The place is the caller's. */
static struct mih_pool_work *wait_for_work(struct mih_pool *pool)
{
	struct mih_pool_work *work = NULL;

	pool->nidle++;
	while (next(pool) != &pool->work_there) {
		if (pool->stopping && !pool->lanes[MIH_POOL_URGENT].n &&
		    !pool->lanes[MIH_POOL_BACKGROUND].n)
			break;
		wake_next(pool); /* a place may be left for who comes back */
		pthread_cond_wait(&pool->work_there, &pool->lock);
	}
	if (next(pool) == &pool->work_there) {
		work = take(pool);
		pool->nplaces--;
	}
	pool->nidle--;
	wake_next(pool);
	return work;
}

static void *worker(void *arg)
{
	struct mih_pool *pool = arg;
	struct mih_pool_work *work;

	mine = pool;
	pthread_setname_np(pthread_self(), pool->name);
	pthread_mutex_lock(&pool->lock);
	while ((work = wait_for_work(pool))) {
		pthread_mutex_unlock(&pool->lock);
		work->run(work);
		pthread_mutex_lock(&pool->lock);
		pool->nplaces++;
	}
	/* The last work may have been taken while others waited for a place. */
	pthread_cond_broadcast(&pool->work_there);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

void mih_pool_limit(struct mih_pool *pool, size_t nbusy)
{
	pthread_mutex_lock(&pool->lock); /* its threads have begun */
	pool->nplaces = nbusy;
	pthread_mutex_unlock(&pool->lock);
}

void mih_pool_wait_begin(void)
{
	struct mih_pool *pool = mine;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->nplaces++;
	wake_next(pool);
	pthread_mutex_unlock(&pool->lock);
}

void mih_pool_wait_end(enum mih_pool_lane lane)
{
	struct mih_pool *pool = mine;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->nback[lane]++;
	while (next(pool) != &pool->place_there[lane])
		pthread_cond_wait(&pool->place_there[lane], &pool->lock);
	pool->nback[lane]--;
	pool->nplaces--;
	wake_next(pool);
	pthread_mutex_unlock(&pool->lock);
}

static int start_threads(struct mih_pool *pool, size_t wanted)
{
	sigset_t all, before;
	int rc = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (!rc && pool->nthreads < wanted) {
		rc = pthread_create(&pool->threads[pool->nthreads], NULL,
				    worker, pool);
		if (!rc)
			pool->nthreads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

mih_err mih_pool_new(const char *name, size_t nthreads,
		     struct mih_pool **pool_out)
{
	struct mih_pool *pool;
	int rc;

	pool = calloc(1, sizeof(*pool) + nthreads * sizeof(pool->threads[0]));
	if (!pool)
		return mih_err_fail_errno(-ENOMEM, "thread pool %s", name);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work_there, NULL);
	for (size_t i = 0; i < MIH_POOL_LANES; i++) {
		pthread_cond_init(&pool->place_there[i], NULL);
		pool->lanes[i].tail = &pool->lanes[i].head;
	}
	pool->nplaces = nthreads;
	snprintf(pool->name, sizeof(pool->name), "%s", name);
	rc = start_threads(pool, nthreads);
	if (rc) {
		mih_pool_free(pool);
		return mih_err_fail_errno(-rc, "thread pool %s", name);
	}
	*pool_out = pool;
	return 0;
}

void mih_pool_submit(struct mih_pool *pool, struct mih_pool_work *work,
		     enum mih_pool_lane lane)
{
	pthread_cond_t *who;

	work->next = NULL;
	pthread_mutex_lock(&pool->lock);
	*pool->lanes[lane].tail = work;
	pool->lanes[lane].tail = &work->next;
	pool->lanes[lane].n++;
	who = next(pool);
	pthread_mutex_unlock(&pool->lock);
	/* Not under the lock: the woken thread would only wait for it. */
	if (who)
		pthread_cond_signal(who);
}

size_t mih_pool_nthreads(const struct mih_pool *pool)
{
	return pool->nthreads;
}

size_t mih_pool_queued(struct mih_pool *pool, enum mih_pool_lane lane)
{
	size_t n;

	pthread_mutex_lock(&pool->lock);
	n = pool->lanes[lane].n;
	pthread_mutex_unlock(&pool->lock);
	return n;
}

void mih_pool_free(struct mih_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->work_there);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->nthreads; i++)
		pthread_join(pool->threads[i], NULL);
	for (size_t i = 0; i < MIH_POOL_LANES; i++)
		pthread_cond_destroy(&pool->place_there[i]);
	pthread_cond_destroy(&pool->work_there);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

struct hand {
	struct mih_pool_work work; /* first: run_hand() gets its address */
	void (*run)(void *context);
	void *context;
};

static void run_hand(struct mih_pool_work *work)
{
	struct hand *hand = (struct hand *)work;

	hand->run(hand->context);
}

mih_err mih_pool_crew(const char *name, size_t nthreads,
		      void (*run)(void *context), void *context)
{
	mih_autofree struct hand *hands = calloc(nthreads, sizeof(*hands));
	struct mih_pool *pool;
	mih_err err;

	if (!hands)
		return mih_err_fail_errno(-ENOMEM, "threads %s", name);
	err = mih_pool_new(name, nthreads, &pool);
	if (err)
		return err;
	for (size_t i = 0; i < nthreads; i++) {
		hands[i] = (struct hand){ { .run = run_hand }, run, context };
		mih_pool_submit(pool, &hands[i].work, MIH_POOL_URGENT);
	}
	mih_pool_free(pool);
	return 0;
}

size_t mih_pool_cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return (size_t)CPU_COUNT(&set);
	return 1;
}
