/*
 * One pass over many files by all cores.
 *
 * A worker takes a piece (1 MiB and more) of a file into a buffer, has its
 * group digests made while the bytes are in its cache, and puts the piece on
 * the file's ready list. The flat digest of a file is a chain through its
 * pieces: whoever finds the next link ready, and nobody else at it, runs it on.
 *
 * Why this cannot lock up: pieces of a file are claimed in order, and only by
 * someone who holds a buffer. So of every file the piece the chain waits for
 * is in some worker's hands, never waiting for a buffer, however many later
 * pieces sit on the ready list.
 *
 * With a flat digest a file moves no faster than one core, so as many files as
 * cores are worked on at once; without one the pieces of a single file keep
 * all cores busy, and files are taken one after the other.
 */
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/pool.h"
#include "util/text.h"
#include "verify/bulk/bulk_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HINT MIH_VERIFY_BULK_HINT

struct pass;

/* A file that is being read. */
struct active {
	struct active *next;
	size_t file;
	struct mih_verify_bulk_source src;
	uint64_t end;	  /* of what is to be read */
	uint64_t claimed; /* handed out as pieces up to here */
	size_t out;	  /* pieces not finished */
	struct mih_verify_bulk_chain chain;
	uint64_t chained;    /* it has seen all up to here */
	bool chaining;	     /* somebody runs the chain */
	struct piece *ready; /* for the chain, ascending */
	mih_err err;
};

struct piece {
	struct piece *next; /* on the free or a ready list */
	struct pass *pass;
	struct active *of;
	uint64_t off;
	struct mih_hash_range range;
	struct mih_gpu_batch batch;
	uint8_t *buf; /* shape.piece bytes; owned */
	uint8_t digests[MIH_VERIFY_BULK_GROUPS * MIH_HASH_LEN_MAX];
};

struct pass {
	struct mih_verify_bulk *bulk;
	struct mih_verify_bulk_shape shape;
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t changed;
	size_t waiting;	       /* workers in wait */
	struct active *active; /* opened and not complete */
	size_t nbusy;	       /* begun and not complete */
	size_t next_file;
	struct piece *hashed;	    /* for a worker to go on with */
	struct piece *free;	    /* last in, first out: still in a cache */
	size_t npieces, max_pieces; /* allocated; at most */
	mih_err err;		    /* ends the pass */
	char story[MIH_TEXT_LINE];  /* of err: stories belong to threads */
};

static void wake(struct pass *pass)
{
	if (pass->waiting)
		pthread_cond_broadcast(&pass->changed);
}

/* There is work for one more, and who does it looks for more. */
static void wake_one(struct pass *pass)
{
	if (pass->waiting)
		pthread_cond_signal(&pass->changed);
}

/* Called by the thread that met the error, with the lock held. */
static void stop(struct pass *pass, mih_err err)
{
	if (pass->err)
		return;
	pass->err = err;
	snprintf(pass->story, sizeof(pass->story), "%s", mih_err_message());
	wake(pass);
}

static bool is_flat(const struct pass *pass)
{
	return pass->bulk->flat != MIH_HASH_NONE;
}

/* Does the file's digest grow piece by piece, in order? */
static bool is_chained(const struct pass *pass, const struct active *a)
{
	return is_flat(pass) && !pass->bulk->files[a->file].hints;
}

/* Buffers ---------------------------------------------------------------- */

static struct piece *new_piece(struct pass *pass)
{
	struct piece *piece = calloc(1, sizeof(*piece));

	if (piece)
		piece->buf =
		    mih_gpu_staging_alloc(pass->bulk->dev, pass->shape.piece);
	if (!piece || !piece->buf) {
		free(piece);
		return NULL;
	}
	piece->pass = pass;
	pass->npieces++;
	return piece;
}

/* NULL: none is free now. That nothing at all can be had ends the pass. */
static struct piece *take_piece(struct pass *pass)
{
	struct piece *piece = pass->free;

	if (piece) {
		pass->free = piece->next;
		piece->buf = mih_gpu_staging_renew(pass->bulk->dev, piece->buf,
						   pass->shape.piece);
		return piece;
	}
	if (pass->npieces == pass->max_pieces)
		return NULL;
	piece = new_piece(pass);
	if (!piece && pass->npieces > 0)
		pass->max_pieces = pass->npieces;
	else if (!piece)
		stop(pass, mih_err_fail_errno(-ENOMEM, "read buffer"));
	return piece;
}

static void give_piece(struct pass *pass, struct piece *piece)
{
	piece->next = pass->free;
	pass->free = piece;
}

