#include "hash/stream.h"
#include "hash/group.h"
#include "hash/core/sha256.h"
#include "util/bytes.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <assert.h>
#include <openssl/evp.h>

#define SHA256_BLOCK 64
#define SIDE_BY_SIDE 16 /* streams of sha256 */
#define B3_LEN	     32
#define B3_BATCH     (16 * MIH_HASH_GROUP) /* hashed at once: 1 MiB */
#define B3_DEPTH     48 /* 2^48 groups of 2^16 bytes: no message is longer */

struct sha256_stream {
	struct mih_hash_segment segment; /* its state is ours */
	uint64_t nbytes;
	uint8_t block[2 * SHA256_BLOCK]; /* nbytes % 64 of them are in use */
};

/*
 * A group waits in @group until a byte behind it shows that it is not the
 * last; then its chaining value goes on the stack, which holds one value per
 * bit that is set in @ngroups.
 */
struct blake3_stream {
	uint64_t ngroups;
	size_t depth;
	uint8_t stack[B3_DEPTH + 1][B3_LEN];
	size_t fill;
	uint8_t group[MIH_HASH_GROUP];
};

struct mih_hash_stream {
	enum mih_hash_alg alg;
	union {
		EVP_MD_CTX *evp;	      /* owned */
		struct sha256_stream *sha256; /* owned */
		struct blake3_stream *blake3; /* owned */
	};
};

/* --- sha256 ------------------------------------------------------------ */

static void sha256_begin(struct sha256_stream *s)
{
	for (size_t i = 0; i < 8; i++) {
		uint32_t be = htobe32(mih_sha256_iv[i]);

		memcpy(s->segment.state + 4 * i, &be, sizeof(be));
	}
	s->nbytes = 0;
}

static void sha256_blocks(struct sha256_stream *s, const void *data,
			  size_t nblocks)
{
	s->segment.data = data;
	s->segment.nblocks = nblocks;
	mih_hash_sha256_segments(&s->segment, 1);
}

/* Complete the block that has begun. Return: the bytes that it took. */
static size_t sha256_lead(struct sha256_stream *s, const uint8_t *p, size_t len)
{
	size_t fill = s->nbytes % SHA256_BLOCK;
	size_t take = fill ? MIH_MIN(len, SHA256_BLOCK - fill) : 0;

	memcpy(s->block + fill, p, take);
	s->nbytes += take;
	if (take && fill + take == SHA256_BLOCK)
		sha256_blocks(s, s->block, 1);
	return take;
}

/* What begins a block and does not fill it. */
static void sha256_keep(struct sha256_stream *s, const uint8_t *p, size_t len)
{
	size_t rest = len % SHA256_BLOCK;

	s->nbytes += len;
	if (rest)
		memcpy(s->block, p + (len - rest), rest);
}

/* At most SIDE_BY_SIDE of them. */
static void sha256_update(const struct mih_hash_stream_part *parts, size_t n)
{
	struct mih_hash_segment segments[SIDE_BY_SIDE];

	for (size_t i = 0; i < n; i++) {
		const struct mih_hash_stream_part *part = &parts[i];
		struct sha256_stream *s = part->stream->sha256;
		size_t lead = sha256_lead(s, part->data, part->len);
		const uint8_t *data = (const uint8_t *)part->data + lead;

		segments[i].data = data;
		segments[i].nblocks = (part->len - lead) / SHA256_BLOCK;
		memcpy(segments[i].state, s->segment.state,
		       MIH_HASH_SHA256_STATE);
		sha256_keep(s, data, part->len - lead);
	}
	mih_hash_sha256_segments(segments, n);
	for (size_t i = 0; i < n; i++)
		memcpy(parts[i].stream->sha256->segment.state,
		       segments[i].state, MIH_HASH_SHA256_STATE);
}

static void sha256_final(struct sha256_stream *s, uint8_t *digest)
{
	size_t fill = s->nbytes % SHA256_BLOCK;
	size_t end = fill < 56 ? SHA256_BLOCK : 2 * SHA256_BLOCK;
	uint64_t nbits = htobe64(s->nbytes * 8);

	s->block[fill] = 0x80;
	memset(s->block + fill + 1, 0, end - fill - 1);
	memcpy(s->block + end - 8, &nbits, 8);
	sha256_blocks(s, s->block, end / SHA256_BLOCK);
	memcpy(digest, s->segment.state, 32);
}

/* --- blake3 ------------------------------------------------------------ */

