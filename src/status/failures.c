/*
 * The last refusals, kept within a bound of bytes: a model may be bad in
 * millions of groups, and a line may name a very long path.
 */
#include "status/documents.h"
#include "status/status_internal.h"
#include "util/out/json.h"

#include <stdlib.h>
#include <string.h>

#define NFAILURES_MAX 256
#define BYTES_MAX     ((size_t)256 << 10)

struct mih_status_failure {
	STAILQ_ENTRY(mih_status_failure) next;
	uint64_t number; /* 1 for the first one of the mount */
	struct timespec when;
	size_t len;
	char line[];
};

static void drop_oldest(struct mih_status_failures *f)
{
	struct mih_status_failure *old = STAILQ_FIRST(&f->list);

	STAILQ_REMOVE_HEAD(&f->list, next);
	f->n--;
	f->nbytes -= old->len;
	free(old);
}

void mih_status_failed(struct mih_status *status, const char *line)
{
	struct mih_status_failures *f = &status->failures;
	size_t len = strlen(line);
	struct mih_status_failure *one = malloc(sizeof(*one) + len + 1);

	if (one) {
		clock_gettime(CLOCK_REALTIME, &one->when);
		one->len = len;
		memcpy(one->line, line, len + 1);
	}
	pthread_mutex_lock(&f->lock);
	f->total++;
	if (one) {
		one->number = f->total;
		STAILQ_INSERT_TAIL(&f->list, one, next);
		f->n++;
		f->nbytes += len;
		while (f->n > NFAILURES_MAX || f->nbytes > BYTES_MAX)
			drop_oldest(f);
	}
	pthread_mutex_unlock(&f->lock);
}

static void write_failure(struct mih_buffer *out,
			  const struct mih_status_failure *one)
{
	mih_json_begin(out, NULL, '{');
	mih_json_number(out, "number", one->number);
	mih_status_write_time(out, "time", one->when.tv_sec);
	mih_json_text(out, "message", one->line);
	mih_json_end(out, '}');
	mih_buffer_text(out, "\n");
}

mih_err mih_status_failures(struct mih_status *status, struct mih_buffer *out)
{
	struct mih_status_failures *f = &status->failures;
	const struct mih_status_failure *one;

	pthread_mutex_lock(&f->lock);
	STAILQ_FOREACH(one, &f->list, next) write_failure(out, one);
	pthread_mutex_unlock(&f->lock);
	return mih_buffer_end(out);
}

void mih_status_failures_init(struct mih_status_failures *f)
{
	pthread_mutex_init(&f->lock, NULL);
	STAILQ_INIT(&f->list);
}

void mih_status_failures_fini(struct mih_status_failures *f)
{
	while (f->n)
		drop_oldest(f);
	pthread_mutex_destroy(&f->lock);
}
