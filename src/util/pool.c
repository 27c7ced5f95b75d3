/*
 * Work is handed to a thread, which is then woken once and needs no lock to
 * begin. Whoever went idle last is taken first: its stack, and what it worked
 * on, are still in a cache of its processor.
 */
#include "util/pool.h"
#include "util/cleanup.h"
#include "util/host/thread.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct lane {
	struct mih_pool_work *head, **tail;
	size_t n;
};

struct worker {
	struct mih_pool *pool;
	struct worker *next;	    /* of a list that it is in */
	struct mih_pool_work *work; /* handed to it; NULL: the pool ends */
	bool in_back;		    /* of the background */
	sem_t called;
	bool has_place;
	pthread_t thread;
};

/* A thread that runs work has a place; one that waits within its work has left
 * it, and comes back for one. */
struct mih_pool {
	pthread_mutex_t lock;
	struct lane lanes[MIH_POOL_LANES];
	atomic_size_t limit; /* of places; written under the lock */
	size_t nbusy;	     /* threads that have one */
	struct worker *idle; /* last in, first out */
	size_t ninback;	     /* threads with work of the background */
	size_t reserve;	     /* that many threads never have such work */
	struct worker *back, **back_end; /* first in, first out */
	bool stopping;
	size_t nthreads;
	char name[16];
	struct worker workers[];
};

static _Thread_local struct worker *self; /* of a thread of a pool */

/* Has an idle thread anything to do in that lane? */
static bool may_take(const struct mih_pool *pool, enum mih_pool_lane lane)
{
	return pool->lanes[lane].n &&
	       (lane == MIH_POOL_URGENT ||
		pool->ninback < pool->nthreads - pool->reserve);
}

static void take_work(struct mih_pool *pool, struct worker *worker)
{
	worker->work = NULL;
	worker->in_back = false;
	for (size_t i = 0; i < MIH_POOL_LANES && !worker->work; i++) {
		struct lane *lane = &pool->lanes[i];

		if (!may_take(pool, (enum mih_pool_lane)i))
			continue;
		worker->work = lane->head;
		worker->in_back = i == MIH_POOL_BACKGROUND;
		lane->head = lane->head->next;
		if (!lane->head)
			lane->tail = &lane->head;
		lane->n--;
	}
	pool->ninback += worker->in_back;
}

static struct worker *take_back(struct mih_pool *pool)
{
	struct worker *worker = pool->back;

	if (!worker)
		return NULL;
	pool->back = worker->next;
	if (!pool->back)
		pool->back_end = &pool->back;
	return worker;
}

static bool has_work(const struct mih_pool *pool)
{
	for (size_t i = 0; i < MIH_POOL_LANES; i++)
		if (may_take(pool, (enum mih_pool_lane)i))
			return true;
	return false;
}

static struct worker *take_idle(struct mih_pool *pool)
{
	struct worker *worker = pool->idle;

	if (!worker)
		return NULL;
	pool->idle = worker->next;
	take_work(pool, worker);
	return worker;
}

/*
 * Hand out free places; the lock is held. Those who come back go first: there
 * are few, their work is half done, and somebody may have come meanwhile who
 * waits for it. Return: who is to be called when the lock is free again.
 */
static struct worker *hand_out(struct mih_pool *pool)
{
	struct worker *called = NULL, *worker;

	while (pool->nbusy < pool->limit) {
		worker = take_back(pool);
		if (!worker && has_work(pool))
			worker = take_idle(pool);
		if (!worker)
			break;
		pool->nbusy++;
		worker->has_place = true;
		worker->next = called;
		called = worker;
	}
	while (pool->stopping && !has_work(pool)) {
		worker = take_idle(pool);
		if (!worker)
			break;
		worker->next = called;
		called = worker;
	}
	return called;
}

/* Not under the lock: those woken would only wait for it. A worker is gone as
 * soon as it is called, so its successor is looked up before. */
static void call(struct worker *called)
{
	while (called) {
		struct worker *next = called->next;

		sem_post(&called->called);
		called = next;
	}
}

static void wait_for_call(struct worker *worker)
{
	while (sem_wait(&worker->called))
		; /* EINTR: for a debugger that stops it */
}

/* Its work is done: give its place back and lie down, perhaps to be called at
 * once. NULL: the pool ends. */
static struct mih_pool_work *next_work(struct worker *worker)
{
	struct mih_pool *pool = worker->pool;
	struct worker *called;