/* Add the value of a group that others follow; equal subtrees merge. */
static void blake3_push(struct blake3_stream *s, const uint8_t *cv)
{
	memcpy(s->stack[s->depth++], cv, B3_LEN);
	s->ngroups++;
	for (uint64_t n = s->ngroups; !(n & 1); n >>= 1) {
		s->depth--;
		mih_hash_nodes(MIH_HASH_BLAKE3, s->stack[s->depth - 1], 1,
			       false, s->stack[s->depth - 1]);
	}
}

/* Whole groups that others follow. */
static void blake3_groups(struct blake3_stream *s, const uint8_t *p, size_t len)
{
	uint8_t cvs[B3_BATCH / MIH_HASH_GROUP][B3_LEN];

	while (len) {
		struct mih_hash_range range = {
			.data = p,
			.len = MIH_MIN(len, (size_t)B3_BATCH),
			.off = s->ngroups * MIH_HASH_GROUP,
		};

		mih_hash_groups(MIH_HASH_BLAKE3, &range, 1, cvs[0]);
		for (size_t i = 0; i < range.len / MIH_HASH_GROUP; i++)
			blake3_push(s, cvs[i]);
		p += range.len;
		len -= range.len;
	}
}

static void blake3_update(struct blake3_stream *s, const uint8_t *p, size_t len)
{
	size_t whole;

	if (s->fill || len <= MIH_HASH_GROUP) {
		size_t take = MIH_MIN(len, MIH_HASH_GROUP - s->fill);

		memcpy(s->group + s->fill, p, take);
		s->fill += take;
		p += take;
		len -= take;
		if (!len)
			return;
		blake3_groups(s, s->group, MIH_HASH_GROUP);
	}
	whole = (len - 1) / MIH_HASH_GROUP * MIH_HASH_GROUP;
	blake3_groups(s, p, whole);
	s->fill = len - whole;
	memcpy(s->group, p + whole, s->fill);
}

static void blake3_final(struct blake3_stream *s, uint8_t *digest)
{
	struct mih_hash_range last = {
		.data = s->group,
		.len = s->fill,
		.off = s->ngroups * MIH_HASH_GROUP,
		.is_root = s->ngroups == 0,
	};

	if (!s->fill) {
		mih_hash_empty(MIH_HASH_BLAKE3, digest);
		return;
	}
	mih_hash_groups(MIH_HASH_BLAKE3, &last, 1, s->stack[s->depth]);
	for (; s->depth; s->depth--)
		mih_hash_nodes(MIH_HASH_BLAKE3, s->stack[s->depth - 1], 1,
			       s->depth == 1, s->stack[s->depth - 1]);
	memcpy(digest, s->stack[0], B3_LEN);
}

/* --- the crypto library's ------------------------------------------------ */

/* Fetched once, because a fetch takes locks; kept until the process ends. */
static struct {
	pthread_once_t once;
	EVP_MD *sha512, *sha3_256, *blake2b;
} mds = { .once = PTHREAD_ONCE_INIT };

static void mds_fetch(void)
{
	mds.sha512 = EVP_MD_fetch(NULL, "SHA2-512", NULL);
	mds.sha3_256 = EVP_MD_fetch(NULL, "SHA3-256", NULL);
	mds.blake2b = EVP_MD_fetch(NULL, "BLAKE2B-512", NULL);
}

static const EVP_MD *md_of(enum mih_hash_alg alg)
{
	pthread_once(&mds.once, mds_fetch);
	switch (alg) {
	case MIH_HASH_SHA512:
		return mds.sha512;
	case MIH_HASH_SHA3_256:
		return mds.sha3_256;
	default:
		return mds.blake2b;
	}
}

static mih_err evp_begin(struct mih_hash_stream *stream)
{
	const EVP_MD *md = md_of(stream->alg);

	if (!md)
		return mih_err_fail(-EIO, "%s: the crypto library has it not",
				    mih_hash_info(stream->alg)->name);
	stream->evp = EVP_MD_CTX_new();
	if (!stream->evp)
		return -ENOMEM;
	return EVP_DigestInit_ex2(stream->evp, md, NULL) == 1 ? 0 : -EIO;
}

/* --- all of them --------------------------------------------------------- */

static mih_err begin(struct mih_hash_stream *stream)
{
	switch (stream->alg) {
	case MIH_HASH_SHA256:
		stream->sha256 = malloc(sizeof(*stream->sha256));
		if (!stream->sha256)
			return -ENOMEM;
		sha256_begin(stream->sha256);
		return 0;
	case MIH_HASH_BLAKE3:
		stream->blake3 = malloc(sizeof(*stream->blake3));
		if (!stream->blake3)
			return -ENOMEM;
		stream->blake3->ngroups = 0;
		stream->blake3->depth = 0;
		stream->blake3->fill = 0;
		return 0;
	default:
		return evp_begin(stream);
	}
}

