/*
 * Opening: the backing file, its type and size, and what its bytes will be
 * held against. Opens of one file share one opening; a failed one is not
 * repeated before its back-off is over.
 */
#include "util/cleanup.h"
#include "util/host/clock.h"
#include "util/io.h"
#include "util/log.h"
#include "verify/engine/engine_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A signal may only have interrupted its caller, who asks again at once; some
 * get one every few milliseconds, and must not begin at zero each time. */
#define PATIENCE_NS 1000000000u

static const char *path_of(const struct mih_verify_engine *engine,
			   uint32_t file)
{
	return engine->model->files[file].path;
}

struct mih_verify_backing *
mih_verify_backing_get(struct mih_verify_backing *backing)
{
	atomic_fetch_add_explicit(&backing->refs, 1, memory_order_relaxed);
	return backing;
}

void mih_verify_backing_put(struct mih_verify_backing *backing)
{
	if (!backing || atomic_fetch_sub_explicit(&backing->refs, 1,
						  memory_order_acq_rel) != 1)
		return;
	mih_verify_source_fini(&backing->source);
	free(backing);
}

/* Type and size of what was opened; in words if they are not as signed. */
static mih_err check_kind(const struct mih_verify_file *file, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return mih_err_fail_errno(-errno, "%s", file->path);
	if (!S_ISREG(st.st_mode))
		return mih_err_fail(-EIO, "%s: not a regular file", file->path);
	if ((uint64_t)st.st_size < file->nbytes)
		return mih_err_fail(-EIO, "%s: cut short: %ju of %ju bytes",
				    file->path, (uintmax_t)st.st_size,
				    (uintmax_t)file->nbytes);
	if ((uint64_t)st.st_size > file->nbytes)
		return mih_err_fail(-EIO,
				    "%s: too long: %ju bytes where %ju are "
				    "signed",
				    file->path, (uintmax_t)st.st_size,
				    (uintmax_t)file->nbytes);
	return 0;
}

/* O_NONBLOCK: a FIFO in the place of the file must not hold us up. */
mih_err mih_verify_backing_open(struct mih_verify_engine *engine, uint32_t file,
				struct mih_verify_backing **backing_out)
{
	const struct mih_verify_model *model = engine->model;
	struct mih_verify_backing *backing;
	int fd;
	mih_err err;

	err = mih_io_open_beneath(model->dirfd, path_of(engine, file),
				  O_RDONLY | O_NONBLOCK | O_NOCTTY,
				  &model->links, &fd);
	if (err == -ELOOP || err == -EXDEV)
		return mih_err_fail(
		    -EIO, "%s: a symbolic link, %s", path_of(engine, file),
		    err == -ELOOP ? "where none may be" : "which leads out");
	if (err)
		return mih_err_fail_errno(err, "%s", path_of(engine, file));
	err = check_kind(&model->files[file], fd);
	backing = err ? NULL : malloc(sizeof(*backing));
	if (!backing) {
		close(fd);
		return err ? err : -ENOMEM;
	}
	atomic_init(&backing->refs, 1);
	mih_verify_source_init(&backing->source, fd);
	*backing_out = backing;
	return 0;
}

void mih_verify_backing_retry(struct mih_verify_engine *engine, uint32_t file,
			      struct mih_verify_backing **backing)
{
	struct mih_verify_backing *candidate;

	if (mih_verify_backing_open(engine, file, &candidate))
		return;
	mih_verify_backing_put(*backing);
	*backing = candidate;
}

void mih_verify_backing_adopt(struct mih_verify_engine *engine, uint32_t file,
			      struct mih_verify_backing *backing)
{
	struct mih_verify_file_run *run = &engine->files[file];
	struct mih_verify_backing *old = NULL;

	pthread_mutex_lock(&run->lock);
	if (run->backing && run->backing != backing) {
		old = run->backing;
		run->backing = mih_verify_backing_get(backing);
	}
	pthread_mutex_unlock(&run->lock);
	mih_verify_backing_put(old);
}

