/*
 * verify/shards/unit_internal.h - one pass over neighbouring shards
 *
 * Layer: src/verify.  Threads: one thread has a unit; reading by hints lends it
 * to a crew.
 *
 *   shards.c  which shards a page needs, and what they prove of it
 *   read.c    reads them
 *   edge.c    what they have proven of pages that others share with them
 */
#ifndef MIH_VERIFY_SHARDS_UNIT_INTERNAL_H
#define MIH_VERIFY_SHARDS_UNIT_INTERNAL_H

#include "verify/bulk/bulk_internal.h"
#include "verify/engine/engine_internal.h"

/** One pass over neighbouring shards. */
struct mih_verify_unit {
	struct mih_verify_engine *engine;
	const struct mih_verify_page_job *job;
	const struct mih_verify_file *file;
	const struct mih_sig_shard *first, *last; /* of the file's */
	const struct mih_sig_shard *shard; /* out: where reading came to */
	uint64_t from, to;		   /* what is read: whole groups */
	uint64_t page, npages; /* that lie in these shards altogether */
	bool *claimed;	       /* per page: is it ours to decide? owned */
	struct mih_verify_edge *left, *right; /* of the page; owned */
	/* SHA-256 of the bytes that lie in the first and the last group, of
	 * these shards and of their neighbours. */
	uint8_t head_own[32], head_rest[32], tail_own[32], tail_rest[32];
	uint8_t *buf;	/* one extent; owned */
	uint8_t *nodes; /* of all groups; owned */
};

/**
 * mih_verify_unit_read() - read from .. to, from end to end
 * @u: nodes, the four digests of its first and last group are set
 *
 * Return: 0: every shard is as signed; MIH_EDIGEST: @u->shard is not, or its
 * bytes cannot be read; -ECANCELED; -ENOMEM; -EIO the crypto library fails.
 */
MIH_MUST_CHECK mih_err mih_verify_unit_read(struct mih_verify_unit *u);

#endif
