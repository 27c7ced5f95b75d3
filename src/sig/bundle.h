/*
 * sig/bundle.h - OMS bundles: read, verify, sign
 *
 * Layer: src/sig.  Threads: an open bundle is immutable.
 * Format: doc/format.md section 3.  Sources: OpenSSF Model Signing 1.0;
 * Sigstore bundle v0.3; DSSE 1.0; in-toto Statement v1.
 */
#ifndef MIH_SIG_BUNDLE_H
#define MIH_SIG_BUNDLE_H

#include "sig/manifest.h"
#include "sig/trust.h"
#include "util/err.h"

#include <stdbool.h>

struct mih_sig_bundle;

/** How a bundle was signed. */
enum mih_sig_method {
	MIH_SIG_KEY,
	MIH_SIG_CERTIFICATE,
	MIH_SIG_KEYLESS,
};

/**
 * mih_sig_bundle_read() - parse a bundle WITHOUT trusting it
 * @path: bundle file, at most MIH_SIG_BUNDLE_MAX bytes
 * @bundle_out: set on success; finish with mih_sig_bundle_free()
 *
 * Checks every rule of form (strict JSON, media type, payload type, one
 * signature, strict base64, statement, resource names, digest forms, the root
 * digest over the resources), not the signature. For commands that need no
 * trust: inspect, tree. Memory: about 1.3 times the file while parsing, then
 * about 230 bytes per resource; the payload is not kept.
 *
 * Return: 0; MIH_EFORMAT or -errno with a story that names @path and the rule.
 */
MIH_MUST_CHECK mih_err mih_sig_bundle_read(const char *path,
					   struct mih_sig_bundle **bundle_out);

#define MIH_SIG_BUNDLE_MAX ((size_t)1 << 30)

/**
 * mih_sig_bundle_verify() - is it signed by somebody trusted, and new enough?
 *
 * Return: 0; MIH_EUNTRUSTED (a step of the method failed), MIH_ENOANCHOR
 * (@trust holds nothing for the bundle's method), with a story that names the
 * bundle and the step.
 */
MIH_MUST_CHECK mih_err mih_sig_bundle_verify(
    const struct mih_sig_bundle *bundle, const struct mih_sig_trust *trust);

#define MIH_SIG_WHEN_MAX 32

/**
 * mih_sig_bundle_verify_when() - the same; and when was it signed?
 * @when: "2026-03-14T09:26:56Z"; "" if no time is proven, or on failure
 */
MIH_MUST_CHECK mih_err mih_sig_bundle_verify_when(
    const struct mih_sig_bundle *bundle, const struct mih_sig_trust *trust,
    char when[MIH_SIG_WHEN_MAX]);

/** mih_sig_bundle_free() - release; NULL is legal. */
void mih_sig_bundle_free(struct mih_sig_bundle *bundle);

/** mih_sig_bundle_manifest() - borrowed; lives as long as the bundle. */
const struct mih_sig_manifest *
mih_sig_bundle_manifest(const struct mih_sig_bundle *bundle);

/** mih_sig_bundle_method() - how it claims to be signed. */
enum mih_sig_method mih_sig_bundle_method(const struct mih_sig_bundle *bundle);

/**
 * mih_sig_bundle_signer() - the claimed signer in one line
 *
 * "key sha256:<hint>", "key (no hint)", "certificate '<subject>' sha256:<hex>"
 * or "identity '<name>' by <issuer>"; printable ASCII. True only after
 * mih_sig_bundle_verify() returned 0. Borrowed.
 */
const char *mih_sig_bundle_signer(const struct mih_sig_bundle *bundle);

/**
 * mih_sig_bundle_root() - the statement's root digest
 * @root: 32 bytes: SHA-256 over the resource digests in payload order
 */
void mih_sig_bundle_root(const struct mih_sig_bundle *bundle, uint8_t root[32]);

/**
 * mih_sig_bundle_expect_digest() - is the root digest the one in @text?
 * @text: as mih_sig_trust_set_freshness() takes it
 *
 * For commands that trust nobody. Return: 0; MIH_EUSAGE; MIH_EUNTRUSTED if it
 * is another one; with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_bundle_expect_digest(
    const struct mih_sig_bundle *bundle, const char *text);

/** Where a private key comes from. */
struct mih_sig_signer {
	const char *key_path; /* PEM: EC P-256, P-384 or P-521 */
	const char *password; /* NULL: ask ask_password() if encrypted */
	/** Write a NUL-terminated password to @buf; false: none to be had. */
	bool (*ask_password)(const char *key_path, char *buf, size_t cap);
	/** PEM: the certificate of that key, perhaps followed by its chain;
	 * NULL: sign with the bare key. */
	const char *certificate_path;
	const char *const *chain_paths; /* PEM: more of the chain, upwards */
	size_t nchain;
};

struct mih_sig_key; /* a loaded private key, perhaps with certificates */

/**
 * mih_sig_key_load() - read a private key before the long work begins
 *
 * Return: 0; MIH_EFORMAT (not a PEM private key, another curve), MIH_EUNTRUSTED
 * (wrong password, or none given for an encrypted key; a certificate that is
 * for another key, not valid now or not for signing, or whose chain does not
 * hold), -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_key_load(const struct mih_sig_signer *signer,
					struct mih_sig_key **key_out);

/** mih_sig_key_free() - wipe and release; NULL is legal. */
void mih_sig_key_free(struct mih_sig_key *key);

/**
 * mih_sig_bundle_sign() - make a bundle over @manifest
 * @manifest: resources in any order; signed in code point order of name
 * @key:      who signs (borrowed)
 * @text_out: set to the bundle's JSON text; the caller frees it
 * @len_out:  its length
 *
 * Return: 0; -EINVAL for a manifest that mih_sig_bundle_read() would refuse;
 * -ENOMEM or -EIO; with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_bundle_sign(
    const struct mih_sig_manifest *manifest, const struct mih_sig_key *key,
    char **text_out, size_t *len_out);

#endif
