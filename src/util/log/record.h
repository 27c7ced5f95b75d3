/*
 * util/log/record.h - an event with all that is said about it
 *
 * Layer: src/util.  Threads: a record belongs to the thread that writes it.
 */
#ifndef MIH_UTIL_LOG_RECORD_H
#define MIH_UTIL_LOG_RECORD_H

#include "util/log.h"
#include "util/out/buffer.h"

#include <stddef.h>

struct mih_record {
	const struct mih_log_event *event;
	const char *level;   /* as text */
	int priority;	     /* of syslog(3) */
	const char *mount;   /* "" while there is none */
	const char *message; /* one line */
};

/** mih_record_json() - one object, without a newline. */
void mih_record_json(struct mih_buffer *out, const struct mih_record *record);

/** mih_record_journal() - a datagram for the journal. */
void mih_record_journal(struct mih_buffer *out,
			const struct mih_record *record);

/**
 * mih_record_audit() - the text of an audit record: "op=refuse name=..."
 *
 * What anybody may have named is in quotes, or in hexadecimal digits if it
 * could be mistaken for other fields.
 */
void mih_record_audit(struct mih_buffer *out, const struct mih_record *record);

#endif
