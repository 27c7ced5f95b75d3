/*
 * From a request to its groups and back to an answer. A request holds one
 * reference to a slot for each of its groups; they are collected at once where
 * a group is good, and when its load ends where it is not.
 */
#include "util/host/clock.h"
#include "verify/engine/engine_internal.h"

#include <string.h>

/* The groups of extent @index that lie in [off, end). */
static uint16_t groups_within(uint64_t index, uint64_t off, uint64_t end)
{
	uint64_t begin = index * EXTENT_GROUPS;
	uint64_t first = MIH_MAX(off / MIH_HASH_GROUP, begin) - begin;
	uint64_t last =
	    MIH_MIN((end - 1) / MIH_HASH_GROUP, begin + EXTENT_GROUPS - 1) -
	    begin;

	return (uint16_t)((2u << last) - (1u << first));
}

static uint16_t groups_there(const struct mih_verify_file *file, uint64_t index)
{
	uint64_t begin = index * MIH_VERIFY_EXTENT;

	return groups_within(index, begin,
			     MIH_MIN(begin + MIH_VERIFY_EXTENT, file->nbytes));
}

static unsigned count_slots(const struct mih_verify_read *request)
{
	if (request->end <= request->off)
		return 0;
	return (unsigned)((request->end - 1) / MIH_HASH_GROUP -
			  request->off / MIH_HASH_GROUP + 1);
}

/* Good groups of @mask go into the request. */
static void collect(struct mih_verify_read *request,
		    const struct mih_verify_extent *extent, unsigned mask)
{
	uint64_t first = request->off / MIH_HASH_GROUP;

	for (; mask; mask &= mask - 1) {
		unsigned g = (unsigned)__builtin_ctz(mask);
		uint64_t group = extent->index * EXTENT_GROUPS + g;

		request->slots[group - first] =
		    mih_verify_slot_get(extent->slots[g]);
	}
}

static void put_slots(struct mih_verify_read *request)
{
	unsigned n = count_slots(request);

	for (unsigned i = 0; i < n; i++)
		if (request->slots[i])
			mih_verify_slot_put(request->slots[i]);
	memset(request->slots, 0, sizeof(request->slots));
}

/* Neighbouring groups of one slot become one piece. */
static void fill_iov(struct mih_verify_read *request)
{
	const struct mih_verify_slot *before = NULL;
	uint64_t at = request->off;

	for (size_t i = 0; at < request->end; i++) {
		uint64_t next = (at / MIH_HASH_GROUP + 1) * MIH_HASH_GROUP;
		struct mih_verify_slot *slot = request->slots[i];
		size_t len = (size_t)(MIH_MIN(next, request->end) - at);

		if (slot == before)
			request->iov[request->niov - 1].iov_len += len;
		else
			request->iov[request->niov++] = (struct iovec){
				slot->data + (at - slot->off),
				len,
			};
		before = slot;
		at += len;
	}
}

static void count(const struct mih_verify_read *request, mih_err err)
{
	struct mih_verify_engine *engine = request->engine;

	if (err)
		mih_verify_count(engine, MIH_VERIFY_READ_ERRORS, 1);
	else
		mih_verify_count(engine, MIH_VERIFY_SERVED_BYTES,
				 request->end - request->off);
	if (!err && !request->missed)
		mih_verify_count(engine, MIH_VERIFY_READ_HITS, 1);
}

static void finish(struct mih_verify_read *request, mih_err err)
{
	if (!request->quiet)
		count(request, err);
	request->done(request, err);
}

static void late(struct mih_verify_delay *delay)
{
	struct mih_verify_read *request =
	    container_of(delay, struct mih_verify_read, delay);

	finish(request, atomic_load(&request->err));
}

