#include "cli/service/mount_helper.h"
#include "cli/commands.h"
#include "cli/mount/serve.h"
#include "util/cleanup.h"
#include "util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "mount.mihfs"

/* The exit codes of mount(8). */
enum { END_DONE = 0, END_USAGE = 1, END_SYSTEM = 2, END_FAILED = 32 };

/* mount(8) begins with "rw" unless told otherwise, and mount.fuse3 ends with
 * "dev,suid": nobody has asked for them. A mount has none of these. */
static const char *const defaults[] = { "rw", "dev", "suid", "async", NULL };

/* What libfuse and fusermount3 know and a sloppy mount may keep. */
static const char *const of_fuse[] = {
	"allow_other", "allow_root", "auto_unmount", "noexec", "exec",
	"noatime",     "atime",	     "sync",	     "fsname", NULL
};

static bool is_one_of(const char *word, const char *const *words)
{
	size_t len = strcspn(word, "=");

	for (; *words; words++)
		if (!strncmp(*words, word, len) && !(*words)[len])
			return true;
	return false;
}

static bool is_kept(const char *word, bool sloppy)
{
	if (is_one_of(word, defaults))
		return false;
	return !sloppy || is_one_of(word, of_fuse) ||
	       mih_cli_mount_options_know(word);
}

/* "rw,root=a\,b" becomes "root=a\,b". NULL: out of memory. */
static char *filter(const char *words, bool sloppy)
{
	char *text = malloc(strlen(words) + 1), *out = text;

	while (text && *words) {
		const char *end = mih_text_option_end(words);
		mih_autofree char *word = strndup(words, (size_t)(end - words));

		if (!word) {
			free(text);
			return NULL;
		}
		if (*word && is_kept(word, sloppy))
			out +=
			    sprintf(out, "%s%s", out > text ? "," : "", word);
		words = *end ? end + 1 : end;
	}
	if (text)
		*out = '\0';
	return text;
}

bool mih_cli_mount_helper_is(const char *program)
{
	const char *slash = strrchr(program, '/');

	return !strcmp(slash ? slash + 1 : program, PROGRAM);
}

int mih_cli_mount_plain(int argc, char **argv)
{
	struct mih_cli_list texts = { .n = 0 };
	int end;

	texts.items = calloc((size_t)argc + 1, sizeof(*texts.items));
	if (!texts.items)
		return mih_cli_fail(-ENOMEM);
	for (int i = 1; i + 1 < argc; i++) {
		char *text;

		if (strcmp(argv[i], "-o") != 0)
			continue;
		text = filter(argv[++i], false);
		if (!text)
			break;
		texts.items[texts.n++] = argv[i] = text;
	}
	end = mih_cli_mount(argc, argv);
	for (size_t i = 0; i < texts.n; i++)
		free((char *)texts.items[i]);
	mih_cli_list_fini(&texts);
	return end;
}

/* --- mount.mihfs -----------------------------------------------------------
 */

struct helper {
	bool fake, sloppy, verbose;
	const char *words; /* of the one -o that mount(8) gives */
	char *text;	   /* what is left of them; owned */
};

static int usage(const char *why)
{
	fprintf(stderr,
		PROGRAM ": %s\n"
			"usage: " PROGRAM " MODEL DIR [-fnrsvw] -o root=FILE,"
			"public-key=FILE[,...]\n",
		why);
	return END_USAGE;
}

static int parse(struct helper *h, int argc, char **argv)
{
	int got;

	opterr = 0;
	while ((got = getopt(argc, argv, "fnrsvwo:t:")) != -1)
		switch (got) {
		case 'f':
			h->fake = true;
			break;
		case 's':
			h->sloppy = true;
			break;
		case 'v':
			h->verbose = true;
			break;
		case 'o':
			/* Of two, neither may be dropped. */
			if (h->words)
				return usage("more than one -o");
			h->words = optarg;
			break;
		case 'n': /* there is no mtab */
		case 'r': /* it is */
		case 'w': /* the kernel's default, as "rw" */
		case 't': /* we know */
			break;
		default:
			return usage("unknown option");
		}
	return argc - optind == 2 ? END_DONE
				  : usage("expected a model and a directory");
}

static int end_of(int code)
{
	switch (code) {
	case MIH_CLI_DONE:
		return END_DONE;
	case MIH_CLI_USAGE:
		return END_USAGE;
	case MIH_CLI_SYSTEM:
		break;
	default:
		return END_FAILED;
	}
	switch (mih_err_last()) {
	case -EPERM:
	case -EACCES:
		return END_USAGE;
	case -ENOMEM:
	case -EAGAIN:
	case -EMFILE:
	case -ENFILE:
	case -ECHILD:
		return END_SYSTEM;
	default:
		return END_FAILED;
	}
}

/* As if "mihfs mount -o WORDS -- MODEL DIR" had been typed. */
static int mount_as(const struct helper *h, const char *model, const char *dir)
{
	static const struct mih_cli_mount_form form = {
		.command = "mount",
		.synopsis = "-o root=FILE,... MODEL DIR",
		.about = "",
		.least = 2,
		.most = 2,
	};
	const char *argv[] = { PROGRAM, "-o", h->text, "--", model, dir, NULL };
	struct mih_cli_mount_options o;
	char **operands;
	int end =
	    mih_cli_mount_options_parse(&o, &form, 6, (char **)argv, &operands);

	if (end == MIH_CLI_GO_ON && h->fake)
		end = MIH_CLI_DONE;
	if (end == MIH_CLI_GO_ON) {
		o.model = operands[0];
		o.mountpoint = operands[1];
		end = mih_cli_mount_serve(&o);
	}
	mih_cli_mount_options_fini(&o);
	return end_of(end);
}

int mih_cli_mount_helper(int argc, char **argv)
{
	struct helper h = { .words = NULL };
	int end = parse(&h, argc, argv);

	if (end != END_DONE)
		return end;
	h.text = filter(h.words ? h.words : "", h.sloppy);
	if (!h.text)
		return END_SYSTEM;
	end = mount_as(&h, argv[optind], argv[optind + 1]);
	free(h.text);
	return end;
}
