/*
 * What somebody says the states of a SHA-256 are lets all cores check one
 * digest: each stretch between two states by itself. doc/format.md section 5
 * tells why that needs no trust.
 */
#include "hash/group.h"
#include "util/checked.h"
#include "verify/bulk/bulk_internal.h"

#include <string.h>

#define HINT  MIH_VERIFY_BULK_HINT
#define BLOCK 64

/* FIPS 180-4, 5.3.3 */
static const uint8_t sha256_start[MIH_HASH_SHA256_STATE] = {
	0x6a, 0x09, 0xe6, 0x67, 0xbb, 0x67, 0xae, 0x85, 0x3c, 0x6e, 0xf3,
	0x72, 0xa5, 0x4f, 0xf5, 0x3a, 0x51, 0x0e, 0x52, 0x7f, 0x9b, 0x05,
	0x68, 0x8c, 0x1f, 0x83, 0xd9, 0xab, 0x5b, 0xe0, 0xcd, 0x19,
};

/* Bytes of a file between two hints, or an end, of one digest. */
struct stretch {
	uint64_t begin, end; /* what the digest covers */
	const uint8_t *data;
	uint64_t from, to;
};

static const uint8_t *hint_at(const struct mih_verify_bulk_file *file,
			      uint64_t off)
{
	return file->hints +
	       MIH_HASH_SHA256_STATE * (off / HINT - 1 - file->first_hint);
}

/* The last blocks of a message, FIPS 180-4, 5.1.1. */
static void end_message(struct mih_hash_segment *at, const struct stretch *s)
{
	uint64_t nbytes = s->end - s->begin;
	size_t len = (size_t)(s->to - s->from), rest = len % BLOCK;
	uint8_t last[2 * BLOCK] = { 0 };

	at->data = last;
	at->nblocks = rest < 56 ? 1 : 2;
	memcpy(last, s->data + (len - rest), rest);
	last[rest] = 0x80;
	for (size_t i = 0; i < 8; i++)
		last[BLOCK * at->nblocks - 1 - i] =
		    (uint8_t)(8 * nbytes >> 8 * i);
	mih_hash_sha256_segments(at, 1);
}

/* Return: MIH_EDIGEST if it does not lead to the hint at its end. @digest is
 * set where the stretch ends the message. */
static mih_err check(const struct mih_verify_bulk_file *file,
		     const struct stretch *s,
		     uint8_t digest[MIH_HASH_SHA256_STATE])
{
	struct mih_hash_segment at = {
		.data = s->data,
		.nblocks = (size_t)(s->to - s->from) / BLOCK,
	};
	bool has_hint = s->to % HINT == 0 && (s->to - s->begin) % BLOCK == 0;

	memcpy(at.state,
	       s->from == s->begin ? sha256_start : hint_at(file, s->from),
	       sizeof(at.state));
	mih_hash_sha256_segments(&at, 1);
	if (has_hint &&
	    !mih_hash_eq(at.state, hint_at(file, s->to), sizeof(at.state)))
		return MIH_EDIGEST;
	if (s->to < s->end)
		return has_hint ? 0 : MIH_EDIGEST;
	end_message(&at, s);
	memcpy(digest, at.state, sizeof(at.state));
	return 0;
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

static mih_err check_shards(const struct mih_verify_bulk_file *file,
			    const struct mih_verify_bulk_part *part)
{
	const struct mih_sig_shard *shard =
	    mih_verify_bulk_shard_at(file->shards, file->nshards, part->off);
	uint64_t off = part->off, end = part->off + part->len;
	uint8_t got[MIH_HASH_SHA256_STATE];
	mih_err err = 0;

	for (; !err && off < end; off = shard++->end) {
		const struct stretch s = {
			.begin = shard->begin,
			.end = shard->end,
			.data = part->data + (off - part->off),
			.from = off,
			.to = MIH_MIN(shard->end, end),
		};

		err = check(file, &s, got);
		if (!err && s.to == s.end &&
		    !mih_hash_eq(got, shard->digest, sizeof(got)))
			err = MIH_EDIGEST;
	}
	return err;
}

mih_err mih_verify_bulk_hinted(struct mih_verify_bulk_file *file,
			       const struct mih_verify_bulk_part *part)
{
	const struct stretch s = {
		.end = file->nbytes,
		.data = part->data,
		.from = part->off,
		.to = part->off + part->len,
	};

	return file->shards ? check_shards(file, part)
			    : check(file, &s, file->flat);
}

bool mih_verify_bulk_hintable(const struct mih_sig_shard *shards, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (shards[i].begin % BLOCK != 0 &&
		    shards[i].end / HINT > shards[i].begin / HINT)
			return false;
	return true;
}
