/*
 * mihfs digest: print digests the way sha256sum does; sign nothing.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/pass/pass.h"
#include "cli/pass/report.h"
#include "hash/lthash.h"
#include "util/bytes.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char lthash_name[] = "lthash16";

struct digest {
	struct mih_cli_model_options model;
	const char *algorithm;
	const char *dir;		  /* MODEL, as typed */
	const struct mih_hash_info *info; /* NULL: lthash16 */
	/* Owned. */
	struct mih_cli_found found;
	struct mih_cli_pass_file *files;
	struct mih_cli_pass pass;
	pthread_mutex_t lock; /* of the sum */
	uint8_t sum[MIH_HASH_LT_LEN];
};

static int parse(struct digest *d, int argc, char **argv)
{
	const struct mih_cli_option options[] = {
		{ .name = "algorithm",
		  .letter = 'a',
		  .kind = MIH_CLI_TEXT,
		  .value = &d->algorithm,
		  .argument = "NAME",
		  .help = "mth4k-sha256 (default), mth4k-sha512, "
			  "mth4k-sha3-256, blake3, sha256, sha512, sha3-256, "
			  "blake2b, or lthash16 for the whole model" },
		MIH_CLI_MODEL_OPTIONS(d->model),
		{ .name = NULL },
	};
	const struct mih_cli_syntax syntax = {
		.command = "digest",
		.synopsis = "[options] MODEL",
		.about = "Print the digest of every file of a model.",
		.options = options,
	};
	int end = mih_cli_options_parse_one(&syntax, argc, argv, &d->dir);

	if (end != MIH_CLI_GO_ON)
		return end;
	d->info = mih_hash_by_name(d->algorithm);
	if (!d->info && strcmp(d->algorithm, lthash_name))
		return mih_cli_usage("digest", "unknown algorithm '%s'",
				     d->algorithm);
	return MIH_CLI_GO_ON;
}

static void add_sum(struct digest *d, const uint8_t *sum)
{
	pthread_mutex_lock(&d->lock);
	mih_hash_lt_add(d->sum, sum);
	pthread_mutex_unlock(&d->lock);
}

static mih_err add_groups(void *context, size_t file, uint64_t first,
			  const uint8_t *digests, size_t n)
{
	struct digest *d = context;
	size_t len = mih_hash_info(MIH_HASH_MTH4K_SHA256)->len;
	uint8_t element[MIH_HASH_LT_LEN], sum[MIH_HASH_LT_LEN] = { 0 };

	for (size_t i = 0; i < n; i++) {
		uint64_t off = (first + i) * MIH_HASH_GROUP;
		uint64_t left = d->files[file].nbytes - off;

		mih_hash_lt_element(d->files[file].path, off,
				    MIH_MIN(left, (uint64_t)MIH_HASH_GROUP),
				    digests + i * len, element);
		mih_hash_lt_add(sum, element);
	}
	add_sum(d, sum);
	return 0;
}

static void start_over(void *context)
{
	struct digest *d = context;

	memset(d->sum, 0, sizeof(d->sum));
}

/* An empty file has no group, yet its name belongs to the model. */
static void add_empty_files(struct digest *d)
{
	uint8_t element[MIH_HASH_LT_LEN];

	for (size_t i = 0; i < d->pass.nfiles; i++) {
		if (d->files[i].nbytes > 0)
			continue;
		mih_hash_lt_element(d->files[i].path, 0, 0, d->files[i].root,
				    element);
		add_sum(d, element);
	}
}

static mih_err read_files(struct digest *d)
{
	enum mih_hash_alg alg = d->info ? d->info->id : MIH_HASH_MTH4K_SHA256;
	bool is_tree = mih_hash_info(alg)->is_tree;
	size_t n = d->found.scan.nfiles;
	mih_err err;

	d->files = calloc(n + 1, sizeof(*d->files));
	if (!d->files)
		return mih_err_fail_errno(-ENOMEM, "%s", d->dir);
	for (size_t i = 0; i < n; i++)
		d->files[i] = (struct mih_cli_pass_file){
			.path = d->found.scan.files[i].path,
			.nbytes = d->found.scan.files[i].nbytes,
			.tree = is_tree ? alg : MIH_HASH_NONE,
			.flat = is_tree ? MIH_HASH_NONE : alg,
		};
	d->pass = (struct mih_cli_pass){
		.label = "reading",
		.quiet = d->model.quiet,
		.devices = &d->model.devices,
		.dirfd = d->found.scan.dirfd,
		.links = &d->found.links,
		.files = d->files,
		.nfiles = n,
		.context = d,
		.groups = d->info ? NULL : add_groups,
		.start_over = start_over,
	};
	err = mih_cli_pass_run(&d->pass);
	if (!err && !d->info)
		add_empty_files(d);
	return err;
}

