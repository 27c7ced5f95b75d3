/*
 * Files that are signed in shards. A shard's digest is over the whole shard,
 * so nothing in it is proven before all of it was read: the first read of a
 * page reads every shard that the page touches, from end to end, through a
 * private buffer, and makes the group digests of that very buffer. If all
 * those shards are as signed, so are the groups; from then on they are the
 * file's own fine and coarse layer, and the shards are not needed again.
 *
 * While that lasts all pages inside are LOADING: nobody begins the same pass.
 */
#include "tree/fold.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "verify/shards/unit_internal.h"

#include <stdlib.h>
#include <string.h>

static uint64_t page_end(const struct mih_verify_file *file, uint64_t page)
{
	return MIH_MIN((page + 1) * MIH_TREE_PAGE, file->nbytes);
}

static const struct mih_sig_shard *shard_at(const struct mih_verify_file *file,
					    uint64_t off)
{
	return mih_verify_bulk_shard_at(file->resource->shards,
					file->resource->nshards, off);
}

bool mih_verify_shards_known(struct mih_verify_engine *engine,
			     const struct mih_verify_layers *proof,
			     uint64_t page)
{
	bool known;

	if (!proof->known)
		return true;
	pthread_mutex_lock(&engine->pages.lock);
	known = proof->known[page];
	pthread_mutex_unlock(&engine->pages.lock);
	return known;
}

static void unit_fini(struct mih_verify_unit *u)
{
	free(u->claimed);
	free(u->left);
	free(u->right);
	free(u->nodes);
	free(u->buf);
}

/* What is proven of the page already need not be read again. */
static void take_edges(struct mih_verify_unit *u)
{
	struct mih_verify_layers *proof = u->job->proof;
	uint64_t page = u->job->page;

	if (!proof->known)
		return;
	u->left = mih_verify_edge_take(u->engine, proof, page, true);
	u->right = mih_verify_edge_take(u->engine, proof, page, false);
	if (!u->left || !u->right || u->left->end < u->right->begin)
		return;
	free(u->left);
	free(u->right);
	u->left = u->right = NULL;
}

static mih_err unit_init(struct mih_verify_unit *u)
{
	const struct mih_verify_file *file = u->file;
	uint64_t page = u->job->page, begin, end, page_to;

	take_edges(u);
	u->first =
	    shard_at(file, u->left ? u->left->end : page * MIH_TREE_PAGE);
	u->last = shard_at(
	    file, (u->right ? u->right->begin : page_end(file, page)) - 1);
	begin = u->first->begin;
	end = u->last->end;
	u->shard = u->first;
	u->from = begin / MIH_HASH_GROUP * MIH_HASH_GROUP;
	u->to = MIH_MIN(mih_hash_ngroups(end) * MIH_HASH_GROUP, file->nbytes);
	u->page = mih_checked_ceil_div(begin, MIH_TREE_PAGE);
	page_to =
	    end == file->nbytes ? mih_tree_npages(end) : end / MIH_TREE_PAGE;
	u->npages = page_to > u->page ? page_to - u->page : 0;
	u->claimed = calloc(u->npages + 1, sizeof(*u->claimed));
	u->buf = malloc(MIH_VERIFY_EXTENT);
	u->nodes = calloc(mih_hash_ngroups(u->to - u->from),
			  mih_verify_node_len(file));
	return u->claimed && u->buf && u->nodes ? 0 : -ENOMEM;
}

/* Its groups are proven: what lies above them is as well. */
static void keep_page(struct mih_verify_unit *u, uint64_t page,
		      const uint8_t *nodes)
{
	struct mih_verify_layers *proof = u->job->proof;
	size_t len = mih_verify_node_len(u->file);
	size_t n = mih_tree_page_groups(u->file->nbytes, page);
	uint64_t group = page * MIH_TREE_PAGE_GROUPS;
	bool is_root = mih_tree_npages(u->file->nbytes) == 1;
	uint8_t above[MIH_HASH_LEN_MAX];

	mih_tree_page_node(u->file->tree, u->file->nbytes, page, nodes, above);
	pthread_mutex_lock(&u->engine->pages.lock);
	if (is_root) {
		memcpy(proof->root, above, len);
	} else if (!proof->known[page]) {
		memcpy(proof->coarse + page * len, above, len);
		proof->known[page] = true;
	}
	pthread_mutex_unlock(&u->engine->pages.lock);
	for (size_t i = 0; i < n; i++)
		mih_verify_mark(u->file, proof, group + i);
}

static void claim_pages(struct mih_verify_unit *u)
{
	for (uint64_t i = 0; i < u->npages; i++)
		u->claimed[i] = mih_verify_layer_claim(u->engine, u->job->file,
						       u->page + i);
}

