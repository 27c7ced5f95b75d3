/*
 * One pass over many files by all cores.
 *
 * A worker takes a piece (1 MiB and more) of a file into a buffer, has its
 * group digests made while the bytes are in its cache, and puts the piece on
 * the file's ready list, from where it goes on to the flat digest (flat.c).
 *
 * Why this cannot lock up: pieces of a file are claimed in order, and only by
 * someone who holds a buffer. So of every file the piece the chain waits for
 * is in some worker's hands, never waiting for a buffer, however many later
 * pieces sit on the ready list.
 *
 * With a flat digest a file moves no faster than one core, so as many files as
 * cores are worked on at once, and more where a core hashes several side by
 * side; without one the pieces of a single file keep all cores busy, and files
 * are taken one after the other.
 */
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/host/thread.h"
#include "util/io.h"
#include "util/text.h"
#include "verify/bulk/pass_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wake(struct mih_verify_bulk_pass *pass)
{
	if (pass->waiting)
		pthread_cond_broadcast(&pass->changed);
}

void mih_verify_bulk_wake_one(struct mih_verify_bulk_pass *pass)
{
	if (pass->waiting)
		pthread_cond_signal(&pass->changed);
}

void mih_verify_bulk_stop(struct mih_verify_bulk_pass *pass, mih_err err)
{
	if (pass->err)
		return;
	pass->err = err;
	snprintf(pass->story, sizeof(pass->story), "%s", mih_err_message());
	wake(pass);
}

static bool is_flat(const struct mih_verify_bulk_pass *pass)
{
	return pass->bulk->flat != MIH_HASH_NONE;
}

/* Buffers ---------------------------------------------------------------- */

