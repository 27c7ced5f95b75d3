/*
 * verify/engine/layer_internal.h - proven pages of the fine layer
 *
 * Layer: src/verify.  Threads: internally locked.
 */
#ifndef MIH_VERIFY_ENGINE_LAYER_INTERNAL_H
#define MIH_VERIFY_ENGINE_LAYER_INTERNAL_H

#include "util/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define PAGES_MAX     ((size_t)64 << 20) /* bytes of proven fine pages */
#define NPAGE_BUCKETS 4096

struct mih_verify_backing;
struct mih_verify_load;
struct mih_verify_layers;
struct mih_verify_engine;

enum mih_verify_page_state {
	MIH_VERIFY_PAGE_LOADING,
	MIH_VERIFY_PAGE_PROVEN,
	MIH_VERIFY_PAGE_BAD,
};

/** 128 fine nodes of one file; guarded by pages.lock. */
struct mih_verify_page {
	TAILQ_ENTRY(mih_verify_page) lru;
	struct mih_verify_page *hash_next;
	uint32_t file;
	uint64_t index;
	enum mih_verify_page_state state;
	uint64_t retry_ns; /* BAD: not before */
	unsigned backoff_ms;
	struct mih_verify_load *parked; /* LOADING: loads that wait for it */
	size_t len;
	uint8_t nodes[];
};

TAILQ_HEAD(mih_verify_page_lru, mih_verify_page);

struct mih_verify_pages {
	pthread_mutex_t ends; /* one pass at a time settles the pages that it
				 shares; before lock */
	pthread_mutex_t lock;
	pthread_cond_t passed;		/* a pass over shards has ended */
	struct mih_verify_page_lru lru; /* oldest first */
	size_t bytes;
	struct mih_verify_page *buckets[NPAGE_BUCKETS];
};

/* layer.c */

/** What a page is proven with. */
struct mih_verify_page_job {
	uint32_t file;
	uint64_t page;
	struct mih_verify_layers *proof;
	struct mih_verify_backing *backing;
};

/**
 * mih_verify_page_prove() - fine nodes of one page, from sidecar or data
 * @nodes: MIH_TREE_PAGE_GROUPS nodes at most
 *
 * Return: 0; MIH_EDIGEST when neither leads to the proven node; -ENOMEM.
 */
MIH_MUST_CHECK mih_err
mih_verify_page_prove(struct mih_verify_engine *engine,
		      const struct mih_verify_page_job *job, uint8_t *nodes);

/**
 * mih_verify_layer_want() - fill load->want with proven group digests
 *
 * Return: 0; MIH_EPARKED: the load is parked and will be resumed; MIH_EDIGEST:
 * the page cannot be proven now; -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_verify_layer_want(struct mih_verify_load *load);

/** mih_verify_layer_put() - keep a page that was proven on the way. */
void mih_verify_layer_put(struct mih_verify_engine *engine, uint32_t file,
			  uint64_t page, const uint8_t *nodes, size_t len);
/**
 * mih_verify_layer_claim() - make a page LOADING, for mih_verify_layer_decide()
 *
 * Return: false: somebody else works on it, or has proven it.
 */
bool mih_verify_layer_claim(struct mih_verify_engine *engine, uint32_t file,
			    uint64_t page);
/**
 * mih_verify_layer_decide() - what came of a claimed page
 * @nodes: of the page, if @err is 0
 * @err: 0: it is PROVEN; MIH_EDIGEST: BAD for a while; else BAD, but whoever
 *       wants it may try again at once
 *
 * Everyone who waits looks again.
 */
void mih_verify_layer_decide(struct mih_verify_engine *engine,
			     const struct mih_verify_page_job *job,
			     uint64_t page, const uint8_t *nodes, mih_err err);
/** Before anything is loaded. */
void mih_verify_layer_init(struct mih_verify_pages *pages);
/** After the last load has ended; frees every page. */
void mih_verify_layer_fini(struct mih_verify_pages *pages);

/* verify/shards/edge.c */

/** Shards that somebody reads, for as long as it takes; pages.lock. */
struct mih_verify_pass {
	struct mih_verify_pass *next;
	uint64_t begin, end;
};

/** mih_verify_pass_begin() - wait until nobody reads these bytes, then do. */
void mih_verify_pass_begin(struct mih_verify_engine *engine,
			   struct mih_verify_layers *proof,
			   struct mih_verify_pass *pass);
/** mih_verify_pass_end() - the pass is over; wakes who waits for it. */
void mih_verify_pass_end(struct mih_verify_engine *engine,
			 struct mih_verify_layers *proof,
			 struct mih_verify_pass *pass);

/** A part of a page, from or up to one of its ends, that shards have proven. */
struct mih_verify_edge {
	struct mih_verify_edge *next;
	uint64_t page;
	uint64_t begin, end;
	uint8_t rest[32]; /* SHA-256 of its bytes in the group that it shares
			     with the other part */
	uint8_t nodes[];  /* of the groups that it has for itself */
};

/** mih_verify_edge_new() - for bytes [begin, end). NULL: out of memory. */
struct mih_verify_edge *mih_verify_edge_new(const struct mih_verify_file *file,
					    uint64_t begin, uint64_t end);
/**
 * mih_verify_edge_take() - what is known of @page, from its begin or (not
 * @left) up to its end
 *
 * Return: the caller's now, to be freed or kept again; NULL: nothing.
 */
struct mih_verify_edge *mih_verify_edge_take(struct mih_verify_engine *engine,
					     struct mih_verify_layers *proof,
					     uint64_t page, bool left);
/**
 * mih_verify_edge_keep() - for who proves the rest of the page
 * @edge: taken over; NULL is legal
 */
void mih_verify_edge_keep(struct mih_verify_engine *engine,
			  struct mih_verify_layers *proof,
			  struct mih_verify_edge *edge);
/** mih_verify_edges_free() - all of a file; nobody uses it any more. */
void mih_verify_edges_free(struct mih_verify_layers *proof);

/* verify/shards/shards.c */

/**
 * mih_verify_shards_prove() - read the shards that a page touches, whole
 * @nodes: fine nodes of the page, proven
 *
 * Makes known every page that lies in these shards. Takes as long as reading
 * and hashing them takes; who wants the same shards meanwhile waits.
 *
 * Return: 0; -EALREADY: somebody else has made the page known; MIH_EDIGEST;
 * -ENOMEM; -ECANCELED when the engine stops.
 */
MIH_MUST_CHECK mih_err
mih_verify_shards_prove(struct mih_verify_engine *engine,
			const struct mih_verify_page_job *job, uint8_t *nodes);

/** mih_verify_shards_known() - is the node above @page proven already? */
bool mih_verify_shards_known(struct mih_verify_engine *engine,
			     const struct mih_verify_layers *proof,
			     uint64_t page);

#endif