/* Of a pass that failed, only what touches the bad shard is bad; the rest is
 * as unknown as before. */
static mih_err verdict_on(const struct mih_verify_unit *u, uint64_t page,
			  mih_err err)
{
	bool touches = page * MIH_TREE_PAGE < u->shard->end &&
		       page_end(u->file, page) > u->shard->begin;

	return err == MIH_EDIGEST && !touches ? -EAGAIN : err;
}

static void decide_pages(struct mih_verify_unit *u, mih_err err)
{
	size_t len = mih_verify_node_len(u->file);

	for (uint64_t i = 0; i < u->npages; i++) {
		uint64_t page = u->page + i;
		uint64_t skip =
		    page * MIH_TREE_PAGE_GROUPS - u->from / MIH_HASH_GROUP;
		const uint8_t *nodes = u->nodes + skip * len;

		if (!err)
			keep_page(u, page, nodes);
		if (u->claimed[i])
			mih_verify_layer_decide(u->engine, u->job, page,
						err ? NULL : nodes,
						verdict_on(u, page, err));
	}
}

/* One line for each bad shard, however many pages it spoils. */
static void tell_bad(struct mih_verify_unit *u)
{
	const struct mih_log_event event = {
		MIH_VERIFY_REFUSAL,
		.off = u->shard->begin,
		.nbytes = u->shard->end - u->shard->begin,
		.algorithm = mih_hash_info(u->file->resource->alg)->name,
	};
	struct mih_verify_layers *proof = u->job->proof;
	bool is_news;

	pthread_mutex_lock(&u->engine->pages.lock);
	is_news = proof->bad_shard != u->shard;
	proof->bad_shard = u->shard;
	pthread_mutex_unlock(&u->engine->pages.lock);
	if (is_news)
		mih_verify_report(
		    u->engine, u->job->file, &event,
		    "%s: bytes %ju-%ju differ from the signed shard (%s)",
		    u->file->path, (uintmax_t)u->shard->begin,
		    (uintmax_t)(u->shard->end - 1), event.algorithm);
}

static void end_unit(struct mih_verify_unit *u, mih_err err)
{
	struct mih_verify_layers *proof = u->job->proof;

	decide_pages(u, err);
	/* Of a single page, the opening tells. */
	if (err == MIH_EDIGEST && proof->known)
		tell_bad(u);
	if (err)
		return;
	mih_verify_count(u->engine, MIH_VERIFY_GOOD_GROUPS,
			 mih_hash_ngroups(u->last->end - u->first->begin));
	mih_verify_count(u->engine, MIH_VERIFY_GOOD_BYTES,
			 u->last->end - u->first->begin);
	pthread_mutex_lock(&u->engine->pages.lock);
	if (proof->bad_shard >= u->first && proof->bad_shard <= u->last)
		proof->bad_shard = NULL;
	pthread_mutex_unlock(&u->engine->pages.lock);
}

/*
 * The nodes of @page, of which other shards may have proven the parts @left and
 * @right. The groups that are shared with these were hashed with bytes of
 * theirs: it must be the very bytes that they have proven.
 *
 * Return: 0; -ENOENT: a part is missing; -ESTALE: the file has changed.
 */
static mih_err assemble(const struct mih_verify_unit *u, uint64_t page,
			const struct mih_verify_edge *left,
			const struct mih_verify_edge *right, uint8_t *nodes)
{
	size_t len = mih_verify_node_len(u->file);
	uint64_t base = page * MIH_TREE_PAGE, top = page_end(u->file, page);
	uint64_t begin = u->first->begin, end = u->last->end;
	uint64_t from = MIH_MAX(base, u->from), to = MIH_MIN(top, u->to);
	size_t before = (size_t)(from - base) / MIH_HASH_GROUP;
	size_t own = (size_t)mih_hash_ngroups(to - from);

	if (to < from || (begin > base && (!left || left->end != begin)) ||
	    (end < top && (!right || right->begin != end)))
		return -ENOENT;
	if ((begin > base && !mih_hash_eq(left->rest, u->head_rest, 32)) ||
	    (end < top && !mih_hash_eq(right->rest, u->tail_rest, 32)))
		return -ESTALE;
	if (before)
		memcpy(nodes, left->nodes, before * len);
	memcpy(nodes + before * len,
	       u->nodes + (from - u->from) / MIH_HASH_GROUP * len, own * len);
	if (to < top)
		memcpy(nodes + (before + own) * len, right->nodes,
		       (size_t)mih_hash_ngroups(top - to) * len);
	return 0;
}

