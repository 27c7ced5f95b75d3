#include "util/log.h"
#include "util/checked.h"
#include "util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* A message of which one path has nothing but bytes that become five. */
#define JSON_LINE (MIH_TEXT_LINE + 4 * 4095 + 128)

/* Atomic, because a daemon leaves its terminal while its threads run. */
static _Atomic enum mih_log_level max_level = MIH_LOG_INFO;
static _Atomic enum mih_log_format log_format = MIH_LOG_TEXT;
static _Atomic enum mih_log_target log_target = MIH_LOG_TO_STDERR;

static const char *const level_names[] = { "error", "warning", "info",
					   "debug" };
static const int syslog_levels[] = { LOG_ERR, LOG_WARNING, LOG_INFO,
				     LOG_DEBUG };

void mih_log_setup(enum mih_log_level level, enum mih_log_format format,
		   enum mih_log_target target)
{
	max_level = level;
	log_format = format;
	log_target = target;
}

/* The time zone too is read from a file once. */
void mih_log_connect(void)
{
	tzset();
	openlog("mihfs", LOG_PID | LOG_NDELAY, LOG_DAEMON);
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

#define JSON_END "\"}\n"

static int format_json(char *line, size_t cap, const char *level,
		       const char *message)
{
	struct timespec now;
	struct tm tm;
	char when[32];
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	n = snprintf(line, cap,
		     "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\","
		     "\"message\":\"",
		     when, now.tv_nsec / 1000000, level);
	n += (int)mih_text_json(message, line + n,
				cap - (size_t)n - (sizeof(JSON_END) - 1));
	return n + snprintf(line + n, cap - (size_t)n, JSON_END);
}

void mih_log(enum mih_log_level level, const char *fmt, ...)
{
	int saved = errno, n;
	char message[MIH_TEXT_LINE], line[JSON_LINE];
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	mih_text_format(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (log_format == MIH_LOG_JSON)
		n = format_json(line, sizeof(line), level_names[level],
				message);
	else
		n = snprintf(line, sizeof(line), "mihfs: %s: %s\n",
			     level_names[level], message);
	if (log_target == MIH_LOG_TO_SYSLOG)
		syslog(LOG_DAEMON | syslog_levels[level], "%s",
		       log_format == MIH_LOG_JSON ? line : message);
	else if (write(STDERR_FILENO, line,
		       MIH_MIN((size_t)n, sizeof(line) - 1)) < 0)
		errno = saved; /* nowhere left to complain */
	errno = saved;
}
