#include "status/status_internal.h"
#include "util/host/clock.h"

#include <stdlib.h>
#include <string.h>

static void sum_span(struct mih_verify_histogram *sum,
		     const struct mih_verify_histogram *one)
{
	for (size_t i = 0; i < MIH_VERIFY_BUCKETS; i++)
		sum->buckets[i] += one->buckets[i];
	sum->sum_ns += one->sum_ns;
}

void mih_status_sum(struct mih_verify_stats *sum,
		    const struct mih_verify_stats *one, bool gauges)
{
	for (size_t i = 0; i < MIH_VERIFY_COUNTS; i++)
		sum->counts[i] += one->counts[i];
	for (size_t i = 0; i < MIH_VERIFY_SPANS; i++)
		sum_span(&sum->spans[i], &one->spans[i]);
	for (size_t i = 0; i < MIH_VERIFY_KINDS; i++) {
		sum->work[i].batches += one->work[i].batches;
		sum->work[i].bytes += one->work[i].bytes;
	}
	for (size_t i = 0; gauges && i < MIH_VERIFY_GAUGES; i++)
		sum->gauges[i] += one->gauges[i];
}

mih_err mih_status_new(const struct mih_status_params *params,
		       struct mih_status **status_out)
{
	struct mih_status *status = calloc(1, sizeof(*status));

	if (!status)
		return mih_err_fail_errno(-ENOMEM, "%s", params->mountpoint);
	pthread_mutex_init(&status->lock, NULL);
	STAILQ_INIT(&status->served);
	mih_status_failures_init(&status->failures);
	status->started = time(NULL);
	status->started_ns = mih_clock_ns();
	status->mountpoint = strdup(params->mountpoint);
	status->bundle = strdup(params->bundle);
	if (!status->mountpoint || !status->bundle) {
		mih_status_free(status);
		return mih_err_fail_errno(-ENOMEM, "%s", params->mountpoint);
	}
	*status_out = status;
	return 0;
}

void mih_status_free(struct mih_status *status)
{
	if (!status)
		return;
	mih_status_failures_fini(&status->failures);
	pthread_mutex_destroy(&status->lock);
	free(status->reload_error);
	free(status->mountpoint);
	free(status->bundle);
	free(status);
}

mih_err mih_status_add(struct mih_status *status,
		       const struct mih_verify_model *model,
		       struct mih_verify_engine *engine)
{
	struct mih_status_served *served;

	if (!status)
		return 0;
	served = calloc(1, sizeof(*served));
	if (!served)
		return mih_err_fail_errno(-ENOMEM, "%s", status->mountpoint);
	served->model = model;
	served->engine = engine;
	pthread_mutex_lock(&status->lock);
	served->number = ++status->ngenerations;
	STAILQ_INSERT_HEAD(&status->served, served, next);
	pthread_mutex_unlock(&status->lock);
	return 0;
}

void mih_status_remove(struct mih_status *status,
		       struct mih_verify_engine *engine)
{
	struct mih_status_served *served;
	struct mih_verify_stats last;

	if (!status)
		return;
	pthread_mutex_lock(&status->lock);
	STAILQ_FOREACH(served, &status->served, next)
	{
		if (served->engine == engine)
			break;
	}
	if (served) {
		mih_verify_engine_stats(engine, &last);
		mih_status_sum(&status->past, &last, false);
		STAILQ_REMOVE(&status->served, served, mih_status_served, next);
	}
	pthread_mutex_unlock(&status->lock);
	free(served);
}

void mih_status_ready(struct mih_status *status)
{
	if (status)
		atomic_store(&status->ready, true);
}

void mih_status_reloaded(struct mih_status *status, const char *error)
{
	char *copy = error ? strdup(error) : NULL;

	if (!status) {
		free(copy);
		return;
	}
	pthread_mutex_lock(&status->lock);
	status->reloads.done += !error;
	status->reloads.refused += !!error;
	status->reloads.last = time(NULL);
	free(status->reload_error);
	status->reload_error = copy;
	status->reloads.error = error && !copy ? "out of memory" : copy;
	pthread_mutex_unlock(&status->lock);
}
