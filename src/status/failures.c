/*
 * The last refusals, kept within a bound of bytes: a model may be bad in
 * millions of groups, and a line may name a very long path.
 */
#include "status/documents.h"
#include "status/status_internal.h"
#include "util/out/json.h"

#include <stdlib.h>

#define NFAILURES_MAX 256
#define BYTES_MAX     ((size_t)256 << 10)

struct mih_status_failure {
	STAILQ_ENTRY(mih_status_failure) next;
	struct mih_buffer text; /* one line of JSON; owned */
};

static void drop_oldest(struct mih_status_failures *f)
{
	struct mih_status_failure *old = STAILQ_FIRST(&f->list);

	STAILQ_REMOVE_HEAD(&f->list, next);
	f->n--;
	f->nbytes -= old->text.len;
	mih_buffer_fini(&old->text);
	free(old);
}

static void write_optional(struct mih_buffer *out, const char *name,
			   const char *text)
{
	if (text)
		mih_json_text(out, name, text);
}

/* The names of the fields are those of the log. */
static void write_failure(struct mih_buffer *out, uint64_t number,
			  const struct mih_log_event *event, const char *line)
{
	mih_json_begin(out, NULL, '{');
	mih_json_number(out, "number", number);
	mih_status_write_time(out, "time", time(NULL));
	write_optional(out, "path", event->path);
	if (event->nbytes) {
		mih_json_number(out, "offset", event->off);
		mih_json_number(out, "length", event->nbytes);
	}
	write_optional(out, "algorithm", event->algorithm);
	write_optional(out, "expected", event->expected);
	write_optional(out, "found", event->found);
	mih_json_text(out, "message", line);
	mih_json_end(out, '}');
	mih_buffer_text(out, "\n");
}

/* Of a refusal without memory for it only the number is lost. */
void mih_status_failed(struct mih_status *status,
		       const struct mih_log_event *event, const char *line)
{
	struct mih_status_failures *f;
	struct mih_status_failure *one;

	if (!status)
		return;
	f = &status->failures;
	one = calloc(1, sizeof(*one));
	pthread_mutex_lock(&f->lock);
	f->total++;
	if (one) {
		write_failure(&one->text, f->total, event, line);
		STAILQ_INSERT_TAIL(&f->list, one, next);
		f->n++;
		f->nbytes += one->text.len;
		while (f->n > NFAILURES_MAX || f->nbytes > BYTES_MAX)
			drop_oldest(f);
	}
	pthread_mutex_unlock(&f->lock);
}

mih_err mih_status_failures(struct mih_status *status, struct mih_buffer *out)
{
	struct mih_status_failures *f = &status->failures;
	const struct mih_status_failure *one;

	pthread_mutex_lock(&f->lock);
	STAILQ_FOREACH(one, &f->list, next)
	{
		if (!one->text.failed)
			mih_buffer_add(out, one->text.data, one->text.len);
	}
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
