/*
 * cli/complete.h - tell a shell how a command line can go on
 *
 * Layer: src/cli.  Threads: the main thread only.
 *
 * The completion scripts in data/completions know no option: they ask
 *
 *	mihfs --complete WORD...
 *
 * with the words behind the program's name, the last being the one that is
 * typed, perhaps empty. The first line of the answer says which paths would do
 * too: "file" (of any type), "folder" or "none". Each further line is a whole
 * word and what it means, with a tab between them.
 */
#ifndef MIH_CLI_COMPLETE_H
#define MIH_CLI_COMPLETE_H

#include "cli/commands.h"
#include "cli/options.h"

/** As the first word: complete the others instead of running them. */
#define MIH_CLI_COMPLETE "--complete"

/**
 * mih_cli_complete() - print the answer for a command
 * @words: behind the command's name; the last is the one being typed
 * @n:     how many; none is like an empty one
 *
 * Return: an exit code.
 */
int mih_cli_complete(const struct mih_cli_syntax *syntax, int n, char **words);

/** mih_cli_complete_command() - the same for the name of a command. */
int mih_cli_complete_command(const char *word);

#endif
