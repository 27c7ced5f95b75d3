/*
 * The fine layer, page by page: 128 group digests under one proven node. A
 * page comes from the sidecar, or where that is silent or wrong from the data
 * itself; either way it is folded in private memory and compared with the
 * proven node before anything is held against it.
 */
#include "tree/fold.h"
#include "util/cleanup.h"
#include "util/host/clock.h"
#include "util/io.h"
#include "util/log.h"
#include "verify/engine/engine_internal.h"

#include <stdlib.h>
#include <string.h>

/* Do they lead to the node that stands above? */
static bool page_fits(const struct mih_verify_file *file,
		      const struct mih_verify_page_job *job,
		      const uint8_t *nodes)
{
	size_t len = mih_verify_node_len(file);
	bool is_root = mih_tree_npages(file->nbytes) == 1;
	const uint8_t *above =
	    is_root ? job->proof->root : job->proof->coarse + job->page * len;
	uint8_t node[MIH_HASH_LEN_MAX];

	mih_tree_page_node(file->tree, file->nbytes, job->page, nodes, node);
	return mih_hash_eq(node, above, len);
}

static bool prove_by_sidecar(struct mih_verify_engine *engine,
			     const struct mih_verify_page_job *job,
			     uint8_t *nodes)
{
	const struct mih_verify_file *file = &engine->model->files[job->file];
	size_t n = mih_tree_page_groups(file->nbytes, job->page);
	uint64_t first = job->page * MIH_TREE_PAGE_GROUPS;

	if (!job->proof->has_entry)
		return false;
	if (mih_tree_sidecar_read_fine(engine->model->sidecar,
				       &job->proof->entry, first, n,
				       nodes) == 0 &&
	    page_fits(file, job, nodes))
		return true;
	if (!atomic_exchange(&job->proof->warned, true))
		mih_log_warning("%s: tree file holds wrong digests for bytes "
				"from %ju on; taken from the data instead",
				file->path,
				(uintmax_t)(job->page * MIH_TREE_PAGE));
	return false;
}

/* Group digests of one extent's worth of data. */
static mih_err hash_piece(struct mih_verify_engine *engine,
			  const struct mih_verify_page_job *job, uint64_t off,
			  void *buf, uint8_t *digests)
{
	const struct mih_verify_file *file = &engine->model->files[job->file];
	struct mih_hash_range range = {
		.data = buf,
		.len = (size_t)MIH_MIN(file->nbytes - off, MIH_VERIFY_EXTENT),
		.off = off,
		.is_root = file->nbytes <= MIH_HASH_GROUP,
	};
	mih_err err =
	    mih_io_pread_full(job->backing->source.fd, buf, range.len, off);

	if (err)
		return err;
	mih_verify_count(engine, MIH_VERIFY_DISK_BYTES, range.len);
	mih_hash_groups(file->tree, &range, 1, digests);
	return 0;
}

static mih_err prove_by_data(struct mih_verify_engine *engine,
			     const struct mih_verify_page_job *job,
			     uint8_t *nodes)
{
	const struct mih_verify_file *file = &engine->model->files[job->file];
	size_t len = mih_verify_node_len(file);
	uint64_t begin = job->page * MIH_TREE_PAGE;
	uint64_t end = begin + MIH_MIN(file->nbytes - begin, MIH_TREE_PAGE);
	mih_autofree void *buf = malloc(MIH_VERIFY_EXTENT);

	if (!buf)
		return -ENOMEM;
	for (uint64_t off = begin; off < end; off += MIH_VERIFY_EXTENT) {
		uint64_t group = (off - begin) / MIH_HASH_GROUP;

		if (hash_piece(engine, job, off, buf, nodes + group * len))
			return MIH_EDIGEST;
	}
	return page_fits(file, job, nodes) ? 0 : MIH_EDIGEST;
}

