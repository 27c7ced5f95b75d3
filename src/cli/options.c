#include "cli/options.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX    64 /* of one command, --help and --version too */
#define SECONDS_MAX 86400
#define VAL_FIRST   1000 /* above every letter */
#define VAL_HELP    (VAL_FIRST - 1)
#define VAL_VER	    (VAL_FIRST - 2)

/* What getopt_long() wants to know, made from a command's rows. */
struct table {
	struct option longs[2 * ROWS_MAX + 1];
	char spellings[ROWS_MAX][40]; /* the names with underscores */
	char shorts[2 * ROWS_MAX + 8];
	size_t nlongs, nshorts;
};

int mih_cli_usage(const char *command, const char *fmt, ...)
{
	const char *gap = *command ? " " : "";
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	mih_err_fail(MIH_EUSAGE, "mihfs%s%s: %s (see 'mihfs%s%s --help')", gap,
		     command, line, gap, command);
	return mih_cli_fail(MIH_EUSAGE);
}

bool mih_cli_seconds_parse(const char *text, unsigned *ms_out)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0.001 && value <= SECONDS_MAX))
		return false;
	*ms_out = (unsigned)(value * 1000);
	return true;
}

void mih_cli_list_fini(struct mih_cli_list *list)
{
	free(list->items);
	*list = (struct mih_cli_list){ 0 };
}

static bool list_add(struct mih_cli_list *list, const char *item)
{
	const char **more =
	    reallocarray(list->items, list->n + 1, sizeof(*more));

	if (!more)
		return false;
	more[list->n++] = item;
	list->items = more;
	return true;
}

/* The shift that a unit stands for, or -1; "", "K", "KB" and "KiB" are units */
static int unit_shift(const char *unit)
{
	static const char letters[] = "KMGTP";
	const char *at;

	if (!*unit || !strcmp(unit, "B"))
		return 0;
	at = strchr(letters, toupper((unsigned char)*unit));
	if (!at || (unit[1] && strcmp(unit + 1, "B") && strcmp(unit + 1, "iB")))
		return -1;
	return 10 * (int)(at - letters + 1);
}

bool mih_cli_size_parse(const char *text, uint64_t *bytes_out)
{
	uint64_t whole, part = 0, scale = 1;
	char *end;
	int shift;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	whole = strtoull(text, &end, 10);
	if (*end == '.') {
		/* Four digits are finer than anybody means, and their product
		 * with the largest unit still fits. */
		for (end++; isdigit((unsigned char)*end); end++)
			if (scale < 10000) {
				part = 10 * part + (uint64_t)(*end - '0');
				scale *= 10;
			}
		if (scale == 1)
			return false;
	}
	shift = unit_shift(end);
	if (errno || shift < 0 ||
	    !mih_checked_mul(whole, 1ULL << shift, &whole))
		return false;
	return mih_checked_add(whole, (part << shift) / scale, bytes_out);
}

static void add_long(struct table *table, const char *name, int has_arg,
		     int val)
{
	table->longs[table->nlongs++] =
	    (struct option){ name, has_arg, NULL, val };
}

/* Both spellings of a name get the same val, so that getopt_long() does not
 * call an abbreviation of the two ambiguous. */
static void add_row(struct table *table, const struct mih_cli_option *row,
		    size_t i)
{
	int has_arg =
	    row->kind == MIH_CLI_FLAG ? no_argument : required_argument;
	int val = VAL_FIRST + (int)i;
	char *spelling = table->spellings[i];

	add_long(table, row->name, has_arg, val);
	if (strchr(row->name, '-')) {
		snprintf(spelling, sizeof(table->spellings[i]), "%s",
			 row->name);
		for (char *c = spelling; *c; c++)
			if (*c == '-')
				*c = '_';
		add_long(table, spelling, has_arg, val);
	}
	if (row->letter) {
		table->shorts[table->nshorts++] = row->letter;
		if (has_arg == required_argument)
			table->shorts[table->nshorts++] = ':';
	}
}

static void build_table(const struct mih_cli_syntax *syntax,
			struct table *table)
{
	memset(table, 0, sizeof(*table));
	/* ':' first: getopt() tells a missing argument from an unknown name */
	table->shorts[table->nshorts++] = ':';
	table->shorts[table->nshorts++] = 'h';
	table->shorts[table->nshorts++] = 'V';
	add_long(table, "help", no_argument, VAL_HELP);
	add_long(table, "version", no_argument, VAL_VER);
	for (size_t i = 0; i < ROWS_MAX - 2 && syntax->options[i].name; i++)
		add_row(table, &syntax->options[i], i);
}

const struct mih_cli_option *
mih_cli_options_find(const struct mih_cli_option *rows, const char *name)
{
	size_t len = strcspn(name, "=");

	for (; rows->name; rows++) {
		size_t i = 0;

		while (i < len &&
		       (name[i] == '_' ? '-' : name[i]) == rows->name[i])
			i++;
		if (i == len && !rows->name[len])
			return rows;
	}
	return NULL;
}

static const struct mih_cli_option *
find_row(const struct mih_cli_syntax *syntax, int val)
{
	if (val >= VAL_FIRST)
		return &syntax->options[val - VAL_FIRST];
	for (const struct mih_cli_option *row = syntax->options; row->name;
	     row++)
		if (row->letter && row->letter == val)
			return row;
	return NULL;
}

