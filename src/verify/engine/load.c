/*
 * One load: fetch neighbouring groups into private memory (source/fetch.c),
 * hash exactly those bytes, compare, and hand them to everyone who waits. The
 * only place where a group becomes GOOD.
 */
#include "util/bytes.h"
#include "util/host/clock.h"
#include "util/log.h"
#include "verify/engine/engine_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct mih_verify_file *file_of(const struct mih_verify_load *load)
{
	return &load->engine->model->files[load->file];
}

static uint16_t mask_of(const struct mih_verify_load *load)
{
	unsigned first = load->group % EXTENT_GROUPS;

	return (uint16_t)(((1u << load->ngroups) - 1) << first);
}

static void load_put(struct mih_verify_load *load)
{
	if (atomic_fetch_sub_explicit(&load->refs, 1, memory_order_acq_rel) !=
	    1)
		return;
	mih_verify_backing_put(load->backing);
	free(load);
}

static void count_good(const struct mih_verify_load *load)
{
	size_t nbytes = 0, n = 0;

	for (unsigned i = 0; i < load->ngroups; i++)
		if (!(load->bad & 1u << i)) {
			nbytes += mih_verify_group_len(file_of(load),
						       load->group + i);
			n++;
		}
	mih_verify_count(load->engine, MIH_VERIFY_GOOD_GROUPS, n);
	mih_verify_count(load->engine, MIH_VERIFY_GOOD_BYTES, nbytes);
}

static struct mih_log_event event_of(const struct mih_verify_load *load,
				     uint64_t group)
{
	return (struct mih_log_event){
		MIH_VERIFY_REFUSAL,
		.off = group * MIH_HASH_GROUP,
		.nbytes = mih_verify_group_len(file_of(load), group),
	};
}

static void report_unread(const struct mih_verify_load *load, uint64_t group)
{
	const struct mih_verify_file *file = file_of(load);
	const struct mih_log_event event = event_of(load, group);
	struct stat st = { 0 };

	if (load->err == -ENODATA && fstat(load->backing->source.fd, &st) == 0)
		mih_verify_report(load->engine, load->file, &event,
				  "%s: cut short: %ju of %ju bytes", file->path,
				  (uintmax_t)st.st_size,
				  (uintmax_t)file->nbytes);
	else
		mih_verify_report(load->engine, load->file, &event,
				  "%s: bytes %ju-%ju cannot be read: %s",
				  file->path, (uintmax_t)event.off,
				  (uintmax_t)(event.off + event.nbytes - 1),
				  strerror(-load->err));
}

static void report_digest(const struct mih_verify_load *load, unsigned i)
{
	const struct mih_verify_file *file = file_of(load);
	const struct mih_hash_info *info = mih_hash_info(file->tree);
	char want[2 * MIH_HASH_LEN_MAX + 1], got[2 * MIH_HASH_LEN_MAX + 1];
	bool by_tree = file->proof == MIH_VERIFY_BY_TREE;
	struct mih_log_event event = event_of(load, load->group + i);

	mih_bytes_to_hex(load->want + i * info->len, info->len, want);
	mih_bytes_to_hex(load->got + i * info->len, info->len, got);
	event.algorithm =
	    by_tree ? info->name : mih_hash_info(file->resource->alg)->name;
	event.expected = want;
	event.found = got;
	mih_verify_report(load->engine, load->file, &event,
			  "%s: bytes %ju-%ju differ from the signed %s (%s): "
			  "expected %s, got %s",
			  file->path, (uintmax_t)event.off,
			  (uintmax_t)(event.off + event.nbytes - 1),
			  by_tree ? "tree" : "file", event.algorithm, want,
			  got);
}

/* A truncated file fails in all groups behind the cut: one line says it. */
static bool is_told(const struct mih_verify_load *load, unsigned nbad)
{
	return load->err == MIH_EDIGEST || (load->err == -ENODATA && nbad);
}

static void judge_bad(struct mih_verify_load *load, unsigned i, bool unread)
{
	struct mih_verify_engine *engine = load->engine;
	struct mih_verify_file_run *run = &engine->files[load->file];
	unsigned nbad = atomic_load(&run->nbad);

	atomic_fetch_add(&run->failures, 1);
	mih_verify_count(engine, MIH_VERIFY_BAD_GROUPS, 1);
	if (unread && load->err != MIH_EDIGEST)
		mih_verify_count(engine, MIH_VERIFY_UNREAD_GROUPS, 1);
	if (!mih_verify_verdict_bad(engine, load->file, load->group + i))
		return;
	if (!unread)
		report_digest(load, i);
	else if (!is_told(load, nbad))
		report_unread(load, load->group + i);
}

