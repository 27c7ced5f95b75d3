/*
 * What a file is held against. With a tree that is signed: the root, and for
 * more than one page the coarse layer from the sidecar, compared with it. Where
 * the sidecar is silent or wrong, or only a flat digest is signed, the file is
 * read once from end to end, and the layers come from there.
 */
#include "hash/stream.h"
#include "tree/fold.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/log.h"
#include "verify/bulk.h"
#include "verify/engine/engine_internal.h"

#include <stdlib.h>
#include <string.h>

/* Fine pages kept from a pass over the whole file. */
#define KEEP_MAX ((size_t)32 << 20)

static const struct mih_verify_file *
file_of(const struct mih_verify_opening *opening)
{
	return &opening->engine->model->files[opening->file];
}

void mih_verify_layers_free(struct mih_verify_layers *proof)
{
	if (!proof)
		return;
	free(proof->coarse);
	free(proof->known);
	mih_verify_edges_free(proof);
	if (proof->pattern)
		free(proof->pattern->tensors);
	free(proof->pattern);
	free(proof);
}

static struct mih_verify_layers *proof_new(const struct mih_verify_file *file)
{
	size_t words =
	    (size_t)mih_checked_ceil_div(mih_hash_ngroups(file->nbytes), 64);
	uint64_t npages = mih_tree_npages(file->nbytes);
	struct mih_verify_layers *proof;

	proof = calloc(1, sizeof(*proof) + words * sizeof(proof->bits[0]));
	if (!proof)
		return NULL;
	if (npages > 1)
		proof->coarse = malloc(npages * mih_verify_node_len(file));
	if (npages > 1 && file->proof == MIH_VERIFY_BY_SHARD)
		proof->known = calloc(npages, sizeof(*proof->known));
	if (file->nbytes > MIH_VERIFY_EXTENT)
		proof->pattern = calloc(1, sizeof(*proof->pattern));
	if ((npages > 1 && !proof->coarse) ||
	    (npages > 1 && file->proof == MIH_VERIFY_BY_SHARD &&
	     !proof->known) ||
	    (file->nbytes > MIH_VERIFY_EXTENT && !proof->pattern)) {
		mih_verify_layers_free(proof);
		return NULL;
	}
	if (file->root)
		memcpy(proof->root, file->root, mih_verify_node_len(file));
	return proof;
}

/* Does the coarse layer lead to the signed root? */
static mih_err coarse_fits(const struct mih_verify_file *file,
			   const struct mih_verify_layers *proof)
{
	size_t len = mih_verify_node_len(file);
	uint64_t npages = mih_tree_npages(file->nbytes);
	mih_autofree uint8_t *copy = malloc(npages * len);
	uint8_t root[MIH_HASH_LEN_MAX];

	if (!copy)
		return -ENOMEM;
	memcpy(copy, proof->coarse, npages * len);
	mih_tree_root(file->tree, file->nbytes, MIH_TREE_PAGE, copy, root);
	return mih_hash_eq(root, proof->root, len) ? 0 : MIH_EDIGEST;
}

static void find_entry(struct mih_verify_opening *opening)
{
	const struct mih_verify_file *file = file_of(opening);
	struct mih_tree_sidecar *sidecar = opening->engine->model->sidecar;

	opening->proof->has_entry =
	    sidecar &&
	    mih_tree_sidecar_find(sidecar, file->path, file->tree, file->nbytes,
				  &opening->proof->entry) == 0;
}

/* Once per mount: what is wrong with the sidecar as a whole. */
static void warn_sidecar(struct mih_verify_opening *opening)
{
	struct mih_verify_engine *engine = opening->engine;
	const char *path = file_of(opening)->path;

	if (atomic_exchange(&engine->diagnosed, true))
		return;
	if (!engine->model->sidecar)
		mih_log_warning("%s: no tree file: large files are read whole "
				"when they are first opened",
				path);
	else if (!opening->proof->has_entry)
		mih_log_warning("%s: not in the tree file, so it is read "
				"whole",
				path);
	else
		mih_log_warning(
		    "%s: the tree file is %s; the file is read "
		    "whole instead",
		    path, mih_tree_sidecar_diagnose(engine->model->sidecar));
}

