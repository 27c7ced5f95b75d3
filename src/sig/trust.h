/*
 * sig/trust.h - whom the operator trusts to sign
 *
 * Layer: src/sig.  Threads: built by one thread, then immutable.
 *
 * Exactly one method: public keys, a certificate chain, or an identity. Of
 * several public keys (a trust directory) any one may have signed.
 */
#ifndef MIH_SIG_TRUST_H
#define MIH_SIG_TRUST_H

#include "util/err.h"

#include <stddef.h>

#define MIH_SIG_TRUST_DIR "/etc/mihfs/trust.d"

struct mih_sig_trust;

/** mih_sig_trust_new() - trust nobody yet; NULL if out of memory. */
struct mih_sig_trust *mih_sig_trust_new(void);

/** mih_sig_trust_free() - release; NULL is legal. */
void mih_sig_trust_free(struct mih_sig_trust *trust);

/**
 * mih_sig_trust_add_key() - trust the public key in a PEM file
 * @path: PEM SubjectPublicKeyInfo, EC on P-256, P-384 or P-521
 *
 * Return: 0; MIH_ENOANCHOR with a story that names @path and the cause
 * (missing, not PEM, another algorithm or curve, a private key).
 */
MIH_MUST_CHECK mih_err mih_sig_trust_add_key(struct mih_sig_trust *trust,
					     const char *path);

/**
 * mih_sig_trust_add_dir() - trust every "*.pem" public key in a folder
 *
 * Return: 0; MIH_ENOANCHOR with a story if the folder is missing, holds none,
 * or holds one that cannot be used: a half-read policy is no policy.
 */
MIH_MUST_CHECK mih_err mih_sig_trust_add_dir(struct mih_sig_trust *trust,
					     const char *path);

/** mih_sig_trust_nkeys() - number of trusted public keys. */
size_t mih_sig_trust_nkeys(const struct mih_sig_trust *trust);

#endif