static void answer(struct mih_verify_read *request)
{
	struct mih_verify_engine *engine = request->engine;
	mih_err err = atomic_load(&request->err);

	if (!request->quiet)
		mih_verify_took(engine, MIH_VERIFY_READ_TIME,
				request->begun_ns);
	if (err)
		put_slots(request);
	else
		fill_iov(request);
	if (err && request->delay_ms) {
		request->delay.fire = late;
		mih_verify_timer_add(&engine->timer, &request->delay,
				     request->delay_ms);
		return;
	}
	finish(request, err);
}

static bool is_last(struct mih_verify_read *request)
{
	return atomic_fetch_sub(&request->pending, 1) == 1;
}

void mih_verify_read_put(struct mih_verify_read *request)
{
	if (is_last(request))
		answer(request);
}

static void run_answer(struct mih_pool_work *work)
{
	struct mih_verify_read *request =
	    container_of(work, struct mih_verify_read, work);
	struct mih_verify_engine *engine = request->engine;

	answer(request);
	atomic_fetch_sub(&engine->inflight, 1);
}

/* A device has few threads, and an answer copies its bytes into the kernel:
 * they would do that instead of keeping the device busy. The load ends before
 * it, and what the engine has asked for by itself goes on from it: so it is in
 * flight as well. */
void mih_verify_read_hand(struct mih_verify_read *request)
{
	struct mih_verify_engine *engine = request->engine;

	if (!is_last(request))
		return;
	request->work.run = run_answer;
	atomic_fetch_add(&engine->inflight, 1);
	mih_pool_submit(engine->answers, &request->work, MIH_POOL_URGENT);
}

void mih_verify_read_release(struct mih_verify_read *request)
{
	put_slots(request);
	request->niov = 0;
}

static void read_fail(struct mih_verify_read *request, mih_err err)
{
	int none = 0;

	atomic_compare_exchange_strong(&request->err, &none, err);
}

void mih_verify_wait_serve(struct mih_verify_extent *extent, uint16_t mask,
			   mih_err err, struct mih_verify_wait **done)
{
	struct mih_verify_wait **at = &extent->waits;

	while (mask && *at) {
		struct mih_verify_wait *wait = *at;
		unsigned hit = wait->mask & mask;

		if (hit && err)
			read_fail(wait->request, err);
		else if (hit)
			collect(wait->request, extent, hit);
		wait->mask &= ~hit;
		if (wait->mask) {
			at = &wait->next;
			continue;
		}
		*at = wait->next;
		wait->next = *done;
		*done = wait;
	}
}

static void wait_for(struct mih_verify_read *request,
		     struct mih_verify_load_job *job, unsigned mask)
{
	struct mih_verify_extent *extent = job->extent;
	uint64_t first = request->off / MIH_VERIFY_EXTENT;
	struct mih_verify_wait *wait = &request->waits[extent->index - first];

	wait->request = request;
	wait->mask = mask;
	wait->next = extent->waits;
	extent->waits = wait;
	request->missed = true;
	atomic_fetch_add(&request->pending, 1);
	mih_verify_load_hurry(job, (uint16_t)mask);
}

/*
 * Will the reader be past this extent with this request? Where the kernel keeps
 * its bytes, or there is no room to, they are of little worth here.
 */
static void weigh(struct mih_verify_extent *extent, uint16_t want,
		  uint16_t there, bool sequential)
{
	bool reaches_end = want > there / 2;

	if (want == there || (sequential && reaches_end))
		extent->worth = MIH_VERIFY_PASSED;
}

/* Everything a request needs of the job's extent; its shard is locked. */
static void ask_extent(struct mih_verify_read *request,
		       struct mih_verify_load_job *job, bool whole)
{
	struct mih_verify_engine *engine = request->engine;
	struct mih_verify_extent *extent = job->extent;
	uint16_t want =
	    groups_within(extent->index, request->off, request->end);
	uint16_t there =
	    groups_there(&engine->model->files[extent->file], extent->index);
	uint16_t load = whole ? there : want;
	uint16_t missing = (uint16_t)(load & ~(extent->good | extent->loading));
	struct mih_verify_refusal refusal = mih_verify_verdict_check(
	    engine, extent->file, extent->index, missing & want);