	pthread_mutex_lock(&pool->lock);
	if (worker->has_place)
		pool->nbusy--;
	worker->has_place = false;
	pool->ninback -= worker->in_back;
	worker->next = pool->idle;
	pool->idle = worker;
	called = hand_out(pool);
	pthread_mutex_unlock(&pool->lock);
	call(called);
	wait_for_call(worker);
	return worker->work;
}

static void *worker_main(void *arg)
{
	struct mih_pool_work *work;

	self = arg;
	pthread_setname_np(pthread_self(), self->pool->name);
	while ((work = next_work(self)))
		work->run(work);
	return NULL;
}

void mih_pool_limit(struct mih_pool *pool, size_t nbusy)
{
	struct worker *called;

	if (atomic_load_explicit(&pool->limit, memory_order_relaxed) == nbusy)
		return;
	pthread_mutex_lock(&pool->lock);
	atomic_store(&pool->limit, nbusy);
	called = hand_out(pool);
	pthread_mutex_unlock(&pool->lock);
	call(called);
}

void mih_pool_reserve(struct mih_pool *pool, size_t n)
{
	pthread_mutex_lock(&pool->lock);
	pool->reserve = n;
	pthread_mutex_unlock(&pool->lock);
}

void mih_pool_wait_begin(void)
{
	struct worker *called;

	if (!self)
		return;
	pthread_mutex_lock(&self->pool->lock);
	self->has_place = false;
	self->pool->nbusy--;
	called = hand_out(self->pool);
	pthread_mutex_unlock(&self->pool->lock);
	call(called);
}

void mih_pool_wait_end(void)
{
	struct mih_pool *pool;
	struct worker *called;

	if (!self)
		return;
	pool = self->pool;
	pthread_mutex_lock(&pool->lock);
	self->next = NULL;
	*pool->back_end = self;
	pool->back_end = &self->next;
	called = hand_out(pool);
	pthread_mutex_unlock(&pool->lock);
	call(called);
	wait_for_call(self);
}

static int start_threads(struct mih_pool *pool, size_t wanted)
{
	int rc = 0;

	while (!rc && pool->nthreads < wanted) {
		struct worker *worker = &pool->workers[pool->nthreads];

		worker->pool = pool;
		sem_init(&worker->called, 0, 0);
		rc = mih_thread_start(&worker->thread, worker_main, worker);
		if (!rc)
			pool->nthreads++;
	}
	return rc;
}

mih_err mih_pool_new(const char *name, size_t nthreads,
		     struct mih_pool **pool_out)
{
	struct mih_pool *pool;
	int rc;

	pool = calloc(1, sizeof(*pool) + nthreads * sizeof(pool->workers[0]));
	if (!pool)
		return mih_err_fail_errno(-ENOMEM, "thread pool %s", name);
	pthread_mutex_init(&pool->lock, NULL);
	for (size_t i = 0; i < MIH_POOL_LANES; i++)
		pool->lanes[i].tail = &pool->lanes[i].head;
	pool->back_end = &pool->back;
	atomic_init(&pool->limit, nthreads);
	snprintf(pool->name, sizeof(pool->name), "%s", name);
	rc = start_threads(pool, nthreads);
	if (rc) {
		mih_pool_free(pool);
		return mih_err_fail_errno(-rc, "thread pool %s", name);
	}
	*pool_out = pool;
	return 0;
}

void mih_pool_submit_all(struct mih_pool *pool, struct mih_pool_work *first,
			 enum mih_pool_lane lane)
{
	struct lane *queue = &pool->lanes[lane];
	struct worker *called;

	pthread_mutex_lock(&pool->lock);
	*queue->tail = first;
	for (; *queue->tail; queue->tail = &(*queue->tail)->next)
		queue->n++;
	called = hand_out(pool);
	pthread_mutex_unlock(&pool->lock);
	call(called);
}

void mih_pool_submit(struct mih_pool *pool, struct mih_pool_work *work,
		     enum mih_pool_lane lane)
{
	work->next = NULL;
	mih_pool_submit_all(pool, work, lane);
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
	struct worker *called;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	called = hand_out(pool);
	pthread_mutex_unlock(&pool->lock);
	call(called);
	for (size_t i = 0; i < pool->nthreads; i++) {
		pthread_join(pool->workers[i].thread, NULL);
		sem_destroy(&pool->workers[i].called);
	}
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

size_t mih_pool_cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return (size_t)CPU_COUNT(&set);
	return 1;
}
