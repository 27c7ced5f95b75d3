/*
 * status/status.h - what one mount knows about itself, for those who watch it
 *
 * Layer: src/status.  Threads: internally locked; every call may come from any
 * thread.
 *
 * A mount serves one generation of its model, a model with its engine; while
 * it changes over to another one there may be two. Counters of a generation
 * that has ended stay in the sums, so that no sum ever goes down.
 */
#ifndef MIH_STATUS_STATUS_H
#define MIH_STATUS_STATUS_H

#include "util/err.h"
#include "util/log.h"
#include "verify/engine.h"

struct mih_status;

struct mih_status_params {
	const char *mountpoint; /* all texts are copied */
	const char *bundle;
};

/**
 * mih_status_new() - the status of a mount that serves nothing yet
 * @status_out: set on success; finish with mih_status_free()
 *
 * Return: 0 or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_status_new(const struct mih_status_params *params,
				      struct mih_status **status_out);

/** mih_status_free() - release; NULL is legal. */
void mih_status_free(struct mih_status *status);

/**
 * mih_status_add() - a generation is served from now on
 * @model, @engine: kept until mih_status_remove()
 *
 * Return: 0 or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_status_add(struct mih_status *status,
				      const struct mih_verify_model *model,
				      struct mih_verify_engine *engine);

/**
 * mih_status_remove() - @engine ends; to be called before it is freed
 *
 * Waits for snapshots that look at it. An @engine that was never added is
 * legal, and so is NULL for @status.
 */
void mih_status_remove(struct mih_status *status,
		       struct mih_verify_engine *engine);

/**
 * mih_status_failed() - bytes or a file were refused; NULL is legal
 * @event: what and where; borrowed for the call
 * @line:  for people
 *
 * The last ones are kept, within bounds.
 */
void mih_status_failed(struct mih_status *status,
		       const struct mih_log_event *event, const char *line);

/**
 * mih_status_reloaded() - a reload has ended; NULL for @status is legal
 * @error: why it was refused (copied), or NULL
 */
void mih_status_reloaded(struct mih_status *status, const char *error);

/** mih_status_ready() - the mount answers; NULL is legal. */
void mih_status_ready(struct mih_status *status);

#endif