mih_err mih_verify_page_prove(struct mih_verify_engine *engine,
			      const struct mih_verify_page_job *job,
			      uint8_t *nodes)
{
	const struct mih_verify_file *file = &engine->model->files[job->file];
	mih_err err;

	if (file->nbytes <= MIH_HASH_GROUP) {
		memcpy(nodes, job->proof->root, mih_verify_node_len(file));
		return 0;
	}
	if (!mih_verify_shards_known(engine, job->proof, job->page)) {
		err = mih_verify_shards_prove(engine, job, nodes);
		if (err != -EALREADY)
			return err;
	}
	if (prove_by_sidecar(engine, job, nodes)) {
		mih_verify_count(engine, MIH_VERIFY_PAGES_SIDECAR, 1);
		return 0;
	}
	err = prove_by_data(engine, job, nodes);
	if (!err)
		mih_verify_count(engine, MIH_VERIFY_PAGES_DATA, 1);
	else if (err == MIH_EDIGEST)
		mih_verify_count(engine, MIH_VERIFY_PAGES_BAD, 1);
	return err;
}

static struct mih_verify_page **page_find(struct mih_verify_pages *pages,
					  uint32_t file, uint64_t index)
{
	struct mih_verify_page **at =
	    &pages->buckets[mih_verify_mix(file, index) % NPAGE_BUCKETS];

	while (*at && ((*at)->file != file || (*at)->index != index))
		at = &(*at)->hash_next;
	return at;
}

/* Oldest first, but never one that somebody works on. */
static void pages_trim(struct mih_verify_pages *pages)
{
	struct mih_verify_page *page = TAILQ_FIRST(&pages->lru), *next;

	for (; page && pages->bytes > PAGES_MAX; page = next) {
		next = TAILQ_NEXT(page, lru);
		if (page->state == MIH_VERIFY_PAGE_LOADING)
			continue;
		*page_find(pages, page->file, page->index) = page->hash_next;
		TAILQ_REMOVE(&pages->lru, page, lru);
		pages->bytes -= sizeof(*page) + page->len;
		free(page);
	}
}

static struct mih_verify_page *page_new(struct mih_verify_pages *pages,
					uint32_t file, uint64_t index,
					size_t len)
{
	struct mih_verify_page *page = calloc(1, sizeof(*page) + len);
	struct mih_verify_page **at;

	if (!page)
		return NULL;
	page->file = file;
	page->index = index;
	page->len = len;
	at = page_find(pages, file, index);
	page->hash_next = *at;
	*at = page;
	TAILQ_INSERT_TAIL(&pages->lru, page, lru);
	pages->bytes += sizeof(*page) + len;
	return page;
}

/* What to do with a load whose page was found or just made. */
enum page_step { PAGE_COPIED, PAGE_PARKED, PAGE_REFUSED, PAGE_PROVE };

static enum page_step page_step(struct mih_verify_load *load,
				struct mih_verify_page *page, size_t node_len)
{
	size_t first = load->group % MIH_TREE_PAGE_GROUPS;

	switch (page->state) {
	case MIH_VERIFY_PAGE_PROVEN:
		memcpy(load->want, page->nodes + first * node_len,
		       load->ngroups * node_len);
		return PAGE_COPIED;
	case MIH_VERIFY_PAGE_LOADING:
		load->parked = page->parked;
		page->parked = load;
		return PAGE_PARKED;
	case MIH_VERIFY_PAGE_BAD:
		if (mih_clock_ns() < page->retry_ns)
			return PAGE_REFUSED;
		page->state = MIH_VERIFY_PAGE_LOADING;
		return PAGE_PROVE;
	}
	return PAGE_REFUSED;
}

/* Find the page or make it; a new one is this load's to prove. */
static mih_err page_enter(struct mih_verify_load *load, enum page_step *step,
			  struct mih_verify_page **page_out)
{
	struct mih_verify_pages *pages = &load->engine->pages;
	const struct mih_verify_file *file =
	    &load->engine->model->files[load->file];
	uint64_t index = load->group / MIH_TREE_PAGE_GROUPS;
	size_t len = mih_verify_node_len(file);
	struct mih_verify_page *page;

