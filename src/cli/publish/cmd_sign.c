/*
 * mihfs sign: read the model once, and leave a bundle and its sidecar, or
 * nothing.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/pass/pass.h"
#include "cli/pass/report.h"
#include "cli/publish/password.h"
#include "sandbox/sandbox.h"
#include "sig/bundle.h"
#include "util/bytes.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/log.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>

static const char *const tree_names[] = { "mth4k-sha256", "mth4k-sha512",
					  "mth4k-sha3-256", "blake3", NULL };

static const char *const git_paths[] = { ".git", ".gitattributes", ".github",
					 ".gitignore" };

struct sign {
	struct mih_cli_model_options model;
	const char *signature, *private_key, *password, *certificate;
	struct mih_cli_list chain;
	int tree_choice;
	const char *dir; /* MODEL, as typed */
	const char *sidecar;
	/* Owned. */
	char *beside;
	struct mih_sig_key *key;
	struct mih_cli_found found;
	struct mih_cli_pass_file *files;
	struct mih_cli_pass pass;
};

static int parse(struct sign *s, int argc, char **argv)
{
	const struct mih_cli_option options[] = {
		{ .name = "signature",
		  .kind = MIH_CLI_TEXT,
		  .value = &s->signature,
		  .argument = "FILE",
		  .help = "the bundle to write (default: signed.json); its "
			  "sidecar is FILE.tree" },
		{ .name = "private-key",
		  .kind = MIH_CLI_TEXT,
		  .value = &s->private_key,
		  .argument = "FILE",
		  .help = "PEM key on P-256, P-384 or P-521" },
		{ .name = "signing-certificate",
		  .kind = MIH_CLI_TEXT,
		  .value = &s->certificate,
		  .argument = "FILE",
		  .help = "PEM certificate of that key, to be put into the "
			  "bundle" },
		{ .name = "certificate-chain",
		  .kind = MIH_CLI_LIST,
		  .value = &s->chain,
		  .argument = "FILE",
		  .help = "the certificates above it (PEM); repeatable" },
		{ .name = "password",
		  .kind = MIH_CLI_TEXT,
		  .value = &s->password,
		  .argument = "TEXT",
		  .help = "of an encrypted key (default: ask)" },
		{ .name = "tree",
		  .kind = MIH_CLI_CHOICE,
		  .value = &s->tree_choice,
		  .choices = tree_names,
		  .argument = "NAME",
		  .help = "mth4k-sha256 (default), mth4k-sha512, "
			  "mth4k-sha3-256 or blake3" },
		MIH_CLI_MODEL_OPTIONS(s->model),
		{ .name = NULL },
	};
	const struct mih_cli_syntax syntax = {
		.command = "sign",
		.synopsis = "[options] --private-key FILE MODEL",
		.about = "Sign every file of a model directory (or one file).",
		.options = options,
	};
	int end = mih_cli_options_parse_one(&syntax, argc, argv, &s->dir);

	if (end != MIH_CLI_GO_ON)
		return end;
	if (!s->private_key)
		return mih_cli_usage("sign", "--private-key is missing");
	if (s->chain.n > 0 && !s->certificate)
		return mih_cli_usage("sign", "--certificate-chain goes with "
					     "--signing-certificate");
	return mih_cli_sidecar_settle(s->signature, &s->sidecar, &s->beside);
}

/* Before the long work: a wrong password should not cost an hour. */
static mih_err load_key(struct sign *s)
{
	const struct mih_sig_signer signer = {
		.key_path = s->private_key,
		.password = s->password,
		.ask_password = mih_cli_password_ask,
		.certificate_path = s->certificate,
		.chain_paths = s->chain.items,
		.nchain = s->chain.n,
	};

	mih_err err = mih_sandbox_no_dumps();

	if (err)
		mih_log_warning("%s", mih_err_message());
	err = mih_sig_key_load(&signer, &s->key);
	/* Everybody can read the command line of a process. */
	if (s->password)
		explicit_bzero((char *)s->password, strlen(s->password));
	s->password = NULL;
	return err;
}