static void free_pieces(struct pass *pass)
{
	while (pass->free) {
		struct piece *piece = pass->free;

		pass->free = piece->next;
		mih_gpu_staging_free(pass->bulk->dev, piece->buf,
				     pass->shape.piece);
		free(piece);
	}
}

/* Files ------------------------------------------------------------------ */

/* Nobody else knows @a any more. Takes and returns without the lock. */
static void complete(struct pass *pass, struct active *a)
{
	struct mih_verify_bulk *bulk = pass->bulk;
	struct mih_verify_bulk_file *file = &bulk->files[a->file];
	mih_err err = 0;

	if (!a->err)
		a->err = mih_verify_bulk_source_check(&a->src);
	if (!a->err && a->chain.stream && !file->shards)
		a->err = mih_hash_stream_final(a->chain.stream, file->flat);
	file->err = a->err;
	if (bulk->file_done)
		err = bulk->file_done(bulk->context, a->file);
	mih_hash_stream_free(a->chain.stream);
	mih_cleanup_close(&a->src.fd);
	free(a);
	pthread_mutex_lock(&pass->lock);
	if (err)
		stop(pass, err);
	pass->nbusy--;
	wake(pass);
	pthread_mutex_unlock(&pass->lock);
}

/* A pass that has failed reports no more files. */
static void discard(struct pass *pass, struct active *a)
{
	mih_hash_stream_free(a->chain.stream);
	mih_cleanup_close(&a->src.fd);
	free(a);
	pass->nbusy--;
	wake(pass);
}

static void unlink_active(struct pass *pass, struct active *a)
{
	struct active **at = &pass->active;

	while (*at && *at != a)
		at = &(*at)->next;
	if (*at)
		*at = a->next;
}

/* With the lock held; gives it up for a while if @a is complete. */
static void settle(struct pass *pass, struct active *a)
{
	if (a->out > 0)
		return;
	if (!pass->err && !a->err && a->claimed < a->end)
		return;
	unlink_active(pass, a);
	if (pass->err) {
		discard(pass, a);
		return;
	}
	pthread_mutex_unlock(&pass->lock);
	complete(pass, a);
	pthread_mutex_lock(&pass->lock);
}

/* The piece has done its work, or never will. With the lock held. */
static void finish_piece(struct pass *pass, struct piece *piece)
{
	piece->of->out--;
	if (pass->bulk->progress)
		atomic_fetch_add_explicit(pass->bulk->progress,
					  piece->range.len,
					  memory_order_relaxed);
	give_piece(pass, piece);
	wake_one(pass);
}

/* The chain of @a will not move again. */
static void drop_ready(struct pass *pass, struct active *a)
{
	while (a->ready) {
		struct piece *piece = a->ready;

		a->ready = piece->next;
		finish_piece(pass, piece);
	}
}

/* The flat chain --------------------------------------------------------- */

static void make_ready(struct active *a, struct piece *piece)
{
	struct piece **at = &a->ready;

	while (*at && (*at)->off < piece->off)
		at = &(*at)->next;
	piece->next = *at;
	*at = piece;
}

static bool chain_can_move(const struct active *a)
{
	return !a->chaining && a->ready && a->ready->off == a->chained;
}

static struct mih_verify_bulk_part part_of(const struct piece *piece)
{
	return (struct mih_verify_bulk_part){ piece->buf, piece->off,
					      piece->range.len };
}

/* One link, without the lock; only one thread at a time is here for @a. */
static mih_err run_link(struct pass *pass, struct active *a,
			const struct piece *piece, mih_err *stop_err)
{
	struct mih_verify_bulk *bulk = pass->bulk;
	struct mih_verify_bulk_part part = part_of(piece);
	bool wanted = bulk->hint && (part.off + part.len) % HINT == 0;
	uint8_t state[MIH_HASH_SHA256_STATE];
	mih_err err;

	if (bulk->files[a->file].shards)
		err = mih_verify_bulk_shards(bulk, a->file, &part, &a->chain,
					     wanted ? state : NULL);
	else
		err = mih_hash_stream_update(a->chain.stream, part.data,
					     part.len);
	if (err || !wanted)
		return err;
	if (!bulk->files[a->file].shards)
		mih_hash_stream_sha256_state(a->chain.stream, state);
	*stop_err = bulk->hint(bulk->context, a->file, part.off / HINT, state);
	return 0;
}

