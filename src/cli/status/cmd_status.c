/*
 * mihfs status: what a mount says of itself in its control folder.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/status/fetch.h"
#include "cli/status/words.h"
#include "fs/host/mountinfo.h"
#include "util/cleanup.h"
#include "util/out/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND	    "status"
#define TIMEOUT_MS  5000
#define SECONDS_MAX 86400

struct options {
	bool json, ready;
	const char *timeout_text;
	unsigned timeout_ms;
};

static const char about[] = "Show what the mount on MOUNTPOINT has verified "
			    "and refused so far; without\n"
			    "MOUNTPOINT, list the mounts of mihfs. Ends with 0 "
			    "if all that was read was\n"
			    "right, 1 if something of it is bad now, 3 if "
			    "there is no mount that answers.";

static int parse(struct options *o, int argc, char **argv, char ***operands)
{
	const struct mih_cli_option rows[] = {
		{ "json", 0, MIH_CLI_FLAG, &o->json, NULL,
		  "the whole status as one JSON object", NULL },
		{ "ready", 0, MIH_CLI_FLAG, &o->ready, NULL,
		  "print nothing; 0 only if the mount answers and its "
		  "signature was verified",
		  NULL },
		{ "timeout", 0, MIH_CLI_TEXT, &o->timeout_text, "SECONDS",
		  "how long the mount may take to answer (default: 5)", NULL },
		{ .name = NULL },
	};
	const struct mih_cli_syntax syntax = {
		.command = COMMAND,
		.synopsis = "[options] [MOUNTPOINT]",
		.about = about,
		.options = rows,
		.max_operands = 1,
	};

	return mih_cli_options_parse(&syntax, argc, argv, operands);
}

/* "2.5" to milliseconds. */
static bool parse_seconds(const char *text, unsigned *ms_out)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0.001 && value <= SECONDS_MAX))
		return false;
	*ms_out = (unsigned)(value * 1000);
	return true;
}

static int settle(struct options *o, char **operands)
{
	o->timeout_ms = TIMEOUT_MS;
	if (o->timeout_text && !parse_seconds(o->timeout_text, &o->timeout_ms))
		return mih_cli_usage(COMMAND,
				     "--timeout '%s' is no number of seconds",
				     o->timeout_text);
	if (o->ready && !operands[0])
		return mih_cli_usage(COMMAND, "--ready needs a MOUNTPOINT");
	return MIH_CLI_GO_ON;
}

static bool see_json(const struct mih_fs_mounted *mounted, void *context)
{
	struct mih_buffer *out = context;

	if (strcmp(mounted->type, MIH_FS_TYPE) != 0)
		return true;
	mih_json_begin(out, NULL, '{');
	mih_json_text(out, "mountpoint", mounted->path);
	mih_json_text(out, "model", mounted->source);
	mih_json_end(out, '}');
	return true;
}

static bool see_words(const struct mih_fs_mounted *mounted, void *context)
{
	(void)context;
	if (strcmp(mounted->type, MIH_FS_TYPE) != 0)
		return true;
	mih_cli_status_put(mounted->source);
	fputs(" on ", stdout);
	mih_cli_status_put(mounted->path);
	putchar('\n');
	return true;
}

static int list_mounts(const struct options *o)
{
	struct mih_buffer out = { 0 };
	mih_err err;

	mih_json_begin(&out, NULL, '[');
	err = mih_fs_mountinfo_each(o->json ? see_json : see_words, &out);
	mih_json_end(&out, ']');
	if (!err)
		err = mih_buffer_end(&out);
	if (!err && o->json)
		puts(out.data);
	mih_buffer_fini(&out);
	return err ? mih_cli_fail(err) : MIH_CLI_DONE;
}

static void put_json(json_t **json)
{
	json_decref(*json);
}

static bool has_text(const json_t *status, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(status, name));

	return value && !strcmp(value, text);
}

static int tell_ready(const char *mountpoint, const json_t *status)
{
	if (json_is_true(json_object_get(status, "ready")) &&
	    has_text(status, "signature", "verified"))
		return MIH_CLI_DONE;
	return mih_cli_fail(
	    mih_err_fail(-EAGAIN, "%s: not ready yet", mountpoint));
}

static int show(const struct options *o, const char *mountpoint,
		const struct mih_buffer *text)
{
	MIH_CLEANUP(put_json)
	json_t *status = json_loadb(text->data, text->len, 0, NULL);

	if (!json_is_object(status))
		return mih_cli_fail(mih_err_fail(
		    -EIO, "%s: its status is no JSON object", mountpoint));
	if (o->ready)
		return tell_ready(mountpoint, status);
	if (o->json)
		fwrite(text->data, 1, text->len, stdout);
	else
		mih_cli_status_words(status);
	if (fflush(stdout) == EOF)
		return mih_cli_fail(
		    mih_err_fail(-EIO, "standard output: cannot write"));
	return has_text(status, "status", "failed") ? MIH_CLI_UNVERIFIED
						    : MIH_CLI_DONE;
}

int mih_cli_status(int argc, char **argv)
{
	struct options o = { 0 };
	struct mih_buffer text = { 0 };
	char **operands = NULL;
	int end = parse(&o, argc, argv, &operands);
	mih_err err;

	if (end == MIH_CLI_GO_ON)
		end = settle(&o, operands);
	if (end != MIH_CLI_GO_ON)
		return end;
	if (!operands[0])
		return list_mounts(&o);
	err = mih_cli_status_fetch(operands[0], o.timeout_ms, &text);
	if (!err)
		end = show(&o, operands[0], &text);
	mih_buffer_fini(&text);
	return err ? mih_cli_fail(err) : end;
}