static mih_err find_files(struct sign *s)
{
	const char *const own[] = { s->signature, s->sidecar, NULL };
	mih_err err = mih_cli_found_open(&s->found, &s->model, s->dir, own);

	if (!err && s->found.scan.nfiles == 0)
		return mih_err_fail(MIH_EUSAGE, "%s: no file to sign", s->dir);
	return err;
}

static mih_err read_files(struct sign *s)
{
	enum mih_hash_alg tree =
	    mih_hash_by_name(tree_names[s->tree_choice])->id;
	size_t n = s->found.scan.nfiles;
	mih_err err;

	s->files = calloc(n, sizeof(*s->files));
	if (!s->files)
		return mih_err_fail_errno(-ENOMEM, "%s", s->dir);
	for (size_t i = 0; i < n; i++)
		s->files[i] = (struct mih_cli_pass_file){
			.path = s->found.scan.files[i].path,
			.nbytes = s->found.scan.files[i].nbytes,
			.tree = tree,
			.flat = tree == MIH_HASH_BLAKE3 ? MIH_HASH_NONE
							: MIH_HASH_SHA256,
			.hints = tree != MIH_HASH_BLAKE3,
		};
	s->pass = (struct mih_cli_pass){
		.label = "signing",
		.quiet = s->model.quiet,
		.devices = &s->model.devices,
		.only_named = true,
		.dirfd = s->found.scan.dirfd,
		.links = &s->found.links,
		.files = s->files,
		.nfiles = n,
		.sidecar = s->sidecar,
	};
	err = mih_cli_pass_run(&s->pass);
	return err ? err : mih_cli_pass_report(&s->pass);
}

static bool fill_resource(struct mih_sig_resource *to,
			  const struct mih_cli_pass_file *from)
{
	bool is_blake3 = from->tree == MIH_HASH_BLAKE3;

	to->name = strdup(from->path);
	to->alg = is_blake3 ? MIH_HASH_BLAKE3 : MIH_HASH_SHA256;
	to->tree = is_blake3 ? MIH_HASH_NONE : from->tree;
	to->nbytes = from->nbytes;
	memcpy(to->digest, is_blake3 ? from->root : from->digest,
	       sizeof(to->digest));
	memcpy(to->root, from->root, sizeof(to->root));
	return to->name != NULL;
}

/* What was left out is signed too, so that verifiers leave out the same. */
static bool fill_ignores(struct mih_sig_manifest *m, const struct sign *s)
{
	size_t ngit = s->model.no_ignore_git ? 0 : MIH_ARRAY_LEN(git_paths);

	m->ignore_paths = calloc(s->found.ignore.n + ngit + 1, sizeof(char *));
	if (!m->ignore_paths)
		return false;
	for (size_t i = 0; i < s->found.ignore.n + ngit; i++) {
		m->ignore_paths[i] = strdup(
		    i < ngit ? git_paths[i] : s->found.ignore.paths[i - ngit]);
		if (!m->ignore_paths[i])
			return false;
		m->nignore_paths++;
	}
	return true;
}

static bool fill_manifest(struct mih_sig_manifest *m, const struct sign *s)
{
	mih_autofree char *real = realpath(s->dir, NULL);

	m->model_name = strdup(real ? basename(real) : "model");
	m->allow_symlinks = s->found.links.follow;
	m->resources = calloc(s->found.scan.nfiles, sizeof(*m->resources));
	if (!m->model_name || !m->resources)
		return false;
	for (; m->nresources < s->found.scan.nfiles; m->nresources++)
		if (!fill_resource(&m->resources[m->nresources],
				   &s->files[m->nresources]))
			return false;
	return fill_ignores(m, s);
}

static void free_manifest(struct mih_sig_manifest **m)
{
	mih_sig_manifest_free(*m);
}