static int set_choice(const struct mih_cli_syntax *syntax,
		      const struct mih_cli_option *row, const char *text)
{
	char known[256] = "";

	for (int i = 0; row->choices[i]; i++) {
		size_t n = strlen(known);

		if (!strcmp(row->choices[i], text)) {
			*(int *)row->value = i;
			return MIH_CLI_GO_ON;
		}
		snprintf(known + n, sizeof(known) - n, "%s%s", i ? ", " : "",
			 row->choices[i]);
	}
	return mih_cli_usage(syntax->command, "--%s '%s' is none of: %s",
			     row->name, text, known);
}

static int set_value(const struct mih_cli_syntax *syntax,
		     const struct mih_cli_option *row, const char *text)
{
	switch (row->kind) {
	case MIH_CLI_FLAG:
		*(bool *)row->value = true;
		return MIH_CLI_GO_ON;
	case MIH_CLI_TEXT:
		*(const char **)row->value = text;
		return MIH_CLI_GO_ON;
	case MIH_CLI_LIST:
		if (list_add(row->value, text))
			return MIH_CLI_GO_ON;
		return mih_cli_fail(-ENOMEM);
	case MIH_CLI_SIZE:
		if (mih_cli_size_parse(text, row->value))
			return MIH_CLI_GO_ON;
		return mih_cli_usage(syntax->command,
				     "--%s '%s' is not a size such as 512M",
				     row->name, text);
	case MIH_CLI_CHOICE:
		return set_choice(syntax, row, text);
	}
	return MIH_CLI_USAGE;
}

static void print_row(const struct mih_cli_option *row)
{
	char left[64];
	char letter[5] = "    ";

	if (!row->help)
		return;
	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name,
		 row->argument ? " " : "", row->argument ? row->argument : "");
	if (strlen(left) <= 28)
		printf("  %-28s %s\n", left, row->help);
	else
		printf("  %s\n  %-28s %s\n", left, "", row->help);
}

const struct mih_cli_option mih_cli_options_common[] = {
	{ .name = "help", .letter = 'h', .help = "this text" },
	{ .name = "version", .letter = 'V', .help = "the version" },
	{ .name = NULL },
};

static void print_rows(const struct mih_cli_option *row)
{
	for (; row->name; row++)
		print_row(row);
}

static int print_help(const struct mih_cli_syntax *syntax)
{
	printf("usage: mihfs%s%s %s\n\n%s\n\noptions:\n",
	       *syntax->command ? " " : "", syntax->command, syntax->synopsis,
	       syntax->about);
	print_rows(syntax->options);
	print_rows(mih_cli_options_common);
	return MIH_CLI_DONE;
}

int mih_cli_version(void)
{
	printf("mihfs %s\n", PACKAGE_VERSION);
	return MIH_CLI_DONE;
}

/* getopt() leaves the culprit in optopt (a letter, or a long option's val) or,
 * for an unknown long option, in the word it has just passed. */
static int refuse_option(const struct mih_cli_syntax *syntax, char **argv,
			 int got)
{
	if (got == ':')
		return mih_cli_usage(syntax->command, "%s needs a value",
				     argv[optind - 1]);
	if (optopt > 0 && optopt < VAL_VER)
		return mih_cli_usage(syntax->command, "unknown option -%c",
				     optopt);
	if (optopt >= VAL_VER)
		return mih_cli_usage(syntax->command, "%s takes no value",
				     argv[optind - 1]);
	return mih_cli_usage(syntax->command, "unknown option %s",
			     argv[optind - 1]);
}

static int check_operands(const struct mih_cli_syntax *syntax, int n)
{
	if (n < syntax->min_operands)
		return mih_cli_usage(syntax->command,
				     "too few arguments: expected %s",
				     syntax->synopsis);
	if (syntax->max_operands >= 0 && n > syntax->max_operands)
		return mih_cli_usage(syntax->command,
				     "too many arguments: expected %s",
				     syntax->synopsis);
	return MIH_CLI_GO_ON;
}

int mih_cli_options_parse(const struct mih_cli_syntax *syntax, int argc,
			  char **argv, char ***operands_out)
{
	mih_autofree struct table *table = malloc(sizeof(*table));
	const struct mih_cli_option *row;
	int got, end = MIH_CLI_GO_ON;

	if (argc > 1 && !strcmp(argv[1], MIH_CLI_COMPLETE))
		return mih_cli_complete(syntax, argc - 2, argv + 2);
	if (!table)
		return mih_cli_fail(-ENOMEM);
	build_table(syntax, table);
	opterr = 0;
	optind = 0; /* glibc: start afresh, whatever was parsed before */
	while (end == MIH_CLI_GO_ON) {
		got =
		    getopt_long(argc, argv, table->shorts, table->longs, NULL);
		if (got == -1)
			break;
		if (got == VAL_HELP || got == 'h')
			return print_help(syntax);
		if (got == VAL_VER || got == 'V')
			return mih_cli_version();
		row = got == '?' || got == ':' ? NULL : find_row(syntax, got);
		end = row ? set_value(syntax, row, optarg)
			  : refuse_option(syntax, argv, got);
	}
	*operands_out = argv + optind;
	return end == MIH_CLI_GO_ON ? check_operands(syntax, argc - optind)
				    : end;
}

int mih_cli_options_parse_one(const struct mih_cli_syntax *syntax, int argc,
			      char **argv, const char **operand_out)
{
	struct mih_cli_syntax one = *syntax;
	char **operands;
	int end;

	one.min_operands = one.max_operands = 1;
	end = mih_cli_options_parse(&one, argc, argv, &operands);
	if (end == MIH_CLI_GO_ON)
		*operand_out = operands[0];
	return end;
}
