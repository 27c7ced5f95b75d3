/*
 * verify/bulk/pass_internal.h - what the workers of a pass share
 *
 * Layer: src/verify.  Threads: everything is under the pass's lock, but what a
 * worker does with a piece that it has taken.
 */
#ifndef MIH_VERIFY_BULK_PASS_INTERNAL_H
#define MIH_VERIFY_BULK_PASS_INTERNAL_H

#include "util/text.h"
#include "verify/bulk/bulk_internal.h"

struct mih_verify_bulk_pass;

/** A file that is being read. */
struct mih_verify_bulk_active {
	struct mih_verify_bulk_active *next;
	size_t file;
	struct mih_verify_bulk_source src;
	uint64_t end;	  /* of what is to be read */
	uint64_t claimed; /* handed out as pieces up to here */
	size_t out;	  /* pieces not finished */
	struct mih_verify_bulk_chain chain;
	uint64_t chained;		     /* it has seen all up to here */
	bool chaining;			     /* somebody has a link of it */
	struct mih_verify_bulk_piece *ready; /* for the chain, ascending */
	size_t nready;
	mih_err err;
};

/** A piece of it, and the buffer that it is in. */
struct mih_verify_bulk_piece {
	struct mih_verify_bulk_piece *next; /* on the free or a ready list */
	struct mih_verify_bulk_pass *pass;
	struct mih_verify_bulk_active *of;
	uint64_t off;
	struct mih_hash_range range;
	struct mih_gpu_batch batch;
	uint8_t *buf; /* shape.piece bytes; owned */
	uint8_t digests[MIH_VERIFY_BULK_GROUPS * MIH_HASH_LEN_MAX];
};

/** One run of mih_verify_bulk_run(). */
struct mih_verify_bulk_pass {
	struct mih_verify_bulk *bulk;
	struct mih_verify_bulk_shape shape;
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t changed;
	size_t waiting;			       /* workers in wait */
	struct mih_verify_bulk_active *active; /* opened and not complete */
	size_t nbusy;			       /* begun and not complete */
	size_t next_file;
	struct mih_verify_bulk_piece *hashed; /* for a worker to go on with */
	struct mih_verify_bulk_piece
	    *free;		    /* last in, first out: still in a cache */
	size_t npieces, max_pieces; /* allocated; at most */
	mih_err err;		    /* ends the pass */
	char story[MIH_TEXT_LINE];  /* of err: stories belong to threads */
};

/* bulk.c, with the lock held */

/** mih_verify_bulk_stop() - end the pass for @err, which this thread has met.
 */
void mih_verify_bulk_stop(struct mih_verify_bulk_pass *pass, mih_err err);

/** mih_verify_bulk_wake_one() - there is work for one more, and who does it
 *  looks for more. */
void mih_verify_bulk_wake_one(struct mih_verify_bulk_pass *pass);

/** mih_verify_bulk_finish() - @piece has done its work, or never will. */
void mih_verify_bulk_finish(struct mih_verify_bulk_pass *pass,
			    struct mih_verify_bulk_piece *piece);

/** mih_verify_bulk_settle() - if @a is complete, tell and free it. Gives the
 *  lock up for a while then. */
void mih_verify_bulk_settle(struct mih_verify_bulk_pass *pass,
			    struct mih_verify_bulk_active *a);

/* flat.c, with the lock held */

/** mih_verify_bulk_is_chained() - does the flat digest of @a grow piece by
 *  piece, in order? */
bool mih_verify_bulk_is_chained(const struct mih_verify_bulk_pass *pass,
				const struct mih_verify_bulk_active *a);

/** mih_verify_bulk_ready() - @piece waits for its turn from now on. */
void mih_verify_bulk_ready(struct mih_verify_bulk_piece *piece);

/** mih_verify_bulk_drop() - no piece of @a that waits will have its turn. */
void mih_verify_bulk_drop(struct mih_verify_bulk_pass *pass,
			  struct mih_verify_bulk_active *a);

/**
 * mih_verify_bulk_flat() - move flat digests on
 * @any: also if there are fewer links than one worker does sooner together
 *
 * Gives the lock up while it works. Return: was there anything to do?
 */
bool mih_verify_bulk_flat(struct mih_verify_bulk_pass *pass, bool any);

#endif
