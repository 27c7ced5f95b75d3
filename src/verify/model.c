/*
 * A model is open when its signature is trusted and every signed file is
 * there, regular and of the signed size. Contents are the engine's business.
 */
#include "verify/model.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/log.h"
#include "util/text.h"
#include "verify/look.h"
#include "verify/scan.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A signed name of single-file models, by older tools. */
#define THE_FILE "."

/* Where the signature tells no size the disk does, until the file has been read
 * from end to end. This bounds what its bits and layers take, 28 MiB, and there
 * is no file of weights near it. */
#define UNSIGNED_SIZE_MAX ((uint64_t)4 << 40)

/* While a model is being opened. */
struct opening {
	const struct mih_verify_model_params *params;
	struct mih_verify_model *model;
	size_t nproblems;
	char first[MIH_TEXT_LINE]; /* the first problem's line */
};

static void report(const struct opening *opening, const char *line)
{
	if (opening->params->problem)
		opening->params->problem(opening->params->context, line);
}

/* A single one is the story, and no line besides. */
static void problem(struct opening *opening, const char *line)
{
	if (!opening->nproblems++) {
		snprintf(opening->first, sizeof(opening->first), "%s", line);
		return;
	}
	if (opening->nproblems == 2)
		report(opening, opening->first);
	report(opening, line);
}

static mih_err tell_problems(const struct opening *opening)
{
	const struct mih_verify_model_params *params = opening->params;

	if (opening->nproblems == 1)
		return mih_err_fail(MIH_EDIGEST, "%s", opening->first);
	if (params->problem)
		return mih_err_fail(MIH_EDIGEST,
				    "%s: %zu files are not as signed",
				    params->dir, opening->nproblems);
	return mih_err_fail(MIH_EDIGEST, "%s (and %zu more)", opening->first,
			    opening->nproblems - 1);
}

