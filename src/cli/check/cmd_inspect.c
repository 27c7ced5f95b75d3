/*
 * mihfs inspect: what a bundle says of itself, without believing it.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/pass/report.h"
#include "sig/bundle.h"
#include "util/bytes.h"
#include "util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct inspect {
	bool files, json;
	const char *path; /* of the bundle, as typed */
};

static int parse(struct inspect *in, int argc, char **argv)
{
	const struct mih_cli_option options[] = {
		{ .name = "files",
		  .kind = MIH_CLI_FLAG,
		  .value = &in->files,
		  .help = "list every signed file" },
		{ .name = "json",
		  .kind = MIH_CLI_FLAG,
		  .value = &in->json,
		  .help = "one JSON object, with every file" },
		{ .name = NULL },
	};
	const struct mih_cli_syntax syntax = {
		.command = "inspect",
		.synopsis = "[options] BUNDLE",
		.about = "Show who claims to have signed what. Checks the form "
			 "of the bundle,\nnot its signature: that is what "
			 "'mihfs verify' is for.",
		.options = options,
	};

	return mih_cli_options_parse_one(&syntax, argc, argv, &in->path);
}

static const char *method_name(enum mih_sig_method method)
{
	switch (method) {
	case MIH_SIG_KEY:
		return "key";
	case MIH_SIG_CERTIFICATE:
		return "certificate";
	case MIH_SIG_KEYLESS:
		return "keyless";
	}
	return "unknown";
}

/* What lazy reading is checked against; NULL if the file has only a digest. */
static const uint8_t *tree_root(const struct mih_sig_resource *r,
				enum mih_hash_alg *alg_out)
{
	*alg_out = r->tree;
	if (r->tree != MIH_HASH_NONE)
		return r->root;
	*alg_out = r->alg;
	return r->alg == MIH_HASH_BLAKE3 && !r->nshards ? r->digest : NULL;
}

static json_t *sharded_json(const struct mih_sig_resource *r)
{
	json_t *shards = json_array();
	char hex[2 * MIH_HASH_LEN_MAX + 1];

	for (size_t i = 0; i < r->nshards; i++) {
		const struct mih_sig_shard *shard = &r->shards[i];

		mih_bytes_to_hex(shard->digest, mih_hash_info(r->alg)->len,
				 hex);
		json_array_append_new(
		    shards, json_pack("{s:I, s:I, s:s}", "begin",
				      (json_int_t)shard->begin, "end",
				      (json_int_t)shard->end, "digest", hex));
	}
	return json_pack("{s:s, s:s, s:I, s:o}", "name", r->name, "algorithm",
			 mih_hash_info(r->alg)->name, "size",
			 (json_int_t)r->nbytes, "shards", shards);
}

static json_t *resource_json(const struct mih_sig_resource *r)
{
	char hex[2 * MIH_HASH_LEN_MAX + 1];
	json_t *object;

	if (r->nshards)
		return sharded_json(r);
	mih_bytes_to_hex(r->digest, mih_hash_info(r->alg)->len, hex);
	object = json_pack("{s:s, s:s, s:s}", "name", r->name, "algorithm",
			   mih_hash_info(r->alg)->name, "digest", hex);
	if (object && r->tree != MIH_HASH_NONE) {
		mih_bytes_to_hex(r->root, mih_hash_info(r->tree)->len, hex);
		json_object_set_new(object, "tree",
				    json_string(mih_hash_info(r->tree)->name));
		json_object_set_new(object, "root", json_string(hex));
		json_object_set_new(object, "size",
				    json_integer((json_int_t)r->nbytes));
	}
	return object;
}

