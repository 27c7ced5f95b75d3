/*
 * What will be asked for next. A reader that goes on where it stopped gets
 * whole extents and a window ahead of it that grows with the way it has come;
 * one that jumps by equal steps gets the next steps; one that jumps to where a
 * tensor begins gets the tensor; all others get the groups they touch and
 * nothing else.
 */
#include "util/checked.h"
#include "verify/engine/engine_internal.h"

#define RUN_MIN	   ((uint64_t)128 << 10) /* shorter runs mean nothing yet */
#define WINDOW_MAX ((uint64_t)16 << 20)
#define STEPS_MAX  16 /* of a reader that jumps, at most */
#define FEW	   8  /* requests may still come in any order */

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

/* The first request of a reader came right behind the second one. */
static bool precedes(const struct mih_verify_stream *stream, uint64_t off,
		     uint64_t end, uint64_t tick)
{
	return stream->used && stream->used + FEW >= tick &&
	       stream->nrequests < FEW && end - off >= MIH_HASH_GROUP &&
	       end == stream->begin;
}

static struct mih_verify_stream *stream_find(struct mih_verify_pattern *pattern,
					     uint64_t off, uint64_t end)
{
	for (size_t i = 0; i < NSTREAMS; i++)
		if (continues(&pattern->streams[i], off, end))
			return &pattern->streams[i];
	for (size_t i = 0; i < NSTREAMS; i++)
		if (precedes(&pattern->streams[i], off, end, pattern->tick))
			return &pattern->streams[i];
	return NULL;
}

/* Where a reader that is new takes the place of another: of the one that was
 * silent for longest. One that has made a step is not new. */
static struct mih_verify_stream *
stream_place(struct mih_verify_pattern *pattern,
	     struct mih_verify_strider *strider)
{
	unsigned oldest = 0;

	if (strider) {
		struct mih_verify_stream *own =
		    &pattern->streams[strider->stream];
		uint64_t next = own->begin + strider->stride;

		if (own->used && next + MIH_VERIFY_PAGE >= strider->at &&
		    next <= strider->at + MIH_VERIFY_PAGE)
			return own;
	}
	for (unsigned i = 1; i < NSTREAMS; i++)
		if (pattern->streams[i].used < pattern->streams[oldest].used)
			oldest = i;
	if (strider)
		strider->stream = oldest;
	return &pattern->streams[oldest];
}

static bool has_ended(const struct mih_verify_stream *stream)
{
	return stream->limit && stream->next >= stream->limit;
}

