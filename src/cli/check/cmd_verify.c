/*
 * mihfs verify: every byte of every signed file, once; names all that is wrong.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/trust_options.h"
#include "cli/pass/pass.h"
#include "cli/pass/ranges.h"
#include "cli/pass/report.h"
#include "cli/pass/signed.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RANGES_MAX 16 /* lines for one file */

struct verify {
	struct mih_cli_model_options model;
	struct mih_cli_trust trust_options;
	const char *signature, *tree;
	bool ignore_unsigned;
	bool trusted; /* the signature has been checked */
	char when[MIH_SIG_WHEN_MAX];
	const char *dir; /* MODEL, as typed */
	struct mih_cli_report report;
	mih_err system;		 /* first error that is no verdict */
	struct mih_gpu_dev *dev; /* to be used, or NULL */
	/* Owned. */
	char *beside;
	struct mih_sig_trust *trust;
	struct mih_sig_bundle *bundle;
	struct mih_cli_signed files;
	struct mih_cli_ignore ignore;
	struct mih_cli_ranges *ranges;
	struct mih_cli_pass pass;
	/* For the lines of one bad file. */
	size_t nranges;
	const struct mih_cli_pass_file *bad;
};

static int parse(struct verify *v, int argc, char **argv)
{
	const struct mih_cli_option options[] = {
		{ .name = "signature",
		  .kind = MIH_CLI_TEXT,
		  .value = &v->signature,
		  .argument = "FILE",
		  .help = "the bundle (default: signed.json)" },
		MIH_CLI_TRUST_OPTIONS(v->trust_options),
		{ .name = "ignore-unsigned-files",
		  .kind = MIH_CLI_FLAG,
		  .value = &v->ignore_unsigned,
		  .help = "files that are not signed are no failure" },
		{ .name = "tree",
		  .kind = MIH_CLI_TEXT,
		  .value = &v->tree,
		  .argument = "FILE",
		  .help = "sidecar that tells where files differ (default: "
			  "the bundle's name and .tree)" },
		MIH_CLI_MODEL_OPTIONS(v->model),
		{ .name = NULL },
	};
	const struct mih_cli_syntax syntax = {
		.command = "verify",
		.synopsis = "[options] MODEL",
		.about = "Check the signature and every byte of a model.",
		.options = options,
	};
	int end = mih_cli_options_parse_one(&syntax, argc, argv, &v->dir);

	if (end == MIH_CLI_GO_ON)
		end =
		    mih_cli_sidecar_settle(v->signature, &v->tree, &v->beside);
	return end;
}

static void problem(void *context, const char *path, const char *why)
{
	struct verify *v = context;

	mih_cli_report_add(&v->report, path, why);
}

