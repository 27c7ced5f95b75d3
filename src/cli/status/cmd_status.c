/*
 * mihfs status: what a mount says of itself in its control folder.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/status/fetch.h"
#include "cli/status/words.h"
#include "fs/host/mountinfo.h"
#include "util/out/json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define COMMAND	    "status"
#define TIMEOUT_MS  5000
#define INTERVAL_MS 2000

struct options {
	bool json, ready, watch;
	const char *timeout_text, *interval_text;
	unsigned timeout_ms, interval_ms;
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
		{ "watch", 0, MIH_CLI_FLAG, &o->watch, NULL,
		  "look again and again, and print a line each time", NULL },
		{ "interval", 0, MIH_CLI_TEXT, &o->interval_text, "SECONDS",
		  "between two looks of --watch (default: 2)", NULL },
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

static int settle_seconds(const char *name, const char *text, unsigned *ms)
{
	if (!text || mih_cli_seconds_parse(text, ms))
		return MIH_CLI_GO_ON;
	return mih_cli_usage(COMMAND, "--%s '%s' is no number of seconds", name,
			     text);
}

static int settle(struct options *o, char **operands)
{
	int end = settle_seconds("timeout", o->timeout_text, &o->timeout_ms);

	if (end == MIH_CLI_GO_ON)
		end = settle_seconds("interval", o->interval_text,
				     &o->interval_ms);
	if (end == MIH_CLI_GO_ON && (o->ready || o->watch) && !operands[0])
		end = mih_cli_usage(COMMAND, "--%s needs a MOUNTPOINT",
				    o->ready ? "ready" : "watch");
	if (end == MIH_CLI_GO_ON && o->ready + o->watch + o->json > 1)
		end = mih_cli_usage(COMMAND, "--json, --ready and --watch "
					     "exclude each other");
	return end;
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

/* A look at the mount; NULL and an exit code if it cannot be had. */
static json_t *look(const struct options *o, const char *mountpoint,
		    struct mih_buffer *text, int *end)
{
	json_t *status = NULL;
	mih_err err = mih_cli_status_fetch(mountpoint, o->timeout_ms, text);

	if (!err) {
		status = json_loadb(text->data, text->len, 0, NULL);
		if (!json_is_object(status))
			err = mih_err_fail(-EIO,
					   "%s: its status is no JSON object",
					   mountpoint);
	}
	if (!err)
		return status;
	*end = mih_cli_fail(err);
	json_decref(status);
	return NULL;
}

static int say_written(int end)
{
	if (fflush(stdout) != EOF)
		return end;
	return mih_cli_fail(
	    mih_err_fail(-EIO, "standard output: cannot write"));
}

static int show(const struct options *o, const char *mountpoint)
{
	struct mih_buffer text = { 0 };
	int end = MIH_CLI_DONE;
	json_t *status = look(o, mountpoint, &text, &end);

	if (status && o->ready) {
		end = tell_ready(mountpoint, status);
	} else if (status) {
		if (o->json)
			fwrite(text.data, 1, text.len, stdout);
		else
			mih_cli_status_words(status);
		end = say_written(has_text(status, "status", "failed")
				      ? MIH_CLI_UNVERIFIED
				      : MIH_CLI_DONE);
	}
	json_decref(status);
	mih_buffer_fini(&text);
	return end;
}

static void wait_ms(unsigned ms)
{
	const struct timespec time = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	nanosleep(&time, NULL);
}

/* Until the mount does not answer any more, or somebody interrupts it. */
static int watch(const struct options *o, const char *mountpoint)
{
	json_t *before = NULL, *now;
	int end = MIH_CLI_DONE;

	mih_cli_status_headings();
	do {
		struct mih_buffer text = { 0 };

		now = look(o, mountpoint, &text, &end);
		mih_buffer_fini(&text);
		if (now && before)
			mih_cli_status_line(before, now,
					    o->interval_ms / 1000.0);
		json_decref(before);
		before = now;
		if (now)
			end = say_written(MIH_CLI_DONE);
		if (now && end == MIH_CLI_DONE)
			wait_ms(o->interval_ms);
	} while (now && end == MIH_CLI_DONE);
	json_decref(before);
	return end;
}

int mih_cli_status(int argc, char **argv)
{
	struct options o = {
		.timeout_ms = TIMEOUT_MS,
		.interval_ms = INTERVAL_MS,
	};
	char **operands = NULL;
	int end = parse(&o, argc, argv, &operands);

	if (end == MIH_CLI_GO_ON)
		end = settle(&o, operands);
	if (end != MIH_CLI_GO_ON)
		return end;
	if (!operands[0])
		return list_mounts(&o);
	return o.watch ? watch(&o, operands[0]) : show(&o, operands[0]);
}