/* 0 proven; MIH_EDIGEST: not by the sidecar; -ENOMEM. */
static mih_err coarse_by_sidecar(struct mih_verify_opening *opening)
{
	const struct mih_verify_file *file = file_of(opening);
	struct mih_verify_layers *proof = opening->proof;
	uint64_t npages = mih_tree_npages(file->nbytes);

	if (!proof->has_entry || mih_tree_sidecar_read_coarse(
				     opening->engine->model->sidecar,
				     &proof->entry, 0, npages, proof->coarse))
		return MIH_EDIGEST;
	return coarse_fits(file, proof);
}

static mih_err differs(const struct mih_verify_file *file, const char *name)
{
	return mih_err_fail(-EIO,
			    "%s: bytes 0-%ju differ from the signed %s "
			    "(%s)",
			    file->path,
			    (uintmax_t)(file->nbytes ? file->nbytes - 1 : 0),
			    file->proof == MIH_VERIFY_BY_TREE	 ? "tree"
			    : file->proof == MIH_VERIFY_BY_SHARD ? "shards"
								 : "file",
			    name);
}

static mih_err prove_empty(struct mih_verify_opening *opening)
{
	const struct mih_verify_file *file = file_of(opening);
	enum mih_hash_alg alg = file->proof == MIH_VERIFY_BY_TREE
				    ? file->tree
				    : file->resource->alg;
	const uint8_t *want = file->proof == MIH_VERIFY_BY_TREE
				  ? file->root
				  : file->resource->digest;
	const struct mih_hash_info *info = mih_hash_info(alg);
	uint8_t got[MIH_HASH_LEN_MAX];
	mih_err err = 0;

	if (file->proof == MIH_VERIFY_BY_TREE)
		mih_hash_empty(alg, got);
	else
		err = mih_hash_flat(alg, "", 0, got);
	if (err)
		return err;
	return mih_hash_eq(got, want, info->len) ? 0
						 : differs(file, info->name);
}

/*
 * A plain blake3 digest says nothing of the size, and the disk is not to be
 * believed: only the true last group hashes to the node at its place in a tree
 * of that size, because its position and its length go into its digest.
 */
static mih_err prove_end(struct mih_verify_opening *opening)
{
	const struct mih_verify_file *file = file_of(opening);
	size_t len = mih_verify_node_len(file);
	uint64_t last = mih_hash_ngroups(file->nbytes) - 1;
	struct mih_verify_page_job job = {
		.file = opening->file,
		.page = last / MIH_TREE_PAGE_GROUPS,
		.proof = opening->proof,
		.backing = opening->backing,
	};
	mih_autofree uint8_t *buf = malloc(MIH_HASH_GROUP);
	uint8_t nodes[MIH_TREE_PAGE_NODES_MAX], got[MIH_HASH_LEN_MAX];
	struct mih_hash_range range = {
		.data = buf,
		.len = mih_verify_group_len(file, last),
		.off = last * MIH_HASH_GROUP,
		.is_root = file->nbytes <= MIH_HASH_GROUP,
	};
	mih_err err;

	if (!buf)
		return -ENOMEM;
	err = mih_verify_page_prove(opening->engine, &job, nodes);
	if (!err)
		err = mih_io_pread_full(opening->backing->source.fd, buf,
					range.len, range.off);
	if (err == -ENOMEM)
		return err;
	if (err)
		return differs(file, mih_hash_info(file->tree)->name);
	mih_verify_count(opening->engine, MIH_VERIFY_DISK_BYTES, range.len);
	mih_hash_groups(file->tree, &range, 1, got);
	return mih_hash_eq(got, nodes + last % MIH_TREE_PAGE_GROUPS * len, len)
		   ? 0
		   : differs(file, mih_hash_info(file->tree)->name);
}

/* One page while a pass over the whole file fills it. */
struct page_fill {
	size_t left; /* groups to come */
	uint8_t nodes[];
};