static void judge_good(struct mih_verify_load *load, unsigned i)
{
	struct mih_verify_engine *engine = load->engine;
	const struct mih_verify_file *file = file_of(load);
	const struct mih_log_event event = {
		MIH_VERIFY_HEALED,
		.off = (load->group + i) * MIH_HASH_GROUP,
		.nbytes = mih_verify_group_len(file, load->group + i),
	};

	mih_verify_mark(file, engine->files[load->file].proof, load->group + i);
	if (!load->retry ||
	    !mih_verify_verdict_good(engine, load->file, load->group + i))
		return;
	mih_verify_count(engine, MIH_VERIFY_HEALED_GROUPS, 1);
	mih_verify_report(engine, load->file, &event,
			  "%s: bytes %ju-%ju are as signed again", file->path,
			  (uintmax_t)event.off,
			  (uintmax_t)(event.off + event.nbytes - 1));
}

/* Hand the groups to the extent and to those who wait. */
static struct mih_verify_wait *publish(struct mih_verify_load *load,
				       mih_err err)
{
	struct mih_verify_extent *extent = load->extent;
	struct mih_verify_shard *shard =
	    mih_verify_shard_of(load->engine, extent->file, extent->index);
	unsigned first = load->group % EXTENT_GROUPS;
	uint16_t bad = (uint16_t)(load->bad << first);
	uint16_t good = (uint16_t)(mask_of(load) & ~bad);
	struct mih_verify_wait *done = NULL;

	pthread_mutex_lock(&shard->lock);
	for (unsigned i = 0; i < load->ngroups; i++)
		if (good & 1u << (first + i))
			extent->slots[first + i] =
			    mih_verify_slot_get(load->slot);
	extent->loading &= (uint16_t)~mask_of(load);
	extent->good |= good;
	mih_verify_wait_serve(extent, good, 0, &done);
	mih_verify_wait_serve(extent, bad, err, &done);
	LIST_REMOVE(load, link);
	extent->nloads--;
	mih_verify_extent_settle(load->engine, shard, extent);
	pthread_mutex_unlock(&shard->lock);
	return done;
}

/* Without memory there is no verdict: the groups are as unknown as before. */
static void load_end(struct mih_verify_load *load, uint16_t unread)
{
	struct mih_verify_engine *engine = load->engine;
	bool judged = load->err != -ENOMEM && load->err != -ECANCELED;
	struct mih_verify_wait *done = NULL;
	mih_err err;

	for (unsigned i = 0; judged && i < load->ngroups; i++)
		if (load->bad & 1u << i)
			judge_bad(load, i, unread & 1u << i);
		else
			judge_good(load, i);
	if (load->retry && !load->bad)
		mih_verify_backing_adopt(engine, load->file, load->backing);
	count_good(load);
	err = judged ? -EIO : load->err;
	if (load->extent)
		done = publish(load, err);
	mih_verify_fetch_end(load);
	while (done) {
		struct mih_verify_wait *wait = done;

		done = wait->next;
		if (load->by_device)
			mih_verify_read_hand(wait->request);
		else
			mih_verify_read_put(wait->request);
	}
	if (load->fill)
		mih_verify_fill_part(load->fill, load->off,
				     load->bad ? err : 0);
	mih_verify_cache_trim(engine);
	load_put(load);
	atomic_fetch_sub(&engine->inflight, 1);
}

static void load_fail(struct mih_verify_load *load, mih_err err)
{
	load->err = err;
	load->bad = (uint16_t)((1u << load->ngroups) - 1);
	load_end(load, load->bad);
}

static uint16_t mismatches(const struct mih_verify_load *load)
{
	size_t len = mih_verify_node_len(file_of(load));
	uint16_t bad = 0;

	for (unsigned i = 0; i < load->ngroups; i++)
		if (!mih_hash_eq(load->want + i * len, load->got + i * len,
				 len))
			bad |= (uint16_t)(1u << i);
	return bad;
}

/* Of a device that says "corrupt" the processor is asked whether it is so. */
static void confirm(struct mih_verify_load *load)
{
	struct mih_verify_engine *engine = load->engine;
	bool wrong;

	if (!mih_gpu_confirm(&load->batch, &wrong))
		return;
	mih_verify_count(engine, MIH_VERIFY_DEVICE_RECHECKS, 1);
	if (wrong)
		mih_verify_count(engine, MIH_VERIFY_DEVICE_WRONG, 1);
}

