/*
 * A flat digest is a chain, and a piece of a file one link of it: it waits for
 * the one before. So a thread hashes links of several files side by side.
 *
 * What somebody says the states of a SHA-256 are (hints) cuts a chain into
 * links that wait for nobody. doc/format.md section 5 tells why that needs no
 * trust.
 */
#include "util/checked.h"
#include "verify/bulk/bulk_internal.h"

#include <assert.h>
#include <string.h>

#define HINT  MIH_VERIFY_BULK_HINT
#define BLOCK 64

/* How far a link has come. */
struct cursor {
	struct mih_verify_bulk_link *link;
	struct mih_verify_bulk_chain *chain, own; /* of a link with hints */
	uint64_t off;				  /* all before it is hashed */
	size_t len;				  /* that is hashed now */
};

static const uint8_t *hint_at(const struct mih_verify_bulk_file *file,
			      uint64_t off)
{
	return file->hints +
	       MIH_HASH_SHA256_STATE * (off / HINT - 1 - file->first_hint);
}

const struct mih_sig_shard *
mih_verify_bulk_shard_at(const struct mih_sig_shard *shards, size_t n,
			 uint64_t off)
{
	size_t low = 0, high = n - 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (off < shards[middle].end)
			high = middle;
		else
			low = middle + 1;
	}
	return &shards[low];
}

/* What the digest at hand covers: the file, or one of its shards. */
static uint64_t message_begin(const struct cursor *at)
{
	const struct mih_verify_bulk_file *file = at->link->file;

	return file->shards ? file->shards[at->chain->shard].begin : 0;
}

static uint64_t message_end(const struct cursor *at)
{
	const struct mih_verify_bulk_file *file = at->link->file;

	return file->shards ? file->shards[at->chain->shard].end : file->nbytes;
}

static uint64_t link_end(const struct mih_verify_bulk_link *link)
{
	return link->part.off + link->part.len;
}

static bool has_hints(const struct cursor *at)
{
	return at->chain == &at->own;
}

/* A chain of its own, from the hint at its begin. */
static mih_err begin_hinted(struct cursor *at)
{
	const struct mih_verify_bulk_file *file = at->link->file;
	uint64_t begin;

	if (file->shards)
		at->own.shard =
		    (size_t)(mih_verify_bulk_shard_at(file->shards,
						      file->nshards, at->off) -
			     file->shards);
	begin = message_begin(at);
	if (at->off == begin)
		return mih_hash_stream_new(MIH_HASH_SHA256, &at->own.stream);
	return mih_hash_stream_sha256_resume(hint_at(file, at->off),
					     at->off - begin, &at->own.stream);
}

static void begin(struct cursor *at, struct mih_verify_bulk_link *link)
{
	*at = (struct cursor){ .link = link, .off = link->part.off };
	at->chain = link->chain ? link->chain : &at->own;
	link->err = has_hints(at) ? begin_hinted(at) : 0;
}

/* A message has a state only behind whole blocks. */
static bool has_state(const struct cursor *at)
{
	return (at->off - message_begin(at)) % BLOCK == 0;
}

static void take_state(const struct cursor *at)
{
	if (has_state(at))
		mih_hash_stream_sha256_state(at->chain->stream,
					     at->link->state);
	else
		memset(at->link->state, 0, MIH_HASH_SHA256_STATE);
}

/* A hint that is there must be met, and one must be there unless the message
 * ends. */
static mih_err meet_hint(const struct cursor *at)
{
	uint8_t state[MIH_HASH_SHA256_STATE];

	if (at->off % HINT != 0 || !has_state(at))
		return at->off < message_end(at) ? MIH_EDIGEST : 0;
	mih_hash_stream_sha256_state(at->chain->stream, state);
	return mih_hash_eq(state, hint_at(at->link->file, at->off),
			   sizeof(state))
		   ? 0
		   : MIH_EDIGEST;
}

/* The shard at hand is complete: was it as signed? On to the next. */
static mih_err end_shard(struct cursor *at, const uint8_t *got)
{
	struct mih_verify_bulk_file *file = at->link->file;
	struct mih_verify_bulk_chain *chain = at->chain;

	if (!mih_hash_eq(got, file->shards[chain->shard].digest,
			 mih_hash_info(at->link->flat)->len)) {
		if (has_hints(at))
			return MIH_EDIGEST;
		if (!file->nbad++)
			file->first_bad = chain->shard;
	}
	return ++chain->shard < file->nshards
		   ? mih_hash_stream_new(at->link->flat, &chain->stream)
		   : 0;
}

static mih_err end_message(struct cursor *at)
{
	struct mih_verify_bulk_file *file = at->link->file;
	uint8_t got[MIH_HASH_LEN_MAX];
	mih_err err = mih_hash_stream_final(at->chain->stream, got);

	mih_hash_stream_free(at->chain->stream);
	at->chain->stream = NULL;
	if (err)
		return err;
	if (file->shards)
		return end_shard(at, got);
	memcpy(file->flat, got, mih_hash_info(at->link->flat)->len);
	return 0;
}

/* It has come to the end of its message, or to its own. */
static mih_err arrive(struct cursor *at)
{
	mih_err err = has_hints(at) ? meet_hint(at) : 0;

	if (!err && at->link->wants_state && at->off == link_end(at->link))
		take_state(at);
	return err || at->off < message_end(at) ? err : end_message(at);
}

static bool has_more(const struct cursor *at)
{
	return !at->link->err && at->off < link_end(at->link);
}

/* All that have more, as far as their messages go. */
static bool advance(struct cursor *cursors, size_t n)
{
	struct mih_hash_stream_part parts[MIH_VERIFY_BULK_LINKS];
	struct cursor *moved[MIH_VERIFY_BULK_LINKS];
	size_t nmoved = 0;
	mih_err err;

	for (size_t i = 0; i < n; i++) {
		struct cursor *at = &cursors[i];
		const struct mih_verify_bulk_part *part = &at->link->part;

		if (!has_more(at))
			continue;
		at->len =
		    (size_t)(MIH_MIN(link_end(at->link), message_end(at)) -
			     at->off);
		parts[nmoved] = (struct mih_hash_stream_part){
			at->chain->stream, part->data + (at->off - part->off),
			at->len
		};
		moved[nmoved++] = at;
	}
	err = mih_hash_stream_update_each(parts, nmoved);
	for (size_t i = 0; i < nmoved; i++) {
		moved[i]->off += moved[i]->len;
		moved[i]->link->err = err ? err : arrive(moved[i]);
	}
	return nmoved > 0;
}

void mih_verify_bulk_links(struct mih_verify_bulk_link *links, size_t n)
{
	struct cursor cursors[MIH_VERIFY_BULK_LINKS];

	assert(n <= MIH_VERIFY_BULK_LINKS);
	for (size_t i = 0; i < n; i++)
		begin(&cursors[i], &links[i]);
	while (advance(cursors, n))
		;
	for (size_t i = 0; i < n; i++)
		mih_hash_stream_free(cursors[i].own.stream);
}

bool mih_verify_bulk_hintable(const struct mih_sig_shard *shards, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (shards[i].begin % BLOCK != 0 &&
		    shards[i].end / HINT > shards[i].begin / HINT)
			return false;
	return true;
}