struct whole {
	struct mih_verify_opening *opening;
	struct mih_gpu_dev *dev;
	bool by_device;		  /* which did make some of the digests */
	const uint8_t *hints;	  /* or NULL (borrowed) */
	pthread_mutex_t lock;	  /* fills, their left, kept */
	struct page_fill **fills; /* npages; owned */
	size_t kept;
};

static struct page_fill *fill_get(struct whole *whole, uint64_t page)
{
	const struct mih_verify_file *file = file_of(whole->opening);
	size_t n = mih_tree_page_groups(file->nbytes, page);
	struct page_fill *fill;

	pthread_mutex_lock(&whole->lock);
	fill = whole->fills[page];
	if (!fill) {
		fill = malloc(sizeof(*fill) + n * mih_verify_node_len(file));
		if (fill)
			fill->left = n;
		whole->fills[page] = fill;
	}
	pthread_mutex_unlock(&whole->lock);
	return fill;
}

/* All groups of a page are there: make its coarse node, or the root. */
static void page_full(struct whole *whole, uint64_t page,
		      struct page_fill *fill)
{
	const struct mih_verify_file *file = file_of(whole->opening);
	struct mih_verify_layers *proof = whole->opening->proof;
	size_t len = mih_verify_node_len(file);
	size_t n = mih_tree_page_groups(file->nbytes, page);
	bool is_root = mih_tree_npages(file->nbytes) == 1;
	bool keep;

	mih_tree_page_node(file->tree, file->nbytes, page, fill->nodes,
			   is_root ? proof->root : proof->coarse + page * len);
	pthread_mutex_lock(&whole->lock);
	keep = whole->kept + n * len <= KEEP_MAX;
	if (keep)
		whole->kept += n * len;
	else
		whole->fills[page] = NULL;
	pthread_mutex_unlock(&whole->lock);
	if (!keep)
		free(fill);
}

/* mih_verify_bulk.groups: a few digests, from any thread. Ends the pass where
 * nobody waits for it. */
static mih_err whole_groups(void *context, size_t index, uint64_t first,
			    const uint8_t *digests, size_t n)
{
	struct whole *whole = context;
	size_t len = mih_verify_node_len(file_of(whole->opening));

	(void)index;
	mih_verify_check_look(&whole->opening->check);
	if (mih_verify_is_given_up(&whole->opening->unwanted_ns))
		return mih_err_fail(-ECANCELED, "interrupted");
	while (n) {
		uint64_t page = first / MIH_TREE_PAGE_GROUPS;
		size_t at = first % MIH_TREE_PAGE_GROUPS;
		size_t part = MIH_MIN(n, MIH_TREE_PAGE_GROUPS - at);
		struct page_fill *fill = fill_get(whole, page);
		bool full;

		if (!fill)
			return -ENOMEM;
		memcpy(fill->nodes + at * len, digests, part * len);
		pthread_mutex_lock(&whole->lock);
		full = !(fill->left -= part);
		pthread_mutex_unlock(&whole->lock);
		if (full)
			page_full(whole, page, fill);
		first += part;
		digests += part * len;
		n -= part;
	}
	return 0;
}

/* What the pass found against what is signed. MIH_EDIGEST: it differs, by what
 * hints or a device say. */
static mih_err whole_judge(const struct whole *whole,
			   const struct mih_verify_bulk_file *read)
{
	const struct mih_verify_opening *opening = whole->opening;
	const struct mih_verify_file *file = file_of(opening);
	enum mih_hash_alg alg = file->resource->alg;
	mih_err err;

	if (read->hints && read->err == MIH_EDIGEST)
		return MIH_EDIGEST;
	if (read->err == -ENODATA || read->err == -EFBIG ||
	    read->err == -EINVAL || read->err == -ESTALE)
		return mih_err_fail(-EIO,
				    "%s: changed while it was read for the "
				    "first time",
				    file->path);
	if (read->err)
		return mih_err_fail_errno(read->err, "%s: cannot be read",
					  file->path);
	if (file->proof == MIH_VERIFY_BY_FLAT &&
	    mih_hash_eq(read->flat, file->resource->digest,
			mih_hash_info(alg)->len))
		return 0;
	if (file->proof == MIH_VERIFY_BY_FLAT)
		return read->hints ? MIH_EDIGEST
				   : differs(file, mih_hash_info(alg)->name);
	err = coarse_fits(file, opening->proof);
	if (err != MIH_EDIGEST || whole->by_device)
		return err;
	return differs(file, mih_hash_info(file->tree)->name);
}

