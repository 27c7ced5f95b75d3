/*
 * util/log.h - one line per event, as text or JSON, wherever logs are kept
 *
 * Layer: src/util.  Threads: internally locked; a line is written whole.
 *
 * doc/logging.md lists events and fields; their names are stable.
 */
#ifndef MIH_UTIL_LOG_H
#define MIH_UTIL_LOG_H

#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

enum mih_log_level {
	MIH_LOG_ERROR,
	MIH_LOG_WARNING,
	MIH_LOG_INFO,
	MIH_LOG_DEBUG,
};

enum mih_log_format {
	MIH_LOG_TEXT, /* "mihfs: warning: message" */
	MIH_LOG_JSON, /* {"time":"...Z","level":"warning","event":"note",... */
};

enum mih_log_target {
	MIH_LOG_TO_STDERR,
	MIH_LOG_TO_SYSTEM, /* the journal, else syslog(3): for a daemon that has
			      given up its terminal */
};

/** What happened, in fields for programs; the line for people goes with it. */
struct mih_log_event {
	enum mih_log_level level;
	const char *name;      /* "refusal", "serving" ...; NULL: "note" */
	const char *path;      /* of a file of the model, or NULL */
	uint64_t off, nbytes;  /* its bytes concerned, unless nbytes is 0 */
	const char *algorithm; /* "mth4k-sha256", or NULL */
	const char *expected, *found; /* digests as text, or NULL */
};

/**
 * mih_log_setup() - choose level, format and target, at any time
 * @level:  least severe level that is written (default MIH_LOG_INFO)
 * @format: text or JSON
 * @target: stderr, or the system's log. A stderr that leads to the journal is
 *          the journal, with all fields, unless JSON is asked for.
 */
void mih_log_setup(enum mih_log_level level, enum mih_log_format format,
		   enum mih_log_target target);

/**
 * mih_log_connect() - to the system's logs, for lines that may come later
 *
 * Who gives up the right to connect must do it before.
 *
 * Return: true if refusals go to the kernel's audit, which takes
 * CAP_AUDIT_WRITE each time.
 */
bool mih_log_connect(void);

/**
 * mih_log_mount() - the mount that all lines are about from now on
 * @mountpoint: copied; cut if longer than a path can be
 *
 * While there is one thread.
 */
void mih_log_mount(const char *mountpoint);

/** mih_log_verbose() - down to debug, or back to what was set up; any time. */
void mih_log_verbose(bool on);

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

/** mih_log_write() - the same with fields; @fmt as for mih_log(). */
void mih_log_write(const struct mih_log_event *event, const char *fmt, ...)
    MIH_PRINTF(2, 3);

/**
 * mih_log_refusal() - that bytes were refused: the line, and an audit record
 * @event: of level MIH_LOG_ERROR and the name "refusal"
 *
 * The record goes to the kernel's audit where we may write to it; else, as an
 * event "audit", to the system's log or into JSON (a log of text alone has the
 * line already).
 */
void mih_log_refusal(const struct mih_log_event *event, const char *line);

/** How many lines there may still be about one thing; start from { 0 }. */
struct mih_log_budget {
	unsigned nlines; /* since the minute began */
	uint64_t since_ns;
};

enum mih_log_leave { MIH_LOG_SAY, MIH_LOG_SAY_LAST, MIH_LOG_SILENT };

/**
 * mih_log_budget_take() - may one more line be written?
 *
 * 64 in a minute, of which the last should say that it is the last one, so that
 * nobody fills a log. One thread at a time.
 */
enum mih_log_leave mih_log_budget_take(struct mih_log_budget *budget);

#endif
