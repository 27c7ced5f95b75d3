#include "cli/pass/pass.h"
#include "cli/pass/progress.h"
#include "gpu/about.h"
#include "tree/fold.h"
#include "util/cleanup.h"
#include "util/checked.h"
#include "util/log.h"
#include "verify/bulk.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Of models of so many bytes some are hashed while the driver starts. */
#define AUTO_LEAST  ((uint64_t)4 << 30)
#define NAMED_LEAST ((uint64_t)1 << 30)

/* A signal handler can reach nothing else. */
static atomic_bool interrupted;

static void on_signal(int signo)
{
	(void)signo;
	atomic_store(&interrupted, true);
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/* What they did before, while they are caught. */
static struct sigaction before[MIH_ARRAY_LEN(signals)];
static bool caught;

/* As long as there is a writer, since to die would leave its temporary file.
 * What nohup(1) told us to ignore stays ignored. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; !caught && i < MIH_ARRAY_LEN(signals); i++) {
		sigaction(signals[i], NULL, &before[i]);
		if (signals[i] != SIGHUP || before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	caught = true;
}

static void release_signals(void)
{
	for (size_t i = 0; caught && i < MIH_ARRAY_LEN(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	caught = false;
}

/* Files of one pass that want the same digests: one call of the bulk reader. */
struct round {
	struct mih_cli_pass *pass;
	struct mih_tree_writer *writer; /* NULL: none has layers to write */
	const size_t *slots;		/* file in the pass -> in the writer */
	size_t *members;		/* file in the bulk -> in the pass */
	struct mih_gpu_dev *dev;
	struct mih_verify_bulk_samples *samples; /* NULL: none are needed */
	enum mih_hash_alg flat, tree;
	bool is_second; /* for files of which something did not fit */
};

/* All its groups come at once, which they do without a flat digest, and nobody
 * wants to keep them: its root needs no writer. */
static bool is_small(const struct mih_cli_pass *pass,
		     const struct mih_cli_pass_file *file)
{
	return !pass->sidecar && file->flat == MIH_HASH_NONE &&
	       file->nbytes <= MIH_VERIFY_BULK_PIECE;
}

static void make_root(struct mih_cli_pass_file *file, const uint8_t *digests,
		      size_t n)
{
	uint8_t
	    nodes[MIH_VERIFY_BULK_PIECE / MIH_HASH_GROUP * MIH_HASH_LEN_MAX];

	assert(n == mih_hash_ngroups(file->nbytes));
	if (n > 0)
		memcpy(nodes, digests, n * mih_hash_info(file->tree)->len);
	mih_tree_root(file->tree, file->nbytes, MIH_HASH_GROUP, nodes,
		      file->root);
}

static mih_err put_groups(void *context, size_t file, uint64_t first,
			  const uint8_t *digests, size_t n)
{
	struct round *round = context;
	struct mih_cli_pass *pass = round->pass;
	size_t i = round->members[file];
	mih_err err = 0;

	if (is_small(pass, &pass->files[i]))
		make_root(&pass->files[i], digests, n);
	else
		err = mih_tree_writer_put(round->writer, round->slots[i], first,
					  digests, n);
	if (!err && pass->groups)
		err = pass->groups(pass->context, i, first, digests, n);
	return err;
}

static mih_err put_hint(void *context, size_t file, uint64_t i,
			const uint8_t state[32])
{
	struct round *round = context;
	size_t at = round->members[file];

	if (!round->pass->files[at].hints)
		return 0;
	return mih_tree_writer_put_hint(round->writer, round->slots[at], i,
					state);
}

static mih_err take_root(struct round *round, size_t file, mih_err err)
{
	struct mih_cli_pass *pass = round->pass;
	size_t i = round->members[file];
	struct mih_cli_pass_file *of = &pass->files[i];

	if (err || round->tree == MIH_HASH_NONE)
		return 0;
	if (is_small(pass, of)) {
		if (of->nbytes == 0)
			make_root(of, NULL, 0);
		return 0;
	}
	return mih_tree_writer_root(round->writer, round->slots[i], of->root);
}

/* The bulk reader's files lie behind its parameters, to be found from here. */
struct reading {
	struct round round; /* first: the callbacks get its address */
	struct mih_verify_bulk bulk;
};

/* A root that is not as expected, made by a device: let the processor see. If
 * that finds it right, the device is not to be trusted. */
static void doubt(struct reading *reading, size_t file)
{
	const struct round *round = &reading->round;
	const struct mih_cli_pass_file *of =
	    &round->pass->files[round->members[file]];
	struct mih_verify_bulk_file *from = &reading->bulk.files[file];
	bool is_right;

	if (from->err || !of->want)
		return;
	is_right =
	    mih_hash_eq(of->root, of->want, mih_hash_info(round->tree)->len);
	if (round->is_second && is_right)
		atomic_store(&round->pass->device_lied, true);
	if (is_right || !atomic_load(&reading->bulk.by_device))
		return;
	from->err = MIH_EDIGEST;
	if (!is_small(round->pass, of))
		mih_tree_writer_forget(round->writer,
				       round->slots[round->members[file]]);
}

static mih_err file_done(void *context, size_t file)
{
	struct reading *reading = context;
	mih_err err =
	    take_root(&reading->round, file, reading->bulk.files[file].err);

	if (!err && reading->round.tree != MIH_HASH_NONE)
		doubt(reading, file);
	return err;
}

static bool belongs(const struct round *round,
		    const struct mih_cli_pass_file *file)
{
	return file->tree == round->tree && file->flat == round->flat &&
	       (!round->is_second || file->err == MIH_EDIGEST);
}

/* Of a file, or of one of its shards. */
static const uint8_t *states_of(const struct round *round, size_t i,
				const struct mih_verify_bulk_file *part)
{
	if (round->is_second ||
	    !mih_verify_bulk_hintable(part->shards, part->nshards))
		return NULL;
	return round->pass->files[i].states;
}

/* Shards are read side by side, each by itself, unless the groups of the whole
 * file are wanted of the same bytes. */
static size_t parts_of(const struct mih_cli_pass_file *file)
{
	return file->tree == MIH_HASH_NONE && file->nshards > 1 ? file->nshards
								: 1;
}

static size_t count_parts(const struct round *round)
{
	const struct mih_cli_pass *pass = round->pass;
	size_t n = 0;

	for (size_t i = 0; i < pass->nfiles; i++)
		if (belongs(round, &pass->files[i]))
			n += parts_of(&pass->files[i]);
	return n;
}

static void collect_file(struct reading *reading, size_t i)
{
	struct mih_cli_pass_file *file = &reading->round.pass->files[i];
	size_t nparts = parts_of(file);

	for (size_t part = 0; part < nparts; part++) {
		size_t n = reading->bulk.nfiles++;
		struct mih_verify_bulk_file *to = &reading->bulk.files[n];

		reading->round.members[n] = i;
		*to = (struct mih_verify_bulk_file){
			.path = file->path,
			.nbytes = file->nbytes,
			.shards = file->shards ? file->shards + part : NULL,
			.nshards = file->nshards / nparts,
		};
		to->hints = states_of(&reading->round, i, to);
	}
	file->err = 0;
	file->nbad = 0;
}

static void collect(struct reading *reading)
{
	const struct mih_cli_pass *pass = reading->round.pass;

	for (size_t i = 0; i < pass->nfiles; i++)
		if (belongs(&reading->round, &pass->files[i]))
			collect_file(reading, i);
}

static void hand_out_one(const struct mih_verify_bulk_file *from,
			 struct mih_cli_pass_file *to)
{
	if (!to->err)
		to->err = from->err;
	to->misled |= from->hints && from->err == MIH_EDIGEST;
	if (from->nbad && !to->nbad)
		to->first_bad =
		    (size_t)(from->shards - to->shards) + from->first_bad;
	to->nbad += from->nbad;
	memcpy(to->digest, from->flat, sizeof(to->digest));
}

static void hand_out(const struct reading *reading)
{
	struct mih_cli_pass *pass = reading->round.pass;

	for (size_t n = 0; n < reading->bulk.nfiles; n++)
		hand_out_one(&reading->bulk.files[n],
			     &pass->files[reading->round.members[n]]);
}

static mih_err run_round(const struct round *round,
			 struct mih_cli_progress *progress)
{
	struct mih_cli_pass *pass = round->pass;
	size_t n = count_parts(round);
	mih_autofree size_t *members = calloc(n + 1, sizeof(*members));
	mih_autofree struct mih_verify_bulk_file *files =
	    calloc(n + 1, sizeof(*files));
	struct reading reading = { .round = *round };
	mih_err err;

	if (!members || !files)
		return mih_err_fail_errno(-ENOMEM, "mihfs");
	reading.round.members = members;
	reading.bulk = (struct mih_verify_bulk){
		.dirfd = pass->dirfd,
		.links = pass->links,
		.files = files,
		.flat = round->flat,
		.tree = round->tree,
		.context = &reading,
		.groups = round->tree == MIH_HASH_NONE ? NULL : put_groups,
		.hint = round->writer && round->flat == MIH_HASH_SHA256
			    ? put_hint
			    : NULL,
		.file_done = file_done,
		.progress = &progress->done,
		.cancel = &interrupted,
	};
	collect(&reading);
	if (n == 0)
		return 0;
	reading.bulk.dev = round->dev;
	reading.bulk.samples = round->samples;
	err = mih_verify_bulk_run(&reading.bulk);
	hand_out(&reading);
	return err;
}

/* Where the states did not fit, file or states may be wrong; where a root did
 * not, file or device. */
static mih_err run_round_twice(struct round *round,
			       struct mih_cli_progress *progress)
{
	struct mih_gpu_dev *dev = round->dev;
	mih_err err;

	round->is_second = false;
	err = run_round(round, progress);
	round->is_second = true;
	round->dev = mih_gpu_cpu();
	for (size_t i = 0; i < round->pass->nfiles; i++)
		if (belongs(round, &round->pass->files[i]))
			atomic_fetch_add(&progress->total,
					 round->pass->files[i].nbytes);
	if (!err)
		err = run_round(round, progress);
	round->dev = dev;
	if (atomic_load(&round->pass->device_lied) && dev != mih_gpu_cpu()) {
		mih_log_warning("device %s is out of use%s: it gave a wrong "
				"digest",
				mih_gpu_describe(dev),
				round->pass->dev ? " for this pass" : "");
		round->dev = mih_gpu_cpu();
	}
	return err;
}

/* Lay out the layers of all files that want a tree. */
static mih_err open_writer(struct mih_cli_pass *pass, size_t *slots,
			   struct mih_tree_writer **writer_out)
{
	size_t n = 0;

	for (size_t i = 0; i < pass->nfiles; i++) {
		const struct mih_cli_pass_file *file = &pass->files[i];

		if (file->tree == MIH_HASH_NONE || is_small(pass, file))
			continue;
		slots[i] = n;
		pass->sources[n++] = (struct mih_tree_source){
			.path = file->path,
			.nbytes = file->nbytes,
			.has_hints = file->hints,
			.tree = file->tree,
		};
	}
	return n || pass->sidecar
		   ? mih_tree_writer_open(pass->sidecar, MIH_HASH_MTH4K_SHA256,
					  pass->sources, n, writer_out)
		   : 0;
}

/* Each pair of digests that some file wants is a round. */
static mih_err run_rounds(struct round *round,
			  struct mih_cli_progress *progress)
{
	const struct mih_cli_pass *pass = round->pass;
	struct mih_tree_writer *writer = round->writer;
	bool wanted[MIH_HASH_ALG_END][MIH_HASH_ALG_END] = { { false } };
	mih_err err = 0;

	for (size_t i = 0; i < pass->nfiles; i++)
		wanted[pass->files[i].tree][pass->files[i].flat] = true;
	for (int i = 0; !err && i < MIH_HASH_ALG_END * MIH_HASH_ALG_END; i++) {
		round->tree = (enum mih_hash_alg)(i / MIH_HASH_ALG_END);
		round->flat = (enum mih_hash_alg)(i % MIH_HASH_ALG_END);
		round->writer = round->tree == MIH_HASH_NONE ? NULL : writer;
		if (wanted[round->tree][round->flat])
			err = run_round_twice(round, progress);
	}
	round->writer = writer;
	return err;
}

/* Would nothing else show the mistake of a device? */
static bool needs_samples(const struct mih_cli_pass *pass)
{
	bool needs = false;

	for (size_t i = 0; i < pass->nfiles; i++)
		needs |= pass->files[i].tree != MIH_HASH_NONE &&
			 !pass->files[i].want;
	return needs && !pass->is_trial;
}

/* Who was told of digests cannot forget them, should a device be found out. */
static bool needs_processor(const struct mih_cli_pass *pass)
{
	return pass->groups && !pass->start_over && needs_samples(pass);
}

/* A device that was found out may have been wrong before, about any file. */
static mih_err start_over(struct round *round, size_t *slots,
			  struct mih_cli_progress *progress)
{
	struct mih_cli_pass *pass = round->pass;
	mih_err err;

	mih_tree_writer_abort(MIH_STEAL(&round->writer));
	for (size_t i = 0; i < pass->nfiles; i++) {
		pass->files[i].err = 0;
		pass->files[i].misled = false;
	}
	atomic_store(&progress->done, 0);
	atomic_store(&progress->total, pass->nbytes);
	if (pass->start_over)
		pass->start_over(pass->context);
	round->dev = mih_gpu_cpu();
	err = open_writer(pass, slots, &round->writer);
	return err ? err : run_rounds(round, progress);
}

static mih_err run_sampled(struct round *round, size_t *slots,
			   struct mih_cli_progress *progress)
{
	struct mih_cli_pass *pass = round->pass;
	struct mih_verify_bulk_samples samples = { 0 };
	mih_err err;

	round->samples = &samples;
	err = run_rounds(round, progress);
	pass->nby_device = samples.npieces;
	pass->nsamples = samples.ndrawn;
	if (samples.differ)
		atomic_store(&pass->device_lied, true);
	return atomic_load(&pass->device_lied)
		   ? start_over(round, slots, progress)
		   : err;
}

/* Nobody asked for a GPU, and it may not be used unasked, or to open one takes
 * longer than to hash this. */
static bool needs_none(const struct mih_cli_pass *pass)
{
	return (pass->only_named || needs_processor(pass) ||
		pass->nbytes < AUTO_LEAST) &&
	       (!pass->devices || !pass->devices->device.n);
}

/* With what the digests are made, of what was opened. */
static struct mih_gpu_dev *choose_device(const struct mih_cli_pass *pass,
					 struct mih_gpu_dev *dev)
{
	if (dev == mih_gpu_cpu() || !needs_processor(pass))
		return dev;
	mih_log_warning("%s: by the processor alone, as nothing would show "
			"the mistake of a device in time",
			pass->label);
	return mih_gpu_cpu();
}

/* Who names a device wants it used, for small models too. A large one is begun
 * by the processor while the driver starts. */
static void wait_measured(const struct mih_cli_pass *pass,
			  struct mih_gpu_dev *dev)
{
	if (pass->nbytes >= NAMED_LEAST)
		return;
	for (size_t i = 0; i < pass->nfiles; i++)
		if (pass->files[i].tree != MIH_HASH_NONE)
			mih_gpu_wait_for(dev, pass->files[i].tree,
					 &interrupted);
}

static mih_err open_devices(const struct mih_cli_pass *pass,
			    struct mih_gpu_dev **dev_out)
{
	struct mih_gpu_params params = { .asks = true, .alone = true };
	mih_err err;

	if (pass->dev || needs_none(pass)) {
		*dev_out = pass->dev ? pass->dev : mih_gpu_cpu();
		return 0;
	}
	if (pass->devices) {
		params.specs = pass->devices->device.items;
		params.nspecs = pass->devices->device.n;
		params.memory = pass->devices->gpu_memory;
	}
	err = mih_gpu_open(&params, dev_out);
	if (!err && params.nspecs)
		wait_measured(pass, *dev_out);
	return err;
}

/* How much stands behind what is now the truth. */
static void tell_samples(const struct mih_cli_pass *pass)
{
	if (pass->quiet || !pass->nby_device)
		return;
	mih_log_info("%s: %ju pieces hashed by devices, %ju of them again by "
		     "the processor: %s",
		     pass->label, (uintmax_t)pass->nby_device,
		     (uintmax_t)pass->nsamples,
		     atomic_load(&pass->device_lied)
			 ? "a device was wrong, so it did all of it once more"
			 : "all equal");
}

static mih_err run_all(struct mih_cli_pass *pass,
		       struct mih_cli_progress *progress)
{
	struct mih_gpu_dev *dev = NULL;
	mih_autofree size_t *slots = calloc(pass->nfiles + 1, sizeof(*slots));
	struct round round = { .pass = pass, .slots = slots };
	mih_err err;

	if (!slots)
		return mih_err_fail_errno(-ENOMEM, "mihfs");
	err = open_devices(pass, &dev);
	if (err)
		return err;
	round.dev = choose_device(pass, dev);
	err = open_writer(pass, slots, &round.writer);
	if (!err)
		err = needs_samples(pass) ? run_sampled(&round, slots, progress)
					  : run_rounds(&round, progress);
	if (!err && !pass->dev)
		err = mih_gpu_found(dev, &interrupted);
	if (err || !pass->sidecar)
		mih_tree_writer_abort(round.writer);
	else
		pass->writer = round.writer;
	if (!pass->dev)
		mih_gpu_close(dev);
	return err;
}

mih_err mih_cli_pass_run(struct mih_cli_pass *pass)
{
	struct mih_cli_progress progress;
	mih_err err;

	pass->sources = calloc(pass->nfiles + 1, sizeof(*pass->sources));
	if (!pass->sources)
		return mih_err_fail_errno(-ENOMEM, "mihfs");
	pass->nbytes = 0;
	for (size_t i = 0; i < pass->nfiles; i++)
		pass->nbytes += pass->files[i].nbytes;
	catch_signals();
	mih_cli_progress_start(&progress, pass->label, pass->nbytes,
			       pass->quiet);
	err = run_all(pass, &progress);
	pass->seconds = mih_cli_progress_stop(&progress);
	if (!err)
		tell_samples(pass);
	if (!pass->writer)
		release_signals();
	return err;
}

mih_err mih_cli_pass_check(void)
{
	if (!atomic_load(&interrupted))
		return 0;
	return mih_err_fail(-ECANCELED, "interrupted");
}

void mih_cli_pass_fini(struct mih_cli_pass *pass)
{
	mih_tree_writer_abort(pass->writer);
	pass->writer = NULL;
	release_signals();
	free(pass->sources);
	pass->sources = NULL;
}
