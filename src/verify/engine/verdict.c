/*
 * Bad groups and how long they stay so, and the thread that gives answers
 * late. A kernel that populates a mapping asks for a bad page again at once,
 * without end: the answers are slowed down, and no disk or core is used.
 */
#include "util/host/clock.h"
#include "util/host/thread.h"
#include "verify/engine/engine_internal.h"

#include <stdlib.h>

unsigned mih_verify_backoff(unsigned ms, unsigned first, unsigned max)
{
	if (!ms)
		return first;
	return ms > max / 2 ? max : ms * 2;
}

static struct mih_verify_verdict **
verdict_find(struct mih_verify_verdicts *verdicts, uint32_t file,
	     uint64_t group)
{
	struct mih_verify_verdict **at =
	    &verdicts->buckets[mih_verify_mix(file, group) % NVERDICT_BUCKETS];

	while (*at && ((*at)->file != file || (*at)->group != group))
		at = &(*at)->hash_next;
	return at;
}

static void verdict_drop(struct mih_verify_engine *engine,
			 struct mih_verify_verdict **at)
{
	struct mih_verify_verdict *verdict = *at;

	*at = verdict->hash_next;
	TAILQ_REMOVE(&engine->verdicts.age, verdict, age);
	atomic_fetch_sub(&engine->verdicts.count, 1);
	atomic_fetch_sub(&engine->files[verdict->file].nbad, 1);
	free(verdict);
}

static void check_one(struct mih_verify_verdict *verdict, uint16_t bit,
		      struct mih_verify_refusal *refusal)
{
	if (mih_clock_ns() >= verdict->retry_ns) {
		refusal->retry |= bit;
		return;
	}
	refusal->refused |= bit;
	verdict->delay_ms = mih_verify_backoff(verdict->delay_ms, 1, DELAY_MAX);
	refusal->delay_ms = MIH_MAX(refusal->delay_ms, verdict->delay_ms);
}

uint16_t mih_verify_verdict_standing(struct mih_verify_engine *engine,
				     uint32_t file, uint64_t index,
				     uint16_t mask)
{
	struct mih_verify_verdicts *verdicts = &engine->verdicts;
	uint16_t standing = 0;

	/* The usual case costs one load. */
	if (!mask || !atomic_load(&verdicts->count))
		return 0;
	pthread_mutex_lock(&verdicts->lock);
	for (unsigned g = 0; g < EXTENT_GROUPS; g++)
		if (mask & 1u << g &&
		    *verdict_find(verdicts, file, index * EXTENT_GROUPS + g))
			standing |= (uint16_t)(1u << g);
	pthread_mutex_unlock(&verdicts->lock);
	return standing;
}

struct mih_verify_refusal
mih_verify_verdict_check(struct mih_verify_engine *engine, uint32_t file,
			 uint64_t index, uint16_t mask)
{
	struct mih_verify_verdicts *verdicts = &engine->verdicts;
	struct mih_verify_refusal refusal = { 0 };

	/* The usual case costs one load. */
	if (!mask || !atomic_load(&verdicts->count))
		return refusal;
	pthread_mutex_lock(&verdicts->lock);
	for (unsigned g = 0; g < EXTENT_GROUPS; g++) {
		struct mih_verify_verdict *verdict;

		if (!(mask & 1u << g))
			continue;
		verdict =
		    *verdict_find(verdicts, file, index * EXTENT_GROUPS + g);
		if (verdict)
			check_one(verdict, (uint16_t)(1u << g), &refusal);
	}
	pthread_mutex_unlock(&verdicts->lock);
	return refusal;
}

static struct mih_verify_verdict *verdict_new(struct mih_verify_engine *engine,
					      uint32_t file, uint64_t group)
{
	struct mih_verify_verdicts *verdicts = &engine->verdicts;
	struct mih_verify_verdict *verdict, **at;

	verdict = calloc(1, sizeof(*verdict));
	if (!verdict)
		return NULL;
	if (atomic_load(&verdicts->count) >= NVERDICTS) {
		struct mih_verify_verdict *old = TAILQ_FIRST(&verdicts->age);

		verdict_drop(engine,
			     verdict_find(verdicts, old->file, old->group));
	}
	verdict->file = file;
	verdict->group = group;
	at = verdict_find(verdicts, file, group);
	verdict->hash_next = *at;
	*at = verdict;
	TAILQ_INSERT_TAIL(&verdicts->age, verdict, age);
	atomic_fetch_add(&verdicts->count, 1);
	atomic_fetch_add(&engine->files[file].nbad, 1);
	return verdict;
}

