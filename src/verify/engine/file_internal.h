/*
 * verify/engine/file_internal.h - open files and what they are held against
 *
 * Layer: src/verify.  Threads: each structure says which lock guards it.
 */
#ifndef MIH_VERIFY_ENGINE_FILE_INTERNAL_H
#define MIH_VERIFY_ENGINE_FILE_INTERNAL_H

#include "util/pool.h"
#include "verify/ahead/ahead_internal.h"
#include "verify/engine.h"
#include "verify/source/source_internal.h"
#include "verify/stage/stage_internal.h"

#include <pthread.h>
#include <stdatomic.h>

#define NSTREAMS 32 /* readers of one file told apart */

struct mih_verify_engine;

/** One open backing file. Counted: loads outlive a close. */
struct mih_verify_backing {
	atomic_uint refs;
	struct mih_verify_source source;
};

/** One reader that moves through a file; guarded by file->lock. */
struct mih_verify_stream {
	uint64_t begin; /* where it was first seen */
	uint64_t next;	/* where it will go on if it is sequential */
	uint64_t ahead; /* first byte that was not asked for yet */
	uint64_t used;	/* tick of the last request */
	uint64_t asked; /* bytes: all of its way, if it leaves nothing out */
	uint64_t limit; /* where its tensor or piece ends; 0: who knows */
	unsigned nrequests;
};

/** What ahead.c remembers of a file; guarded by file->lock. */
struct mih_verify_pattern {
	struct mih_verify_stream streams[NSTREAMS];
	uint64_t tick;
	struct mih_verify_steps steps;
	enum mih_verify_learning learning;
	struct mih_verify_tensors *tensors; /* NULL: not known; owned */
};

/** What a file's bytes are held against; kept from its first open on. */
struct mih_verify_layers {
	uint8_t root[MIH_HASH_LEN_MAX];
	uint8_t *coarse; /* npages nodes, proven; NULL if npages
			    is below 2; owned */
	bool *known;	 /* BY_SHARD with a coarse layer: which of its nodes are
			    proven; guarded by pages.lock; owned */
	const struct mih_sig_shard *bad_shard; /* told of last; pages.lock */
	struct mih_verify_edge *edges; /* newest first; pages.lock; owned */
	size_t nedges;
	struct mih_verify_pass *passes; /* under way; pages.lock */
	struct mih_tree_entry entry;	/* valid if has_entry */
	bool has_entry;	    /* the sidecar may hold its fine layer */
	atomic_bool warned; /* one line about a bad sidecar page */
	struct mih_verify_pattern *pattern; /* NULL: fits one extent; owned */
	_Atomic uint64_t verified;	    /* bytes of distinct groups */
	_Atomic uint64_t bits[];	    /* one per group proven once */
};

enum mih_verify_file_state {
	MIH_VERIFY_CLOSED,
	MIH_VERIFY_OPENING,
	MIH_VERIFY_OPENED,
};

/** Per file of the model; small, because there may be very many. */
struct mih_verify_file_run {
	pthread_mutex_t lock;
	enum mih_verify_file_state state;
	unsigned nopens;
	struct mih_verify_open *waiters;    /* while OPENING */
	struct mih_verify_backing *backing; /* while OPENED; counted */
	struct mih_verify_layers *proof;    /* set once; owned */
	struct mih_verify_opening *opening; /* while OPENING */
	struct mih_verify_stage *stage;	    /* stages.lock */
	bool told;	   /* that it is not staged; the opening's */
	uint64_t retry_ns; /* failed opens: not before */
	unsigned backoff_ms, delay_ms; /* 0: the last open was good */
	mih_err err;		       /* of the last open */
	bool bad_groups; /* are why; each of them is told of by itself */
	struct mih_log_budget budget; /* of lines about it */
	atomic_uint nbad;	      /* standing verdicts */
	const char *_Atomic way;      /* to its readers; for people */
	_Atomic uint64_t failures;
};

/** One opening, for all who asked for it. */
struct mih_verify_opening {
	struct mih_pool_work work;
	struct mih_verify_engine *engine;
	uint32_t file;
	bool unstaged; /* as who asked first wants it */
	bool again;    /* the last one failed, and the log has its line */
	bool may_wait; /* on a thread that may read a large file */
	bool told;     /* what is wrong is in the log already */
	_Atomic uint64_t unwanted_ns; /* nobody has waited for it since; 0:
					 somebody does */
	struct mih_verify_check check;
	struct mih_verify_fill fill;
	struct mih_verify_backing *backing; /* owned */
	struct mih_verify_layers *proof;    /* owned */
};

/* open.c */

/** mih_verify_is_given_up() - has nobody wanted it for a second? @unwanted_ns:
 *  as in struct mih_verify_opening. */
bool mih_verify_is_given_up(const _Atomic uint64_t *unwanted_ns);

/**
 * mih_verify_backing_open() - open a file's bytes, check type and size
 *
 * Return: 0; -EIO when they are not as signed; -errno; with a story.
 */
MIH_MUST_CHECK mih_err
mih_verify_backing_open(struct mih_verify_engine *engine, uint32_t file,
			struct mih_verify_backing **backing_out);

/** mih_verify_backing_get() - one more user. Return: @backing. */
struct mih_verify_backing *
mih_verify_backing_get(struct mih_verify_backing *backing);

/** mih_verify_backing_put() - one less; closes; NULL is legal. */
void mih_verify_backing_put(struct mih_verify_backing *backing);

/**
 * mih_verify_backing_retry() - the path may lead to a better file by now
 * @backing: exchanged for what the path leads to, if that has the signed type
 *           and size
 */
void mih_verify_backing_retry(struct mih_verify_engine *engine, uint32_t file,
			      struct mih_verify_backing **backing);

/** mih_verify_backing_adopt() - it was better: all later loads read from it. */
void mih_verify_backing_adopt(struct mih_verify_engine *engine, uint32_t file,
			      struct mih_verify_backing *backing);

/* proof.c */

/**
 * mih_verify_layers_make() - prove a file's coarse layer into opening->proof
 *
 * Return: 0; MIH_EPARKED: needs a pass over a large file, set may_wait and come
 * again on a thread that has the time; -EIO when the file is not what was
 * signed, with a story; -ENOMEM; -ECANCELED.
 */
MIH_MUST_CHECK mih_err
mih_verify_layers_make(struct mih_verify_opening *opening);

/** mih_verify_layers_free() - release; NULL is legal. */
void mih_verify_layers_free(struct mih_verify_layers *proof);

/* ahead.c */

/** What a request says about the ones to come. */
struct mih_verify_plan {
	bool whole;	   /* load whole extents, not only what is asked for */
	uint64_t from, to; /* then these bytes, in the background */
	uint64_t stride;   /* not 0: then these pieces of @piece bytes every */
	size_t piece;	   /* @stride bytes between from and to */
	bool learn;	   /* read the file's header */
};

/** Note a request; file->lock held. */
struct mih_verify_plan mih_verify_ahead_note(
    const struct mih_verify_engine *engine, const struct mih_verify_file *file,
    struct mih_verify_pattern *pattern, uint64_t off, uint64_t end);
/** Start what the plan wants in the background. */
void mih_verify_ahead_run(struct mih_verify_engine *engine, uint32_t file,
			  struct mih_verify_backing *backing,
			  const struct mih_verify_plan *plan);

#endif