/* Readers that asked lately: of the last requests, one was theirs. */
static uint64_t streams_alive(const struct mih_verify_pattern *pattern)
{
	uint64_t n = 0;

	for (size_t i = 0; i < NSTREAMS; i++)
		n += pattern->streams[i].used &&
		     !has_ended(&pattern->streams[i]) &&
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

/* Much of its way was left out: so far it has jumped, in small steps. */
static bool leaves_gaps(const struct mih_verify_stream *stream)
{
	return stream->asked < (stream->next - stream->begin) / 4 * 3;
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

	if (way < RUN_MIN || (leaves_gaps(stream) && stream->nrequests < FEW))
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

/* No extent of it is partly of another piece or tensor. */
static bool is_inside(const struct mih_verify_stream *stream, uint64_t off,
		      uint64_t end)
{
	uint64_t from = off / MIH_VERIFY_EXTENT * MIH_VERIFY_EXTENT;
	uint64_t to =
	    mih_checked_ceil_div(end, MIH_VERIFY_EXTENT) * MIH_VERIFY_EXTENT;

	return from >= stream->begin && to <= stream->limit;
}

/* A piece or a tensor that will be read to its end, and whose neighbours are
 * another reader's, or this one's at another time. */
static void plan_limited(const struct mih_verify_engine *engine,
			 const struct mih_verify_pattern *pattern,
			 struct mih_verify_stream *stream, uint64_t end,
			 struct mih_verify_plan *plan)
{
	uint64_t to = stream->next + window_max(engine, pattern);

	if (to < stream->limit)
		to = to / MIH_VERIFY_EXTENT * MIH_VERIFY_EXTENT;
	else
		to = stream->limit;
	plan->whole = engine->memory >= MIH_VERIFY_EXTENT &&
		      is_inside(stream, end - plan->piece, end);
	plan->from = MIH_MAX(stream->ahead, stream->next);
	plan->to = to;
	stream->ahead = MIH_MAX(stream->ahead, to);
}

static void plan_strided(const struct mih_verify_engine *engine,
			 const struct mih_verify_file *file,
			 const struct mih_verify_pattern *pattern,
			 struct mih_verify_strider *strider,
			 struct mih_verify_plan *plan)
{
	uint64_t steps = MIH_MIN(2 * strider->nsteps, (unsigned)STEPS_MAX);
	uint64_t room = window_max(engine, pattern) / strider->piece;
	const struct mih_verify_range *tensor =
	    mih_verify_tensors_around(pattern->tensors, strider->at);
	uint64_t end = tensor ? tensor->end : file->nbytes;

	steps = MIH_MIN(steps, room);
	plan->stride = strider->stride;
	plan->piece = (size_t)strider->piece;
	plan->from = MIH_MAX(strider->at + strider->stride, strider->to);
	plan->to = MIH_MIN(strider->at + steps * strider->stride + 1, end);
	strider->to = plan->from;
	while (strider->to < plan->to)
		strider->to += strider->stride;
}

/*
 * The tensor that somebody wants who jumps to off .. end - 1. A read begins
 * with the page that the tensor begins in; a fault of a map has the page in the
 * middle, as the kernel reads around it.
 */
static const struct mih_verify_range *
tensor_wanted(const struct mih_verify_pattern *pattern, uint64_t off,
	      uint64_t end)
{
	uint64_t middle = off + (end - off) / 2;
	const struct mih_verify_range *tensor = mih_verify_tensors_first(
	    pattern->tensors, off, off + MIH_VERIFY_PAGE);

	if (!tensor)
		tensor = mih_verify_tensors_first(
		    pattern->tensors, middle,
		    MIH_MIN(middle + MIH_VERIFY_PAGE, end));
	return tensor;
}

static struct mih_verify_stream *
stream_begin(struct mih_verify_pattern *pattern,
	     struct mih_verify_strider *strider, uint64_t off, uint64_t end)
{
	struct mih_verify_stream *stream = stream_place(pattern, strider);
	const struct mih_verify_range *tensor =
	    strider ? NULL : tensor_wanted(pattern, off, end);

	*stream = (struct mih_verify_stream){
		.begin = off,
		.next = end,
		.ahead = end,
		.used = pattern->tick,
		.asked = end - off,
		.limit = tensor ? tensor->end : 0,
		.nrequests = 1,
	};
	return stream;
}

/* Beyond its tensor it is a new reader: the kernel reads a little further than
 * it was asked to. */
static void stream_go_on(const struct mih_verify_pattern *pattern,
			 struct mih_verify_stream *stream, uint64_t off,
			 uint64_t end)
{
	const struct mih_verify_range *tensor = NULL;

	if (stream->limit && off >= stream->limit) {
		stream->begin = off;
		stream->asked = stream->limit = 0;
		stream->nrequests = 0;
	}
	if (off < stream->begin) {
		stream->begin = off;
		tensor = tensor_wanted(pattern, off, end);
	}
	if (tensor)
		stream->limit = tensor->end;
	stream->used = pattern->tick;
	stream->next = MIH_MAX(stream->next, end);
	stream->asked += end - off;
	stream->nrequests++;
}

struct mih_verify_plan mih_verify_ahead_note(
    const struct mih_verify_engine *engine, const struct mih_verify_file *file,
    struct mih_verify_pattern *pattern, uint64_t off, uint64_t end)
{
	struct mih_verify_plan plan = { .piece = (size_t)(end - off) };
	struct mih_verify_strider *strider =
	    mih_verify_steps_note(&pattern->steps, off, end, ++pattern->tick);
	struct mih_verify_stream *stream = stream_find(pattern, off, end);

	if (stream)
		stream_go_on(pattern, stream, off, end);
	else
		stream = stream_begin(pattern, strider, off, end);
	if (strider && (leaves_gaps(stream) || stream->nrequests == 1)) {
		stream->limit =
		    MIH_MIN(strider->at + strider->piece, file->nbytes);
		plan_strided(engine, file, pattern, strider, &plan);
	} else if (stream->limit) {
		plan_limited(engine, pattern, stream, end, &plan);
	} else if (stream->nrequests > 1) {
		plan_sequential(engine, file, pattern, stream, &plan);
	}
	if (pattern->learning == MIH_VERIFY_UNLEARNT) {
		plan.learn = mih_verify_tensors_named(file->path);
		pattern->learning =
		    plan.learn ? MIH_VERIFY_LEARNING : MIH_VERIFY_LEARNT;
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
	mih_verify_load_send(&job);
}

static void fetch_range(struct mih_verify_engine *engine, uint32_t file,
			struct mih_verify_backing *backing, uint64_t from,
			uint64_t to)
{
	/* Whatever is advised: behind the end of a file there is nothing, no
	 * group and no page of its tree. */
	to = MIH_MIN(to, engine->model->files[file].nbytes);
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

	if (plan->learn)
		mih_verify_learn_start(engine, file);
	if (!plan->stride) {
		fetch_range(engine, file, backing, plan->from, plan->to);
		return;
	}
	for (uint64_t at = plan->from; at < plan->to; at += plan->stride)
		fetch_range(engine, file, backing, at,
			    MIH_MIN(at + plan->piece, nbytes));
}