static struct mih_verify_bulk_piece *
new_piece(struct mih_verify_bulk_pass *pass)
{
	struct mih_verify_bulk_piece *piece = calloc(1, sizeof(*piece));

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
static struct mih_verify_bulk_piece *
take_piece(struct mih_verify_bulk_pass *pass)
{
	struct mih_verify_bulk_piece *piece = pass->free;

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
		mih_verify_bulk_stop(
		    pass, mih_err_fail_errno(-ENOMEM, "read buffer"));
	return piece;
}

static void give_piece(struct mih_verify_bulk_pass *pass,
		       struct mih_verify_bulk_piece *piece)
{
	piece->next = pass->free;
	pass->free = piece;
}

static void free_pieces(struct mih_verify_bulk_pass *pass)
{
	while (pass->free) {
		struct mih_verify_bulk_piece *piece = pass->free;

		pass->free = piece->next;
		mih_gpu_staging_free(pass->bulk->dev, piece->buf,
				     pass->shape.piece);
		free(piece);
	}
}

/* Files ------------------------------------------------------------------ */

/* Nobody else knows @a any more. Takes and returns without the lock. */
static void complete(struct mih_verify_bulk_pass *pass,
		     struct mih_verify_bulk_active *a)
{
	struct mih_verify_bulk *bulk = pass->bulk;
	struct mih_verify_bulk_file *file = &bulk->files[a->file];
	mih_err err = 0;

	if (!a->err)
		a->err = mih_verify_bulk_source_check(&a->src);
	if (!a->err && a->chain.stream && file->nbytes == 0)
		a->err = mih_hash_stream_final(a->chain.stream, file->flat);
	file->err = a->err;
	if (bulk->file_done)
		err = bulk->file_done(bulk->context, a->file);
	mih_hash_stream_free(a->chain.stream);
	mih_cleanup_close(&a->src.fd);
	free(a);
	pthread_mutex_lock(&pass->lock);
	if (err)
		mih_verify_bulk_stop(pass, err);
	pass->nbusy--;
	wake(pass);
	pthread_mutex_unlock(&pass->lock);
}

/* A pass that has failed reports no more files. */
static void discard(struct mih_verify_bulk_pass *pass,
		    struct mih_verify_bulk_active *a)
{
	mih_hash_stream_free(a->chain.stream);
	mih_cleanup_close(&a->src.fd);
	free(a);
	pass->nbusy--;
	wake(pass);
}

static void unlink_active(struct mih_verify_bulk_pass *pass,
			  struct mih_verify_bulk_active *a)
{
	struct mih_verify_bulk_active **at = &pass->active;

	while (*at && *at != a)
		at = &(*at)->next;
	if (*at)
		*at = a->next;
}

void mih_verify_bulk_settle(struct mih_verify_bulk_pass *pass,
			    struct mih_verify_bulk_active *a)
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

void mih_verify_bulk_finish(struct mih_verify_bulk_pass *pass,
			    struct mih_verify_bulk_piece *piece)
{
	piece->of->out--;
	if (pass->bulk->progress)
		atomic_fetch_add_explicit(pass->bulk->progress,
					  piece->range.len,
					  memory_order_relaxed);
	give_piece(pass, piece);
	mih_verify_bulk_wake_one(pass);
}

/* Pieces ----------------------------------------------------------------- */

/* Its bytes were read and its groups stored, or @err happened. May run on a
 * thread of the device, which the pass does not outlive by much: from the
 * unlock on it must touch nothing, so the rest is for the workers. */
static void piece_hashed(struct mih_verify_bulk_piece *piece, mih_err err,
			 mih_err stop_err)
{
	struct mih_verify_bulk_pass *pass = piece->pass;

	pthread_mutex_lock(&pass->lock);
	if (stop_err)
		mih_verify_bulk_stop(pass, stop_err);
	if (!piece->of->err)
		piece->of->err = err;
	piece->next = pass->hashed;
	pass->hashed = piece;
	mih_verify_bulk_wake_one(pass);
	pthread_mutex_unlock(&pass->lock);
}

/* With the lock held, given up for a while: on to the flat digest, or done. */
static bool work_on_hashed(struct mih_verify_bulk_pass *pass)
{
	struct mih_verify_bulk_piece *piece = pass->hashed;
	struct mih_verify_bulk_active *a;
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
		mih_verify_bulk_stop(pass, err);
	if (is_flat(pass) && !a->err && !pass->err) {
		mih_verify_bulk_ready(piece);
		return true;
	}
	mih_verify_bulk_finish(pass, piece);
	if (!a->chaining) {
		mih_verify_bulk_drop(pass, a);
		mih_verify_bulk_settle(pass, a);
	}
	return true;
}

static void batch_done(struct mih_gpu_batch *batch, mih_err err)
{
	struct mih_verify_bulk_piece *piece =
	    (struct mih_verify_bulk_piece *)((char *)batch -
					     offsetof(
						 struct mih_verify_bulk_piece,
						 batch));

	if (err) { /* the device gave up: the processor never does */
		mih_hash_groups(batch->alg, batch->ranges, batch->nranges,
				batch->digests);
		batch->by = mih_gpu_cpu();
	}
	if (batch->by != mih_gpu_cpu())
		atomic_store(&piece->pass->bulk->by_device, true);
	piece_hashed(piece, 0,
		     batch->by == mih_gpu_cpu()
			 ? mih_verify_bulk_tell(piece->pass->bulk,
						piece->of->file, batch)
			 : 0);
}

static void read_piece(struct mih_verify_bulk_pass *pass,
		       struct mih_verify_bulk_piece *piece)
{
	const struct mih_verify_bulk_active *a = piece->of;
	mih_err err = mih_io_pread_full(a->src.fd, piece->buf, piece->range.len,
					piece->off);

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
static void claim(struct mih_verify_bulk_active *a,
		  struct mih_verify_bulk_piece *piece)
{
	const struct mih_verify_bulk_pass *pass = piece->pass;
	size_t most = mih_verify_bulk_is_chained(pass, a) ? pass->shape.link
							  : pass->shape.piece;

	piece->of = a;
	piece->off = a->claimed;
	piece->range.len =
	    (size_t)MIH_MIN(most - a->claimed % most, a->end - a->claimed);
	a->claimed += piece->range.len;
	a->out++;
}

/* All of the file, or its shards. */
static void set_range(struct mih_verify_bulk_active *a,
		      const struct mih_verify_bulk_file *file)
{
	a->src.nbytes = a->end = file->nbytes;
	if (!file->shards)
		return;
	a->claimed = a->chained = file->shards[0].begin;
	a->end = file->shards[file->nshards - 1].end;
}

/* Open the next file and read its first piece into @piece; an empty file has
 * none. Takes and returns without the lock. */
static void begin_file(struct mih_verify_bulk_pass *pass, size_t file,
		       struct mih_verify_bulk_piece *piece)
{
	struct mih_verify_bulk_active *a = calloc(1, sizeof(*a));

	if (!a) {
		pthread_mutex_lock(&pass->lock);
		give_piece(pass, piece);
		pass->nbusy--;
		mih_verify_bulk_stop(
		    pass, mih_err_fail_errno(-ENOMEM, "%s",
					     pass->bulk->files[file].path));
		pthread_mutex_unlock(&pass->lock);
		return;
	}
	a->file = file;
	set_range(a, &pass->bulk->files[file]);
	a->err = mih_verify_bulk_source_open(pass->bulk, file, &a->src);
	if (!a->err && mih_verify_bulk_is_chained(pass, a))
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
static struct mih_verify_bulk_active *
choose(const struct mih_verify_bulk_pass *pass)
{
	struct mih_verify_bulk_active *best = NULL;

	for (struct mih_verify_bulk_active *a = pass->active; a; a = a->next)
		if (!a->err && a->claimed < a->end &&
		    a->out < (mih_verify_bulk_is_chained(pass, a)
				  ? pass->shape.ahead
				  : SIZE_MAX) &&
		    (!best || a->out < best->out))
			best = a;
	return best;
}

/* With the lock held; gives it up while it works. */
static bool work_on_piece(struct mih_verify_bulk_pass *pass)
{
	bool more = pass->next_file < pass->bulk->nfiles;
	struct mih_verify_bulk_piece *piece = take_piece(pass);
	struct mih_verify_bulk_active *a;

	if (!piece)
		return false;
	a = is_flat(pass) && more && pass->nbusy < pass->shape.nfiles
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

/* The pass has failed: let go of files that nobody works on. */
static void sweep(struct mih_verify_bulk_pass *pass)
{
	struct mih_verify_bulk_active *a, *next;

	for (a = pass->active; a; a = next) {
		next = a->next;
		if (a->chaining)
			continue;
		mih_verify_bulk_drop(pass, a);
		mih_verify_bulk_settle(pass, a);
	}
}

static bool is_over(struct mih_verify_bulk_pass *pass)
{
	const struct mih_verify_bulk *bulk = pass->bulk;

	if (!pass->err && bulk->cancel && atomic_load(bulk->cancel))
		mih_verify_bulk_stop(pass,
				     mih_err_fail(-ECANCELED, "interrupted"));
	if (pass->err)
		sweep(pass);
	return pass->nbusy == 0 &&
	       (pass->err || pass->next_file == bulk->nfiles);
}

static void work(void *context)
{
	struct mih_verify_bulk_pass *pass = context;

	pthread_mutex_lock(&pass->lock);
	while (!is_over(pass)) {
		if (work_on_hashed(pass))
			continue;
		if (!pass->err &&
		    (mih_verify_bulk_flat(pass, false) || work_on_piece(pass) ||
		     mih_verify_bulk_flat(pass, true)))
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
	struct mih_verify_bulk_pass pass = {
		.bulk = bulk,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.shape = mih_verify_bulk_shape(bulk),
	};
	mih_err err = 0;

	pass.max_pieces = pass.shape.npieces;
	mih_thread_crew("mihfs-read", pass.shape.nthreads, work, &pass);
	if (pass.err)
		err = mih_err_fail(pass.err, "%s", pass.story);
	free_pieces(&pass);
	pthread_cond_destroy(&pass.changed);
	pthread_mutex_destroy(&pass.lock);
	return err;
}