static mih_err check_signature(struct verify *v)
{
	mih_err err = mih_cli_trust_load(&v->trust_options, &v->trust);

	if (!err)
		err = mih_sig_bundle_read(v->signature, &v->bundle);
	if (!err)
		err = mih_sig_bundle_verify_when(v->bundle, v->trust, v->when);
	v->trusted = !err;
	return err;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The signed paths in order, for looking up; the caller frees the array. */
static const char **sorted_paths(const struct verify *v)
{
	const struct mih_sig_manifest *m = v->files.manifest;
	const char **paths = calloc(m->nresources, sizeof(*paths));

	if (!paths)
		return NULL;
	for (size_t i = 0; i < m->nresources; i++) {
		const char *name = m->resources[i].name;
		const char *path = mih_cli_signed_path(&v->files, name);

		paths[i] = path ? path : name;
	}
	qsort(paths, m->nresources, sizeof(*paths), compare_names);
	return paths;
}

static mih_err add_ignores(struct verify *v)
{
	const struct mih_sig_manifest *m = v->files.manifest;
	mih_err err = 0;

	for (size_t i = 0; !err && i < m->nignore_paths; i++)
		err =
		    mih_cli_ignore_add(&v->ignore, v->dir, m->ignore_paths[i]);
	for (size_t i = 0; !err && i < v->model.ignore.n; i++)
		err = mih_cli_ignore_add(&v->ignore, v->dir,
					 v->model.ignore.items[i]);
	if (!err)
		err = mih_cli_ignore_add_own(&v->ignore, v->dir, v->signature);
	if (!err)
		err = mih_cli_ignore_add_own(&v->ignore, v->dir, v->tree);
	return err;
}

/* An empty file has no shard, so that a statement of shards cannot name it. */
static bool is_empty_beside_shards(const struct verify *v,
				   const struct mih_verify_scan_file *file)
{
	return v->files.manifest->is_sharded && file->nbytes == 0;
}

static mih_err name_extra(struct verify *v, const struct mih_verify_scan *scan)
{
	mih_autofree const char **paths = sorted_paths(v);
	size_t n = v->files.manifest->nresources;

	if (!paths)
		return mih_err_fail_errno(-ENOMEM, "%s", v->dir);
	for (size_t i = 0; i < scan->nfiles; i++)
		if (!is_empty_beside_shards(v, &scan->files[i]) &&
		    !bsearch(&scan->files[i].path, paths, n, sizeof(*paths),
			     compare_names))
			problem(v, scan->files[i].path, "not signed");
	return 0;
}

/* "path: why" as the scan tells it, for the list of failures. */
static void problem_from_story(struct verify *v)
{
	mih_autofree char *path = strdup(mih_err_message());
	char *why = path ? strstr(path, ": ") : NULL;

	if (!why) {
		problem(v, v->dir, mih_err_message());
		return;
	}
	*why = '\0';
	problem(v, path, why + 2);
}

static mih_err find_extra(struct verify *v)
{
	struct mih_verify_scan_rules rules = {
		.ignore_git = !v->model.no_ignore_git,
		.names_only = !v->files.manifest->is_sharded,
		.links = &v->files.links,
	};
	struct mih_verify_scan scan;
	mih_err err = add_ignores(v);

	if (err)
		return err;
	rules.ignore = (const char *const *)v->ignore.paths;
	rules.nignore = v->ignore.n;
	err = mih_verify_scan_run(v->dir, &rules, &scan);
	if (!err)
		err = name_extra(v, &scan);
	mih_verify_scan_fini(&scan);
	if (err != -ELOOP && err != -EINVAL)
		return err;
	/* a link, a FIFO ...: no signed file is one */
	problem_from_story(v);
	return 0;
}

static const uint8_t *wanted_root(const struct mih_sig_resource *r)
{
	return r->tree != MIH_HASH_NONE ? r->root : r->digest;
}

static void want_digests(struct verify *v)
{
	for (size_t i = 0; i < v->files.nfiles; i++) {
		const struct mih_sig_resource *r = v->files.resources[i];
		struct mih_cli_pass_file *file = &v->files.files[i];

		if (r->tree != MIH_HASH_NONE)
			file->tree = r->tree;
		else if (r->alg == MIH_HASH_BLAKE3 && !r->nshards)
			file->tree = MIH_HASH_BLAKE3;
		else
			file->flat = r->alg;
		if (file->tree != MIH_HASH_NONE)
			file->want = wanted_root(r);
	}
}

/* Of all that is signed: what is missing may still be in the sidecar. */
static struct mih_tree_sidecar_limits sidecar_limits(const struct verify *v)
{
	const struct mih_sig_manifest *m = v->files.manifest;
	struct mih_tree_sidecar_limits limits = { .nfiles = m->nresources };

	for (size_t i = 0; i < m->nresources; i++) {
		const char *name = m->resources[i].name;
		const char *path = mih_cli_signed_path(&v->files, name);

		limits.paths_nbytes += strlen(path ? path : name);
	}
	return limits;
}

static mih_err read_files(struct verify *v)
{
	const struct mih_tree_sidecar_limits limits = sidecar_limits(v);

	want_digests(v);
	v->ranges = mih_cli_ranges_new(v->tree, &limits, v->files.files,
				       v->files.nfiles);
	if (!v->ranges)
		return mih_err_fail_errno(-ENOMEM, "%s", v->dir);
	for (size_t i = 0; i < v->files.nfiles; i++)
		v->files.files[i].states = mih_cli_ranges_states(v->ranges, i);
	v->pass = (struct mih_cli_pass){
		.label = "verifying",
		.quiet = v->model.quiet,
		.devices = &v->model.devices,
		.dev = v->dev,
		.dirfd = v->files.dirfd,
		.links = &v->files.links,
		.files = v->files.files,
		.nfiles = v->files.nfiles,
		.context = v->ranges,
		.groups = mih_cli_ranges_groups,
	};
	return mih_cli_pass_run(&v->pass);
}

static void tell_range(void *context, uint64_t from, uint64_t to)
{
	struct verify *v = context;
	char why[160];

	if (v->nranges++ >= RANGES_MAX)
		return;
	snprintf(why, sizeof(why),
		 "bytes %" PRIu64 "-%" PRIu64 " differ from the signed tree "
		 "(%s)",
		 from, to, mih_hash_info(v->bad->tree)->name);
	problem(v, v->bad->path, why);
}

static void tell_difference(struct verify *v, size_t i, const uint8_t *want)
{
	const struct mih_cli_pass_file *file = &v->files.files[i];
	bool is_tree = file->tree != MIH_HASH_NONE;
	char why[160];

	v->nranges = 0;
	v->bad = file;
	if (is_tree && mih_cli_ranges_tell(v->ranges, i, want, tell_range, v)) {
		if (v->nranges <= RANGES_MAX)
			return;
		snprintf(why, sizeof(why), "%zu more ranges differ",
			 v->nranges - RANGES_MAX);
	} else {
		snprintf(
		    why, sizeof(why), "differs from the signed %s (%s)",
		    is_tree ? "tree" : "digest",
		    mih_hash_info(is_tree ? file->tree : file->flat)->name);
	}
	problem(v, file->path, why);
}

/* That a file cannot be read is no verdict on it; that it is gone or of
 * another length now, is. */
static void tell_error(struct verify *v, const struct mih_cli_pass_file *file)
{
	static const mih_err verdicts[] = { -ENOENT, -ENODATA, -EFBIG, -ESTALE,
					    -EINVAL, -ELOOP,   -EXDEV };
	bool is_verdict = false;

	problem(v, file->path, mih_cli_pass_why(file->err));
	for (size_t i = 0; i < MIH_ARRAY_LEN(verdicts); i++)
		is_verdict = is_verdict || file->err == verdicts[i];
	if (!is_verdict && !v->system)
		v->system = file->err;
}

static void tell_shards(struct verify *v, const struct mih_cli_pass_file *file)
{
	const struct mih_sig_shard *bad = &file->shards[file->first_bad];
	char why[160];

	snprintf(why, sizeof(why),
		 "bytes %" PRIu64 "-%" PRIu64 " differ from the signed shard "
		 "(%s)",
		 bad->begin, bad->end - 1, mih_hash_info(file->flat)->name);
	problem(v, file->path, why);
	if (file->nbad == 1)
		return;
	snprintf(why, sizeof(why), "%zu more shards differ", file->nbad - 1);
	problem(v, file->path, why);
}

static void compare(struct verify *v)
{
	for (size_t i = 0; i < v->files.nfiles; i++) {
		const struct mih_sig_resource *r = v->files.resources[i];
		const struct mih_cli_pass_file *file = &v->files.files[i];
		bool is_tree = file->tree != MIH_HASH_NONE;
		const uint8_t *want = wanted_root(r);
		const uint8_t *got = is_tree ? file->root : file->digest;
		enum mih_hash_alg alg = is_tree ? file->tree : file->flat;

		if (file->err)
			tell_error(v, file);
		else if (r->nshards && file->nbad)
			tell_shards(v, file);
		else if (!r->nshards &&
			 !mih_hash_eq(want, got, mih_hash_info(alg)->len))
			tell_difference(v, i, want);
		else if (file->misled)
			mih_log_warning("%s: the tree file holds wrong hints; "
					"the file was read twice",
					file->path);
	}
}

static mih_err check_model(struct verify *v)
{
	mih_err err;

	v->files.problem = problem;
	v->files.context = v;
	err = mih_cli_signed_open(
	    &v->files, v->dir, mih_sig_bundle_manifest(v->bundle), &v->model);
	if (!err && !v->ignore_unsigned)
		err = find_extra(v);
	if (!err)
		err = read_files(v);
	if (!err)
		compare(v);
	return err;
}

static int print_json(struct verify *v, bool ok)
{
	json_t *signer =
	    v->trusted ? mih_cli_json_text(mih_sig_bundle_signer(v->bundle))
		       : json_null();
	mih_err err = mih_cli_json_print(
	    json_pack("{s:b, s:o, s:s?, s:I, s:I, s:f, s:o}", "ok", ok,
		      "signer", signer, "signed_at", *v->when ? v->when : NULL,
		      "files", (json_int_t)v->pass.nfiles, "bytes",
		      (json_int_t)v->pass.nbytes, "seconds", v->pass.seconds,
		      "failures", mih_cli_report_take(&v->report)));

	return err ? mih_cli_fail(err) : MIH_CLI_DONE;
}

static void print_summary(const struct verify *v)
{
	mih_cli_pass_summary(&v->pass, "verified");
	printf("signed by %s\n", mih_sig_bundle_signer(v->bundle));
}

static int run(struct verify *v)
{
	mih_err err = check_signature(v);
	int code, printed = MIH_CLI_DONE;
	bool ok;

	if (!err)
		err = check_model(v);
	ok = !err && v->report.n == 0;
	code = ok ? MIH_CLI_DONE : MIH_CLI_UNVERIFIED;
	if (err) {
		code = mih_cli_exit_code(err);
		problem_from_story(v);
	} else if (v->system) {
		code = MIH_CLI_SYSTEM;
	}
	if (v->model.json)
		printed = print_json(v, ok);
	else if (ok && !v->model.quiet)
		print_summary(v);
	return code ? code : printed;
}

int mih_cli_verify(int argc, char **argv)
{
	return mih_cli_verify_by(NULL, argc, argv);
}

int mih_cli_verify_by(struct mih_gpu_dev *dev, int argc, char **argv)
{
	struct verify v = { .signature = "signed.json",
			    .files.dirfd = -1,
			    .dev = dev };
	int code = parse(&v, argc, argv);

	if (code == MIH_CLI_GO_ON)
		code = run(&v);
	mih_cli_pass_fini(&v.pass);
	mih_cli_ranges_free(v.ranges);
	mih_cli_ignore_fini(&v.ignore);
	mih_cli_signed_close(&v.files);
	mih_sig_bundle_free(v.bundle);
	mih_sig_trust_free(v.trust);
	mih_cli_report_fini(&v.report);
	mih_cli_trust_fini(&v.trust_options);
	mih_cli_list_fini(&v.model.ignore);
	mih_cli_list_fini(&v.model.devices.device);
	free(v.beside);
	return code;
}