static const uint8_t *digest_of(const struct digest *d, size_t i)
{
	return d->info->is_tree ? d->files[i].root : d->files[i].digest;
}

/* As sha256sum: a name that would break its line is escaped, and the line
 * then begins with a backslash. */
static void print_line(const char *hex, const char *path)
{
	if (strpbrk(path, "\\\n\r"))
		putchar('\\');
	printf("%s  ", hex);
	for (; *path; path++)
		if (*path == '\\')
			fputs("\\\\", stdout);
		else if (*path == '\n')
			fputs("\\n", stdout);
		else if (*path == '\r')
			fputs("\\r", stdout);
		else
			putchar(*path);
	putchar('\n');
}

static mih_err print_text(const struct digest *d)
{
	char hex[2 * MIH_HASH_LT_LEN + 1];

	for (size_t i = 0; d->info && i < d->pass.nfiles; i++) {
		if (d->files[i].err)
			continue;
		mih_bytes_to_hex(digest_of(d, i), d->info->len, hex);
		print_line(hex, d->files[i].path);
	}
	if (!d->info) {
		mih_bytes_to_hex(d->sum, sizeof(d->sum), hex);
		print_line(hex, d->dir);
	}
	if (fflush(stdout) == EOF)
		return mih_err_fail(-EIO, "standard output: cannot write");
	return 0;
}

static json_t *files_json(const struct digest *d)
{
	char hex[2 * MIH_HASH_LEN_MAX + 1];
	json_t *files = json_array();

	for (size_t i = 0; d->info && i < d->pass.nfiles; i++) {
		if (d->files[i].err)
			continue;
		mih_bytes_to_hex(digest_of(d, i), d->info->len, hex);
		json_array_append_new(
		    files,
		    json_pack("{s:o, s:I, s:s}", "path",
			      mih_cli_json_text(d->files[i].path), "size",
			      (json_int_t)d->files[i].nbytes, "digest", hex));
	}
	return files;
}

static mih_err print_json(const struct digest *d)
{
	char hex[2 * MIH_HASH_LT_LEN + 1];
	json_t *object =
	    json_pack("{s:s, s:I, s:f}", "algorithm", d->algorithm, "bytes",
		      (json_int_t)d->pass.nbytes, "seconds", d->pass.seconds);

	if (d->info) {
		json_object_set_new(object, "files", files_json(d));
	} else {
		mih_bytes_to_hex(d->sum, sizeof(d->sum), hex);
		json_object_set_new(object, "digest", json_string(hex));
	}
	return mih_cli_json_print(object);
}

static int run(struct digest *d)
{
	mih_err err = mih_cli_found_open(&d->found, &d->model, d->dir, NULL);
	mih_err bad = 0;

	if (!err)
		err = read_files(d);
	if (err)
		return mih_cli_fail(err);
	bad = mih_cli_pass_report(&d->pass);
	if (bad && !d->info)
		return MIH_CLI_SYSTEM; /* half a sum is none */
	err = d->model.json ? print_json(d) : print_text(d);
	if (err)
		return mih_cli_fail(err);
	return bad ? MIH_CLI_SYSTEM : MIH_CLI_DONE;
}

int mih_cli_digest(int argc, char **argv)
{
	struct digest d = {
		.algorithm = "mth4k-sha256",
		.found.scan.dirfd = -1,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	int code = parse(&d, argc, argv);

	if (code == MIH_CLI_GO_ON)
		code = run(&d);
	mih_cli_pass_fini(&d.pass);
	mih_cli_found_fini(&d.found);
	mih_cli_list_fini(&d.model.ignore);
	mih_cli_list_fini(&d.model.devices.device);
	free(d.files);
	pthread_mutex_destroy(&d.lock);
	return code;
}
