/*
 * mihfs tree: build the sidecar of a signed model again. Needs no key and
 * trusts nobody: a sidecar proves nothing, it only has to fit the bundle.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/pass/pass.h"
#include "cli/pass/report.h"
#include "cli/pass/signed.h"
#include "util/cleanup.h"

#include <stdio.h>
#include <string.h>

struct tree {
	struct mih_cli_model_options model;
	const char *signature, *output, *expect_digest;
	const char *dir; /* MODEL, as typed */
	struct mih_cli_report report;
	/* Owned. */
	char *beside;
	struct mih_sig_bundle *bundle;
	struct mih_cli_signed files;
	struct mih_cli_pass pass;
};

static int parse(struct tree *t, int argc, char **argv)
{
	const struct mih_cli_option options[] = {
		{ .name = "signature",
		  .kind = MIH_CLI_TEXT,
		  .value = &t->signature,
		  .argument = "FILE",
		  .help = "the bundle (default: signed.json)" },
		{ .name = "output",
		  .kind = MIH_CLI_TEXT,
		  .value = &t->output,
		  .argument = "FILE",
		  .help = "the sidecar to write (default: the bundle's name "
			  "and .tree)" },
		{ .name = "expect-digest",
		  .kind = MIH_CLI_TEXT,
		  .value = &t->expect_digest,
		  .argument = "DIGEST",
		  .help = "only if the bundle states this root" },
		MIH_CLI_PASS_OPTIONS(t->model),
		{ .name = NULL },
	};
	const struct mih_cli_syntax syntax = {
		.command = "tree",
		.synopsis = "[options] MODEL",
		.about = "Build the sidecar of a signed model again; needs no "
			 "key.",
		.options = options,
	};
	int end = mih_cli_options_parse_one(&syntax, argc, argv, &t->dir);

	if (end == MIH_CLI_GO_ON)
		end = mih_cli_sidecar_settle(t->signature, &t->output,
					     &t->beside);
	return end;
}

static void problem(void *context, const char *path, const char *why)
{
	struct tree *t = context;

	mih_cli_report_add(&t->report, path, why);
}

/* A BLAKE3 digest is the root of a tree itself. */
static bool is_own_tree(const struct mih_sig_resource *r)
{
	return r->alg == MIH_HASH_BLAKE3 && !r->nshards;
}

/* The tree that a mount will look for: the signed one, or for a file with a
 * flat digest alone the one that mihfs makes by itself. */
static enum mih_hash_alg tree_of(const struct mih_sig_resource *r)
{
	if (r->tree != MIH_HASH_NONE)
		return r->tree;
	return is_own_tree(r) ? MIH_HASH_BLAKE3 : MIH_HASH_MTH4K_SHA256;
}

/* What a device finds of such a file is held against it. */
static const uint8_t *signed_root(const struct mih_sig_resource *r)
{
	if (r->tree != MIH_HASH_NONE)
		return r->root;
	return is_own_tree(r) ? r->digest : NULL;
}

static void want_digests(struct tree *t)
{
	for (size_t i = 0; i < t->files.nfiles; i++) {
		const struct mih_sig_resource *r = t->files.resources[i];
		struct mih_cli_pass_file *file = &t->files.files[i];

		file->tree = tree_of(r);
		file->want = signed_root(r);
		file->flat = is_own_tree(r) ? MIH_HASH_NONE : r->alg;
		file->hints = r->alg == MIH_HASH_SHA256;
	}
}

static mih_err read_files(struct tree *t)
{
	want_digests(t);
	t->pass = (struct mih_cli_pass){
		.label = "hashing",
		.quiet = t->model.quiet,
		.devices = &t->model.devices,
		.dirfd = t->files.dirfd,
		.links = &t->files.links,
		.files = t->files.files,
		.nfiles = t->files.nfiles,
		.sidecar = t->output,
	};
	return mih_cli_pass_run(&t->pass);
}

static bool fits(const struct mih_cli_pass_file *file,
		 const struct mih_sig_resource *r)
{
	const uint8_t *digest = is_own_tree(r) ? file->root : file->digest;

	if (r->nshards)
		return file->nbad == 0;
	if (!mih_hash_eq(digest, r->digest, mih_hash_info(r->alg)->len))
		return false;
	return r->tree == MIH_HASH_NONE ||
	       mih_hash_eq(file->root, r->root, mih_hash_info(r->tree)->len);
}

static void compare(struct tree *t)
{
	for (size_t i = 0; i < t->files.nfiles; i++) {
		const struct mih_cli_pass_file *file = &t->files.files[i];

		if (file->err)
			problem(t, file->path, mih_cli_pass_why(file->err));
		else if (!fits(file, t->files.resources[i]))
			problem(t, file->path,
				"differs from what the bundle states");
	}
}

static mih_err build(struct tree *t)
{
	mih_err err = mih_sig_bundle_read(t->signature, &t->bundle);

	if (!err && t->expect_digest)
		err = mih_sig_bundle_expect_digest(t->bundle, t->expect_digest);
	if (err)
		return err;
	t->files.problem = problem;
	t->files.context = t;
	err = mih_cli_signed_open(
	    &t->files, t->dir, mih_sig_bundle_manifest(t->bundle), &t->model);
	if (err || t->report.n > 0)
		return err;
	err = read_files(t);
	if (err)
		return err;
	compare(t);
	if (t->report.n > 0)
		return 0;
	err = mih_cli_pass_check();
	return err ? err : mih_tree_writer_finish(MIH_STEAL(&t->pass.writer));
}

static int print_json(struct tree *t, bool ok)
{
	mih_err err = mih_cli_json_print(json_pack(
	    "{s:b, s:o, s:I, s:I, s:f, s:o}", "ok", ok, "sidecar",
	    mih_cli_json_text(t->output), "files", (json_int_t)t->pass.nfiles,
	    "bytes", (json_int_t)t->pass.nbytes, "seconds", t->pass.seconds,
	    "failures", mih_cli_report_take(&t->report)));

	return err ? mih_cli_fail(err) : MIH_CLI_DONE;
}

static int run(struct tree *t)
{
	mih_err err = build(t);
	int code = MIH_CLI_DONE, printed = MIH_CLI_DONE;

	if (err)
		code = mih_cli_fail(err);
	else if (t->report.n > 0)
		code = MIH_CLI_UNVERIFIED;
	if (t->model.json)
		printed = print_json(t, !code);
	else if (!code && !t->model.quiet)
		mih_cli_pass_summary(&t->pass, "hashed");
	return code ? code : printed;
}

int mih_cli_tree(int argc, char **argv)
{
	struct tree t = { .signature = "signed.json", .files.dirfd = -1 };
	int code = parse(&t, argc, argv);

	if (code == MIH_CLI_GO_ON)
		code = run(&t);
	mih_cli_pass_fini(&t.pass);
	mih_cli_list_fini(&t.model.devices.device);
	mih_cli_signed_close(&t.files);
	mih_sig_bundle_free(t.bundle);
	mih_cli_report_fini(&t.report);
	free(t.beside);
	return code;
}
