#include "cli/mount/mount_options.h"
#include "cli/commands.h"
#include "cli/mount/memory.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 48
#define MORE 2 /* rows that a command may add */

/* Sanitizers trace themselves and write where they like. */
#if HAVE_SANITIZERS
#define SANDBOX_DEFAULT MIH_CLI_SANDBOX_OFF
#else
#define SANDBOX_DEFAULT MIH_CLI_SANDBOX_ON
#endif

static const char *const serve_names[] = { "auto", "cache", "direct", "stage",
					   NULL };
static const char *const verify_names[] = { "lazy", "open", "mount", NULL };
static const char *const unsigned_names[] = { "hide", "deny", NULL };
static const char *const mismatch_names[] = { "eio", "stop", NULL };
static const char *const format_names[] = { "text", "json", NULL };
static const char *const sandbox_names[] = { "on", "off", "require", NULL };

/* What to check, and how. */
#define SERVICE_ROWS(o)                                                         \
	{ "root",     0,      MIH_CLI_TEXT,                                     \
	  &(o)->root, "FILE", "the signature bundle (required)",                \
	  NULL },                                                               \
	    { "tree",	    0,                                                  \
	      MIH_CLI_TEXT, &(o)->tree,                                         \
	      "FILE",	    "the sidecar (default: FILE of --root with .tree)", \
	      NULL },                                                           \
	    { "allow-symlinks",                                                 \
	      0,                                                                \
	      MIH_CLI_FLAG,                                                     \
	      &(o)->allow_symlinks,                                             \
	      NULL,                                                             \
	      "follow links that stay in MODEL",                                \
	      NULL },                                                           \
	    { "symlink-root",                                                   \
	      0,                                                                \
	      MIH_CLI_TEXT,                                                     \
	      &(o)->symlink_root,                                               \
	      "DIR",                                                            \
	      "follow links that stay in DIR, which holds MODEL",               \
	      NULL },                                                           \
	    { "serve",	   0,	  MIH_CLI_CHOICE,                               \
	      &(o)->serve, "HOW", "auto, cache, direct or stage",               \
	      serve_names },                                                    \
	    { "verify",                                                         \
	      0,                                                                \
	      MIH_CLI_CHOICE,                                                   \
	      &(o)->verify,                                                     \
	      "WHEN",                                                           \
	      "a file: lazy, as it is read; open; mount: all first",            \
	      verify_names },                                                   \
	    { "unsigned",                                                       \
	      0,                                                                \
	      MIH_CLI_CHOICE,                                                   \
	      &(o)->unsigned_files,                                             \
	      "WHAT",                                                           \
	      "files nobody signed: hide them, or deny the mount",              \
	      unsigned_names },                                                 \
	    { "on-mismatch",  0,                                                \
	      MIH_CLI_CHOICE, &(o)->on_mismatch,                                \
	      "WHAT",	      "wrong bytes: eio, or also stop the mount",       \
	      mismatch_names },                                                 \
	    MIH_CLI_DEVICE_OPTIONS((o)->devices),                               \
	    { "memory",	    0,                                                  \
	      MIH_CLI_SIZE, &(o)->memory,                                       \
	      "SIZE",	    "cache of verified bytes (default: 256M or less)",  \
	      NULL },                                                           \
	{                                                                       \
		"stage-memory", 0, MIH_CLI_SIZE, &(o)->stage_memory, "SIZE",    \
		    "staged files (default: half of what is free)", NULL        \
	}

/* How the process behaves. */
#define PROCESS_ROWS(x)                                                        \
	{ "foreground", 'f',                                                   \
	  MIH_CLI_FLAG, &(x)->foreground,                                      \
	  NULL,		"stay, and log to stderr",                             \
	  NULL },                                                              \
	    { "debug",	   'd',	 MIH_CLI_FLAG,                                 \
	      &(x)->debug, NULL, "log every FUSE message; means -f",           \
	      NULL },                                                          \
	    { "clear-dead", 0,                                                 \
	      MIH_CLI_FLAG, &(x)->clear_dead,                                  \
	      NULL,	    "unmount a mihfs whose server is gone first",      \
	      NULL },                                                          \
	    { "mkdir",	   0,	 MIH_CLI_FLAG,                                 \
	      &(x)->mkdir, NULL, "make MOUNTPOINT if it is missing",           \
	      NULL },                                                          \
	    { "options",    'o',                                               \
	      MIH_CLI_LIST, &(x)->o,                                           \
	      "A,B=C",	    "options as in fstab: ours without --, or FUSE's", \
	      NULL },                                                          \
	    { "ready-fd",   0,                                                 \
	      MIH_CLI_TEXT, &(x)->ready_fd_text,                               \
	      "N",	    "write READY=1 there once the mount answers",      \
	      NULL },                                                          \
	    { "sandbox",                                                       \
	      0,                                                               \
	      MIH_CLI_CHOICE,                                                  \
	      &(x)->sandbox,                                                   \
	      "HOW",                                                           \
	      "on: all that is possible here; require: or fail; off",          \
	      sandbox_names },                                                 \
	    { "log-level",  0,                                                 \
	      MIH_CLI_TEXT, &(x)->log_level,                                   \
	      "LEVEL",	    "error, warning, info or debug",                   \
	      NULL },                                                          \
	{                                                                      \
		"log-format", 0, MIH_CLI_CHOICE, &(x)->log_format, "FORMAT",   \
		    "text or json", format_names                               \
	}