/* With the lock held: as far as pieces are ready. */
static void run_chain(struct pass *pass, struct active *a)
{
	a->chaining = true;
	while (a->ready && a->ready->off == a->chained && !a->err &&
	       !pass->err) {
		struct piece *piece = a->ready;
		mih_err err, stop_err = 0;

		a->ready = piece->next;
		pthread_mutex_unlock(&pass->lock);
		err = run_link(pass, a, piece, &stop_err);
		pthread_mutex_lock(&pass->lock);
		if (stop_err)
			stop(pass, stop_err);
		a->err = a->err ? a->err : err;
		a->chained += piece->range.len;
		finish_piece(pass, piece);
	}
	a->chaining = false;
	if (a->err || pass->err)
		drop_ready(pass, a);
	settle(pass, a);
}

/* Pieces ----------------------------------------------------------------- */

/* Its bytes were read and its groups stored, or @err happened. May run on a
 * thread of the device, which the pass does not outlive by much: from the
 * unlock on it must touch nothing, so the rest is for the workers. */
static void piece_hashed(struct piece *piece, mih_err err, mih_err stop_err)
{
	struct pass *pass = piece->pass;

	pthread_mutex_lock(&pass->lock);
	if (stop_err)
		stop(pass, stop_err);
	if (!piece->of->err)
		piece->of->err = err;
	piece->next = pass->hashed;
	pass->hashed = piece;
	wake_one(pass);
	pthread_mutex_unlock(&pass->lock);
}

/* With the lock held, given up for a while: on to the flat chain, or done. */
static bool work_on_hashed(struct pass *pass)
{
	struct piece *piece = pass->hashed;
	struct active *a;
	mih_err err = 0;

	if (!piece)
		return false;
	pass->hashed = piece->next;
	a = piece->of;
	if (!a->err && !pass->err && pass->bulk->tree != MIH_HASH_NONE &&
	    piece->batch.by != mih_gpu_cpu())
		err = mih_verify_bulk_take(pass->bulk, a->file, &piece->batch,
					   &pass->lock);
	if (err)
		stop(pass, err);
	if (is_chained(pass, a) && !a->err && !pass->err) {
		make_ready(a, piece);
		return true;
	}
	finish_piece(pass, piece);
	if (!a->chaining) {
		drop_ready(pass, a);
		settle(pass, a);
	}
	return true;
}

static void batch_done(struct mih_gpu_batch *batch, mih_err err)
{
	struct piece *piece =
	    (struct piece *)((char *)batch - offsetof(struct piece, batch));

	if (err) { /* the device gave up: the processor never does */
		mih_hash_groups(batch->alg, batch->ranges, batch->nranges,
				batch->digests);
		batch->by = mih_gpu_cpu();
	}
	piece_hashed(piece, 0,
		     batch->by == mih_gpu_cpu()
			 ? mih_verify_bulk_tell(piece->pass->bulk,
						piece->of->file, batch)
			 : 0);
}

static void read_piece(struct pass *pass, struct piece *piece)
{
	const struct active *a = piece->of;
	struct mih_verify_bulk_part part = part_of(piece);
	mih_err err;

	err = mih_io_pread_full(a->src.fd, piece->buf, part.len, part.off);
	if (!err && pass->bulk->files[a->file].hints)
		err =
		    mih_verify_bulk_hinted(&pass->bulk->files[a->file], &part);
	if (err || pass->bulk->tree == MIH_HASH_NONE) {
		piece_hashed(piece, err, 0);
		return;
	}
	piece->range.data = piece->buf;
	piece->range.off = piece->off;
	piece->range.is_root = a->src.nbytes <= MIH_HASH_GROUP;
	piece->batch = (struct mih_gpu_batch){
		.alg = pass->bulk->tree,
		.ranges = &piece->range,
		.nranges = 1,
		.digests = piece->digests,
		.done = batch_done,
	};
	mih_gpu_submit(pass->bulk->dev, &piece->batch);
}

/* Pieces end where hints are, and where groups do. */
static void claim(struct active *a, struct piece *piece)
{
	size_t most = piece->pass->shape.piece;

	piece->of = a;
	piece->off = a->claimed;
	piece->range.len =
	    (size_t)MIH_MIN(most - a->claimed % most, a->end - a->claimed);
	a->claimed += piece->range.len;
	a->out++;
}

/* All of the file, or its shards. */
static void set_range(struct active *a, const struct mih_verify_bulk_file *file)
{
	a->src.nbytes = a->end = file->nbytes;
	if (!file->shards)
		return;
	a->claimed = a->chained = file->shards[0].begin;
	a->end = file->shards[file->nshards - 1].end;
}

/* Open the next file and read its first piece into @piece; an empty file has
 * none. Takes and returns without the lock. */