/* Is it the file that failed, or only this system at this moment? */
static bool is_verdict(mih_err err)
{
	return err && err != -ENOMEM && err != -EMFILE && err != -ENFILE &&
	       err != -EAGAIN && err != -ECANCELED;
}

static void answer(struct mih_verify_engine *engine,
		   struct mih_verify_open *request, mih_err err)
{
	if (err)
		mih_verify_count(engine, MIH_VERIFY_OPEN_ERRORS, 1);
	request->done(request, err);
}

/* The same answer for all of them. */
static void answer_all(struct mih_verify_engine *engine,
		       struct mih_verify_open *waiters, mih_err err)
{
	while (waiters) {
		struct mih_verify_open *one = waiters;

		waiters = one->next;
		answer(engine, one, err);
	}
}

/* Nobody has the file open; file->lock is taken. Return: to be put. */
static struct mih_verify_backing *closed(struct mih_verify_engine *engine,
					 struct mih_verify_file_run *run)
{
	run->state = MIH_VERIFY_CLOSED;
	atomic_fetch_sub(&engine->nopen, 1);
	mih_verify_learn_forget(run);
	mih_verify_stage_close(&engine->stages, &run->stage);
	return MIH_STEAL(&run->backing);
}

bool mih_verify_is_given_up(const _Atomic uint64_t *unwanted_ns)
{
	uint64_t since = atomic_load(unwanted_ns);

	return since && mih_clock_ns() >= since + PATIENCE_NS;
}

/* Everyone had given up, so the work stopped; but then somebody came.
 * file->lock is taken. */
static bool is_wanted_again(const struct mih_verify_opening *opening,
			    mih_err err)
{
	const struct mih_verify_engine *engine = opening->engine;

	return err == -ECANCELED && engine->files[opening->file].waiters &&
	       !atomic_load(&engine->stopping);
}

/* Keep the outcome, and who waited for it. file->lock is taken. */
static struct mih_verify_open *keep(struct mih_verify_opening *opening,
				    mih_err err)
{
	struct mih_verify_engine *engine = opening->engine;
	struct mih_verify_file_run *run = &engine->files[opening->file];
	struct mih_verify_open *waiters = MIH_STEAL(&run->waiters);

	run->opening = NULL;
	run->state = err ? MIH_VERIFY_CLOSED : MIH_VERIFY_OPENED;
	run->err = err;
	run->bad_groups = opening->told;
	if (!err) {
		for (struct mih_verify_open *w = waiters; w; w = w->next)
			run->nopens++;
		run->backing = MIH_STEAL(&opening->backing);
		atomic_fetch_add(&engine->nopen, 1);
		run->backoff_ms = run->delay_ms = 0;
		if (!waiters)
			opening->backing = closed(engine, run);
	} else if (is_verdict(err)) {
		run->backoff_ms = mih_verify_backoff(
		    run->backoff_ms, engine->retry_ms, BACKOFF_MAX);
		run->retry_ns = mih_clock_ns() + run->backoff_ms * 1000000ull;
	}
	return waiters;
}

/* Return: has it ended? Else it is to begin anew. */
static bool settle(struct mih_verify_opening *opening, mih_err err,
		   struct mih_verify_open **waiters_out)
{
	struct mih_verify_file_run *run =
	    &opening->engine->files[opening->file];
	bool ends;

	pthread_mutex_lock(&run->lock);
	ends = !is_wanted_again(opening, err);
	if (ends)
		*waiters_out = keep(opening, err);
	pthread_mutex_unlock(&run->lock);
	return ends;
}