/* Of a page that these shards share with others: what they have proven. */
static struct mih_verify_edge *make_edge(const struct mih_verify_unit *u,
					 uint64_t page)
{
	size_t len = mih_verify_node_len(u->file);
	uint64_t base = page * MIH_TREE_PAGE, top = page_end(u->file, page);
	uint64_t begin = MIH_MAX(base, u->first->begin);
	uint64_t end = MIH_MIN(top, u->last->end);
	uint64_t group = mih_hash_ngroups(begin);
	uint64_t to = end == top ? mih_hash_ngroups(end) : end / MIH_HASH_GROUP;
	struct mih_verify_edge *edge;

	if ((begin > base) == (end < top) || u->to - u->from <= MIH_HASH_GROUP)
		return NULL;
	edge = mih_verify_edge_new(u->file, begin, end);
	if (!edge)
		return NULL;
	memcpy(edge->rest, begin > base ? u->head_own : u->tail_own, 32);
	if (to > group)
		memcpy(edge->nodes,
		       u->nodes + (group - u->from / MIH_HASH_GROUP) * len,
		       (to - group) * len);
	return edge;
}

/* A page at an end of these shards, but not the one that is asked for. */
static void settle_end(struct mih_verify_unit *u, uint64_t page,
		       bool needs_left)
{
	struct mih_verify_layers *proof = u->job->proof;
	struct mih_verify_edge *edge =
	    mih_verify_edge_take(u->engine, proof, page, needs_left);
	uint8_t nodes[MIH_TREE_PAGE_NODES_MAX];

	if (!assemble(u, page, edge, edge, nodes)) {
		keep_page(u, page, nodes);
		mih_verify_layer_put(
		    u->engine, u->job->file, page, nodes,
		    mih_tree_page_groups(u->file->nbytes, page) *
			mih_verify_node_len(u->file));
	} else {
		mih_verify_edge_keep(u->engine, proof, make_edge(u, page));
	}
	free(edge);
}

static void settle_ends(struct mih_verify_unit *u)
{
	uint64_t begin = u->first->begin, end = u->last->end;

	/* Of two neighbours the later one must see what the other has left. */
	pthread_mutex_lock(&u->engine->pages.ends);
	if (begin % MIH_TREE_PAGE && begin / MIH_TREE_PAGE != u->job->page)
		settle_end(u, begin / MIH_TREE_PAGE, true);
	if (end % MIH_TREE_PAGE && end < u->file->nbytes &&
	    end / MIH_TREE_PAGE != u->job->page)
		settle_end(u, end / MIH_TREE_PAGE, false);
	pthread_mutex_unlock(&u->engine->pages.ends);
}

static mih_err prove_page(struct mih_verify_unit *u, uint8_t *nodes)
{
	struct mih_verify_layers *proof = u->job->proof;
	mih_err err = unit_init(u);

	if (!err) {
		claim_pages(u);
		err = mih_verify_unit_read(u);
		end_unit(u, err);
	}
	if (err) {
		mih_verify_edge_keep(u->engine, proof, MIH_STEAL(&u->left));
		mih_verify_edge_keep(u->engine, proof, MIH_STEAL(&u->right));
		return err;
	}
	settle_ends(u);
	err = assemble(u, u->job->page, u->left, u->right, nodes);
	if (!err && (u->left || u->right))
		keep_page(u, u->job->page, nodes);
	return err;
}

/* Parts of the page that the file no longer has are dropped; then it is read
 * without them. */
static mih_err prove(struct mih_verify_engine *engine,
		     const struct mih_verify_page_job *job, uint8_t *nodes)
{
	mih_err err = -ESTALE;

	if (job->proof->known &&
	    mih_verify_shards_known(engine, job->proof, job->page))
		return -EALREADY;
	for (int i = 0; i < 2 && err == -ESTALE; i++) {
		MIH_CLEANUP(unit_fini)
		struct mih_verify_unit u = {
			.engine = engine,
			.job = job,
			.file = &engine->model->files[job->file],
		};

		err = prove_page(&u, nodes);
	}
	return err == -ESTALE ? MIH_EDIGEST : err;
}

mih_err mih_verify_shards_prove(struct mih_verify_engine *engine,
				const struct mih_verify_page_job *job,
				uint8_t *nodes)
{
	const struct mih_verify_file *file = &engine->model->files[job->file];
	struct mih_verify_pass pass = {
		.begin = shard_at(file, job->page * MIH_TREE_PAGE)->begin,
		.end = shard_at(file, page_end(file, job->page) - 1)->end,
	};
	mih_err err;

	mih_verify_pass_begin(engine, job->proof, &pass);
	err = prove(engine, job, nodes);
	mih_verify_pass_end(engine, job->proof, &pass);
	return err;
}