/* The new sidecar takes its name, and then the bundle; if that fails, or
 * somebody has lost patience, the old sidecar has its name again. */
static mih_err give_names(struct sign *s, struct mih_io_writer *bundle)
{
	char *kept = NULL;
	mih_err err = mih_cli_pass_check();

	if (err)
		return err;
	mih_io_keep(s->sidecar, &kept);
	err = mih_tree_writer_finish(MIH_STEAL(&s->pass.writer));
	if (err) {
		mih_io_keep_end(s->sidecar, kept, false);
		return err;
	}
	err = mih_cli_pass_check();
	if (!err)
		err = mih_io_writer_commit(bundle);
	mih_io_keep_end(s->sidecar, kept, err != 0);
	return err;
}

/* The bundle's bytes are on the disk before the sidecar takes its name, and
 * the bundle takes its name last: it is never there without its sidecar. */
static mih_err write_both(struct sign *s, const char *text, size_t len)
{
	struct mih_io_writer w;
	mih_err err = mih_io_writer_open(&w, s->signature, 0666);

	if (err)
		return err;
	err = mih_io_pwrite_full(w.fd, text, len, 0);
	if (!err && fsync(w.fd) < 0)
		err = -errno;
	err = err ? mih_err_fail_errno(err, "%s", s->signature)
		  : give_names(s, &w);
	if (err)
		mih_io_writer_abort(&w);
	return err;
}

static mih_err make_bundle(struct sign *s)
{
	MIH_CLEANUP(free_manifest)
	struct mih_sig_manifest *m = calloc(1, sizeof(*m));
	mih_autofree char *text = NULL;
	size_t len;
	mih_err err;

	if (!m || !fill_manifest(m, s))
		return mih_err_fail_errno(-ENOMEM, "%s", s->dir);
	err = mih_sig_bundle_sign(m, s->key, &text, &len);
	return err ? err : write_both(s, text, len);
}

static mih_err report(const struct sign *s)
{
	if (!s->model.json && !s->model.quiet)
		mih_cli_pass_summary(&s->pass, "signed");
	if (!s->model.json)
		return 0;
	return mih_cli_json_print(json_pack(
	    "{s:b, s:o, s:o, s:s, s:I, s:I, s:f}", "ok", 1, "signature",
	    mih_cli_json_text(s->signature), "sidecar",
	    mih_cli_json_text(s->sidecar), "tree", tree_names[s->tree_choice],
	    "files", (json_int_t)s->pass.nfiles, "bytes",
	    (json_int_t)s->pass.nbytes, "seconds", s->pass.seconds));
}

/* What the key or a file is found to be is no verdict on a signature here:
 * failing to sign is always the system's or the caller's fault. */
static int fail(mih_err err)
{
	int code = mih_cli_fail(err);

	return code == MIH_CLI_USAGE ? code : MIH_CLI_SYSTEM;
}

static int run(struct sign *s)
{
	mih_err err = load_key(s);

	if (!err)
		err = find_files(s);
	if (err)
		return fail(err);
	err = read_files(s);
	if (err && s->pass.writer)
		return MIH_CLI_SYSTEM; /* each file has had its line */
	if (!err)
		err = make_bundle(s);
	if (!err)
		err = report(s);
	return err ? fail(err) : MIH_CLI_DONE;
}

int mih_cli_sign(int argc, char **argv)
{
	struct sign s = { .signature = "signed.json", .found.scan.dirfd = -1 };
	int code = parse(&s, argc, argv);

	if (code == MIH_CLI_GO_ON)
		code = run(&s);
	mih_cli_pass_fini(&s.pass);
	mih_cli_found_fini(&s.found);
	mih_cli_list_fini(&s.model.ignore);
	mih_cli_list_fini(&s.model.devices.device);
	mih_cli_list_fini(&s.chain);
	mih_sig_key_free(s.key);
	free(s.files);
	free(s.beside);
	return code;
}