static void opening_end(struct mih_verify_opening *opening, mih_err err)
{
	struct mih_verify_engine *engine = opening->engine;
	const struct mih_log_event refusal = { MIH_VERIFY_REFUSAL };
	const struct mih_log_event healed = { MIH_VERIFY_HEALED };
	struct mih_verify_open *waiters;

	if (is_verdict(err)) {
		atomic_fetch_add(&engine->files[opening->file].failures, 1);
		mih_verify_count(engine, MIH_VERIFY_BAD_FILES, 1);
		if (!opening->again && !opening->told)
			mih_verify_report(engine, opening->file, &refusal, "%s",
					  mih_err_message());
	} else if (!err && opening->again) {
		mih_verify_report(engine, opening->file, &healed,
				  "%s: is as signed again",
				  path_of(engine, opening->file));
	}
	if (!settle(opening, err, &waiters)) {
		opening->may_wait = false;
		mih_pool_submit(engine->pool, &opening->work, MIH_POOL_URGENT);
		return;
	}
	mih_verify_check_end(&opening->check, err);
	answer_all(engine, waiters, err);
	mih_verify_backing_put(opening->backing);
	mih_verify_layers_free(opening->proof);
	free(opening);
	atomic_fetch_sub(&engine->inflight, 1);
}

/* Proven layers are right, whatever becomes of this opening. */
static void keep_layers(struct mih_verify_opening *opening)
{
	struct mih_verify_file_run *run =
	    &opening->engine->files[opening->file];

	pthread_mutex_lock(&run->lock);
	if (opening->proof)
		run->proof = MIH_STEAL(&opening->proof);
	pthread_mutex_unlock(&run->lock);
}

/* Once: whoever opens the file again and again shall not fill the log. */
static void tell_unstaged(const struct mih_verify_opening *opening,
			  const char *why)
{
	struct mih_verify_file_run *run =
	    &opening->engine->files[opening->file];

	if (!run->told)
		mih_log_warning("%s: not staged, %s",
				path_of(opening->engine, opening->file), why);
	run->told = true;
}

/* All bytes are proven and in their place. A stage that cannot be sealed is no
 * stage, but the file is as good as any. */
static void keep_stage(struct mih_verify_opening *opening)
{
	struct mih_verify_engine *engine = opening->engine;
	struct mih_verify_stage **stage = &engine->files[opening->file].stage;
	mih_err err = mih_verify_stage_seal(*stage);

	if (!err) {
		mih_verify_count(engine, MIH_VERIFY_STAGED, 1);
		return;
	}
	tell_unstaged(opening, strerror(-err));
	mih_verify_stage_drop(&engine->stages, stage);
}

static void opening_run(struct mih_pool_work *work);

static void finish(struct mih_verify_opening *opening, mih_err err)
{
	struct mih_verify_engine *engine = opening->engine;
	struct mih_verify_fill *fill = &opening->fill;

	opening->told = err == -EIO;
	if (fill->to && err)
		mih_verify_stage_drop(&engine->stages,
				      &engine->files[opening->file].stage);
	else if (fill->to)
		keep_stage(opening);
	opening_end(opening, err);
}

static void run_finish(struct mih_pool_work *work)
{
	struct mih_verify_opening *opening =
	    container_of(work, struct mih_verify_opening, work);

	work->run = opening_run;
	finish(opening, atomic_load(&opening->fill.err));
}

/* To unmap a large stage and to seal it takes milliseconds, and this may be a
 * thread of a device. */
static void filled(struct mih_verify_fill *fill, mih_err err)
{
	struct mih_verify_opening *opening =
	    container_of(fill, struct mih_verify_opening, fill);

	if (!fill->to) {
		finish(opening, err);
		return;
	}
	opening->work.run = run_finish;
	mih_pool_submit(opening->engine->pool, &opening->work, MIH_POOL_URGENT);
}