/* Who watches. */
#define EXPORT_ROWS(x)                                                         \
	{ "metrics-file",                                                      \
	  0,                                                                   \
	  MIH_CLI_TEXT,                                                        \
	  &(x)->export.file,                                                   \
	  "FILE",                                                              \
	  "write the metrics there, again and again",                          \
	  NULL },                                                              \
	    { "metrics-interval",                                              \
	      0,                                                               \
	      MIH_CLI_TEXT,                                                    \
	      &(x)->export.interval,                                           \
	      "SECONDS",                                                       \
	      "between two writes (default: 15)",                              \
	      NULL },                                                          \
	{                                                                      \
		"metrics-listen", 0, MIH_CLI_TEXT, &(x)->export.listen,        \
		    "WHERE",                                                   \
		    "serve them by HTTP: unix:PATH or 127.0.0.1:PORT", NULL    \
	}

static void fill_rows(struct mih_cli_mount_options *o,
		      const struct mih_cli_option *more,
		      struct mih_cli_option rows[ROWS])
{
	const struct mih_cli_option table[] = {
		SERVICE_ROWS(o),
		MIH_CLI_TRUST_OPTIONS(o->trust),
		PROCESS_ROWS(o),
		EXPORT_ROWS(o),
	};
	size_t n = MIH_ARRAY_LEN(table);

	_Static_assert(MIH_ARRAY_LEN(table) + MORE < ROWS, "rows");
	memcpy(rows, table, sizeof(table));
	for (; more && more->name && n + 1 < ROWS; more++)
		rows[n++] = *more;
	rows[n] = (struct mih_cli_option){ .name = NULL };
}

/* The words of "-o", as if they had been options of the command line. */
static int parse_o(struct mih_cli_mount_options *o,
		   const struct mih_cli_option *rows)
{
	const struct mih_cli_syntax syntax = {
		.command = o->command,
		.synopsis = "no operand in -o",
		.options = rows,
	};
	char **none;

	return mih_cli_options_parse(&syntax, (int)o->long_o.n,
				     (char **)o->long_o.items, &none);
}

/* Our long option of @word, "name" or "name=value"; NULL: it is none. */
static const struct mih_cli_option *find_ours(const struct mih_cli_option *rows,
					      const char *word)
{
	const struct mih_cli_option *row = mih_cli_options_find(rows, word);

	return row && row->letter != 'o' ? row : NULL;
}

static int add_text(struct mih_cli_list *list, char *text)
{
	const char **more =
	    text ? reallocarray(list->items, list->n + 2, sizeof(*more)) : NULL;

	if (!more) {
		free(text);
		return mih_cli_fail(-ENOMEM);
	}
	list->items = more;
	list->items[list->n++] = text;
	list->items[list->n] = NULL; /* it serves as an argv */
	return MIH_CLI_GO_ON;
}

/* "root=a\,b" becomes "--root=a,b". What lacks its value must not take the
 * next word for it. */
static int add_ours(struct mih_cli_mount_options *o,
		    const struct mih_cli_option *row, const char *word)
{
	char *text, *out;

	if (row->kind != MIH_CLI_FLAG && !strchr(word, '='))
		return mih_cli_usage(o->command, "-o %s lacks its value", word);
	text = out = malloc(strlen(word) + 3);
	if (text) {
		out = stpcpy(out, "--");
		for (; *word; word++) {
			if (word[0] == '\\' && word[1])
				word++;
			*out++ = *word;
		}
		*out = '\0';
	}
	return add_text(&o->long_o, text);
}

static int add_fuse(struct mih_cli_mount_options *o, const char *word)
{
	char *text;

	if (asprintf(&text, "%s%s%s", o->fuse ? o->fuse : "",
		     o->fuse ? "," : "", word) < 0)
		return mih_cli_fail(-ENOMEM);
	free(o->fuse);
	o->fuse = text;
	return MIH_CLI_GO_ON;
}

static int split(struct mih_cli_mount_options *o,
		 const struct mih_cli_option *rows, const char *text)
{
	int end = MIH_CLI_GO_ON;

	while (end == MIH_CLI_GO_ON && *text) {
		const char *stop = mih_text_option_end(text);
		mih_autofree char *word = strndup(text, (size_t)(stop - text));
		const struct mih_cli_option *row;

		if (!word)
			return mih_cli_fail(-ENOMEM);
		row = find_ours(rows, word);
		end = row ? add_ours(o, row, word) : add_fuse(o, word);
		text = *stop ? stop + 1 : stop;
	}
	return end;
}