bool mih_verify_verdict_bad(struct mih_verify_engine *engine, uint32_t file,
			    uint64_t group)
{
	struct mih_verify_verdicts *verdicts = &engine->verdicts;
	struct mih_verify_verdict *verdict;
	bool is_new;

	pthread_mutex_lock(&verdicts->lock);
	verdict = *verdict_find(verdicts, file, group);
	is_new = !verdict;
	if (is_new)
		verdict = verdict_new(engine, file, group);
	if (verdict) {
		verdict->backoff_ms = mih_verify_backoff(
		    verdict->backoff_ms, engine->retry_ms, BACKOFF_MAX);
		verdict->retry_ns =
		    mih_clock_ns() + verdict->backoff_ms * 1000000ull;
	}
	pthread_mutex_unlock(&verdicts->lock);
	return is_new;
}

bool mih_verify_verdict_good(struct mih_verify_engine *engine, uint32_t file,
			     uint64_t group)
{
	struct mih_verify_verdicts *verdicts = &engine->verdicts;
	struct mih_verify_verdict **at;
	bool is_news;

	pthread_mutex_lock(&verdicts->lock);
	at = verdict_find(verdicts, file, group);
	is_news = *at;
	if (*at)
		verdict_drop(engine, at);
	pthread_mutex_unlock(&verdicts->lock);
	return is_news;
}

void mih_verify_verdicts_init(struct mih_verify_verdicts *verdicts)
{
	pthread_mutex_init(&verdicts->lock, NULL);
	TAILQ_INIT(&verdicts->age);
}

void mih_verify_verdicts_fini(struct mih_verify_verdicts *verdicts)
{
	struct mih_verify_verdict *verdict;

	while ((verdict = TAILQ_FIRST(&verdicts->age))) {
		TAILQ_REMOVE(&verdicts->age, verdict, age);
		free(verdict);
	}
	pthread_mutex_destroy(&verdicts->lock);
}

static void wait_until(struct mih_verify_timer *timer, uint64_t ns)
{
	struct timespec until = {
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};

	pthread_cond_timedwait(&timer->changed, &timer->lock, &until);
}

static void *timer_main(void *arg)
{
	struct mih_verify_timer *timer = arg;
	struct mih_verify_delay *delay;

	pthread_setname_np(pthread_self(), "mihfs-delay");
	pthread_mutex_lock(&timer->lock);
	while ((delay = timer->head) || !timer->stopping) {
		if (!delay) {
			pthread_cond_wait(&timer->changed, &timer->lock);
		} else if (!timer->stopping && mih_clock_ns() < delay->due_ns) {
			wait_until(timer, delay->due_ns);
		} else {
			timer->head = delay->next;
			atomic_fetch_sub(&timer->count, 1);
			pthread_mutex_unlock(&timer->lock);
			delay->fire(delay);
			pthread_mutex_lock(&timer->lock);
		}
	}
	pthread_mutex_unlock(&timer->lock);
	return NULL;
}

mih_err mih_verify_timer_start(struct mih_verify_timer *timer)
{
	pthread_condattr_t attr;
	int rc;

	pthread_mutex_init(&timer->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&timer->changed, &attr);
	pthread_condattr_destroy(&attr);
	rc = mih_thread_start(&timer->thread, timer_main, timer);
	timer->running = rc == 0;
	return -rc;
}

void mih_verify_timer_add(struct mih_verify_timer *timer,
			  struct mih_verify_delay *delay, unsigned ms)
{
	struct mih_verify_delay **at = &timer->head;

	delay->due_ns = mih_clock_ns() + ms * 1000000ull;
	pthread_mutex_lock(&timer->lock);
	while (*at && (*at)->due_ns <= delay->due_ns)
		at = &(*at)->next;
	delay->next = *at;
	*at = delay;
	atomic_fetch_add(&timer->count, 1);
	pthread_cond_signal(&timer->changed);
	pthread_mutex_unlock(&timer->lock);
}

void mih_verify_timer_stop(struct mih_verify_timer *timer)
{
	if (!timer->running)
		return;
	pthread_mutex_lock(&timer->lock);
	timer->stopping = true;
	pthread_cond_signal(&timer->changed);
	pthread_mutex_unlock(&timer->lock);
	pthread_join(timer->thread, NULL);
	pthread_cond_destroy(&timer->changed);
	pthread_mutex_destroy(&timer->lock);
}
