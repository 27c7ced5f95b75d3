#include "util/log.h"
#include "util/text.h"
#include "verify/engine/engine_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS_DEFAULT 100
#define MS		 1000000 /* in ns */

/* Threads that read at once. Where the processor hashes, each extent has to
 * stay in the caches of a core from its reading to its answer: with twice the
 * cores, 16 of them gave 16 readers 5.3 GB/s instead of 9.9. Where a device
 * does, half of them read and the others answer: with all of 16, which had to
 * be woken for each extent, 8 readers got 7.5 GB/s instead of 9.8. A file that
 * is staged is read by all, since there is nothing to answer yet; one that
 * waits for a page leaves its core to another. */
#define READERS_PART	 2
#define READERS_MIN	 2
#define STAGERS_PER_CORE 2

/* A device that starts, fails or is slow leaves its loads to the processor: so
 * many in a row, more or less, say who hashes. */
#define HASHED_MAX 64

/* Loads that wait for a disk or a network at once, at least: of 1 MiB, so many
 * in 20 ms are 1.7 GB/s. Idle threads cost some address space. */
#define THREADS_MIN 32

/* And one more for so many, which only take what somebody waits for: where a
 * source takes seconds, a file that is staged would have all the others, and
 * an open of another file no thread to begin on. */
#define URGENT_PART 8

#define SLOW_THREADS 2 /* for each size of pass */

/* Largest pass of each size but the last. Each has threads of its own: two
 * files of terabytes, which may be holes, must not keep a third from being
 * opened at all. Between sizes the scheduler of the system is fair. */
static const uint64_t slow_limits[MIH_VERIFY_SLOW - 1] = {
	(uint64_t)256 << 20,
	(uint64_t)8 << 30,
	(uint64_t)256 << 30,
};

/* A file may be bad in millions of groups; its first lines say it all. */
static enum mih_log_leave ask_leave(struct mih_verify_file_run *run)
{
	enum mih_log_leave leave;

	pthread_mutex_lock(&run->lock);
	leave = mih_log_budget_take(&run->budget);
	pthread_mutex_unlock(&run->lock);
	return leave;
}

static void tell(const struct mih_verify_engine *engine,
		 const struct mih_log_event *event, const char *line)
{
	if (event->level != MIH_LOG_ERROR)
		mih_log_write(event, "%s", line);
	else if (engine->failed)
		engine->failed(engine->context, event, line);
	else
		mih_log_refusal(event, line);
}

void mih_verify_report(struct mih_verify_engine *engine, uint32_t file,
		       const struct mih_log_event *what, const char *fmt, ...)
{
	enum mih_log_leave leave = ask_leave(&engine->files[file]);
	struct mih_log_event event = *what;
	char line[MIH_TEXT_LINE];
	size_t len;
	va_list args;

	if (leave == MIH_LOG_SILENT)
		return;
	va_start(args, fmt);
	mih_text_format(line, sizeof(line), fmt, args);
	va_end(args);
	len = strlen(line);
	if (leave == MIH_LOG_SAY_LAST)
		snprintf(line + len, sizeof(line) - len,
			 " (what else happens to this file within a minute is "
			 "not logged)");
	event.path = engine->model->files[file].path;
	tell(engine, &event, line);
}

void mih_verify_mark(const struct mih_verify_file *file,
		     struct mih_verify_layers *proof, uint64_t group)
{
	uint64_t bit = (uint64_t)1 << group % 64;
	uint64_t before = atomic_fetch_or_explicit(&proof->bits[group / 64],
						   bit, memory_order_relaxed);

	if (!(before & bit))
		atomic_fetch_add_explicit(&proof->verified,
					  mih_verify_group_len(file, group),
					  memory_order_relaxed);
}

static mih_err files_new(struct mih_verify_engine *engine)
{
	size_t n = engine->model->nfiles;

	engine->files = calloc(n ? n : 1, sizeof(*engine->files));
	if (!engine->files)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		pthread_mutex_init(&engine->files[i].lock, NULL);
	return 0;
}

static void files_free(struct mih_verify_engine *engine)
{
	if (!engine->files)
		return;
	for (size_t i = 0; i < engine->model->nfiles; i++) {
		struct mih_verify_file_run *run = &engine->files[i];

		mih_verify_backing_put(run->backing);
		mih_verify_layers_free(run->proof);
		mih_verify_stage_drop(&engine->stages, &run->stage);
		pthread_mutex_destroy(&run->lock);
	}
	free(engine->files);
}

