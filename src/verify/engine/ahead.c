/*
 * What will be asked for next. A reader that goes on where it stopped gets
 * whole extents and a window ahead of it that grows with the way it has come;
 * one that jumps by equal steps gets the next steps; all others get the groups
 * they touch and nothing else.
 */
#include "verify/engine/engine_internal.h"

#include <string.h>

#define RUN_MIN	   ((uint64_t)128 << 10) /* shorter runs mean nothing yet */
#define WINDOW_MAX ((uint64_t)16 << 20)
#define STEPS_MIN  2  /* equal steps before the next ones are fetched */
#define STEPS_MAX  16 /* and how many of them at most */

/*
 * The kernel's own readahead sends neighbouring requests at the same time, and
 * they arrive in any order: large requests continue a stream when they are
 * near its end, small ones only when they touch it.
 */
static bool continues(const struct mih_verify_stream *stream, uint64_t off,
		      uint64_t end)
{
	uint64_t slack = end - off >= MIH_HASH_GROUP ? 8 * (end - off) : 0;

	return stream->used && off + slack >= stream->next &&
	       off <= stream->next + slack && off >= stream->begin;
}

static struct mih_verify_stream *stream_find(struct mih_verify_pattern *pattern,
					     uint64_t off, uint64_t end)
{
	for (size_t i = 0; i < NSTREAMS; i++)
		if (continues(&pattern->streams[i], off, end))
			return &pattern->streams[i];
	return NULL;
}

/* A new reader takes the place of the one that was silent for longest. */
static void stream_begin(struct mih_verify_pattern *pattern, uint64_t off,
			 uint64_t end)
{
	struct mih_verify_stream *oldest = &pattern->streams[0];

	for (size_t i = 1; i < NSTREAMS; i++)
		if (pattern->streams[i].used < oldest->used)
			oldest = &pattern->streams[i];
	*oldest = (struct mih_verify_stream){
		.begin = off,
		.next = end,
		.ahead = end,
		.used = pattern->tick,
	};
}

/* Readers that asked lately: of the last requests, one was theirs. */
static uint64_t streams_alive(const struct mih_verify_pattern *pattern)
{
	uint64_t n = 0;

	for (size_t i = 0; i < NSTREAMS; i++)
		n += pattern->streams[i].used &&
		     pattern->streams[i].used + 4 * (uint64_t)NSTREAMS >=
			 pattern->tick;
	return MIH_MAX(n, (uint64_t)1);
}

/* Together the readers of a file have a quarter of the cache: what is fetched
 * for one must not be dropped for the others before it is read. */
static uint64_t window_max(const struct mih_verify_engine *engine,
			   const struct mih_verify_pattern *pattern)
{
	uint64_t memory =
	    atomic_load_explicit(&engine->memory, memory_order_relaxed);

	return MIH_MIN(WINDOW_MAX, memory / 4 / streams_alive(pattern)) /
	       MIH_VERIFY_EXTENT * MIH_VERIFY_EXTENT;
}

static void plan_sequential(const struct mih_verify_engine *engine,
			    const struct mih_verify_file *file,
			    const struct mih_verify_pattern *pattern,
			    struct mih_verify_stream *stream,
			    struct mih_verify_plan *plan)
{
	uint64_t way = stream->next - stream->begin;
	uint64_t to =
	    stream->next + MIH_MIN(2 * way, window_max(engine, pattern));

	if (way < RUN_MIN)
		return;
	plan->whole = engine->memory >= MIH_VERIFY_EXTENT;
	if (to < file->nbytes)
		to = to / MIH_VERIFY_EXTENT * MIH_VERIFY_EXTENT;
	else
		to = file->nbytes;
	plan->from = MIH_MAX(stream->ahead, stream->next);
	plan->to = to;
	stream->ahead = MIH_MAX(stream->ahead, to);
}

static void plan_strided(const struct mih_verify_engine *engine,
			 const struct mih_verify_file *file,
			 struct mih_verify_pattern *pattern, uint64_t off,
			 struct mih_verify_plan *plan)
{
	uint64_t steps = MIH_MIN(2 * pattern->nsteps, (unsigned)STEPS_MAX);
	uint64_t next = off + pattern->stride;