/* Directory of the model; for a single file the one it lies in. */
static mih_err open_dir(struct opening *opening)
{
	struct mih_verify_model *model = opening->model;
	const char *path = opening->params->dir;
	struct stat st;
	mih_autofree char *copy = strdup(path);

	model->dir = strdup(path);
	if (!copy || !model->dir)
		return -ENOMEM;
	if (stat(path, &st) < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	if (S_ISREG(st.st_mode)) {
		model->name = strdup(basename(copy));
		strcpy(copy, path);
		path = dirname(copy);
		if (!model->name)
			return -ENOMEM;
	}
	model->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (model->dirfd < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	if (opening->params->symlink_root)
		return mih_io_links_open(opening->params->symlink_root, path,
					 &model->links);
	return 0;
}

static mih_err open_bundle(struct opening *opening)
{
	const struct mih_verify_model_params *params = opening->params;
	mih_err err =
	    mih_sig_bundle_read(params->bundle, &opening->model->bundle);

	if (err)
		return err;
	return mih_sig_bundle_verify(opening->model->bundle, params->trust);
}

/* Where bytes come from is no matter of trust, as they are proven anyway: a
 * link within the model is followed if the signer followed links, or if the
 * operator says so. Only the operator can let one lead out of the model. */
static void open_links(struct opening *opening)
{
	struct mih_verify_model *model = opening->model;

	if (opening->params->allow_symlinks ||
	    mih_sig_bundle_manifest(model->bundle)->allow_symlinks)
		model->links.follow = true;
}

/* What a sidecar of these files holds at most. */
static struct mih_tree_sidecar_limits
sidecar_limits(const struct mih_verify_model *model)
{
	struct mih_tree_sidecar_limits limits = { .nfiles = model->nfiles };

	for (size_t i = 0; i < model->nfiles; i++)
		limits.paths_nbytes += strlen(model->files[i].path);
	return limits;
}

/* It is not trusted anyway, so nothing about it is fatal. */
static void open_sidecar(struct opening *opening)
{
	const struct mih_verify_model_params *params = opening->params;
	struct mih_verify_model *model = opening->model;
	const struct mih_tree_sidecar_limits limits = sidecar_limits(model);
	mih_autofree char *beside = NULL;
	const char *path = params->sidecar;
	mih_err err;

	if (!path) {
		if (asprintf(&beside, "%s.tree", params->bundle) < 0) {
			beside = NULL;
			return;
		}
		path = beside;
	}
	err = mih_tree_sidecar_open(path, &limits, &model->sidecar);
	if (!err)
		return;
	model->sidecar = NULL;
	if (err == -ENOENT && params->sidecar)
		mih_log_warning("%s: no such tree file", path);
	else if (err != -ENOENT)
		mih_log_warning("%s; serving without it", mih_err_message());
}

static void fill_file(struct mih_verify_file *file,
		      const struct mih_sig_resource *resource)
{
	*file = (struct mih_verify_file){
		.path = resource->name,
		.resource = resource,
	};
	if (resource->nshards > 0) {
		file->proof = MIH_VERIFY_BY_SHARD;
		file->tree = MIH_HASH_MTH4K_SHA256;
		file->nbytes = resource->nbytes;
	} else if (resource->tree != MIH_HASH_NONE) {
		file->proof = MIH_VERIFY_BY_TREE;
		file->tree = resource->tree;
		file->root = resource->root;
		file->nbytes = resource->nbytes;
	} else if (resource->alg == MIH_HASH_BLAKE3) {
		file->proof = MIH_VERIFY_BY_TREE;
		file->tree = MIH_HASH_BLAKE3;
		file->root = resource->digest;
	} else {
		file->proof = MIH_VERIFY_BY_FLAT;
		file->tree = MIH_HASH_MTH4K_SHA256;
	}
}

/* Bytes of UTF-8 sort like the code points they stand for. */
static int by_path(const void *a, const void *b)
{
	const struct mih_verify_file *fa = a, *fb = b;

	return strcmp(fa->path, fb->path);
}

static mih_err list_files(struct opening *opening)
{
	struct mih_verify_model *model = opening->model;
	const struct mih_sig_manifest *manifest =
	    mih_sig_bundle_manifest(model->bundle);

	model->files = calloc(manifest->nresources, sizeof(*model->files));
	if (!model->files)
		return -ENOMEM;
	model->nfiles = manifest->nresources;
	for (size_t i = 0; i < model->nfiles; i++)
		fill_file(&model->files[i], &manifest->resources[i]);
	if (model->nfiles == 1 && !strcmp(model->files[0].path, THE_FILE)) {
		if (!model->name)
			return mih_err_fail(
			    MIH_EDIGEST,
			    "%s: a directory, but a single file is signed",
			    model->dir);
		model->files[0].path = model->name;
	}
	qsort(model->files, model->nfiles, sizeof(*model->files), by_path);
	return 0;
}

static void link_problem(const struct mih_verify_model *model,
			 const struct mih_verify_file *file, mih_err err,
			 char *line, size_t cap)
{
	char text[1024];

	mih_io_link_text(model->dirfd, file->path, text, sizeof(text));
	snprintf(line, cap, "%s: a symbolic link%s (%s)", file->path,
		 err == -ELOOP
		     ? ", not followed without --allow-symlinks"
		     : " that leads out, not followed without --symlink-root",
		 text);
}

/* "" if the file is there, regular, and of the signed size; else a line. */
static void check_file(const struct mih_verify_model *model,
		       struct mih_verify_file *file,
		       const struct mih_verify_look *seen, char *line,
		       size_t cap)
{
	bool sized = mih_sig_resource_is_sized(file->resource);

	line[0] = '\0';
	if (seen->err == -ENOENT || seen->err == -ENOTDIR)
		snprintf(line, cap, "%s: signed but missing", file->path);
	else if (seen->err == -ELOOP || seen->err == -EXDEV)
		link_problem(model, file, seen->err, line, cap);
	else if (seen->err == -EINVAL)
		snprintf(line, cap, "%s: not a regular file", file->path);
	else if (seen->err)
		snprintf(line, cap, "%s: %s", file->path, strerror(-seen->err));
	else if (sized && seen->nbytes != file->nbytes)
		snprintf(line, cap, "%s: %ju bytes where %ju are signed",
			 file->path, (uintmax_t)seen->nbytes,
			 (uintmax_t)file->nbytes);
	else if (!sized && seen->nbytes > UNSIGNED_SIZE_MAX)
		snprintf(line, cap,
			 "%s: %ju bytes; without a signed size at most %ju",
			 file->path, (uintmax_t)seen->nbytes,
			 (uintmax_t)UNSIGNED_SIZE_MAX);
	else
		file->nbytes = seen->nbytes;
}

static mih_err check_files(struct opening *opening)
{
	struct mih_verify_model *model = opening->model;
	mih_autofree struct mih_verify_look *looks =
	    calloc(model->nfiles, sizeof(*looks));
	char line[4096 + 128];

	if (!looks)
		return -ENOMEM;
	for (size_t i = 0; i < model->nfiles; i++)
		looks[i].path = model->files[i].path;
	mih_verify_look_run(model->dirfd, &model->links, looks, model->nfiles);
	for (size_t i = 0; i < model->nfiles; i++) {
		check_file(model, &model->files[i], &looks[i], line,
			   sizeof(line));
		if (line[0])
			problem(opening, line);
	}
	return 0;
}

static bool is_same_file(const struct stat *st, const char *path)
{
	struct stat other;

	return path && stat(path, &other) == 0 && st->st_dev == other.st_dev &&
	       st->st_ino == other.st_ino;
}

/* The bundle and its tree file may lie in the model; they sign themselves. */
static bool is_our_own(const struct opening *opening, const char *path)
{
	const struct mih_verify_model_params *params = opening->params;
	mih_autofree char *beside = NULL;
	struct stat st;

	if (fstatat(opening->model->dirfd, path, &st, 0) < 0)
		return false;
	if (asprintf(&beside, "%s.tree", params->bundle) < 0)
		beside = NULL;
	return is_same_file(&st, params->bundle) ||
	       is_same_file(&st, params->sidecar) || is_same_file(&st, beside);
}

static void check_extra(struct opening *opening,
			const struct mih_verify_scan *scan)
{
	const struct mih_sig_manifest *manifest =
	    mih_sig_bundle_manifest(opening->model->bundle);
	char line[4096 + 128];

	for (size_t i = 0; i < scan->nfiles; i++) {
		const char *path = scan->files[i].path;

		/* An empty file has no shard to be signed by. */
		if (manifest->is_sharded && scan->files[i].nbytes == 0)
			continue;
		if (mih_verify_model_find(opening->model, path) >= 0 ||
		    is_our_own(opening, path))
			continue;
		snprintf(line, sizeof(line), "%s: not signed", path);
		problem(opening, line);
	}
}

/* What the signer left out, and what the operator says besides. */
static mih_err all_ignored(const struct opening *opening,
			   const char ***ignore_out, size_t *n_out)
{
	const struct mih_verify_model_params *params = opening->params;
	const struct mih_sig_manifest *manifest =
	    mih_sig_bundle_manifest(opening->model->bundle);
	size_t n = 0;
	const char **ignore = calloc(
	    params->nignore + manifest->nignore_paths + 1, sizeof(*ignore));

	if (!ignore)
		return -ENOMEM;
	for (size_t i = 0; i < params->nignore; i++)
		ignore[n++] = params->ignore[i];
	for (size_t i = 0; i < manifest->nignore_paths; i++)
		ignore[n++] = manifest->ignore_paths[i];
	*ignore_out = ignore;
	*n_out = n;
	return 0;
}

static mih_err scan_extra(struct opening *opening)
{
	struct mih_verify_scan_rules rules = {
		.ignore_git = true,
		.names_only = !mih_sig_bundle_manifest(opening->model->bundle)
				   ->is_sharded,
		.links = &opening->model->links,
	};
	struct mih_verify_scan scan = { 0 };
	mih_autofree const char **ignore = NULL;
	mih_err err;

	err = all_ignored(opening, &ignore, &rules.nignore);
	if (err)
		return err;
	rules.ignore = ignore;
	err = mih_verify_scan_run(opening->params->dir, &rules, &scan);
	if (!err)
		check_extra(opening, &scan);
	mih_verify_scan_fini(&scan);
	return err;
}

static mih_err open_all(struct opening *opening)
{
	mih_err err = open_bundle(opening);

	if (!err)
		err = open_dir(opening);
	if (!err)
		open_links(opening);
	if (!err)
		err = list_files(opening);
	if (!err)
		err = check_files(opening);
	if (!err && opening->params->deny_unsigned)
		err = scan_extra(opening);
	if (err)
		return err;
	if (opening->nproblems)
		return tell_problems(opening);
	open_sidecar(opening);
	return 0;
}

mih_err mih_verify_model_open(const struct mih_verify_model_params *params,
			      struct mih_verify_model **model_out)
{
	struct opening opening = { .params = params };
	struct mih_verify_model *model = calloc(1, sizeof(*model));
	mih_err err;

	if (!model)
		return mih_err_fail_errno(-ENOMEM, "%s", params->dir);
	model->dirfd = -1;
	opening.model = model;
	err = open_all(&opening);
	if (err == -ENOMEM)
		mih_err_fail_errno(err, "%s", params->dir);
	if (err) {
		mih_verify_model_close(model);
		return err;
	}
	*model_out = model;
	return 0;
}

void mih_verify_model_close(struct mih_verify_model *model)
{
	if (!model)
		return;
	mih_tree_sidecar_close(model->sidecar);
	mih_sig_bundle_free(model->bundle);
	if (model->dirfd >= 0)
		close(model->dirfd);
	mih_io_links_close(&model->links);
	free(model->files);
	free(model->name);
	free(model->dir);
	free(model);
}

ssize_t mih_verify_model_find(const struct mih_verify_model *model,
			      const char *path)
{
	struct mih_verify_file key = { .path = path };
	const struct mih_verify_file *found;

	found = bsearch(&key, model->files, model->nfiles,
			sizeof(*model->files), by_path);
	return found ? found - model->files : -1;
}

static bool same_shards(const struct mih_sig_resource *a,
			const struct mih_sig_resource *b)
{
	size_t len = mih_hash_info(a->alg)->len;

	if (a->nshards != b->nshards)
		return false;
	for (size_t i = 0; i < a->nshards; i++)
		if (a->shards[i].begin != b->shards[i].begin ||
		    a->shards[i].end != b->shards[i].end ||
		    !mih_hash_eq(a->shards[i].digest, b->shards[i].digest, len))
			return false;
	return true;
}

static bool same_resource(const struct mih_sig_resource *a,
			  const struct mih_sig_resource *b)
{
	if (a->alg != b->alg || a->tree != b->tree || !same_shards(a, b))
		return false;
	if (!a->nshards &&
	    !mih_hash_eq(a->digest, b->digest, mih_hash_info(a->alg)->len))
		return false;
	return a->tree == MIH_HASH_NONE ||
	       mih_hash_eq(a->root, b->root, mih_hash_info(a->tree)->len);
}

bool mih_verify_file_is_same(const struct mih_verify_file *a,
			     const struct mih_verify_file *b)
{
	return a->proof == b->proof && a->tree == b->tree &&
	       a->nbytes == b->nbytes &&
	       same_resource(a->resource, b->resource);
}