mih_err mih_hash_stream_new(enum mih_hash_alg alg,
			    struct mih_hash_stream **stream_out)
{
	const struct mih_hash_info *info = mih_hash_info(alg);
	struct mih_hash_stream *stream;
	mih_err err;

	if (!info || !info->is_flat)
		return -EINVAL;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->alg = alg;
	err = begin(stream);
	if (err) {
		mih_hash_stream_free(stream);
		return err;
	}
	*stream_out = stream;
	return 0;
}

mih_err mih_hash_stream_update(struct mih_hash_stream *stream, const void *data,
			       size_t len)
{
	if (!len)
		return 0;
	switch (stream->alg) {
	case MIH_HASH_SHA256:
		sha256_update(
		    &(struct mih_hash_stream_part){ stream, data, len }, 1);
		return 0;
	case MIH_HASH_BLAKE3:
		blake3_update(stream->blake3, data, len);
		return 0;
	default:
		return EVP_DigestUpdate(stream->evp, data, len) == 1 ? 0 : -EIO;
	}
}

size_t mih_hash_stream_width(enum mih_hash_alg alg)
{
	return alg == MIH_HASH_SHA256
		   ? MIH_MIN(mih_hash_segment_width(), (size_t)SIDE_BY_SIDE)
		   : 1;
}

mih_err mih_hash_stream_update_each(const struct mih_hash_stream_part *parts,
				    size_t n)
{
	mih_err err = 0;
	size_t some;

	for (size_t at = 0; at < n && !err; at += some) {
		const struct mih_hash_stream_part *part = &parts[at];

		some = 1;
		if (part->stream->alg == MIH_HASH_SHA256) {
			some = MIH_MIN(n - at, (size_t)SIDE_BY_SIDE);
			sha256_update(part, some);
		} else {
			err = mih_hash_stream_update(part->stream, part->data,
						     part->len);
		}
	}
	return err;
}

mih_err mih_hash_stream_final(struct mih_hash_stream *stream, uint8_t *digest)
{
	switch (stream->alg) {
	case MIH_HASH_SHA256:
		sha256_final(stream->sha256, digest);
		return 0;
	case MIH_HASH_BLAKE3:
		blake3_final(stream->blake3, digest);
		return 0;
	default:
		return EVP_DigestFinal_ex(stream->evp, digest, NULL) == 1
			   ? 0
			   : -EIO;
	}
}

void mih_hash_stream_free(struct mih_hash_stream *stream)
{
	if (!stream)
		return;
	if (stream->alg == MIH_HASH_SHA256)
		free(stream->sha256);
	else if (stream->alg == MIH_HASH_BLAKE3)
		free(stream->blake3);
	else
		EVP_MD_CTX_free(stream->evp);
	free(stream);
}

mih_err
mih_hash_stream_sha256_resume(const uint8_t state[MIH_HASH_SHA256_STATE],
			      uint64_t nbytes,
			      struct mih_hash_stream **stream_out)
{
	mih_err err;

	assert(nbytes % SHA256_BLOCK == 0);
	err = mih_hash_stream_new(MIH_HASH_SHA256, stream_out);
	if (err)
		return err;
	memcpy((*stream_out)->sha256->segment.state, state,
	       MIH_HASH_SHA256_STATE);
	(*stream_out)->sha256->nbytes = nbytes;
	return 0;
}

void mih_hash_stream_sha256_state(const struct mih_hash_stream *stream,
				  uint8_t state[MIH_HASH_SHA256_STATE])
{
	assert(stream->alg == MIH_HASH_SHA256);
	assert(stream->sha256->nbytes % SHA256_BLOCK == 0);
	memcpy(state, stream->sha256->segment.state, MIH_HASH_SHA256_STATE);
}

static void stream_cleanup(struct mih_hash_stream **stream)
{
	mih_hash_stream_free(*stream);
}

mih_err mih_hash_flat(enum mih_hash_alg alg, const void *data, size_t len,
		      uint8_t *digest)
{
	MIH_CLEANUP(stream_cleanup) struct mih_hash_stream *stream = NULL;
	mih_err err = mih_hash_stream_new(alg, &stream);

	if (!err)
		err = mih_hash_stream_update(stream, data, len);
	return err ? err : mih_hash_stream_final(stream, digest);
}
