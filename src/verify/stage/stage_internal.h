/*
 * verify/stage/stage_internal.h - whole files proven when they are opened
 *
 * Layer: src/verify.  Threads: each structure says what guards it.
 *
 *   check.c  tell of opens that take long
 *   fill.c   read and prove every group of a file, many loads at a time
 *   stage.c  keep the proven bytes of whole files in sealed memory
 */
#ifndef MIH_VERIFY_STAGE_INTERNAL_H
#define MIH_VERIFY_STAGE_INTERNAL_H

#include "util/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct mih_gpu_dev;
struct mih_verify_backing;
struct mih_verify_engine;
struct mih_verify_file;

/* check.c */

/** What an open waits for, while all of a file is read. */
struct mih_verify_check {
	const struct mih_verify_file *file; /* borrowed */
	uint64_t begun_ns;
	atomic_int told; /* is the log told of it? */
};

/** mih_verify_check_begin() - somebody waits from now on. */
void mih_verify_check_begin(struct mih_verify_check *check,
			    const struct mih_verify_file *file);

/**
 * mih_verify_check_look() - some of it is done; any thread, cheap
 *
 * Three seconds after it has begun it is one line in the log, and its end will
 * be another; with less than 64 such lines in a minute.
 */
void mih_verify_check_look(struct mih_verify_check *check);

/** mih_verify_check_end() - opened, or, with @err, not; nobody looks any more.
 */
void mih_verify_check_end(struct mih_verify_check *check, mih_err err);

/* fill.c */

/** A pass over all groups of one file; the caller's memory until done(). */
struct mih_verify_fill {
	struct mih_verify_engine *engine;
	struct mih_verify_backing *backing; /* borrowed until done() */
	uint32_t file;			    /* its layers are made */
	uint8_t *to; /* gets the file's nbytes; private memory that nobody
			else writes to. NULL: only prove them */
	struct mih_verify_check *check; /* it is part of this (borrowed) */
	/* Nobody has wanted it since; 0: somebody does. After a second of that
	 * it ends, with -ECANCELED. */
	const _Atomic uint64_t *unwanted_ns;
	/**
	 * Once, on any thread: 0 when every byte was proven, and is in @to;
	 * -EIO when one is not as signed (it is in the log); -ENOMEM;
	 * -ECANCELED.
	 */
	void (*done)(struct mih_verify_fill *fill, mih_err err);
	/* The engine's. */
	enum mih_pool_lane lane;
	_Atomic uint64_t next; /* extent to begin with next */
	atomic_uint refs;      /* loads on their way, and who starts them */
	atomic_int err;	       /* the first one */
};

/** mih_verify_fill_start() - begin; ends in fill->done(). */
void mih_verify_fill_start(struct mih_verify_fill *fill);

/** mih_verify_fill_part() - the load of the bytes from @off on has ended; the
 *  load's last act. */
void mih_verify_fill_part(struct mih_verify_fill *fill, uint64_t off,
			  mih_err err);

/* stage.c */

/** The proven bytes of one file. */
struct mih_verify_stage {
	TAILQ_ENTRY(mih_verify_stage) lru; /* while nobody has it open */
	struct mih_verify_stage **owner;   /* the file's pointer to this */
	bool is_open;			   /* stages.lock */
	int fd;				   /* memory file; owned */
	uint8_t *map;			   /* writable, until it is sealed */
	uint64_t nbytes;
};

TAILQ_HEAD(mih_verify_stage_lru, mih_verify_stage);

/** All stages of an engine. */
struct mih_verify_stages {
	pthread_mutex_t lock;
	_Atomic uint64_t budget;	 /* bytes; 0: nothing is staged */
	uint64_t nbytes;		 /* of all stages, in whole pages */
	size_t n, max;			 /* how many there are, and may be */
	struct mih_verify_stage_lru lru; /* closed first, first */
};

/** mih_verify_stages_init() - nothing staged yet. */
void mih_verify_stages_init(struct mih_verify_stages *stages, uint64_t budget);

/**
 * mih_verify_stage_new() - memory for a file of @nbytes, open
 * @owner: set to the new stage; set to NULL again when it is dropped
 *
 * Drops what was closed longest ago where the budget asks for it, or the
 * number of descriptors that this process may have.
 *
 * Return: 0; -ENOSPC: does not fit the budget; -EMFILE; -ENOMEM ...
 */
MIH_MUST_CHECK mih_err mih_verify_stage_new(struct mih_verify_stages *stages,
					    uint64_t nbytes,
					    struct mih_verify_stage **owner);

/** mih_verify_stages_bytes() - that all stages take. */
uint64_t mih_verify_stages_bytes(struct mih_verify_stages *stages);

/** mih_verify_stage_seal() - no byte of it can change from now on. */
MIH_MUST_CHECK mih_err mih_verify_stage_seal(struct mih_verify_stage *stage);

/**
 * mih_verify_stage_reopen() - the file of @owner is opened again
 *
 * Return: is there a stage still?
 */
bool mih_verify_stage_reopen(struct mih_verify_stages *stages,
			     struct mih_verify_stage **owner);

/** mih_verify_stage_close() - kept until the memory is wanted. */
void mih_verify_stage_close(struct mih_verify_stages *stages,
			    struct mih_verify_stage **owner);

/** mih_verify_stages_end() - drop what is closed, and stage nothing more. */
void mih_verify_stages_end(struct mih_verify_stages *stages);

/** mih_verify_stages_trim() - drop what is closed and over the budget. */
void mih_verify_stages_trim(struct mih_verify_stages *stages);

/** mih_verify_stage_drop() - release; *owner may be NULL. */
void mih_verify_stage_drop(struct mih_verify_stages *stages,
			   struct mih_verify_stage **owner);

#endif
