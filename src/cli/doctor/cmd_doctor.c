/*
 * mihfs doctor: what this host offers to a mount, and what to do about the
 * rest.
 */
#include "cli/commands.h"
#include "cli/doctor/doctor.h"
#include "cli/options.h"
#include "util/checked.h"
#include "util/out/json.h"
#include "util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	void (*look)(struct mih_cli_doctor *d);
} sections[] = {
	{ "kernel", mih_cli_doctor_kernel },
	{ "fuse", mih_cli_doctor_fuse },
	{ "limits", mih_cli_doctor_limits },
	{ "sandbox", mih_cli_doctor_sandbox },
	{ "mounts", mih_cli_doctor_mounts },
	/* Last: drivers have threads, and the others fork. */
	{ "devices", mih_cli_doctor_devices },
};

bool mih_cli_doctor_read(const char *file, char *line, size_t cap)
{
	FILE *f = fopen(file, "re");
	bool got = f && fgets(line, (int)cap, f);

	if (f)
		fclose(f);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

void mih_cli_doctor_fact(struct mih_cli_doctor *d, const char *name,
			 const char *fmt, ...)
{
	char text[MIH_TEXT_LINE];
	va_list args;

	va_start(args, fmt);
	mih_text_format(text, sizeof(text), fmt, args);
	va_end(args);
	if (d->json)
		mih_json_text(&d->facts, name, text);
	else
		mih_buffer_print(&d->facts, "  %-24s %s\n", name, text);
}

void mih_cli_doctor_problem(struct mih_cli_doctor *d,
			    enum mih_cli_doctor_weight weight, const char *fmt,
			    ...)
{
	bool fatal = weight == MIH_CLI_DOCTOR_FATAL;
	char text[MIH_TEXT_LINE];
	va_list args;

	d->fatal |= fatal;
	va_start(args, fmt);
	mih_text_format(text, sizeof(text), fmt, args);
	va_end(args);
	if (!d->json) {
		mih_buffer_print(&d->problems, "%s %s\n", fatal ? "!!" : " !",
				 text);
		return;
	}
	mih_json_begin(&d->problems, NULL, '{');
	mih_json_text(&d->problems, "section", d->section);
	mih_json_flag(&d->problems, "fatal", fatal);
	mih_json_text(&d->problems, "text", text);
	mih_json_end(&d->problems, '}');
}

static void look(struct mih_cli_doctor *d)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(sections); i++) {
		d->section = sections[i].name;
		if (d->json)
			mih_json_begin(&d->facts, d->section, '{');
		else
			mih_buffer_print(&d->facts, "%s\n", d->section);
		sections[i].look(d);
		if (d->json)
			mih_json_end(&d->facts, '}');
	}
}

static void print(struct mih_cli_doctor *d)
{
	const char *problems = d->problems.data ? d->problems.data : "";

	if (d->json) {
		mih_json_begin(&d->facts, "problems", '[');
		mih_buffer_text(&d->facts, problems);
		mih_json_end(&d->facts, ']');
		mih_json_flag(&d->facts, "ok", !d->fatal);
		mih_json_end(&d->facts, '}');
		puts(d->facts.data);
		return;
	}
	fputs(d->facts.data, stdout);
	if (*problems)
		printf("\nwhat to do (!! before a mount can work)\n%s",
		       problems);
	else
		puts("\nnothing to do");
}

static int run(struct mih_cli_doctor *d)
{
	if (d->json)
		mih_json_begin(&d->facts, NULL, '{');
	look(d);
	if (mih_buffer_end(&d->facts) || mih_buffer_end(&d->problems))
		return mih_cli_fail(-ENOMEM);
	print(d);
	return d->fatal ? MIH_CLI_SYSTEM : MIH_CLI_DONE;
}

int mih_cli_doctor(int argc, char **argv)
{
	struct mih_cli_doctor d = { .json = false };
	const struct mih_cli_option options[] = {
		{ .name = "json",
		  .kind = MIH_CLI_FLAG,
		  .value = &d.json,
		  .help = "one JSON object" },
		{ .name = NULL },
	};
	const struct mih_cli_syntax syntax = {
		.command = "doctor",
		.synopsis = "[options]",
		.about = "Look at kernel, libfuse, devices, limits and mounts "
			 "of this host, and say\nwhat to do. Ends with 3 if no "
			 "mount can work here.",
		.options = options,
	};
	char **operands;
	int end = mih_cli_options_parse(&syntax, argc, argv, &operands);

	if (end == MIH_CLI_GO_ON)
		end = run(&d);
	mih_buffer_fini(&d.facts);
	mih_buffer_fini(&d.problems);
	return end;
}
