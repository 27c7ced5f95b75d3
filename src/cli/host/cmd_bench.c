/*
 * mihfs bench: what this host can hash, and how near to it verify comes.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/pass/pass.h"
#include "cli/pass/report.h"
#include "hash/rates.h"
#include "util/cleanup.h"
#include "util/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
	struct mih_cli_model_options model;
	uint64_t buffer;
	const char *dir; /* MODEL as typed, or NULL */
	struct mih_hash_rates rates;
	/* Owned. */
	struct mih_verify_scan scan;
	struct mih_cli_pass_file *files;
	struct mih_cli_pass pass;
};

static int parse(struct bench *b, int argc, char **argv)
{
	const struct mih_cli_option options[] = {
		{ .name = "buffer",
		  .kind = MIH_CLI_SIZE,
		  .value = &b->buffer,
		  .argument = "SIZE",
		  .help = "bytes hashed per run (default: 16M)" },
		{ .name = "json",
		  .kind = MIH_CLI_FLAG,
		  .value = &b->model.json,
		  .help = "one JSON object at the end" },
		{ .name = "quiet",
		  .letter = 'q',
		  .kind = MIH_CLI_FLAG,
		  .value = &b->model.quiet,
		  .help = "no progress bar" },
		{ .name = NULL },
	};
	const struct mih_cli_syntax syntax = {
		.command = "bench",
		.synopsis = "[options] [MODEL]",
		.about = "Measure one core at hashing, beside OpenSSL in the "
			 "same run; with MODEL\nalso how fast its files can "
			 "be verified.",
		.options = options,
		.max_operands = 1,
	};
	char **operands;
	int end = mih_cli_options_parse(&syntax, argc, argv, &operands);

	if (end != MIH_CLI_GO_ON)
		return end;
	if (b->buffer && b->buffer < MIH_HASH_GROUP)
		return mih_cli_usage("bench", "--buffer is under 64K");
	if (b->buffer > (uint64_t)1 << 32)
		return mih_cli_usage("bench", "--buffer is over 4G");
	b->dir = operands[0];
	return MIH_CLI_GO_ON;
}

static const struct mih_io_links links = { .follow = true };

/* Twice, and the second counts: the first brings the files into memory. */
static mih_err read_model(struct bench *b)
{
	const struct mih_verify_scan_rules rules = { .ignore_git = true,
						     .links = &links };
	mih_err err = mih_verify_scan_run(b->dir, &rules, &b->scan);
	size_t n = b->scan.nfiles;

	if (err)
		return err;
	b->files = calloc(n + 1, sizeof(*b->files));
	if (!b->files)
		return mih_err_fail_errno(-ENOMEM, "%s", b->dir);
	for (size_t i = 0; i < n; i++)
		b->files[i] = (struct mih_cli_pass_file){
			.path = b->scan.files[i].path,
			.nbytes = b->scan.files[i].nbytes,
			.tree = MIH_HASH_MTH4K_SHA256,
		};
	for (int warm = 0; !err && warm < 2; warm++) {
		mih_cli_pass_fini(&b->pass);
		b->pass = (struct mih_cli_pass){
			.label = warm ? "measuring" : "warming",
			.quiet = b->model.quiet,
			.devices = &b->model.devices,
			.is_trial = true,
			.dirfd = b->scan.dirfd,
			.links = &links,
			.files = b->files,
			.nfiles = n,
		};
		err = mih_cli_pass_run(&b->pass);
	}
	return err ? err : mih_cli_pass_report(&b->pass);
}

/* The rate of one core on the path that a verification takes. */
static double core_rate(const struct bench *b)
{
	enum mih_hash_path used = mih_hash_path_used(MIH_HASH_MTH4K_SHA256);

	for (size_t i = 0; i < b->rates.n; i++)
		if (!strcmp(b->rates.rows[i].what, "mth4k-sha256") &&
		    b->rates.rows[i].path == used)
			return b->rates.rows[i].gb_per_s;
	return 0;
}

static double model_rate(const struct bench *b)
{
	return b->pass.seconds > 0
		   ? (double)b->pass.nbytes / 1e9 / b->pass.seconds
		   : 0;
}

static void print_row(const struct mih_hash_rate *row)
{
	printf("%-20s %-9s %7.2f", row->what, mih_hash_path_name(row->path),
	       row->gb_per_s);
	if (row->base_gb_per_s > 0)
		printf("   %5.2fx %s (%.2f)",
		       row->gb_per_s / row->base_gb_per_s, row->base,
		       row->base_gb_per_s);
	putchar('\n');
}

static void print_text(const struct bench *b)
{
	size_t cores = mih_pool_cores();
	double core = core_rate(b), ideal = (double)cores * core;

	printf("%-20s %-9s %7s   %s\n", "one core", "path", "GB/s",
	       "beside, in the same run");
	for (size_t i = 0; i < b->rates.n; i++)
		print_row(&b->rates.rows[i]);
	if (!b->dir)
		return;
	printf("\nverify, warm: %.2f GB/s with %zu core%s", model_rate(b),
	       cores, cores == 1 ? "" : "s");
	if (ideal > 0)
		printf(" = %.2fx of %zu x %.2f", model_rate(b) / ideal, cores,
		       core);
	putchar('\n');
}

static json_t *row_json(const struct mih_hash_rate *row)
{
	json_t *object =
	    json_pack("{s:s, s:s, s:f}", "what", row->what, "path",
		      mih_hash_path_name(row->path), "gb_per_s", row->gb_per_s);

	if (object && row->base_gb_per_s > 0) {
		json_object_set_new(object, "base", json_string(row->base));
		json_object_set_new(object, "base_gb_per_s",
				    json_real(row->base_gb_per_s));
	}
	return object;
}

static mih_err print_json(const struct bench *b)
{
	json_t *rows = json_array(), *object;

	for (size_t i = 0; i < b->rates.n; i++)
		json_array_append_new(rows, row_json(&b->rates.rows[i]));
	object = json_pack("{s:I, s:o}", "cores", (json_int_t)mih_pool_cores(),
			   "hashing", rows);
	if (object && b->dir)
		json_object_set_new(object, "verify",
				    json_pack("{s:I, s:f, s:f, s:f}", "bytes",
					      (json_int_t)b->pass.nbytes,
					      "seconds", b->pass.seconds,
					      "gb_per_s", model_rate(b),
					      "core_gb_per_s", core_rate(b)));
	return mih_cli_json_print(object);
}

static int run(struct bench *b)
{
	mih_err err;

	b->rates.nbytes = (size_t)b->buffer;
	err = mih_hash_rates_measure(&b->rates);
	if (!err && b->dir)
		err = read_model(b);
	if (!err && b->model.json)
		err = print_json(b);
	else if (!err)
		print_text(b);
	return err ? mih_cli_fail(err) : MIH_CLI_DONE;
}

int mih_cli_bench(int argc, char **argv)
{
	struct bench *b = calloc(1, sizeof(*b));
	int code;

	if (!b)
		return mih_cli_fail(-ENOMEM);
	b->scan.dirfd = -1;
	code = parse(b, argc, argv);
	if (code == MIH_CLI_GO_ON)
		code = run(b);
	mih_cli_pass_fini(&b->pass);
	mih_verify_scan_fini(&b->scan);
	free(b->files);
	free(b);
	return code;
}