void mih_verify_slow_submit(struct mih_verify_engine *engine, uint64_t nbytes,
			    struct mih_pool_work *work)
{
	size_t class = 0;

	while (class + 1 < MIH_VERIFY_SLOW && nbytes > slow_limits[class])
		class ++;
	mih_pool_submit(engine->slow[class], work, MIH_POOL_URGENT);
}

static size_t readers(const struct mih_verify_engine *engine, bool by_device)
{
	if (!by_device)
		return engine->ncores;
	if (atomic_load(&engine->stages.budget))
		return engine->ncores * STAGERS_PER_CORE;
	return MIH_MAX(engine->ncores / READERS_PART, (size_t)READERS_MIN);
}

/* Two threads at once may lose a count: there are more. */
void mih_verify_note_hashed(struct mih_verify_engine *engine, bool by_device)
{
	int n = atomic_load_explicit(&engine->hashed, memory_order_relaxed);

	n = by_device ? MIH_MIN(n + 1, HASHED_MAX) : MIH_MAX(n - 1, 0);
	atomic_store_explicit(&engine->hashed, n, memory_order_relaxed);
	mih_pool_limit(engine->pool, readers(engine, n > HASHED_MAX / 2));
}

static mih_err engine_start(struct mih_verify_engine *engine, size_t nthreads)
{
	bool by_device = engine->dev != mih_gpu_cpu();
	mih_err err = -ENOMEM;
	size_t reserve;

	if (!nthreads)
		nthreads = MIH_MAX(engine->ncores * STAGERS_PER_CORE,
				   (size_t)THREADS_MIN);
	reserve = (nthreads + URGENT_PART - 1) / URGENT_PART;
	engine->tally = mih_verify_tally_new();
	if (engine->tally)
		err = files_new(engine);
	if (!err)
		err = mih_verify_cache_init(engine);
	if (!err)
		err = mih_verify_timer_start(&engine->timer);
	if (err)
		return mih_err_fail_errno(err, "engine");
	err = mih_pool_new("mihfs-load", nthreads + reserve, &engine->pool);
	if (!err) {
		mih_pool_limit(engine->pool, readers(engine, false));
		mih_pool_reserve(engine->pool, reserve);
	}
	if (!err && by_device)
		err = mih_pool_new("mihfs-answer", engine->ncores + 1,
				   &engine->answers);
	for (size_t i = 0; !err && i < MIH_VERIFY_SLOW; i++)
		err =
		    mih_pool_new("mihfs-whole", SLOW_THREADS, &engine->slow[i]);
	return err;
}

mih_err mih_verify_engine_new(const struct mih_verify_engine_params *params,
			      struct mih_verify_engine **engine_out)
{
	struct mih_verify_engine *engine = calloc(1, sizeof(*engine));
	mih_err err;

	if (!engine)
		return mih_err_fail_errno(-ENOMEM, "engine");
	engine->model = params->model;
	engine->dev = params->dev;
	atomic_init(&engine->memory, params->memory);
	engine->ncores = mih_pool_cores();
	engine->keep_read = params->keep_read;
	engine->whole = params->whole;
	engine->retry_ms =
	    params->retry_ms ? params->retry_ms : RETRY_MS_DEFAULT;
	engine->failed = params->failed;
	engine->context = params->context;
	mih_verify_layer_init(&engine->pages);
	mih_verify_verdicts_init(&engine->verdicts);
	mih_verify_stages_init(&engine->stages, params->stage_memory);
	err = engine_start(engine, params->nthreads);
	if (err) {
		mih_verify_engine_free(engine);
		return err;
	}
	*engine_out = engine;
	return 0;
}

void mih_verify_engine_shrink(struct mih_verify_engine *engine, size_t memory)
{
	atomic_store(&engine->memory, memory);
	mih_verify_cache_trim(engine);
	mih_verify_spare_drop(engine);
	mih_verify_stages_end(&engine->stages);
}

/* A device may still hold batches whose done() is not in any of our queues. */
static void wait_idle(struct mih_verify_engine *engine)
{
	const struct timespec ms = { .tv_nsec = MS };

	while (atomic_load(&engine->inflight) || atomic_load(&engine->handing))
		nanosleep(&ms, NULL);
}