static int print_json(const struct mih_sig_bundle *bundle)
{
	const struct mih_sig_manifest *m = mih_sig_bundle_manifest(bundle);
	json_t *files = json_array(), *ignored = json_array();
	uint8_t root[32];
	char hex[65];
	mih_err err;

	for (size_t i = 0; i < m->nresources; i++)
		json_array_append_new(files, resource_json(&m->resources[i]));
	for (size_t i = 0; i < m->nignore_paths; i++)
		json_array_append_new(ignored,
				      mih_cli_json_text(m->ignore_paths[i]));
	mih_sig_bundle_root(bundle, root);
	mih_bytes_to_hex(root, sizeof(root), hex);
	err = mih_cli_json_print(
	    json_pack("{s:b, s:s, s:o, s:o, s:s, s:b, s:b, s:o, s:o}",
		      "signature_checked", 0, "method",
		      method_name(mih_sig_bundle_method(bundle)), "signer",
		      mih_cli_json_text(mih_sig_bundle_signer(bundle)), "model",
		      mih_cli_json_text(m->model_name), "root", hex, "legacy",
		      m->is_legacy, "allow_symlinks", m->allow_symlinks,
		      "ignore_paths", ignored, "files", files));
	return err ? mih_cli_fail(err) : MIH_CLI_DONE;
}

/* A name from a bundle that nobody has checked must not drive a terminal. */
static void print_safe(const char *text)
{
	mih_text_print(stdout, text);
}

static void print_resource(const struct mih_sig_resource *r)
{
	char hex[2 * MIH_HASH_LEN_MAX + 1];
	enum mih_hash_alg alg;
	const uint8_t *root = tree_root(r, &alg);

	print_safe(r->name);
	if (mih_sig_resource_is_sized(r))
		printf("  %" PRIu64 " bytes", r->nbytes);
	if (r->nshards) {
		printf("\n  %zu shards, %s\n", r->nshards,
		       mih_hash_info(r->alg)->name);
		return;
	}
	mih_bytes_to_hex(r->digest, mih_hash_info(r->alg)->len, hex);
	printf("\n  %s %s\n", mih_hash_info(r->alg)->name, hex);
	if (root && root != r->digest) {
		mih_bytes_to_hex(root, mih_hash_info(alg)->len, hex);
		printf("  %s %s\n", mih_hash_info(alg)->name, hex);
	}
}

/* How many files can be read lazily, and how many bytes they state. */
static void print_counts(const struct mih_sig_manifest *m)
{
	size_t lazy = 0;
	uint64_t nbytes = 0;
	enum mih_hash_alg alg;

	for (size_t i = 0; i < m->nresources; i++) {
		if (m->is_sharded || tree_root(&m->resources[i], &alg))
			lazy++;
		if (mih_sig_resource_is_sized(&m->resources[i]))
			nbytes += m->resources[i].nbytes;
	}
	printf("files:    %zu, of which %zu can be read in parts\n",
	       m->nresources, lazy);
	if (nbytes)
		printf("bytes:    %" PRIu64 " stated\n", nbytes);
}

static void print_text(const struct inspect *in,
		       const struct mih_sig_bundle *bundle)
{
	const struct mih_sig_manifest *m = mih_sig_bundle_manifest(bundle);
	uint8_t root[32];
	char hex[65];

	mih_sig_bundle_root(bundle, root);
	mih_bytes_to_hex(root, sizeof(root), hex);
	printf("signature NOT checked: everything below is only claimed\n");
	printf("model:    ");
	print_safe(m->model_name ? m->model_name : "");
	printf("\nsigner:   ");
	print_safe(mih_sig_bundle_signer(bundle));
	printf("\nmethod:   %s\nroot:     sha256:%s\n",
	       method_name(mih_sig_bundle_method(bundle)), hex);
	if (m->is_legacy)
		printf("format:   model signing 0.2 (Digests/v0.1)\n");
	print_counts(m);
	printf("symlinks: %s\n", m->allow_symlinks ? "followed" : "refused");
	for (size_t i = 0; i < m->nignore_paths; i++) {
		printf("ignored:  ");
		print_safe(m->ignore_paths[i]);
		putchar('\n');
	}
	for (size_t i = 0; in->files && i < m->nresources; i++)
		print_resource(&m->resources[i]);
}

int mih_cli_inspect(int argc, char **argv)
{
	struct inspect in = { 0 };
	struct mih_sig_bundle *bundle;
	int code = parse(&in, argc, argv);
	mih_err err;

	if (code != MIH_CLI_GO_ON)
		return code;
	err = mih_sig_bundle_read(in.path, &bundle);
	if (err)
		return mih_cli_fail(err);
	if (in.json)
		code = print_json(bundle);
	else
		print_text(&in, bundle);
	mih_sig_bundle_free(bundle);
	return code == MIH_CLI_GO_ON ? MIH_CLI_DONE : code;
}