/* Memory for all of the file. NULL: there is none, or it is filled already. */
static uint8_t *stage_for(struct mih_verify_opening *opening)
{
	struct mih_verify_engine *engine = opening->engine;
	struct mih_verify_file_run *run = &engine->files[opening->file];
	struct mih_verify_stage **stage = &run->stage;
	uint64_t nbytes = engine->model->files[opening->file].nbytes;
	mih_err err;

	if (opening->unstaged || !engine->stages.budget ||
	    mih_verify_stage_reopen(&engine->stages, stage))
		return NULL;
	err = mih_verify_stage_new(&engine->stages, nbytes, stage);
	if (!err)
		return (*stage)->map;
	mih_verify_count(engine, MIH_VERIFY_UNSTAGED, 1);
	tell_unstaged(opening, err == -ENOSPC ? "it does not fit the budget"
					      : strerror(-err));
	return NULL;
}

/* Return: has work begun that will end the opening? */
static bool begin_whole(struct mih_verify_opening *opening)
{
	struct mih_verify_engine *engine = opening->engine;
	struct mih_verify_file_run *run = &engine->files[opening->file];
	uint64_t nbytes = engine->model->files[opening->file].nbytes;
	uint8_t *to = nbytes ? stage_for(opening) : NULL;

	if (!to &&
	    (!engine->whole || atomic_load(&run->proof->verified) == nbytes))
		return false;
	opening->fill = (struct mih_verify_fill){
		.engine = engine,
		.backing = opening->backing,
		.file = opening->file,
		.to = to,
		.check = &opening->check,
		.unwanted_ns = &opening->unwanted_ns,
		.done = filled,
	};
	mih_verify_fill_start(&opening->fill);
	return true;
}

static void opening_run(struct mih_pool_work *work)
{
	struct mih_verify_opening *opening =
	    container_of(work, struct mih_verify_opening, work);
	struct mih_verify_engine *engine = opening->engine;
	mih_err err = 0;

	if (!opening->backing)
		err = mih_verify_backing_open(engine, opening->file,
					      &opening->backing);
	/* Set once, under a state that only this opening can leave. */
	if (!err && !engine->files[opening->file].proof)
		err = mih_verify_layers_make(opening);
	if (err == MIH_EPARKED && !opening->may_wait) {
		opening->may_wait = true;
		mih_verify_slow_submit(
		    engine, engine->model->files[opening->file].nbytes,
		    &opening->work);
		return;
	}
	if (!err) {
		keep_layers(opening);
		if (begin_whole(opening))
			return;
	}
	opening_end(opening, err);
}

static mih_err opening_start(struct mih_verify_engine *engine, uint32_t file,
			     bool unstaged, bool again)
{
	struct mih_verify_opening *opening = calloc(1, sizeof(*opening));
	struct mih_verify_file_run *run = &engine->files[file];

	if (!opening)
		return -ENOMEM;
	opening->work.run = opening_run;
	opening->engine = engine;
	opening->file = file;
	opening->unstaged = unstaged;
	opening->again = again;
	mih_verify_check_begin(&opening->check, &engine->model->files[file]);
	atomic_fetch_add(&engine->inflight, 1);
	pthread_mutex_lock(&run->lock);
	run->opening = opening;
	if (!run->waiters) /* who asked has given up meanwhile */
		atomic_store(&opening->unwanted_ns, mih_clock_ns());
	pthread_mutex_unlock(&run->lock);
	mih_pool_submit(engine->pool, &opening->work, MIH_POOL_URGENT);
	return 0;
}

static void late(struct mih_verify_delay *delay)
{
	struct mih_verify_open *request =
	    container_of(delay, struct mih_verify_open, delay);

	request->done(request, request->err);
}

/* What to do with a request; file->lock is held. */
enum open_step { OPEN_DONE, OPEN_WAIT, OPEN_START, OPEN_LATE, OPEN_CANCELLED };

