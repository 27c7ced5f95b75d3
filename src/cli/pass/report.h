/*
 * cli/pass/report.h - what went wrong, as lines and as JSON
 *
 * Layer: src/cli.  Threads: the main thread only.
 */
#ifndef MIH_CLI_PASS_REPORT_H
#define MIH_CLI_PASS_REPORT_H

#include "util/err.h"

#include <jansson.h>
#include <stddef.h>

/** Failures told so far; start from { 0 }. */
struct mih_cli_report {
	size_t n;
	json_t *failures; /* array of {path, reason}; owned; NULL while empty */
};

/**
 * mih_cli_report_add() - print "<path>: <why>" on stderr and remember it
 * @path: as it is; control characters are shown as '?'
 */
void mih_cli_report_add(struct mih_cli_report *report, const char *path,
			const char *why);

/**
 * mih_cli_report_take() - hand over the array of failures, perhaps empty
 *
 * Return: a new reference, for json_pack("o").
 */
json_t *mih_cli_report_take(struct mih_cli_report *report);

/** mih_cli_report_fini() - release; after take too. */
void mih_cli_report_fini(struct mih_cli_report *report);

/**
 * mih_cli_json_text() - a JSON string of text that may be no UTF-8
 *
 * Return: a new reference; bytes that are no UTF-8 are shown as '?'.
 */
json_t *mih_cli_json_text(const char *text);

/**
 * mih_cli_json_print() - one object and a newline on stdout; frees @object
 *
 * Return: 0, or -ENOMEM or -EIO with a story (NULL counts as out of memory).
 */
MIH_MUST_CHECK mih_err mih_cli_json_print(json_t *object);

#endif
