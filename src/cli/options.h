/*
 * cli/options.h - option tables, --help, and one line for bad usage
 *
 * Layer: src/cli.  Threads: the main thread only.
 *
 * A command lists its options as rows that point at its own variables. Long
 * names are spelled with hyphens; underscores are accepted too, as scripts
 * for other signing tools use both.
 */
#ifndef MIH_CLI_OPTIONS_H
#define MIH_CLI_OPTIONS_H

#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Arguments of an option that may be repeated, in order. */
struct mih_cli_list {
	const char **items; /* texts borrowed from argv; the array is owned */
	size_t n;
};

/** What an option's value is, and so what its row points at. */
enum mih_cli_kind {
	MIH_CLI_FLAG,	/* bool: set to true */
	MIH_CLI_TEXT,	/* const char *: borrowed from argv; the last wins */
	MIH_CLI_LIST,	/* struct mih_cli_list */
	MIH_CLI_SIZE,	/* uint64_t: bytes, see mih_cli_size_parse() */
	MIH_CLI_CHOICE, /* int: index into the row's choices */
};

/** One row of a command's table; a row without a name ends it. */
struct mih_cli_option {
	const char *name; /* long name, with hyphens */
	char letter;	  /* short name, or 0 */
	enum mih_cli_kind kind;
	void *value;		    /* by kind; holds the default */
	const char *argument;	    /* "FILE", for --help; NULL for a flag */
	const char *help;	    /* one line; NULL: not listed in --help */
	const char *const *choices; /* NULL-terminated, for CHOICE */
};

/** A command line, described. */
struct mih_cli_syntax {
	const char *command;  /* "sign"; "" for the program itself */
	const char *synopsis; /* "[options] MODEL" */
	const char *about;    /* what it does; may hold newlines */
	const struct mih_cli_option *options;
	int min_operands, max_operands; /* max -1: any number */
};

#define MIH_CLI_GO_ON (-1)

/** The rows that every command has by itself. */
extern const struct mih_cli_option mih_cli_options_common[];

/**
 * mih_cli_options_find() - the row of a long option
 * @rows: a table
 * @name: "trust-dir" or "trust_dir"; ends at its first '=' or NUL
 *
 * Return: NULL if there is none.
 */
const struct mih_cli_option *
mih_cli_options_find(const struct mih_cli_option *rows, const char *name);

/**
 * mih_cli_options_parse() - read a command line into the rows' variables
 * @syntax: what is accepted; --help and --version come by themselves
 * @argc, @argv: as given to the command; options and operands are reordered
 * @operands_out: set to the first operand within @argv (NULL-terminated)
 *
 * Bad usage is told in one line on stderr. A command line that begins with
 * MIH_CLI_COMPLETE is not read but completed (cli/complete.h).
 *
 * Return: MIH_CLI_GO_ON, or the exit code with which the command ends now.
 */
int mih_cli_options_parse(const struct mih_cli_syntax *syntax, int argc,
			  char **argv, char ***operands_out);

/**
 * mih_cli_options_parse_one() - the same for a command with one operand
 * @syntax: its min_operands and max_operands are not looked at
 * @operand_out: set to the operand (borrowed from @argv)
 */
int mih_cli_options_parse_one(const struct mih_cli_syntax *syntax, int argc,
			      char **argv, const char **operand_out);

/**
 * mih_cli_usage() - tell in one line what is wrong with the command line
 * @command: "sign"
 * @fmt:     printf format without a newline
 *
 * Return: MIH_CLI_USAGE.
 */
int mih_cli_usage(const char *command, const char *fmt, ...) MIH_PRINTF(2, 3);

/** mih_cli_version() - print it; returns MIH_CLI_DONE */
int mih_cli_version(void);

/**
 * mih_cli_size_parse() - "4096", "64K", "1.5G", "2GiB" to bytes
 * @text:      digits, perhaps with a fraction, and K, M, G, T or P (powers of
 *             1024), perhaps followed by "B" or "iB"
 * @bytes_out: set on success; fractions of a byte are cut off
 *
 * Return: true if @text had that form and fits.
 */
bool mih_cli_size_parse(const char *text, uint64_t *bytes_out);

/**
 * mih_cli_seconds_parse() - "2.5" to milliseconds
 *
 * Return: true if @text was a number from 0.001 to a day's seconds.
 */
bool mih_cli_seconds_parse(const char *text, unsigned *ms_out);

/** mih_cli_list_fini() - release the array; an empty list is legal. */
void mih_cli_list_fini(struct mih_cli_list *list);

/** Options about what hashes; start from { 0 }. */
struct mih_cli_device_options {
	struct mih_cli_list device; /* names for mih_gpu_open() */
	uint64_t gpu_memory;	    /* 0: the default */
};

/** Rows for a command's table; @o: a struct mih_cli_device_options. */
#define MIH_CLI_DEVICE_OPTIONS(o)                                              \
	{ .name = "device",                                                    \
	  .kind = MIH_CLI_LIST,                                                \
	  .value = &(o).device,                                                \
	  .argument = "DEVICE",                                                \
	  .help = "what hashes: auto, cpu, cuda[:N|:UUID], opencl[:N|:UUID]; " \
		  "repeatable" },                                              \
	{                                                                      \
		.name = "gpu-memory", .kind = MIH_CLI_SIZE,                    \
		.value = &(o).gpu_memory, .argument = "SIZE",                  \
		.help = "memory taken on each device (default: 144M)"          \
	}

#endif
