/*
 * Paths to leave out come in as people and tools write them: relative to the
 * model, absolute, or with the model in front as for other tools, with "./" in
 * front or "/" behind. The scan wants them relative to the model and plain.
 */
#include "cli/pass/pass.h"
#include "util/cleanup.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static mih_err no_memory(void)
{
	return mih_err_fail_errno(-ENOMEM, "mihfs");
}

/* Takes over @path. */
static mih_err append(struct mih_cli_ignore *ignore, char **path)
{
	char **more = reallocarray(ignore->paths, ignore->n + 1, sizeof(*more));

	if (!more)
		return no_memory();
	ignore->paths = more;
	more[ignore->n++] = MIH_STEAL(path);
	return 0;
}

/* "./a//b/." -> "a/b": empty and "." components go. In place. */
static void tidy(char *path)
{
	char *to = path, *save = NULL, *part;

	for (part = strtok_r(path, "/", &save); part;
	     part = strtok_r(NULL, "/", &save)) {
		size_t len = strlen(part);

		if (!strcmp(part, "."))
			continue;
		if (to != path)
			*to++ = '/';
		memmove(to, part, len);
		to += len;
	}
	*to = '\0';
}

/* Like realpath(3), but the last component need not exist. */
static char *real_file(const char *path)
{
	mih_autofree char *for_dir = strdup(path);
	mih_autofree char *for_base = strdup(path);
	mih_autofree char *dir = NULL;
	char *file;

	if (!for_dir || !for_base)
		return NULL;
	dir = realpath(dirname(for_dir), NULL);
	if (!dir || asprintf(&file, "%s/%s", strcmp(dir, "/") ? dir : "",
			     basename(for_base)) < 0)
		return NULL;
	return file;
}

/* The real path of the folder that the scan's paths are relative to. */
static char *real_model(const char *model)
{
	mih_autofree char *file = NULL;
	struct stat st;

	if (stat(model, &st) < 0)
		return NULL;
	if (S_ISDIR(st.st_mode))
		return realpath(model, NULL);
	file = real_file(model);
	return file ? strdup(dirname(file)) : NULL;
}

/* The part of @path below @top, or NULL. */
static const char *below(const char *top, const char *path)
{
	size_t len = strlen(top);

	if (!strcmp(top, "/"))
		return path + 1;
	return !strncmp(top, path, len) && path[len] == '/' ? path + len + 1
							    : NULL;
}

mih_err mih_cli_ignore_add_own(struct mih_cli_ignore *ignore, const char *model,
			       const char *file)
{
	mih_autofree char *top = real_model(model);
	mih_autofree char *real = real_file(file);
	mih_autofree char *path = NULL;
	const char *rest = top && real ? below(top, real) : NULL;

	if (!rest || !*rest)
		return 0; /* elsewhere, or nowhere: nothing to leave out */
	path = strdup(rest);
	return path ? append(ignore, &path) : no_memory();
}

mih_err mih_cli_ignore_add(struct mih_cli_ignore *ignore, const char *model,
			   const char *path)
{
	mih_autofree char *copy = NULL, *top = NULL, *rest = NULL;
	const char *within;

	if (*path == '/')
		return mih_cli_ignore_add_own(ignore, model, path);
	copy = strdup(path);
	top = strdup(model);
	if (!copy || !top)
		return no_memory();
	tidy(copy);
	tidy(top);
	within = *model == '/' || !*top ? NULL : below(top, copy);
	rest = strdup(within ? within : copy);
	if (!rest)
		return no_memory();
	return *rest ? append(ignore, &rest) : 0;
}

void mih_cli_ignore_fini(struct mih_cli_ignore *ignore)
{
	for (size_t i = 0; i < ignore->n; i++)
		free(ignore->paths[i]);
	free(ignore->paths);
	*ignore = (struct mih_cli_ignore){ 0 };
}

mih_err mih_cli_links_open(const struct mih_cli_model_options *options,
			   const char *model, struct mih_io_links *links)
{
	mih_autofree char *folder = NULL;

	*links = (struct mih_io_links){ .follow = options->allow_symlinks };
	if (!options->symlink_root)
		return 0;
	folder = real_model(model);
	return mih_io_links_open(options->symlink_root, folder ? folder : model,
				 links);
}
