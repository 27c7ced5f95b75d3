/*
 * The header of an open file: read like a reader would, through the engine, so
 * that its bytes are proven; parsed piece by piece on threads of the pool, when
 * they have nothing urgent to do.
 */
#include "util/cleanup.h"
#include "verify/engine/engine_internal.h"

#include <stdlib.h>

/* Few headers are longer; and it is loading anyway, for who opened the file. */
#define FIRST_LEN MIH_HASH_GROUP

struct learner {
	struct mih_verify_read read; /* of the next bytes */
	struct mih_pool_work work;   /* the parsing of them */
	struct mih_verify_engine *engine;
	uint32_t file;
	struct mih_verify_header header;
};

/* If the file was closed meanwhile, who opens it next learns anew. */
static void learner_end(struct learner *learner, mih_err err)
{
	struct mih_verify_file_run *run =
	    &learner->engine->files[learner->file];
	struct mih_verify_tensors *tensors =
	    mih_verify_header_end(&learner->header);
	struct mih_verify_pattern *pattern;
	bool closed;

	pthread_mutex_lock(&run->lock);
	pattern = run->proof->pattern;
	closed = err == -EBADF || !run->backing;
	pattern->learning = closed ? MIH_VERIFY_UNLEARNT : MIH_VERIFY_LEARNT;
	if (!closed)
		pattern->tensors = MIH_STEAL(&tensors);
	pthread_mutex_unlock(&run->lock);
	free(tensors);
	free(learner);
}

/* An answer may come late, from the timer, when the engine has ended its loads:
 * so only the parsing counts as one of them. */
static void read_done(struct mih_verify_read *read, mih_err err)
{
	struct learner *learner = container_of(read, struct learner, read);
	struct mih_verify_engine *engine = learner->engine;

	if (err) {
		mih_verify_read_release(read);
		learner_end(learner, err);
		return;
	}
	atomic_fetch_add(&engine->inflight, 1);
	mih_pool_submit(engine->pool, &learner->work, MIH_POOL_BACKGROUND);
}

static void read_next(struct learner *learner)
{
	uint64_t most =
	    learner->header.at ? MIH_VERIFY_READ_MAX : (uint64_t)FIRST_LEN;
	uint64_t left = learner->header.at
			    ? mih_verify_header_left(&learner->header)
			    : most;

	learner->read = (struct mih_verify_read){
		.file = learner->file,
		.off = learner->header.at,
		.len = (size_t)MIH_MIN(left, most),
		.quiet = true,
		.done = read_done,
	};
	mih_verify_read(learner->engine, &learner->read);
}

static void parse(struct mih_pool_work *work)
{
	struct learner *learner = container_of(work, struct learner, work);
	struct mih_verify_engine *engine = learner->engine;
	struct mih_verify_read *read = &learner->read;

	for (int i = 0; i < read->niov; i++)
		mih_verify_header_feed(&learner->header, read->iov[i].iov_base,
				       read->iov[i].iov_len);
	mih_verify_read_release(read);
	if (mih_verify_header_left(&learner->header) &&
	    !atomic_load(&engine->stopping))
		read_next(learner);
	else
		learner_end(learner, 0);
	atomic_fetch_sub(&engine->inflight, 1);
}

void mih_verify_learn_start(struct mih_verify_engine *engine, uint32_t file)
{
	struct mih_verify_file_run *run = &engine->files[file];
	struct learner *learner = calloc(1, sizeof(*learner));

	if (!learner) {
		pthread_mutex_lock(&run->lock);
		run->proof->pattern->learning = MIH_VERIFY_UNLEARNT;
		pthread_mutex_unlock(&run->lock);
		return;
	}
	learner->work.run = parse;
	learner->engine = engine;
	learner->file = file;
	mih_verify_header_init(&learner->header,
			       engine->model->files[file].nbytes);
	read_next(learner);
}

void mih_verify_learn_forget(struct mih_verify_file_run *run)
{
	struct mih_verify_pattern *pattern = run->proof->pattern;

	if (!pattern || pattern->learning != MIH_VERIFY_LEARNT)
		return;
	free(pattern->tensors);
	pattern->tensors = NULL;
	pattern->learning = MIH_VERIFY_UNLEARNT;
}
