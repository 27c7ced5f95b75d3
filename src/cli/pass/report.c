#include "cli/pass/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *mih_cli_json_text(const char *text)
{
	json_t *string = json_string(text);
	char *copy;

	if (string)
		return string;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = json_string(copy);
	free(copy);
	return string;
}

void mih_cli_report_add(struct mih_cli_report *report, const char *path,
			const char *why)
{
	mih_err_fail(MIH_EDIGEST, "%s: %s", path, why);
	fprintf(stderr, "%s\n", mih_err_message());
	report->n++;
	if (!report->failures)
		report->failures = json_array();
	json_array_append_new(report->failures,
			      json_pack("{s:o, s:o}", "path",
					mih_cli_json_text(path), "reason",
					mih_cli_json_text(why)));
}

json_t *mih_cli_report_take(struct mih_cli_report *report)
{
	json_t *failures = report->failures;

	report->failures = NULL;
	return failures ? failures : json_array();
}

void mih_cli_report_fini(struct mih_cli_report *report)
{
	json_decref(report->failures);
	report->failures = NULL;
}

mih_err mih_cli_json_print(json_t *object)
{
	int bad;

	if (!object)
		return mih_err_fail_errno(-ENOMEM, "mihfs");
	bad = json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
	if (bad || putchar('\n') == EOF || fflush(stdout) == EOF)
		return mih_err_fail(-EIO, "standard output: cannot write");
	return 0;
}