void mih_verify_engine_free(struct mih_verify_engine *engine)
{
	if (!engine)
		return;
	atomic_store(&engine->stopping, true);
	wait_idle(engine);
	/* This one first: it submits to the slow ones, and is still at that for
	 * a moment when what it submitted has ended. */
	mih_pool_free(engine->pool);
	mih_pool_free(engine->answers);
	for (size_t i = 0; i < MIH_VERIFY_SLOW; i++)
		mih_pool_free(engine->slow[i]);
	mih_verify_timer_stop(&engine->timer);
	mih_verify_cache_fini(engine);
	mih_verify_layer_fini(&engine->pages);
	mih_verify_verdicts_fini(&engine->verdicts);
	files_free(engine);
	mih_verify_tally_free(engine->tally);
	free(engine);
}

static enum mih_verify_status status_of(const struct mih_verify_file *file,
					struct mih_verify_file_run *run,
					uint64_t verified)
{
	if (run->backoff_ms || atomic_load(&run->nbad))
		return MIH_VERIFY_FAILED;
	if (run->proof && verified == file->nbytes)
		return MIH_VERIFY_VERIFIED;
	return verified ? MIH_VERIFY_PARTIAL : MIH_VERIFY_UNVERIFIED;
}

void mih_verify_note_way(struct mih_verify_engine *engine, size_t file,
			 const char *way)
{
	atomic_store(&engine->files[file].way, way);
}

void mih_verify_file_stats(struct mih_verify_engine *engine, size_t file,
			   struct mih_verify_file_stats *stats_out)
{
	struct mih_verify_file_run *run = &engine->files[file];
	uint64_t verified = 0;

	pthread_mutex_lock(&run->lock);
	if (run->proof)
		verified = atomic_load(&run->proof->verified);
	*stats_out = (struct mih_verify_file_stats){
		.status = status_of(&engine->model->files[file], run, verified),
		.verified_bytes = verified,
		.failures = atomic_load(&run->failures),
		.way = atomic_load(&run->way),
	};
	pthread_mutex_unlock(&run->lock);
}

static uint64_t layer_bytes(struct mih_verify_pages *pages)
{
	uint64_t bytes;

	pthread_mutex_lock(&pages->lock);
	bytes = pages->bytes;
	pthread_mutex_unlock(&pages->lock);
	return bytes;
}

void mih_verify_engine_stats(struct mih_verify_engine *engine,
			     struct mih_verify_stats *stats_out)
{
	uint64_t *gauges = stats_out->gauges;

	mih_verify_tally_sum(engine->tally, stats_out);
	gauges[MIH_VERIFY_CACHE_BYTES] = atomic_load(&engine->cache_bytes);
	gauges[MIH_VERIFY_CACHE_LIMIT] = engine->memory;
	gauges[MIH_VERIFY_LAYER_BYTES] = layer_bytes(&engine->pages);
	gauges[MIH_VERIFY_STAGE_BYTES] =
	    mih_verify_stages_bytes(&engine->stages);
	gauges[MIH_VERIFY_STAGE_LIMIT] = engine->stages.budget;
	gauges[MIH_VERIFY_OPEN_FILES] = atomic_load(&engine->nopen);
	gauges[MIH_VERIFY_INFLIGHT] = atomic_load(&engine->inflight);
	gauges[MIH_VERIFY_QUEUE_URGENT] =
	    mih_pool_queued(engine->pool, MIH_POOL_URGENT);
	gauges[MIH_VERIFY_QUEUE_AHEAD] =
	    mih_pool_queued(engine->pool, MIH_POOL_BACKGROUND);
	gauges[MIH_VERIFY_QUEUE_WHOLE] = 0;
	for (size_t i = 0; i < MIH_VERIFY_SLOW; i++)
		gauges[MIH_VERIFY_QUEUE_WHOLE] +=
		    mih_pool_queued(engine->slow[i], MIH_POOL_URGENT);
	gauges[MIH_VERIFY_DELAYED] = atomic_load(&engine->timer.count);
	gauges[MIH_VERIFY_VERDICTS] = atomic_load(&engine->verdicts.count);
}

struct mih_gpu_dev *
mih_verify_engine_device(const struct mih_verify_engine *engine)
{
	return engine->dev;
}
