/*
 * mihfs [COMMAND] ...: finds the command and nothing else. Without a command,
 * words that begin with '-' or '/' mean a mount: that is how people type it
 * and how mount(8) calls it.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "util/checked.h"

#include <stdio.h>
#include <string.h>

struct command {
	const char *name;
	mih_cli_command run;
};

/* clang-format off */
static const struct command commands[] = {
	{ "mount", mih_cli_mount },
	{ "sign", mih_cli_sign },
	{ "verify", mih_cli_verify },
	{ "digest", mih_cli_digest },
	{ "tree", mih_cli_tree },
	{ "inspect", mih_cli_inspect },
	{ "bench", mih_cli_bench },
	{ NULL, NULL },
};
/* clang-format on */

static const char about[] =
    "Serve a signed model: every byte is checked before it is returned.\n\n"
    "  mihfs --root signed.json MODEL MOUNTPOINT   mount (or: mihfs mount)\n"
    "  mihfs sign     sign a model directory\n"
    "  mihfs verify   check a whole model, without a mount\n"
    "  mihfs digest   print digests, sign nothing\n"
    "  mihfs tree     build the sidecar of a signed model again\n"
    "  mihfs inspect  show who claims to have signed what\n"
    "  mihfs bench    measure what this host can hash and verify\n\n"
    "'mihfs COMMAND --help' tells more.";

int mih_cli_exit_code(mih_err err)
{
	switch (err) {
	case 0:
		return MIH_CLI_DONE;
	case MIH_EDIGEST:
	case MIH_EUNTRUSTED:
	case MIH_EFORMAT:
		return MIH_CLI_UNVERIFIED;
	case MIH_EUSAGE:
		return MIH_CLI_USAGE;
	case MIH_ENOANCHOR:
		return MIH_CLI_NO_ANCHOR;
	default:
		return MIH_CLI_SYSTEM;
	}
}

int mih_cli_fail(mih_err err)
{
	const char *story = mih_err_message();

	fprintf(stderr, "%s\n", *story ? story : strerror(-err));
	return mih_cli_exit_code(err);
}

static mih_cli_command find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c->run;
	return NULL;
}

static bool is_program_option(const char *word)
{
	static const char *const words[] = { "-h", "--help", "-V",
					     "--version" };

	for (size_t i = 0; i < MIH_ARRAY_LEN(words); i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static const struct mih_cli_option none[] = { { .name = NULL } };
	static const struct mih_cli_syntax syntax = {
		.command = "",
		.synopsis = "COMMAND [options] ...",
		.about = about,
		.options = none,
		.max_operands = -1,
	};
	mih_cli_command run;
	char **operands;

	if (argc < 2)
		return mih_cli_usage("", "no command");
	if (is_program_option(argv[1]))
		return mih_cli_options_parse(&syntax, 2, argv, &operands);
	run = find_command(argv[1]);
	if (run)
		return run(argc - 1, argv + 1);
	run = find_command("mount");
	if (run && strchr("-/", argv[1][0]))
		return run(argc, argv);
	return mih_cli_usage("", "unknown command '%s'", argv[1]);
}
