/*
 * Rekor v1's promise: "I have this entry, and I had it at that time."
 */
#include "sig/keyless/keyless.h"
#include "util/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The one text that the log signs: RFC 8785 of four members. */
static char *promise_text(const struct mih_sig_entry *entry)
{
	size_t len = mih_sig_base64_len(entry->body.len);
	mih_autofree char *body = malloc(len + 1);
	char id[65], *text;

	if (!body)
		return NULL;
	mih_sig_base64_encode(entry->body.at, entry->body.len, body);
	body[len] = '\0';
	mih_bytes_to_hex(entry->log_id, sizeof(entry->log_id), id);
	if (asprintf(&text,
		     "{\"body\":\"%s\",\"integratedTime\":%" PRId64
		     ",\"logID\":\"%s\",\"logIndex\":%" PRId64 "}",
		     body, entry->integrated_time, id, entry->log_index) < 0)
		return NULL;
	return text;
}

mih_err mih_sig_set_check(const struct mih_sig_check *check,
			  const struct mih_sig_entry *entry,
			  struct mih_sig_times *times)
{
	const struct mih_sig_log *log =
	    mih_sig_log_find(&check->root->rekor, entry->log_id);
	mih_autofree char *text = NULL;

	if (!entry->set.at)
		return 0;
	text = promise_text(entry);
	if (!text)
		return mih_err_fail_errno(-ENOMEM, "%s", check->bundle->file);
	if (!mih_sig_log_verify(log, entry->set.at, entry->set.len, text,
				strlen(text)))
		return mih_err_fail(
		    MIH_EUNTRUSTED,
		    "%s: signed entry timestamp: not by log %s over entry "
		    "%" PRId64 " at %s",
		    check->bundle->file, log->host, entry->log_index,
		    mih_sig_time_text(entry->integrated_time).text);
	times->at[times->n++] = entry->integrated_time;
	return 0;
}