/* Everything was read and proven: remember that, and the pages. */
static void whole_keep(struct whole *whole)
{
	struct mih_verify_opening *opening = whole->opening;
	const struct mih_verify_file *file = file_of(opening);
	uint64_t ngroups = mih_hash_ngroups(file->nbytes);
	size_t len = mih_verify_node_len(file);

	for (uint64_t g = 0; g < ngroups; g++)
		mih_verify_mark(file, opening->proof, g);
	mih_verify_count(opening->engine, MIH_VERIFY_GOOD_GROUPS, ngroups);
	mih_verify_count(opening->engine, MIH_VERIFY_GOOD_BYTES, file->nbytes);
	for (uint64_t p = 0; p < mih_tree_npages(file->nbytes); p++)
		if (whole->fills[p])
			mih_verify_layer_put(
			    opening->engine, opening->file, p,
			    whole->fills[p]->nodes,
			    len * mih_tree_page_groups(file->nbytes, p));
}

static mih_err whole_pass(struct mih_verify_opening *opening,
			  struct whole *whole)
{
	struct mih_verify_engine *engine = opening->engine;
	const struct mih_verify_file *file = file_of(opening);
	bool by_flat = file->proof == MIH_VERIFY_BY_FLAT;
	struct mih_verify_bulk_file read = {
		.path = file->path,
		.nbytes = file->nbytes,
		.hints = whole->hints,
	};
	struct mih_verify_bulk bulk = {
		.dirfd = engine->model->dirfd,
		.links = &engine->model->links,
		.files = &read,
		.nfiles = 1,
		.flat = by_flat ? file->resource->alg : MIH_HASH_NONE,
		.tree = file->tree,
		.dev = whole->dev,
		.nthreads = opening->may_wait ? 0 : 1,
		.context = whole,
		.groups = whole_groups,
		.cancel = &engine->stopping,
	};
	mih_err err = mih_verify_bulk_run(&bulk);

	if (err)
		return err;
	if (!read.err)
		mih_verify_count(engine, MIH_VERIFY_DISK_BYTES, file->nbytes);
	whole->by_device = atomic_load(&bulk.by_device);
	err = whole_judge(whole, &read);
	if (!err)
		whole_keep(whole);
	return err;
}

static mih_err prove_once(struct mih_verify_opening *opening,
			  struct mih_gpu_dev *dev, const uint8_t *hints)
{
	uint64_t npages = mih_tree_npages(file_of(opening)->nbytes);
	struct whole whole = { .opening = opening, .dev = dev, .hints = hints };
	mih_err err;

	whole.fills = calloc(npages, sizeof(*whole.fills));
	if (!whole.fills)
		return -ENOMEM;
	pthread_mutex_init(&whole.lock, NULL);
	err = whole_pass(opening, &whole);
	pthread_mutex_destroy(&whole.lock);
	for (uint64_t p = 0; p < npages; p++)
		free(whole.fills[p]);
	free(whole.fills);
	return err;
}

/* What the sidecar says of the states of a flat sha256; NULL: nothing. */
static uint8_t *read_hints(struct mih_verify_opening *opening)
{
	const struct mih_verify_file *file = file_of(opening);
	const struct mih_verify_layers *proof = opening->proof;
	size_t n = (size_t)(file->nbytes / MIH_VERIFY_EXTENT);
	mih_autofree uint8_t *hints = NULL;

	if (file->proof != MIH_VERIFY_BY_FLAT ||
	    file->resource->alg != MIH_HASH_SHA256 || !opening->may_wait ||
	    !proof->has_entry || !proof->entry.has_hints || n == 0)
		return NULL;
	hints = calloc(n, MIH_HASH_SHA256_STATE);
	if (!hints ||
	    mih_tree_sidecar_read_hints(opening->engine->model->sidecar,
					&proof->entry, 0, n, hints))
		return NULL;
	return MIH_STEAL(&hints);
}

