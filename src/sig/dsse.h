/*
 * sig/dsse.h - the bytes under a signature, and ECDSA over them
 *
 * Layer: src/sig.  Threads: functions without state.
 * Source: DSSE 1.0.
 */
#ifndef MIH_SIG_DSSE_H
#define MIH_SIG_DSSE_H

#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mih_sig_key;

#define MIH_SIG_PAYLOAD_TYPE "application/vnd.in-toto+json"
#define MIH_SIG_DER_MAX	     256 /* bytes of an ECDSA signature on P-521 */

/**
 * What is signed, hashed for each curve. The payload itself, large as it may
 * be, need not be kept until somebody asks for a check.
 */
struct mih_sig_pae {
	uint8_t md[3][64];
};

/**
 * mih_sig_pae_init() - hash the DSSE pre-authentication encoding of a payload
 *
 * Source: DSSE 1.0, "PAE". Return: 0 or -EIO with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_pae_init(struct mih_sig_pae *pae,
					const void *payload, size_t len);

/**
 * mih_sig_pae_hash() - hash @head and then @text
 *
 * Return: 0 or -EIO with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_pae_hash(struct mih_sig_pae *pae,
					const char *head, const void *text,
					size_t len);

/** mih_sig_payload_digest() - SHA-256 of the payload alone, as logs keep it */
MIH_MUST_CHECK mih_err mih_sig_payload_digest(const void *payload, size_t len,
					      uint8_t digest[32]);

/**
 * mih_sig_pae_sign() - sign with @key
 * @sig: MIH_SIG_DER_MAX bytes; a DER ECDSA signature
 *
 * Return: 0 or -EIO with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_pae_sign(const struct mih_sig_pae *pae,
					const struct mih_sig_key *key,
					uint8_t *sig, size_t *len_out);

/**
 * mih_sig_pae_verify() - true only if @sig is @key's signature over @pae
 * @md: which hash of it; the curve's own, except for old signatures
 */
bool mih_sig_pae_verify(const struct mih_sig_pae *pae, size_t md,
			const struct mih_sig_key *key, const uint8_t *sig,
			size_t len);

#endif
