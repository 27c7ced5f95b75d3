/*
 * mihfs [COMMAND] ...: finds the command and nothing else. Without a command,
 * words that begin with '-' or '/' mean a mount: that is how people type it
 * and how mount(8) calls it.
 */
#include "cli/commands.h"
#include "cli/service/mount_helper.h"
#include "cli/complete.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
const struct mih_cli_command mih_cli_commands[] = {
	{ "mount", "serve a signed model; the word may be left out",
	  mih_cli_mount },
	{ "umount", "unmount, also what is dead or does not answer",
	  mih_cli_umount },
	{ "run", "run a command that sees the model verified", mih_cli_run },
	{ "sign", "sign a model directory", mih_cli_sign },
	{ "verify", "check a whole model, without a mount", mih_cli_verify },
	{ "digest", "print digests, sign nothing", mih_cli_digest },
	{ "tree", "build the sidecar of a signed model again", mih_cli_tree },
	{ "inspect", "show who claims to have signed what", mih_cli_inspect },
	{ "fd-helper", "mount for an unprivileged server", mih_cli_fd_helper },
	{ "status", "show what a mount has verified and refused",
	  mih_cli_status },
	{ "doctor", "say what this host offers, and what to do",
	  mih_cli_doctor },
	{ "bench", "measure what this host can hash and verify",
	  mih_cli_bench },
	{ NULL, NULL, NULL },
};
/* clang-format on */

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

static mih_cli_main find_command(const char *name)
{
	for (const struct mih_cli_command *c = mih_cli_commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c->run;
	return NULL;
}

static bool is_one_of(const char *word, const char *name, const char *letter)
{
	return !strcmp(word, name) || !strcmp(word, letter);
}

static int print_help(void)
{
	printf("usage: mihfs --root signed.json MODEL MOUNTPOINT\n"
	       "       mihfs COMMAND [options] ...\n\n"
	       "Serve a signed model: every byte is checked before it is "
	       "returned.\n\ncommands:\n");
	for (const struct mih_cli_command *c = mih_cli_commands; c->name; c++)
		printf("  %-10s %s\n", c->name, c->what);
	printf("\n'mihfs COMMAND --help' tells more, 'mihfs --version' "
	       "the version.\n");
	return MIH_CLI_DONE;
}

/* "-" and "/" at the front mean a mount whose word was left out. */
static bool is_mount(const char *word)
{
	return word[0] == '-' || word[0] == '/';
}

/* "--complete WORD..." becomes "COMMAND --complete WORD...". */
static int complete(int argc, char **argv)
{
	const char *first = argc > 2 ? argv[2] : "";
	mih_cli_main run;

	if (is_mount(first))
		return mih_cli_mount(argc, argv);
	if (argc <= 3)
		return mih_cli_complete_command(first);
	run = find_command(first);
	if (!run)
		return MIH_CLI_USAGE;
	argv[2] = argv[1];
	return run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	mih_cli_main run;

	if (argc > 0 && mih_cli_mount_helper_is(argv[0]))
		return mih_cli_mount_helper(argc, argv);
	if (argc < 2)
		return mih_cli_usage("", "no command");
	if (is_one_of(argv[1], "--help", "-h"))
		return print_help();
	if (is_one_of(argv[1], "--version", "-V"))
		return mih_cli_version();
	if (!strcmp(argv[1], MIH_CLI_COMPLETE))
		return complete(argc, argv);
	run = find_command(argv[1]);
	if (run)
		return run(argc - 1, argv + 1);
	if (is_mount(argv[1]))
		return argv[1][0] == '/' ? mih_cli_mount_plain(argc, argv)
					 : mih_cli_mount(argc, argv);
	return mih_cli_usage("", "unknown command '%s'", argv[1]);
}