	if (refusal.refused) {
		mih_verify_count(engine, MIH_VERIFY_READ_BACKOFFS, 1);
		request->delay_ms =
		    MIH_MAX(request->delay_ms, refusal.delay_ms);
		read_fail(request, -EIO);
		return;
	}
	/* What was bad is read again for those only who ask for it. */
	job->mask = missing & (uint16_t)~mih_verify_verdict_standing(
				  engine, extent->file, extent->index,
				  missing & (uint16_t)~want);
	job->retry = refusal.retry;
	mih_verify_load_start(job);
	if (want & ~(extent->good | extent->loading))
		read_fail(request, -ENOMEM);
	if (!engine->keep_read || !mih_verify_cache_keeps(engine))
		weigh(extent, want, there, whole);
	collect(request, extent, want & extent->good);
	if (want & extent->loading)
		wait_for(request, job, want & extent->loading);
}

static void ask(struct mih_verify_read *request, uint64_t index,
		struct mih_verify_backing *backing, bool whole)
{
	struct mih_verify_engine *engine = request->engine;
	uint32_t file = (uint32_t)request->file;
	struct mih_verify_shard *shard =
	    mih_verify_shard_of(engine, file, index);
	struct mih_verify_load_job job = {
		.engine = engine,
		.backing = backing,
		.lane = MIH_POOL_URGENT,
	};

	pthread_mutex_lock(&shard->lock);
	job.extent = mih_verify_extent_get(engine, shard, file, index);
	if (job.extent) {
		ask_extent(request, &job, whole);
		mih_verify_extent_settle(engine, shard, job.extent);
	} else {
		read_fail(request, -ENOMEM);
	}
	pthread_mutex_unlock(&shard->lock);
	mih_verify_load_send(&job);
}

static void prepare(struct mih_verify_engine *engine,
		    struct mih_verify_read *request, uint64_t nbytes)
{
	size_t len = MIH_MIN(request->len, MIH_VERIFY_READ_MAX);

	request->engine = engine;
	request->begun_ns = mih_clock_ns();
	if (!request->quiet)
		mih_verify_count(engine, MIH_VERIFY_READS, 1);
	request->niov = 0;
	request->end = request->off;
	if (request->off < nbytes)
		request->end += MIH_MIN(nbytes - request->off, (uint64_t)len);
	request->delay_ms = 0;
	request->missed = false;
	memset(request->slots, 0, sizeof(request->slots));
	atomic_init(&request->err, len == request->len ? 0 : -EINVAL);
	atomic_init(&request->pending, 1);
}

void mih_verify_read(struct mih_verify_engine *engine,
		     struct mih_verify_read *request)
{
	const struct mih_verify_file *file =
	    &engine->model->files[request->file];
	struct mih_verify_file_run *run = &engine->files[request->file];
	struct mih_verify_backing *backing = NULL;
	struct mih_verify_plan plan = { 0 };

	prepare(engine, request, file->nbytes);
	pthread_mutex_lock(&run->lock);
	if (run->backing) {
		backing = mih_verify_backing_get(run->backing);
		if (run->proof->pattern && request->end > request->off &&
		    !request->quiet && !atomic_load(&request->err))
			plan = mih_verify_ahead_note(
			    engine, file, run->proof->pattern, request->off,
			    request->end);
	}
	pthread_mutex_unlock(&run->lock);
	if (!backing) {
		read_fail(request, -EBADF);
		mih_verify_read_put(request);
		return;
	}
	if (request->end > request->off && !atomic_load(&request->err)) {
		uint64_t last = (request->end - 1) / MIH_VERIFY_EXTENT;

		for (uint64_t i = request->off / MIH_VERIFY_EXTENT; i <= last;
		     i++)
			ask(request, i, backing, plan.whole);
		mih_verify_ahead_run(engine, (uint32_t)request->file, backing,
				     &plan);
	}
	mih_verify_backing_put(backing);
	mih_verify_read_put(request);
}