/* Hashed: hold it against what was signed. */
static void load_compare(struct mih_verify_load *load)
{
	uint16_t unread = load->bad;

	if (load->hash_err || mismatches(load))
		confirm(load);
	load->bad |= mismatches(load);
	load_end(load, unread);
}

static void run_compare(struct mih_pool_work *work)
{
	struct mih_verify_load *load =
	    container_of(work, struct mih_verify_load, resume);

	load->by_device = false;
	load_compare(load);
}

/* Will nothing be hashed again, and no line be written? */
static bool is_plain(const struct mih_verify_load *load)
{
	return !load->hash_err && !load->bad && !load->retry &&
	       !mismatches(load);
}

/* What a device has hashed is compared on its thread, which is no work; all
 * that takes longer is for others, since a device has few threads. */
static void hashed(struct mih_gpu_batch *batch, mih_err err)
{
	struct mih_verify_load *load =
	    container_of(batch, struct mih_verify_load, batch);
	struct mih_verify_engine *engine = load->engine;

	mih_verify_took(engine, MIH_VERIFY_HASH_TIME, load->begun_ns);
	mih_verify_tally_work(engine->tally, batch->by->kind, load->len);
	if (batch->redone)
		mih_verify_count(engine, MIH_VERIFY_DEVICE_ERRORS, 1);
	load->hash_err = err;
	load->by_device = batch->by != mih_gpu_cpu();
	mih_verify_note_hashed(engine, load->by_device);
	if (!load->by_device || is_plain(load)) {
		load_compare(load);
		return;
	}
	load->resume.run = run_compare;
	atomic_fetch_add(&engine->handing, 1);
	mih_pool_submit(engine->answers, &load->resume, MIH_POOL_URGENT);
	atomic_fetch_sub(&engine->handing, 1);
}

static void load_hash(struct mih_verify_load *load)
{
	const struct mih_verify_file *file = file_of(load);

	load->range = (struct mih_hash_range){
		.data = load->copy ? load->copy : load->data,
		.len = load->len,
		.off = load->off,
		.is_root = file->nbytes <= MIH_HASH_GROUP,
	};
	load->batch = (struct mih_gpu_batch){
		.alg = file->tree,
		.ranges = &load->range,
		.nranges = 1,
		.digests = load->got,
		.done = hashed,
	};
	load->begun_ns = mih_clock_ns();
	mih_gpu_submit(load->engine->dev, &load->batch);
}

static void load_run(struct mih_verify_load *load)
{
	mih_err err;

	if (load->retry && !load->fill)
		mih_verify_backing_retry(load->engine, load->file,
					 &load->backing);
	err = mih_verify_layer_want(load);
	if (err == MIH_EPARKED)
		return;
	if (err) {
		load_fail(load, err);
		return;
	}
	if (!mih_verify_fetch(load)) {
		load_fail(load, -ENOMEM);
		return;
	}
	load_hash(load);
}

/* Of the two tickets that a load may have, the first one called begins it. */
static void ticket(struct mih_verify_load *load)
{
	if (!atomic_exchange(&load->taken, true))
		load_run(load);
	load_put(load);
}

/* A load is gone with its ticket. */
static void run_work(struct mih_pool_work *work)
{
	struct mih_verify_load *load =
	    container_of(work, struct mih_verify_load, work);

	while (load) {
		struct mih_verify_load *then = load->then;

		ticket(load);
		load = then;
	}
}

static void run_hurry(struct mih_pool_work *work)
{
	ticket(container_of(work, struct mih_verify_load, hurry));
}

static void run_resume(struct mih_pool_work *work)
{
	load_run(container_of(work, struct mih_verify_load, resume));
}

/* What a load is of: @n groups from @group on. */
struct part {
	uint32_t file;
	uint64_t group;
	unsigned n;
};