static void begin_file(struct pass *pass, size_t file, struct piece *piece)
{
	struct active *a = calloc(1, sizeof(*a));

	if (!a) {
		pthread_mutex_lock(&pass->lock);
		give_piece(pass, piece);
		pass->nbusy--;
		stop(pass, mih_err_fail_errno(-ENOMEM, "%s",
					      pass->bulk->files[file].path));
		pthread_mutex_unlock(&pass->lock);
		return;
	}
	a->file = file;
	set_range(a, &pass->bulk->files[file]);
	a->err = mih_verify_bulk_source_open(pass->bulk, file, &a->src);
	if (!a->err && is_chained(pass, a))
		a->err =
		    mih_hash_stream_new(pass->bulk->flat, &a->chain.stream);
	pthread_mutex_lock(&pass->lock);
	if (a->err || a->claimed == a->end) {
		give_piece(pass, piece);
		wake(pass);
		pthread_mutex_unlock(&pass->lock);
		complete(pass, a);
		return;
	}
	claim(a, piece);
	a->next = pass->active;
	pass->active = a;
	wake(pass);
	pthread_mutex_unlock(&pass->lock);
	read_piece(pass, piece);
}

/* Which open file the next piece is taken from; NULL: none has any. */
static struct active *choose(const struct pass *pass)
{
	struct active *best = NULL;

	for (struct active *a = pass->active; a; a = a->next)
		if (!a->err && a->claimed < a->end &&
		    a->out < (is_chained(pass, a) ? MIH_VERIFY_BULK_AHEAD
						  : SIZE_MAX) &&
		    (!best || a->out < best->out))
			best = a;
	return best;
}

/* With the lock held; gives it up while it works. */
static bool work_on_piece(struct pass *pass)
{
	bool more = pass->next_file < pass->bulk->nfiles;
	struct piece *piece = take_piece(pass);
	struct active *a;

	if (!piece)
		return false;
	a = is_flat(pass) && more && pass->nbusy < pass->shape.nthreads
		? NULL
		: choose(pass);
	if (!a && !more) {
		give_piece(pass, piece);
		return false;
	}
	if (a) {
		claim(a, piece);
		pthread_mutex_unlock(&pass->lock);
		read_piece(pass, piece);
	} else {
		size_t file = pass->next_file++;

		pass->nbusy++;
		pthread_mutex_unlock(&pass->lock);
		begin_file(pass, file, piece);
	}
	pthread_mutex_lock(&pass->lock);
	return true;
}

static bool work_on_chain(struct pass *pass)
{
	for (struct active *a = pass->active; a; a = a->next)
		if (chain_can_move(a)) {
			run_chain(pass, a);
			return true;
		}
	return false;
}

/* The pass has failed: let go of files that nobody works on. */
static void sweep(struct pass *pass)
{
	struct active *a, *next;

	for (a = pass->active; a; a = next) {
		next = a->next;
		if (a->chaining)
			continue;
		drop_ready(pass, a);
		settle(pass, a);
	}
}

static bool is_over(struct pass *pass)
{
	const struct mih_verify_bulk *bulk = pass->bulk;

	if (!pass->err && bulk->cancel && atomic_load(bulk->cancel))
		stop(pass, mih_err_fail(-ECANCELED, "interrupted"));
	if (pass->err)
		sweep(pass);
	return pass->nbusy == 0 &&
	       (pass->err || pass->next_file == bulk->nfiles);
}

static void work(void *context)
{
	struct pass *pass = context;

	pthread_mutex_lock(&pass->lock);
	while (!is_over(pass)) {
		if (work_on_hashed(pass))
			continue;
		if (!pass->err && (work_on_chain(pass) || work_on_piece(pass)))
			continue;
		if (is_over(pass))
			break;
		pass->waiting++;
		pthread_cond_wait(&pass->changed, &pass->lock);
		pass->waiting--;
	}
	wake(pass);
	pthread_mutex_unlock(&pass->lock);
}

mih_err mih_verify_bulk_run(struct mih_verify_bulk *bulk)
{
	struct pass pass = {
		.bulk = bulk,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.shape = mih_verify_bulk_shape(bulk),
	};
	mih_err err;

	pass.max_pieces = pass.shape.npieces;
	err = mih_pool_crew("mihfs-read", pass.shape.nthreads, work, &pass);
	if (!err && pass.err)
		err = mih_err_fail(pass.err, "%s", pass.story);
	free_pieces(&pass);
	pthread_cond_destroy(&pass.changed);
	pthread_mutex_destroy(&pass.lock);
	return err;
}