/* A root is signed, so it shows whether a device was right. If not, it may be
 * the device's fault, where it did any of it. */
static mih_err prove_by_root(struct mih_verify_opening *opening)
{
	struct mih_verify_engine *engine = opening->engine;
	mih_err err = prove_once(opening, engine->dev, NULL);

	if (err != MIH_EDIGEST)
		return err;
	mih_verify_count(engine, MIH_VERIFY_DEVICE_RECHECKS, 1);
	err = prove_once(opening, mih_gpu_cpu(), NULL);
	if (err)
		return err;
	mih_verify_count(engine, MIH_VERIFY_DEVICE_WRONG, 1);
	mih_log_warning("%s: a device gave a wrong digest; the file was read "
			"twice",
			file_of(opening)->path);
	return 0;
}

/*
 * Of layers that are made beside a flat digest nothing else says whether they
 * are right, and all that follows is held against them: no device makes them.
 *
 * With hints, one digest is checked by all cores. If they do not lead to it
 * that may be their fault, so the file has another chance without them.
 */
static mih_err prove_whole(struct mih_verify_opening *opening)
{
	mih_autofree uint8_t *hints = read_hints(opening);
	struct mih_gpu_dev *cpu = mih_gpu_cpu();
	mih_err err = hints ? prove_once(opening, cpu, hints) : MIH_EDIGEST;

	if (err != MIH_EDIGEST)
		return err;
	if (file_of(opening)->proof == MIH_VERIFY_BY_TREE)
		return prove_by_root(opening);
	err = prove_once(opening, cpu, NULL);
	if (!err && hints)
		mih_log_warning("%s: the tree file holds wrong hints; the file "
				"was read twice",
				file_of(opening)->path);
	return err;
}

/* A small file is read at once; a large one in a thread that may take long. */
static mih_err prove_whole_when_due(struct mih_verify_opening *opening)
{
	if (!opening->may_wait && file_of(opening)->nbytes > MIH_TREE_PAGE)
		return MIH_EPARKED;
	return prove_whole(opening);
}

/* A page has its shards read when it is first asked for. A file of a single
 * page has nothing to gain by waiting. */
static mih_err prove_shards(struct mih_verify_opening *opening)
{
	const struct mih_verify_file *file = file_of(opening);
	const struct mih_hash_info *info = mih_hash_info(file->resource->alg);
	struct mih_verify_page_job job = {
		.file = opening->file,
		.proof = opening->proof,
		.backing = opening->backing,
	};
	uint8_t nodes[MIH_TREE_PAGE_NODES_MAX];
	mih_err err;

	if (file->nbytes > MIH_TREE_PAGE)
		return 0;
	err = mih_verify_shards_prove(opening->engine, &job, nodes);
	return err == MIH_EDIGEST ? differs(file, info->name) : err;
}

static mih_err prove(struct mih_verify_opening *opening)
{
	const struct mih_verify_file *file = file_of(opening);
	mih_err err;

	if (!file->nbytes)
		return prove_empty(opening);
	if (file->proof == MIH_VERIFY_BY_FLAT)
		return prove_whole_when_due(opening);
	if (file->proof == MIH_VERIFY_BY_SHARD)
		return prove_shards(opening);
	if (opening->proof->coarse) {
		err = opening->may_wait ? MIH_EDIGEST
					: coarse_by_sidecar(opening);
		if (err == MIH_EDIGEST) {
			warn_sidecar(opening);
			err = prove_whole_when_due(opening);
		}
		if (err)
			return err;
	}
	/* Annotated files have their size signed. */
	return file->resource->tree == MIH_HASH_NONE ? prove_end(opening) : 0;
}

mih_err mih_verify_layers_make(struct mih_verify_opening *opening)
{
	if (!opening->proof) {
		opening->proof = proof_new(file_of(opening));
		if (!opening->proof)
			return -ENOMEM;
		find_entry(opening);
	}
	return prove(opening);
}
