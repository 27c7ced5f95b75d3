/*
 * sig/trust.h - whom the operator trusts to sign
 *
 * Layer: src/sig.  Threads: built by one thread, then immutable.
 *
 * Exactly one method: public keys, certificates, or an identity together with
 * a trusted root. Of several public keys (a trust directory) any one may have
 * signed.
 */
#ifndef MIH_SIG_TRUST_H
#define MIH_SIG_TRUST_H

#include "util/err.h"

#include <stdbool.h>
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

/**
 * mih_sig_trust_add_chain() - trust every certificate in a PEM file
 *
 * Each of them ends a path, also an intermediate one whose issuer is not among
 * them; no others do: neither the system's nor those of the web.
 *
 * Return: 0; MIH_ENOANCHOR with a story that names @path and the cause.
 */
MIH_MUST_CHECK mih_err mih_sig_trust_add_chain(struct mih_sig_trust *trust,
					       const char *path);

/**
 * mih_sig_trust_add_crl() - demand that no certificate is revoked
 * @path: PEM or DER revocation lists; with one, every certificate of a path
 *        needs one that is valid
 *
 * Return: 0; MIH_ENOANCHOR with a story that names @path and the cause.
 */
MIH_MUST_CHECK mih_err mih_sig_trust_add_crl(struct mih_sig_trust *trust,
					     const char *path);

/** What a certificate must be beside having an anchor; { 0 } is the default. */
struct mih_sig_certificate_rules {
	/** Valid at the beginning of its own life, not now: so do other OMS
	 * tools; a certificate that has ended goes on vouching. */
	bool at_signing_time;
	bool log_fingerprints; /* one line for each certificate of the path */
	const char *name;      /* common name or alternative name; NULL: any */
	const char *eku;       /* extended key usage, by OID or OpenSSL's name;
				  NULL: any */
};

/**
 * mih_sig_trust_set_rules() - how to judge certificates
 * @rules: copied
 *
 * Return: 0; MIH_EUSAGE for an unknown extended key usage; -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_sig_trust_set_rules(
    struct mih_sig_trust *trust, const struct mih_sig_certificate_rules *rules);

/** What model signing 0.2 wrote, and nobody takes without a word for it. */
struct mih_sig_legacy {
	bool statement; /* predicate Digests/v0.1 */
	bool encoding;	/* signatures over its own encoding of such a
			   statement in the place of DSSE's */
};

/** mih_sig_trust_set_legacy() - take those too; @legacy is copied */
void mih_sig_trust_set_legacy(struct mih_sig_trust *trust,
			      const struct mih_sig_legacy *legacy);

/** How new a rightly signed model must be, in words; NULL: no matter. */
struct mih_sig_freshness {
	const char *digest;   /* the root that it must have: 64 hexadecimal
				 digits, perhaps behind "sha256:" */
	const char *min_time; /* signed then or later: RFC 3339, or a day */
	const char *max_age;  /* signed so long ago or less: a number and s, m,
				 h, d or w; needs a clock that is right */
};

/**
 * mih_sig_trust_set_freshness() - refuse what is older, or not the one
 *
 * Times are those that the method proves; where it proves none, as with keys
 * and certificates, a wish for one is a refusal.
 *
 * Return: 0; MIH_EUSAGE with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_trust_set_freshness(
    struct mih_sig_trust *trust, const struct mih_sig_freshness *words);

/** Whom a keyless signature must be by. */
struct mih_sig_identity {
	const char *name;   /* an e-mail address or URI, all of it */
	bool is_regex;	    /* name is a POSIX extended regular expression, that
			       must match all of it */
	const char *issuer; /* URL of the identity provider, all of it */
};

/**
 * mih_sig_trust_set_identity() - trust one identity of one provider
 * @identity: copied
 *
 * Return: 0; MIH_EUSAGE (a part missing, a bad expression); -ENOMEM; with a
 * story.
 */
MIH_MUST_CHECK mih_err mih_sig_trust_set_identity(
    struct mih_sig_trust *trust, const struct mih_sig_identity *identity);

/**
 * mih_sig_trust_set_root() - whom to believe about keyless signatures
 * @path: a Sigstore TrustedRoot or ClientTrustConfig in JSON: certificate
 *        authorities, logs and timestamp authorities
 *
 * Return: 0; MIH_ENOANCHOR with a story that names @path and the cause.
 */
MIH_MUST_CHECK mih_err mih_sig_trust_set_root(struct mih_sig_trust *trust,
					      const char *path);

#endif
