/*
 * Sources: systemd, "Native Journal Protocol"; Linux audit, "Writing good
 * events" (how names are encoded).
 */
#include "util/log/record.h"
#include "util/out/json.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void add_time(struct mih_buffer *out)
{
	struct timespec now;
	struct tm tm;
	char second[32], text[48];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03ldZ", second,
		 now.tv_nsec / 1000000);
	mih_json_text(out, "time", text);
}

static void add_text(struct mih_buffer *out, const char *name, const char *text)
{
	if (text && *text)
		mih_json_text(out, name, text);
}

void mih_record_json(struct mih_buffer *out, const struct mih_record *record)
{
	const struct mih_log_event *event = record->event;

	mih_json_begin(out, NULL, '{');
	add_time(out);
	mih_json_text(out, "level", record->level);
	mih_json_text(out, "event", event->name);
	mih_json_text(out, "message", record->message);
	add_text(out, "mount", record->mount);
	add_text(out, "path", event->path);
	if (event->nbytes) {
		mih_json_number(out, "offset", event->off);
		mih_json_number(out, "length", event->nbytes);
	}
	add_text(out, "algorithm", event->algorithm);
	add_text(out, "expected", event->expected);
	add_text(out, "found", event->found);
	mih_json_end(out, '}');
}

/* The form that takes every byte: the length before the value. */
static void add_field(struct mih_buffer *out, const char *name,
		      const char *value)
{
	uint64_t len;

	if (!value || !*value)
		return;
	len = htole64(strlen(value));
	mih_buffer_text(out, name);
	mih_buffer_add(out, "\n", 1);
	mih_buffer_add(out, &len, sizeof(len));
	mih_buffer_text(out, value);
	mih_buffer_add(out, "\n", 1);
}

void mih_record_journal(struct mih_buffer *out, const struct mih_record *record)
{
	const struct mih_log_event *event = record->event;

	mih_buffer_print(out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=mihfs\n",
			 record->priority);
	add_field(out, "MESSAGE", record->message);
	add_field(out, "MIHFS_EVENT", event->name);
	add_field(out, "MIHFS_MOUNT", record->mount);
	add_field(out, "MIHFS_PATH", event->path);
	if (event->nbytes)
		mih_buffer_print(
		    out, "MIHFS_OFFSET=%" PRIu64 "\nMIHFS_LENGTH=%" PRIu64 "\n",
		    event->off, event->nbytes);
	add_field(out, "MIHFS_ALGORITHM", event->algorithm);
	add_field(out, "MIHFS_EXPECTED", event->expected);
	add_field(out, "MIHFS_FOUND", event->found);
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || *text == '"')
			return false;
	return true;
}

static void add_name(struct mih_buffer *out, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	if (is_plain(text)) {
		mih_buffer_print(out, " %s=\"%s\"", name, text);
		return;
	}
	mih_buffer_print(out, " %s=", name);
	for (; *text; text++)
		mih_buffer_print(out, "%02X", (unsigned char)*text);
}

void mih_record_audit(struct mih_buffer *out, const struct mih_record *record)
{
	const struct mih_log_event *event = record->event;

	mih_buffer_text(out, "op=refuse");
	add_name(out, "mount", record->mount);
	add_name(out, "name", event->path);
	if (event->nbytes)
		mih_buffer_print(out, " offset=%" PRIu64 " length=%" PRIu64,
				 event->off, event->nbytes);
	add_name(out, "algorithm", event->algorithm);
	add_name(out, "expected", event->expected);
	add_name(out, "found", event->found);
	mih_buffer_text(out, " res=failed");
}
