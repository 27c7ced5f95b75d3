/*
 * sig/legacy/legacy.h - what model signing 0.2 wrote
 *
 * Layer: src/sig.  Threads: functions without state.
 * Format: doc/format.md section 3.3.
 */
#ifndef MIH_SIG_LEGACY_LEGACY_H
#define MIH_SIG_LEGACY_LEGACY_H

#include "sig/sig_internal.h"

#define MIH_SIG_LEGACY_PREDICATE_TYPE "https://model_signing/Digests/v0.1"

/**
 * mih_sig_legacy_read() - the files of a statement by model signing 0.2
 * @top: the statement, already known to be one
 * @m:   empty; filled as far as reading got
 * @root: what a statement of today would have as its root
 *
 * Return: 0; MIH_EFORMAT or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_legacy_read(const struct mih_sig_json *top,
					   struct mih_sig_manifest *m,
					   uint8_t root[32]);

/**
 * mih_sig_legacy_pae() - hash the encoding that model signing 0.2 signs
 *
 * Takes memory of four times the payload. Return: 0; -ENOMEM or -EIO with a
 * story.
 */
MIH_MUST_CHECK mih_err mih_sig_legacy_pae(struct mih_sig_pae *pae,
					  const char *payload, size_t len);

/** mih_sig_legacy_verify() - is it signed by @key over that encoding? */
bool mih_sig_legacy_verify(const struct mih_sig_bundle *bundle,
			   const struct mih_sig_key *key);

/** mih_sig_legacy_check() - may the statement be one of model signing 0.2? */
MIH_MUST_CHECK mih_err mih_sig_legacy_check(const struct mih_sig_bundle *bundle,
					    const struct mih_sig_trust *trust);

#endif