/* malloc, not calloc: the digests at the end need no clearing. */
static struct mih_verify_load *load_new(struct mih_verify_engine *engine,
					struct mih_verify_backing *backing,
					const struct part *part)
{
	struct mih_verify_load *load = malloc(sizeof(*load));
	uint64_t last = part->group + part->n - 1;

	if (!load)
		return NULL;
	memset(load, 0, offsetof(struct mih_verify_load, want));
	load->work.run = run_work;
	load->hurry.run = run_hurry;
	load->resume.run = run_resume;
	load->engine = engine;
	load->backing = mih_verify_backing_get(backing);
	atomic_init(&load->refs, 2);
	load->file = part->file;
	load->group = part->group;
	load->ngroups = part->n;
	load->off = part->group * MIH_HASH_GROUP;
	load->len =
	    (size_t)(part->n - 1) * MIH_HASH_GROUP +
	    mih_verify_group_len(&engine->model->files[part->file], last);
	return load;
}

static void load_begin(struct mih_verify_load *load, enum mih_pool_lane lane)
{
	load->urgent = lane == MIH_POOL_URGENT;
	atomic_fetch_add(&load->engine->inflight, 1);
	mih_verify_count(
	    load->engine,
	    load->urgent ? MIH_VERIFY_LOADS : MIH_VERIFY_LOADS_AHEAD, 1);
	mih_verify_fetch_begin(load);
}

static void send_later(struct mih_verify_load_job *job,
		       struct mih_pool_work *work)
{
	work->next = job->begun;
	job->begun = work;
}

void mih_verify_load_send(struct mih_verify_load_job *job)
{
	if (job->begun)
		mih_pool_submit_all(job->engine->pool, job->begun, job->lane);
	job->begun = NULL;
}

static void start_run(struct mih_verify_load_job *job, unsigned first,
		      unsigned n)
{
	struct mih_verify_extent *extent = job->extent;
	const struct part part = {
		.file = extent->file,
		.group = extent->index * EXTENT_GROUPS + first,
		.n = n,
	};
	struct mih_verify_load *load =
	    load_new(job->engine, job->backing, &part);

	if (!load)
		return;
	load->extent = extent;
	load->retry = job->retry & mask_of(load);
	extent->loading |= mask_of(load);
	extent->nloads++;
	LIST_INSERT_HEAD(&extent->loads, load, link);
	load_begin(load, job->lane);
	send_later(job, &load->work);
}

void mih_verify_load_start(struct mih_verify_load_job *job)
{
	unsigned mask = job->mask;

	while (mask) {
		unsigned first = (unsigned)__builtin_ctz(mask);
		unsigned n = (unsigned)__builtin_ctz(~(mask >> first));

		start_run(job, first, n);
		mask &= ~(((1u << n) - 1) << first);
	}
}

static struct mih_verify_load *fill_load(struct mih_verify_fill *fill,
					 uint64_t index)
{
	struct mih_verify_engine *engine = fill->engine;
	uint64_t group = index * EXTENT_GROUPS;
	uint64_t left =
	    mih_hash_ngroups(engine->model->files[fill->file].nbytes) - group;
	const struct part part = {
		.file = fill->file,
		.group = group,
		.n = (unsigned)MIH_MIN(left, (uint64_t)EXTENT_GROUPS),
	};
	struct mih_verify_load *load = load_new(engine, fill->backing, &part);

	if (!load)
		return NULL;
	load->fill = fill;
	load->retry = mih_verify_verdict_standing(engine, fill->file, index,
						  mask_of(load));
	return load;
}

/* One that was never begun. */
static void load_drop(struct mih_verify_load *load)
{
	if (!load)
		return;
	atomic_store(&load->refs, 1);
	load_put(load);
}

mih_err mih_verify_load_fill(struct mih_verify_fill *fill, uint64_t index,
			     bool two)
{
	struct mih_verify_load *load = fill_load(fill, index);
	struct mih_verify_load *then = two ? fill_load(fill, index + 1) : NULL;

	if (!load || (two && !then)) {
		load_drop(load);
		load_drop(then);
		return -ENOMEM;
	}
	load->then = then;
	load_begin(load, MIH_POOL_BACKGROUND);
	if (then)
		load_begin(then, MIH_POOL_BACKGROUND);
	mih_pool_submit(fill->engine->pool, &load->work, fill->lane);
	return 0;
}

/* Without this a reader would wait behind all that is fetched ahead. */
void mih_verify_load_hurry(struct mih_verify_load_job *job, uint16_t mask)
{
	struct mih_verify_load *load;

	LIST_FOREACH(load, &job->extent->loads, link)
	{
		if (load->urgent || !(mask_of(load) & mask))
			continue;
		load->urgent = true;
		atomic_fetch_add(&load->refs, 1);
		send_later(job, &load->hurry);
	}
}