	pthread_mutex_lock(&pages->lock);
	page = *page_find(pages, load->file, index);
	if (page) {
		TAILQ_REMOVE(&pages->lru, page, lru);
		TAILQ_INSERT_TAIL(&pages->lru, page, lru);
		*step = page_step(load, page, len);
	} else {
		page =
		    page_new(pages, load->file, index,
			     len * mih_tree_page_groups(file->nbytes, index));
		*step = PAGE_PROVE;
	}
	pthread_mutex_unlock(&pages->lock);
	*page_out = page;
	return page ? 0 : -ENOMEM;
}

/* That a shard is bad was told by the pass over it. */
static void page_report(const struct mih_verify_load *load)
{
	const struct mih_verify_file *file =
	    &load->engine->model->files[load->file];
	uint64_t begin = load->off / MIH_TREE_PAGE * MIH_TREE_PAGE;
	const struct mih_log_event event = {
		MIH_VERIFY_REFUSAL,
		.off = begin,
		.nbytes = MIH_MIN(MIH_TREE_PAGE, file->nbytes - begin),
		.algorithm = mih_hash_info(file->tree)->name,
	};

	if (file->proof == MIH_VERIFY_BY_SHARD &&
	    !mih_verify_shards_known(load->engine,
				     load->engine->files[load->file].proof,
				     load->off / MIH_TREE_PAGE))
		return;
	mih_verify_report(load->engine, load->file, &event,
			  "%s: bytes %ju-%ju differ from the signed tree (%s), "
			  "and no tree file tells which of them",
			  file->path, (uintmax_t)begin,
			  (uintmax_t)(begin + event.nbytes - 1),
			  event.algorithm);
}

/* Loads that waited for a page may look again. */
static void resume(struct mih_verify_engine *engine,
		   struct mih_verify_load *parked)
{
	while (parked) {
		struct mih_verify_load *next = parked->parked;

		mih_pool_submit(engine->pool, &parked->resume, MIH_POOL_URGENT);
		parked = next;
	}
}

/* With pages.lock held. Return: those who wait, for resume(). */
static struct mih_verify_load *page_decide(struct mih_verify_engine *engine,
					   struct mih_verify_page *page,
					   mih_err err)
{
	struct mih_verify_load *parked = page->parked;

	page->state = err ? MIH_VERIFY_PAGE_BAD : MIH_VERIFY_PAGE_PROVEN;
	page->backoff_ms =
	    err != MIH_EDIGEST
		? 0
		: mih_verify_backoff(page->backoff_ms, engine->retry_ms,
				     BACKOFF_MAX);
	page->retry_ns = mih_clock_ns() + page->backoff_ms * 1000000ull;
	page->parked = NULL;
	return parked;
}

static void page_leave(struct mih_verify_load *load,
		       struct mih_verify_page *page, mih_err err)
{
	struct mih_verify_pages *pages = &load->engine->pages;
	struct mih_verify_load *parked;
	bool is_news;

	pthread_mutex_lock(&pages->lock);
	is_news = err == MIH_EDIGEST && !page->backoff_ms;
	parked = page_decide(load->engine, page, err);
	pages_trim(pages);
	pthread_mutex_unlock(&pages->lock);
	if (is_news)
		page_report(load);
	resume(load->engine, parked);
}

static mih_err page_make(struct mih_verify_load *load,
			 struct mih_verify_page *page)
{
	struct mih_verify_engine *engine = load->engine;
	size_t len = mih_verify_node_len(&engine->model->files[load->file]);
	size_t first = load->group % MIH_TREE_PAGE_GROUPS;
	struct mih_verify_page_job job = {
		.file = load->file,
		.page = page->index,
		.proof = engine->files[load->file].proof,
		.backing = load->backing,
	};
	mih_err err;

	/* Nobody else touches the nodes while the page is LOADING. */
	err = mih_verify_page_prove(engine, &job, page->nodes);
	if (!err)
		memcpy(load->want, page->nodes + first * len,
		       load->ngroups * len);
	page_leave(load, page, err);
	return err;
}