static enum open_step open_step(struct mih_verify_file_run *run,
				struct mih_verify_open *request)
{
	if (request->cancelled)
		return OPEN_CANCELLED;
	if (run->state == MIH_VERIFY_OPENED) {
		run->nopens++;
		return OPEN_DONE;
	}
	if (run->state == MIH_VERIFY_CLOSED && run->backoff_ms &&
	    mih_clock_ns() < run->retry_ns) {
		request->err = run->err;
		run->delay_ms = mih_verify_backoff(run->delay_ms, 1, DELAY_MAX);
		return OPEN_LATE;
	}
	request->next = run->waiters;
	run->waiters = request;
	if (run->opening)
		atomic_store(&run->opening->unwanted_ns, 0);
	if (run->state == MIH_VERIFY_OPENING)
		return OPEN_WAIT;
	run->state = MIH_VERIFY_OPENING;
	return OPEN_START;
}

/* Out of memory before anything began: everyone who waits hears of it. */
static void open_fail(struct mih_verify_engine *engine,
		      struct mih_verify_file_run *run, mih_err err)
{
	struct mih_verify_open *waiters;

	pthread_mutex_lock(&run->lock);
	waiters = run->waiters;
	run->waiters = NULL;
	run->state = MIH_VERIFY_CLOSED;
	pthread_mutex_unlock(&run->lock);
	answer_all(engine, waiters, err);
}

void mih_verify_open(struct mih_verify_engine *engine,
		     struct mih_verify_open *request)
{
	uint32_t file = (uint32_t)request->file;
	struct mih_verify_file_run *run = &engine->files[file];
	bool unstaged = request->unstaged, again;
	unsigned delay_ms;
	enum open_step step;
	mih_err err;

	mih_verify_count(engine, MIH_VERIFY_OPENS, 1);
	pthread_mutex_lock(&run->lock);
	step = open_step(run, request);
	delay_ms = run->delay_ms;
	again = run->backoff_ms && !run->bad_groups;
	pthread_mutex_unlock(&run->lock);
	switch (step) {
	case OPEN_DONE:
		request->done(request, 0);
		break;
	case OPEN_WAIT:
		break;
	case OPEN_START:
		err = opening_start(engine, file, unstaged, again);
		if (err)
			open_fail(engine, run, err);
		break;
	case OPEN_LATE:
		mih_verify_count(engine, MIH_VERIFY_OPEN_ERRORS, 1);
		request->delay.fire = late;
		mih_verify_timer_add(&engine->timer, &request->delay, delay_ms);
		break;
	case OPEN_CANCELLED:
		request->done(request, -EINTR);
		break;
	}
}

bool mih_verify_open_cancel(struct mih_verify_engine *engine,
			    struct mih_verify_open *request)
{
	struct mih_verify_file_run *run = &engine->files[request->file];
	struct mih_verify_open **at;
	bool found;

	pthread_mutex_lock(&run->lock);
	for (at = &run->waiters; *at && *at != request; at = &(*at)->next)
		;
	found = *at != NULL;
	if (found)
		*at = request->next;
	else
		request->cancelled = true; /* it may not have come in yet */
	if (found && !run->waiters && run->opening)
		atomic_store(&run->opening->unwanted_ns, mih_clock_ns());
	pthread_mutex_unlock(&run->lock);
	return found;
}

int mih_verify_staged(struct mih_verify_engine *engine, size_t file)
{
	struct mih_verify_stage *stage;
	int fd;

	pthread_mutex_lock(&engine->stages.lock);
	stage = engine->files[file].stage;
	fd = stage && stage->is_open ? stage->fd : -1;
	pthread_mutex_unlock(&engine->stages.lock);
	return fd;
}

void mih_verify_close(struct mih_verify_engine *engine, size_t file)
{
	struct mih_verify_file_run *run = &engine->files[file];
	struct mih_verify_backing *backing = NULL;

	pthread_mutex_lock(&run->lock);
	if (run->nopens && --run->nopens == 0)
		backing = closed(engine, run);
	pthread_mutex_unlock(&run->lock);
	mih_verify_backing_put(backing);
	mih_verify_stages_trim(&engine->stages);
}