/* Once for the command line, once more for what "-o" holds of ours. */
static int parse_all(struct mih_cli_mount_options *o,
		     const struct mih_cli_mount_form *form, int argc,
		     char **argv, char ***operands_out)
{
	struct mih_cli_option rows[ROWS];
	const struct mih_cli_syntax syntax = {
		.command = form->command,
		.synopsis = form->synopsis,
		.about = form->about,
		.options = rows,
		.min_operands = form->least,
		.max_operands = form->most,
	};
	int end;

	fill_rows(o, form->more, rows);
	end = mih_cli_options_parse(&syntax, argc, argv, operands_out);
	if (end != MIH_CLI_GO_ON)
		return end;
	end = add_text(&o->long_o, strdup(form->command));
	for (size_t i = 0; end == MIH_CLI_GO_ON && i < o->o.n; i++)
		end = split(o, rows, o->o.items[i]);
	if (end == MIH_CLI_GO_ON && o->long_o.n > 1)
		end = parse_o(o, rows);
	return end;
}

static int settle_ready_fd(struct mih_cli_mount_options *o)
{
	char *rest;
	long fd;

	o->ready_fd = -1;
	if (!o->ready_fd_text)
		return MIH_CLI_GO_ON;
	fd = strtol(o->ready_fd_text, &rest, 10);
	if (rest == o->ready_fd_text || *rest || fd < 0 || fd > 1 << 20 ||
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return mih_cli_usage(o->command,
				     "--ready-fd %s is no open descriptor",
				     o->ready_fd_text);
	o->ready_fd = (int)fd;
	return MIH_CLI_GO_ON;
}

static int settle_log(struct mih_cli_mount_options *o)
{
	const char *given = getenv("MIHFS_LOG_LEVEL");

	o->level = o->debug ? MIH_LOG_DEBUG : MIH_LOG_INFO;
	if (given && !o->debug && mih_log_level_parse(given, &o->level))
		return mih_cli_usage(o->command,
				     "MIHFS_LOG_LEVEL '%s' is none of: error, "
				     "warning, info, debug",
				     given);
	if (o->log_level && mih_log_level_parse(o->log_level, &o->level))
		return mih_cli_usage(o->command,
				     "--log-level '%s' is none of: error, "
				     "warning, info, debug",
				     o->log_level);
	return MIH_CLI_GO_ON;
}

static int settle(struct mih_cli_mount_options *o)
{
	int end = MIH_CLI_GO_ON;

	if (!o->root)
		end =
		    mih_cli_usage(o->command, "--root FILE is missing: the "
					      "signature bundle of the model");
	if (end == MIH_CLI_GO_ON && o->memory < MIH_CLI_MEMORY_LEAST)
		end =
		    mih_cli_usage(o->command, "--memory must be at least 16M");
	if (end == MIH_CLI_GO_ON)
		end = settle_log(o);
	if (end == MIH_CLI_GO_ON)
		end = settle_ready_fd(o);
	o->foreground |= o->debug;
	return end;
}

int mih_cli_mount_options_parse(struct mih_cli_mount_options *o,
				const struct mih_cli_mount_form *form, int argc,
				char **argv, char ***operands_out)
{
	int end;

	*o = (struct mih_cli_mount_options){ .command = form->command,
					     .memory = MIH_CLI_MEMORY_UNSAID,
					     .stage_memory =
						 MIH_CLI_MEMORY_UNSAID,
					     .sandbox = SANDBOX_DEFAULT };
	end = parse_all(o, form, argc, argv, operands_out);
	return end == MIH_CLI_GO_ON ? settle(o) : end;
}

bool mih_cli_mount_options_know(const char *word)
{
	struct mih_cli_mount_options o = { .command = NULL };
	struct mih_cli_option rows[ROWS];

	fill_rows(&o, NULL, rows);
	return find_ours(rows, word) != NULL;
}

mih_err mih_cli_mount_options_keep(struct mih_cli_mount_options *o, char *text)
{
	return add_text(&o->long_o, text) == MIH_CLI_GO_ON
		   ? 0
		   : mih_err_fail_errno(-ENOMEM, "mihfs");
}

void mih_cli_mount_options_fini(struct mih_cli_mount_options *o)
{
	for (size_t i = 0; i < o->long_o.n; i++)
		free((char *)o->long_o.items[i]);
	mih_cli_list_fini(&o->long_o);
	mih_cli_list_fini(&o->o);
	mih_cli_list_fini(&o->devices.device);
	mih_cli_trust_fini(&o->trust);
	free(o->fuse);
}
