/*
 * hash/stream.h - flat digests of one long message
 *
 * Layer: src/hash.  Threads: one thread at a time per stream.
 * Sources: FIPS 180-4, FIPS 202, RFC 7693, BLAKE3 paper 2.
 *
 * sha512, sha3-256 and blake2b come from OpenSSL; blake3 runs on the cores of
 * src/hash/core; sha256 too, because its chaining value after every MiB is
 * stored as a hint (doc/format.md section 5).
 */
#ifndef MIH_HASH_STREAM_H
#define MIH_HASH_STREAM_H

#include "hash/alg.h"
#include "util/err.h"

struct mih_hash_stream;

/**
 * mih_hash_stream_new() - begin a digest
 * @alg: one with is_flat
 * @stream_out: set on success; finish with mih_hash_stream_free()
 *
 * Return: 0; -EINVAL if @alg is not flat; -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_hash_stream_new(enum mih_hash_alg alg,
					   struct mih_hash_stream **stream_out);

/**
 * mih_hash_stream_update() - append @len bytes to the message
 *
 * Return: 0, or -EIO if the crypto library fails.
 */
MIH_MUST_CHECK mih_err mih_hash_stream_update(struct mih_hash_stream *stream,
					      const void *data, size_t len);

/** Bytes for one of several streams. */
struct mih_hash_stream_part {
	struct mih_hash_stream *stream; /* borrowed */
	const void *data;		/* borrowed */
	size_t len;
};

/**
 * mih_hash_stream_update_each() - the same for @n streams, side by side
 * @parts: of different streams, all of one algorithm
 *
 * A step of sha256 waits for the one before, so a core does the steps of 4
 * streams in the time of 2, and with AVX-512 those of 16 in that of 8. It takes
 * as long as the longest part; of other algorithms, all of them together.
 *
 * Return: 0, or -EIO if the crypto library fails.
 */
MIH_MUST_CHECK mih_err
mih_hash_stream_update_each(const struct mih_hash_stream_part *parts, size_t n);

/** mih_hash_stream_width() - so many streams of @alg at a time pay, 1 .. 16. */
size_t mih_hash_stream_width(enum mih_hash_alg alg);

/**
 * mih_hash_stream_final() - the digest of all appended bytes
 * @digest: mih_hash_info(alg)->len bytes
 *
 * May be called once; then only free is legal.
 *
 * Return: 0, or -EIO if the crypto library fails.
 */
MIH_MUST_CHECK mih_err mih_hash_stream_final(struct mih_hash_stream *stream,
					     uint8_t *digest);

/** mih_hash_stream_free() - release; NULL is legal. */
void mih_hash_stream_free(struct mih_hash_stream *stream);

#define MIH_HASH_SHA256_STATE 32 /* a SHA-256 chaining value, big-endian */

/**
 * mih_hash_stream_sha256_state() - chaining value after the bytes so far
 * @stream: a sha256 stream whose message so far is a multiple of 64 bytes
 * @state:  the eight words H(0)..H(7) of FIPS 180-4, big-endian
 */
void mih_hash_stream_sha256_state(const struct mih_hash_stream *stream,
				  uint8_t state[MIH_HASH_SHA256_STATE]);

/**
 * mih_hash_stream_sha256_resume() - go on behind bytes that are not here
 * @state:      the chaining value behind them, as above
 * @nbytes:     how many there are; a multiple of 64
 * @stream_out: as for mih_hash_stream_new()
 *
 * Return: 0 or -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_hash_stream_sha256_resume(
    const uint8_t state[MIH_HASH_SHA256_STATE], uint64_t nbytes,
    struct mih_hash_stream **stream_out);

/**
 * mih_hash_flat() - the whole digest of one buffer
 * @digest: mih_hash_info(alg)->len bytes
 *
 * Return: 0; -EINVAL if @alg is not flat; -ENOMEM; -EIO.
 */
MIH_MUST_CHECK mih_err mih_hash_flat(enum mih_hash_alg alg, const void *data,
				     size_t len, uint8_t *digest);

#endif
