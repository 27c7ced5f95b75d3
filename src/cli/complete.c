#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

/* Where the words before the last one lead to. */
struct place {
	const struct mih_cli_option
	    *wants;	    /* an option without its value yet */
	bool only_operands; /* behind "--" */
	int noperands;
};

static const struct mih_cli_option *
find_letter(const struct mih_cli_option *row, char letter)
{
	for (; row->name; row++)
		if (row->letter == letter)
			return row;
	return NULL;
}

/* The option whose value is the word behind @word, or NULL. */
static const struct mih_cli_option *
wants_next(const struct mih_cli_option *rows, const char *word)
{
	const struct mih_cli_option *row;

	if (word[1] != '-')
		row = find_letter(rows, word[strlen(word) - 1]);
	else if (strchr(word, '='))
		row = NULL;
	else
		row = mih_cli_options_find(rows, word + 2);
	return row && row->kind != MIH_CLI_FLAG ? row : NULL;
}

static bool is_option(const struct place *at, const char *word)
{
	return !at->only_operands && word[0] == '-' && word[1];
}

static void pass(struct place *at, const struct mih_cli_option *rows,
		 const char *word)
{
	if (at->wants) {
		/* bash makes three words of "--name=value" */
		if (strcmp(word, "=") != 0)
			at->wants = NULL;
	} else if (!strcmp(word, "--") && !at->only_operands) {
		at->only_operands = true;
	} else if (is_option(at, word)) {
		at->wants = wants_next(rows, word);
	} else {
		at->noperands++;
	}
}

static bool begins(const char *word, const char *with)
{
	return !strncmp(word, with, strlen(with));
}

/* Rows that --help does not list are not offered either. */
static void offer_rows(const struct mih_cli_option *row, const char *typed)
{
	char word[80];

	for (; row->name; row++) {
		snprintf(word, sizeof(word), "--%s", row->name);
		if (row->help && begins(word, typed))
			printf("%s\t%s\n", word, row->help);
		snprintf(word, sizeof(word), "-%c", row->letter);
		if (row->help && row->letter && begins(word, typed))
			printf("%s\t%s\n", word, row->help);
	}
}

static const char *paths_of(const struct mih_cli_option *row)
{
	if (!row->argument)
		return "none";
	if (!strcmp(row->argument, "DIR"))
		return "folder";
	return !strcmp(row->argument, "FILE") || !strcmp(row->argument, "PATH")
		   ? "file"
		   : "none";
}

/* @before: what of the typed word stays in front of the value */
static void offer_values(const struct mih_cli_option *row, const char *before,
			 const char *typed)
{
	int len = (int)(typed - before);

	puts(paths_of(row));
	for (size_t i = 0; row->choices && row->choices[i]; i++)
		if (begins(row->choices[i], typed))
			printf("%.*s%s\t%s\n", len, before, row->choices[i],
			       row->help ? row->help : "");
}

static void offer_option(const struct mih_cli_syntax *syntax, const char *typed)
{
	const char *value = strchr(typed, '=');
	const struct mih_cli_option *row = NULL;

	if (value && begins(typed, "--"))
		row = mih_cli_options_find(syntax->options, typed + 2);
	if (row && row->kind != MIH_CLI_FLAG) {
		offer_values(row, typed, value + 1);
		return;
	}
	puts("none");
	offer_rows(syntax->options, typed);
	offer_rows(mih_cli_options_common, typed);
}

static int finish(void)
{
	return fflush(stdout) == EOF ? MIH_CLI_SYSTEM : MIH_CLI_DONE;
}

int mih_cli_complete(const struct mih_cli_syntax *syntax, int n, char **words)
{
	const char *typed = n > 0 ? words[n - 1] : "";
	struct place at = { 0 };

	for (int i = 0; i < n - 1; i++)
		pass(&at, syntax->options, words[i]);
	if (at.wants) {
		if (!strcmp(typed, "="))
			typed++;
		offer_values(at.wants, typed, typed);
	} else if (typed[0] == '-' && !at.only_operands) {
		offer_option(syntax, typed);
	} else {
		bool full = syntax->max_operands >= 0 &&
			    at.noperands >= syntax->max_operands;

		puts(full ? "none" : "file");
	}
	return finish();
}

int mih_cli_complete_command(const char *word)
{
	puts("none");
	for (const struct mih_cli_command *c = mih_cli_commands; c->name; c++)
		if (begins(c->name, word))
			printf("%s\t%s\n", c->name, c->what);
	return finish();
}