mih_err mih_verify_layer_want(struct mih_verify_load *load)
{
	struct mih_verify_engine *engine = load->engine;
	const struct mih_verify_file *file = &engine->model->files[load->file];
	struct mih_verify_page *page;
	enum page_step step;
	mih_err err;

	if (file->nbytes <= MIH_HASH_GROUP) {
		memcpy(load->want, engine->files[load->file].proof->root,
		       mih_verify_node_len(file));
		return 0;
	}
	if (!load->may_wait &&
	    !mih_verify_shards_known(engine, engine->files[load->file].proof,
				     load->group / MIH_TREE_PAGE_GROUPS)) {
		load->may_wait = true;
		mih_verify_slow_submit(engine,
				       file->nbytes / file->resource->nshards,
				       &load->resume);
		return MIH_EPARKED;
	}
	err = page_enter(load, &step, &page);
	if (err)
		return err;
	switch (step) {
	case PAGE_COPIED:
		return 0;
	case PAGE_PARKED:
		return MIH_EPARKED;
	case PAGE_REFUSED:
		return MIH_EDIGEST;
	case PAGE_PROVE:
		break;
	}
	return page_make(load, page);
}

void mih_verify_layer_put(struct mih_verify_engine *engine, uint32_t file,
			  uint64_t page_index, const uint8_t *nodes, size_t len)
{
	struct mih_verify_pages *pages = &engine->pages;
	struct mih_verify_page *page;

	pthread_mutex_lock(&pages->lock);
	if (!*page_find(pages, file, page_index)) {
		page = page_new(pages, file, page_index, len);
		if (page) {
			memcpy(page->nodes, nodes, len);
			page->state = MIH_VERIFY_PAGE_PROVEN;
		}
		pages_trim(pages);
	}
	pthread_mutex_unlock(&pages->lock);
}

bool mih_verify_layer_claim(struct mih_verify_engine *engine, uint32_t file,
			    uint64_t page_index)
{
	const struct mih_verify_file *of = &engine->model->files[file];
	struct mih_verify_pages *pages = &engine->pages;
	struct mih_verify_page *page;
	bool is_ours;

	pthread_mutex_lock(&pages->lock);
	page = *page_find(pages, file, page_index);
	is_ours = !page || page->state == MIH_VERIFY_PAGE_BAD;
	if (!page)
		page =
		    page_new(pages, file, page_index,
			     mih_verify_node_len(of) *
				 mih_tree_page_groups(of->nbytes, page_index));
	if (page && is_ours)
		page->state = MIH_VERIFY_PAGE_LOADING;
	pthread_mutex_unlock(&pages->lock);
	return page && is_ours;
}

void mih_verify_layer_decide(struct mih_verify_engine *engine,
			     const struct mih_verify_page_job *job,
			     uint64_t page_index, const uint8_t *nodes,
			     mih_err err)
{
	struct mih_verify_pages *pages = &engine->pages;
	struct mih_verify_load *parked;
	struct mih_verify_page *page;

	pthread_mutex_lock(&pages->lock);
	page = *page_find(pages, job->file, page_index);
	if (!err)
		memcpy(page->nodes, nodes, page->len);
	parked = page_decide(engine, page, err);
	pages_trim(pages);
	pthread_mutex_unlock(&pages->lock);
	resume(engine, parked);
}

void mih_verify_layer_init(struct mih_verify_pages *pages)
{
	pthread_mutex_init(&pages->ends, NULL);
	pthread_mutex_init(&pages->lock, NULL);
	pthread_cond_init(&pages->passed, NULL);
	TAILQ_INIT(&pages->lru);
}

void mih_verify_layer_fini(struct mih_verify_pages *pages)
{
	struct mih_verify_page *page;

	while ((page = TAILQ_FIRST(&pages->lru))) {
		TAILQ_REMOVE(&pages->lru, page, lru);
		free(page);
	}
	pthread_cond_destroy(&pages->passed);
	pthread_mutex_destroy(&pages->lock);
	pthread_mutex_destroy(&pages->ends);
}
