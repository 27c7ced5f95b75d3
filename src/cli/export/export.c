#include "cli/export/export.h"
#include "cli/options.h"
#include "status/documents.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/log.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define INTERVAL_MS 15000

/* The folder must be there; the file is made new each time. */
static mih_err set_file(struct mih_cli_export *e, const char *file)
{
	mih_autofree char *copy = strdup(file), *again = strdup(file);
	mih_autofree char *folder = copy ? realpath(dirname(copy), NULL) : NULL;

	if (!copy || !again)
		return mih_err_fail_errno(-ENOMEM, "%s", file);
	if (!folder)
		return mih_err_fail_errno(-errno, "%s: --metrics-file", file);
	if (asprintf(&e->file, "%s/%s", folder, basename(again)) < 0) {
		e->file = NULL;
		return mih_err_fail_errno(-ENOMEM, "%s", file);
	}
	return 0;
}

mih_err mih_cli_export_prepare(struct mih_cli_export *e,
			       const struct mih_cli_export_options *options)
{
	mih_err err = 0;

	e->interval_ms = INTERVAL_MS;
	if (options->interval &&
	    !mih_cli_seconds_parse(options->interval, &e->interval_ms))
		return mih_err_fail(
		    MIH_EUSAGE,
		    "mihfs: --metrics-interval '%s' is no number "
		    "of seconds",
		    options->interval);
	if (options->file)
		err = set_file(e, options->file);
	if (!err && options->listen)
		err = mih_cli_listen_open(&e->listen, options->listen);
	return err;
}

char *mih_cli_export_folder(const struct mih_cli_export *e)
{
	mih_autofree char *copy = e->file ? strdup(e->file) : NULL;

	return copy ? strdup(dirname(copy)) : NULL;
}

static void write_file(struct mih_cli_export *e)
{
	struct mih_buffer text = { 0 };
	mih_err err = mih_status_metrics(e->status, &text);

	if (!err)
		err = mih_io_write_file(e->file, text.data, text.len, 0644);
	else
		err = mih_err_fail_errno(err, "%s", e->file);
	if (err)
		mih_log_warning("%s", mih_err_message());
	mih_buffer_fini(&text);
}

static void deadline(struct timespec *when, unsigned ms)
{
	clock_gettime(CLOCK_MONOTONIC, when);
	when->tv_sec += ms / 1000;
	when->tv_nsec += ms % 1000 * 1000000L;
	if (when->tv_nsec >= 1000000000) {
		when->tv_sec++;
		when->tv_nsec -= 1000000000;
	}
}

/* Return: is it time to end? */
static bool pause_writing(struct mih_cli_export *e)
{
	struct timespec until;
	bool stopping;
	int rc = 0;

	deadline(&until, e->interval_ms);
	pthread_mutex_lock(&e->lock);
	while (!e->stopping && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&e->changed, &e->lock, &until);
	stopping = e->stopping;
	pthread_mutex_unlock(&e->lock);
	return stopping;
}

static void *writer_main(void *context)
{
	struct mih_cli_export *e = context;

	pthread_setname_np(pthread_self(), "mihfs-metrics");
	do
		write_file(e);
	while (!pause_writing(e));
	return NULL;
}

static void start_writer(struct mih_cli_export *e)
{
	pthread_condattr_t attr;
	int rc;

	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&e->changed, &attr);
	pthread_condattr_destroy(&attr);
	rc = pthread_create(&e->writer, NULL, writer_main, e);
	e->writing = rc == 0;
	if (rc)
		mih_log_warning("%s: not written: %s", e->file, strerror(rc));
}

void mih_cli_export_start(struct mih_cli_export *e, struct mih_status *status)
{
	e->status = status;
	if (e->file)
		start_writer(e);
	if (e->listen.fd >= 0)
		mih_cli_listen_start(&e->listen, status);
}

/* The last write has the sums of the whole mount. */
void mih_cli_export_stop(struct mih_cli_export *e)
{
	mih_cli_listen_stop(&e->listen);
	if (e->writing) {
		pthread_mutex_lock(&e->lock);
		e->stopping = true;
		pthread_cond_signal(&e->changed);
		pthread_mutex_unlock(&e->lock);
		pthread_join(e->writer, NULL);
		e->writing = false;
		write_file(e);
		pthread_cond_destroy(&e->changed);
		pthread_mutex_destroy(&e->lock);
	}
}

void mih_cli_export_fini(struct mih_cli_export *e)
{
	mih_cli_listen_fini(&e->listen);
	free(MIH_STEAL(&e->file));
}