	if (pattern->nsteps < STEPS_MIN ||
	    steps * plan->piece > window_max(engine, pattern))
		return;
	plan->stride = pattern->stride;
	plan->from = MIH_MAX(next, pattern->strided_to);
	plan->to = MIH_MIN(off + steps * pattern->stride + 1, file->nbytes);
	pattern->strided_to = plan->from;
	while (pattern->strided_to < plan->to)
		pattern->strided_to += pattern->stride;
}

/* Only steps forward count; a step of another length begins anew. */
static void note_step(struct mih_verify_pattern *pattern, uint64_t off)
{
	uint64_t stride = off > pattern->last ? off - pattern->last : 0;

	if (stride && stride == pattern->stride) {
		pattern->nsteps++;
	} else {
		pattern->nsteps = 0;
		pattern->strided_to = 0;
	}
	pattern->stride = stride;
	pattern->last = off;
}

struct mih_verify_plan mih_verify_ahead_note(
    const struct mih_verify_engine *engine, const struct mih_verify_file *file,
    struct mih_verify_pattern *pattern, uint64_t off, uint64_t end)
{
	struct mih_verify_plan plan = { .piece = (size_t)(end - off) };
	struct mih_verify_stream *stream;

	pattern->tick++;
	note_step(pattern, off);
	stream = stream_find(pattern, off, end);
	if (stream) {
		stream->used = pattern->tick;
		stream->next = MIH_MAX(stream->next, end);
		plan_sequential(engine, file, pattern, stream, &plan);
	} else {
		stream_begin(pattern, off, end);
		plan_strided(engine, file, pattern, off, &plan);
	}
	return plan;
}

static uint16_t groups_of(uint64_t index, uint64_t from, uint64_t to)
{
	uint64_t begin = index * MIH_VERIFY_EXTENT;
	unsigned first =
	    (unsigned)((MIH_MAX(from, begin) - begin) / MIH_HASH_GROUP);
	unsigned last =
	    (unsigned)((MIH_MIN(to, begin + MIH_VERIFY_EXTENT) - begin - 1) /
		       MIH_HASH_GROUP);

	return (uint16_t)((2u << last) - (1u << first));
}

/* Groups with a verdict are left for somebody who really asks for them. */
static void fetch(struct mih_verify_engine *engine, uint32_t file,
		  struct mih_verify_backing *backing, uint64_t from,
		  uint64_t to)
{
	uint64_t index = from / MIH_VERIFY_EXTENT;
	struct mih_verify_shard *shard =
	    mih_verify_shard_of(engine, file, index);
	struct mih_verify_load_job job = {
		.engine = engine,
		.backing = backing,
		.lane = MIH_POOL_BACKGROUND,
	};

	pthread_mutex_lock(&shard->lock);
	job.extent = mih_verify_extent_get(engine, shard, file, index);
	if (job.extent) {
		job.mask = groups_of(index, from, to);
		job.mask &=
		    (uint16_t) ~(job.extent->good | job.extent->loading);
		job.mask &= (uint16_t)~mih_verify_verdict_standing(
		    engine, file, index, job.mask);
		mih_verify_load_start(&job);
		mih_verify_extent_settle(engine, shard, job.extent);
	}
	pthread_mutex_unlock(&shard->lock);
}

static void fetch_range(struct mih_verify_engine *engine, uint32_t file,
			struct mih_verify_backing *backing, uint64_t from,
			uint64_t to)
{
	while (from < to && !atomic_load(&engine->stopping)) {
		uint64_t next =
		    (from / MIH_VERIFY_EXTENT + 1) * MIH_VERIFY_EXTENT;

		fetch(engine, file, backing, from, MIH_MIN(next, to));
		from = next;
	}
}

void mih_verify_ahead_run(struct mih_verify_engine *engine, uint32_t file,
			  struct mih_verify_backing *backing,
			  const struct mih_verify_plan *plan)
{
	uint64_t nbytes = engine->model->files[file].nbytes;

	if (!plan->stride) {
		fetch_range(engine, file, backing, plan->from, plan->to);
		return;
	}
	for (uint64_t at = plan->from; at < plan->to; at += plan->stride)
		fetch_range(engine, file, backing, at,
			    MIH_MIN(at + plan->piece, nbytes));
}
