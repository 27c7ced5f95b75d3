/*
 * An open may wait for minutes until all of a large file is read, and whoever
 * waits sees nothing of it. So the log tells, of those alone that take long.
 */
#include "util/host/clock.h"
#include "util/log.h"
#include "verify/engine/engine_internal.h"

#define LONG_NS 3000000000u

enum told { NOT_YET, TOLD, SILENT };

/* Of all files together: a model may have very many on a slow disk. */
static struct mih_log_budget budget;
static pthread_mutex_t budget_lock = PTHREAD_MUTEX_INITIALIZER;

static bool may_tell(void)
{
	enum mih_log_leave leave;

	pthread_mutex_lock(&budget_lock);
	leave = mih_log_budget_take(&budget);
	pthread_mutex_unlock(&budget_lock);
	return leave != MIH_LOG_SILENT;
}

static struct mih_log_event event_of(const struct mih_verify_check *check)
{
	return (struct mih_log_event){ .level = MIH_LOG_INFO,
				       .name = "check",
				       .path = check->file->path };
}

void mih_verify_check_begin(struct mih_verify_check *check,
			    const struct mih_verify_file *file)
{
	check->file = file;
	check->begun_ns = mih_clock_ns();
	atomic_init(&check->told, NOT_YET);
}

void mih_verify_check_look(struct mih_verify_check *check)
{
	const struct mih_log_event event = event_of(check);
	int none = NOT_YET;

	if (atomic_load(&check->told) != NOT_YET ||
	    mih_clock_ns() - check->begun_ns < LONG_NS ||
	    !atomic_compare_exchange_strong(&check->told, &none, SILENT) ||
	    !may_tell())
		return;
	mih_log_write(&event,
		      "%s: all of its %.2f GB are checked before it is opened",
		      check->file->path, (double)check->file->nbytes / 1e9);
	atomic_store(&check->told, TOLD);
}

void mih_verify_check_end(struct mih_verify_check *check, mih_err err)
{
	const struct mih_log_event event = event_of(check);
	double seconds = (double)(mih_clock_ns() - check->begun_ns) / 1e9;
	double gb = (double)check->file->nbytes / 1e9;

	if (atomic_load(&check->told) != TOLD)
		return;
	if (err)
		mih_log_write(&event,
			      "%s: not opened, its check ended after "
			      "%.1f s",
			      check->file->path, seconds);
	else
		mih_log_write(&event,
			      "%s: checked, %.2f GB in %.1f s, %.2f GB/s",
			      check->file->path, gb, seconds, gb / seconds);
}
