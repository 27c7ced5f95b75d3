/*
 * util/log.h - one line per event, as text or JSON
 *
 * Layer: src/util.  Threads: internally locked; a line is written whole.
 */
#ifndef MIH_UTIL_LOG_H
#define MIH_UTIL_LOG_H

#include "util/err.h"

enum mih_log_level {
	MIH_LOG_ERROR,
	MIH_LOG_WARNING,
	MIH_LOG_INFO,
	MIH_LOG_DEBUG,
};

enum mih_log_format {
	MIH_LOG_TEXT, /* "mihfs: warning: message" */
	MIH_LOG_JSON, /* {"time":"...Z","level":"warning","message":"..."} */
};

enum mih_log_target {
	MIH_LOG_TO_STDERR,
	MIH_LOG_TO_SYSLOG, /* for a daemon that has given up its terminal */
};

/**
 * mih_log_setup() - choose level, format and target, at any time
 * @level:  least severe level that is written (default MIH_LOG_INFO)
 * @format: text or JSON
 * @target: stderr or syslog(3)
 */
void mih_log_setup(enum mih_log_level level, enum mih_log_format format,
		   enum mih_log_target target);

/**
 * mih_log_connect() - to the system's log, for lines that may come later
 *
 * Who gives up the right to connect must do it before.
 */
void mih_log_connect(void);

/**
 * mih_log_level_parse() - "error", "warning", "info" or "debug" to its level
 * @name:      text
 * @level_out: set on success
 *
 * Return: 0, or -EINVAL for any other text.
 */
MIH_MUST_CHECK mih_err mih_log_level_parse(const char *name,
					   enum mih_log_level *level_out);

/**
 * mih_log() - write one line (no newline in @fmt); errno is preserved
 * @level: severity
 * @fmt:   printf format; control characters are shown as '?'; two paths of 4095
 *         bytes fit in. In JSON a byte that is no UTF-8 is shown as "\xff".
 */
void mih_log(enum mih_log_level level, const char *fmt, ...) MIH_PRINTF(2, 3);

#define mih_log_error(...)   mih_log(MIH_LOG_ERROR, __VA_ARGS__)
#define mih_log_warning(...) mih_log(MIH_LOG_WARNING, __VA_ARGS__)
#define mih_log_info(...)    mih_log(MIH_LOG_INFO, __VA_ARGS__)
#define mih_log_debug(...)   mih_log(MIH_LOG_DEBUG, __VA_ARGS__)

#endif
