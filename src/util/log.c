#include "util/log.h"
#include "util/checked.h"
#include "util/host/clock.h"
#include "util/log/record.h"
#include "util/log/system.h"
#include "util/text.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define BUDGET_LINES 64
#define BUDGET_NS    (60 * (uint64_t)1000000000)

/* Atomic, because a daemon leaves its terminal while its threads run. */
static _Atomic enum mih_log_level max_level = MIH_LOG_INFO;
static _Atomic enum mih_log_format log_format = MIH_LOG_TEXT;
static _Atomic enum mih_log_target log_target = MIH_LOG_TO_STDERR;
static _Atomic bool verbose, in_journal;
static char mount[PATH_MAX];

static const char *const level_names[] = { "error", "warning", "info",
					   "debug" };
static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void mih_log_setup(enum mih_log_level level, enum mih_log_format format,
		   enum mih_log_target target)
{
	max_level = level;
	log_format = format;
	log_target = target;
	in_journal = mih_system_is_journal();
}

bool mih_log_connect(void)
{
	return mih_system_connect();
}

void mih_log_mount(const char *mountpoint)
{
	snprintf(mount, sizeof(mount), "%s", mountpoint);
}

void mih_log_verbose(bool on)
{
	verbose = on;
}

mih_err mih_log_level_parse(const char *name, enum mih_log_level *level_out)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(level_names); i++)
		if (!strcmp(name, level_names[i])) {
			*level_out = (enum mih_log_level)i;
			return 0;
		}
	return MIH_EUSAGE;
}

/* Out of memory costs the fields, not the message. */
static void format(struct mih_buffer *out, const struct mih_record *record)
{
	if (log_format == MIH_LOG_JSON) {
		mih_record_json(out, record);
		mih_buffer_text(out, "\n");
		return;
	}
	/* Where the journal itself cannot be reached. */
	if (in_journal && log_target == MIH_LOG_TO_STDERR)
		mih_buffer_print(out, "<%d>", record->priority);
	mih_buffer_print(out, "mihfs: %s: %s\n", record->level,
			 record->message);
}

static void write_stderr(const struct mih_record *record)
{
	struct mih_buffer out = { 0 };

	format(&out, record);
	if (mih_buffer_end(&out))
		(void)!write(STDERR_FILENO, record->message,
			     strlen(record->message));
	else
		(void)!write(STDERR_FILENO, out.data, out.len);
	mih_buffer_fini(&out);
}

static void write_system(const struct mih_record *record)
{
	struct mih_buffer out = { 0 };

	if (mih_system_journal(record))
		return;
	if (log_format == MIH_LOG_JSON)
		mih_record_json(&out, record);
	mih_system_syslog(record->priority, out.data && !mih_buffer_end(&out)
						? out.data
						: record->message);
	mih_buffer_fini(&out);
}

static void write_record(const struct mih_record *record)
{
	if (log_target == MIH_LOG_TO_SYSTEM)
		write_system(record);
	else if (!in_journal || log_format == MIH_LOG_JSON ||
		 !mih_system_journal(record))
		write_stderr(record);
}

static struct mih_record record_of(const struct mih_log_event *event,
				   const char *message)
{
	return (struct mih_record){
		.event = event,
		.level = level_names[event->level],
		.priority = priorities[event->level],
		.mount = mount,
		.message = message,
	};
}

static void MIH_PRINTF(2, 0)
    write_event(const struct mih_log_event *event, const char *fmt, va_list ap)
{
	struct mih_log_event named = *event;
	struct mih_record record;
	char message[MIH_TEXT_LINE];
	int saved = errno;

	if (event->level > max_level && !verbose)
		return;
	if (!named.name)
		named.name = "note";
	mih_text_format(message, sizeof(message), fmt, ap);
	record = record_of(&named, message);
	write_record(&record);
	errno = saved;
}

void mih_log_write(const struct mih_log_event *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_event(event, fmt, ap);
	va_end(ap);
}

void mih_log(enum mih_log_level level, const char *fmt, ...)
{
	const struct mih_log_event event = { .level = level };
	va_list ap;

	va_start(ap, fmt);
	write_event(&event, fmt, ap);
	va_end(ap);
}

static void write_audit(const struct mih_log_event *refusal)
{
	struct mih_log_event event = *refusal;
	struct mih_record record = record_of(&event, "");
	struct mih_buffer text = { 0 };

	event.name = "audit";
	mih_record_audit(&text, &record);
	if (!mih_buffer_end(&text) && !mih_system_audit(text.data) &&
	    (log_format == MIH_LOG_JSON || log_target == MIH_LOG_TO_SYSTEM ||
	     in_journal))
		mih_log_write(&event, "audit: %s", text.data);
	mih_buffer_fini(&text);
}

void mih_log_refusal(const struct mih_log_event *event, const char *line)
{
	mih_log_write(event, "%s", line);
	write_audit(event);
}

enum mih_log_leave mih_log_budget_take(struct mih_log_budget *budget)
{
	uint64_t now = mih_clock_ns();

	if (!budget->nlines || now - budget->since_ns >= BUDGET_NS)
		*budget = (struct mih_log_budget){ .since_ns = now };
	if (budget->nlines >= BUDGET_LINES)
		return MIH_LOG_SILENT;
	return ++budget->nlines == BUDGET_LINES ? MIH_LOG_SAY_LAST
						: MIH_LOG_SAY;
}
