/*
 * sig/sig_internal.h - the parts behind bundle.h and trust.h
 *
 * Layer: src/sig.  Threads: functions without state; keys and bundles are
 * immutable once made.
 *
 * A bundle is JSON around base64 around JSON. Of both texts only one member is
 * ever large: the payload string of the outer, the list of resources of the
 * inner. Those two are cut out by a small scanner, the rest goes through
 * jansson as a tree, and the list goes through it one element at a time; so a
 * million resources never stand in memory as trees.
 */
#ifndef MIH_SIG_SIG_INTERNAL_H
#define MIH_SIG_SIG_INTERNAL_H

#include "sig/bundle.h"
#include "sig/dsse.h"
#include "sig/freshness/freshness.h"
#include "sig/manifest.h"
#include "sig/text/base64.h"
#include "sig/text/json.h"
#include "sig/trust.h"
#include "sig/x509/x509.h"
#include "util/cleanup.h"
#include "util/err.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- key.c ------------------------------------------------------------- */

/** One row per curve: its hash is fixed by OMS. */
struct mih_sig_curve {
	const char *group; /* OpenSSL's name */
	const char *name;  /* NIST's */
	const char *md;	   /* OpenSSL's name of the hash */
	size_t pae;	   /* index in struct mih_sig_pae */
};

struct mih_sig_key {
	EVP_PKEY *pkey; /* owned */
	const struct mih_sig_curve *curve;
	char hint[65];		/* hex SHA-256 of the public key's PEM text */
	STACK_OF(X509) * certs; /* of the signer, its own first; owned; NULL */
};

/**
 * mih_sig_key_load_public() - read a PEM SubjectPublicKeyInfo
 *
 * Return: 0; MIH_EFORMAT or -errno with a story that names @path.
 */
MIH_MUST_CHECK mih_err mih_sig_key_load_public(const char *path,
					       struct mih_sig_key **key_out);

/**
 * mih_sig_key_from_certificate() - the public key of a certificate
 * @name: for stories
 *
 * Return: 0; MIH_EFORMAT for a key that may not sign models; -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_sig_key_from_certificate(
    X509 *cert, const char *name, struct mih_sig_key **key_out);

/**
 * mih_sig_key_load_certificates() - read what goes with a private key
 *
 * Return: 0; MIH_EUNTRUSTED (for another key, expired, for another use, a
 * chain that does not hold), MIH_EFORMAT, -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_key_load_certificates(
    const struct mih_sig_signer *signer, struct mih_sig_key *key);

/* --- trust.c ----------------------------------------------------------- */

struct mih_sig_trust {
	struct mih_sig_key **keys; /* owned */
	size_t nkeys;

	/* Certificate; all owned. */
	STACK_OF(X509) * anchors;  /* NULL: none */
	STACK_OF(X509_CRL) * crls; /* NULL: nobody asks */
	bool at_signing_time, log_fingerprints;
	char *name;	  /* NULL: any */
	ASN1_OBJECT *eku; /* NULL: any */

	/* Keyless; all owned. */
	struct mih_sig_root *root;
	struct mih_sig_policy *policy;

	struct mih_sig_legacy legacy;
	struct mih_sig_demand demand;
};

/* --- manifest.c -------------------------------------------------------- */

/**
 * mih_sig_manifest_check_paths() - may these names be files of one directory?
 * @first_out, @second_out: set to the two that may not, borrowed
 *
 * O(n log n). Return: 0; -EEXIST a name twice, or one that is a file and a
 * directory at once; -ENOMEM. Records no story.
 */
MIH_MUST_CHECK mih_err
mih_sig_manifest_check_paths(const struct mih_sig_manifest *manifest,
			     const char **first_out, const char **second_out);

/* --- statement/serialization.c ----------------------------------------- */

/**
 * mih_sig_serialization_read() - method, hash, links and ignored paths
 * @m: gets all of them but the hash
 * @alg_out: hash_type
 *
 * Return: 0; MIH_EFORMAT or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_serialization_read(
    const struct mih_sig_json *predicate, struct mih_sig_manifest *m,
    enum mih_hash_alg *alg_out);

/* --- statement/plain.c ------------------------------------------------- */

/**
 * mih_sig_plain_read() - read a resource that is written in the usual way
 * @text: one element of "resources", to be of algorithm @alg and no shard
 * @res:  set if it is plain, as JSON would have it; the caller frees its name
 *
 * Return: false: not plain, perhaps not even JSON; nothing is known then.
 */
bool mih_sig_plain_read(const struct mih_sig_text *text, enum mih_hash_alg alg,
			struct mih_sig_resource *res);

/* --- statement/statement.c --------------------------------------------- */

#define MIH_SIG_STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define MIH_SIG_PREDICATE_TYPE "https://model_signing/signature/v1.0"

/**
 * mih_sig_statement_read() - payload to manifest, by every rule of form
 * @payload: in-toto statement
 * @manifest_out: owned by the caller
 * @root: the subject's digest, recomputed and equal
 *
 * Return: 0; MIH_EFORMAT or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_statement_read(
    const struct mih_sig_text *payload, struct mih_sig_manifest **manifest_out,
    uint8_t root[32]);

/* --- bundle.c and method.c --------------------------------------------- */

#define MIH_SIG_MEDIA_TYPE "application/vnd.dev.sigstore.bundle.v0.3+json"

struct mih_sig_method_ops;

struct mih_sig_bundle {
	char *file; /* for stories; owned */
	const struct mih_sig_method_ops *method;
	struct mih_sig_manifest *manifest; /* owned */
	uint8_t root[32];
	struct mih_sig_pae pae;
	struct mih_sig_pae *legacy_pae; /* owned; NULL if none could be meant */
	uint8_t sig[MIH_SIG_DER_MAX];
	size_t sig_len;
	char signer[512];

	/* Key. */
	char hint[65];	  /* "" if the bundle names no key */
	bool carries_key; /* has rawBytes, which nobody must believe */

	/* Certificate and keyless. */
	STACK_OF(X509) * certs;	      /* the signer's first; owned; or NULL */
	struct mih_sig_key *leaf_key; /* of the first; owned */

	/* Keyless. */
	struct mih_sig_proof *proof; /* owned */
	uint8_t payload_sha256[32];
};

/** How one method reads its material and judges the signature. */
struct mih_sig_method_ops {
	enum mih_sig_method id;
	const char *member; /* of verificationMaterial */
	/** Check and keep the material. */
	mih_err (*read)(struct mih_sig_bundle *bundle,
			const struct mih_sig_json *material);
	/** See mih_sig_bundle_verify(); sets @moment if it proves one. */
	mih_err (*verify)(const struct mih_sig_bundle *bundle,
			  const struct mih_sig_trust *trust,
			  struct mih_sig_moment *moment);
};

extern const struct mih_sig_method_ops mih_sig_certificate_ops;
extern const struct mih_sig_method_ops mih_sig_keyless_ops;

/** mih_sig_method_no_log() - "tlogEntries" must be empty or absent */
MIH_MUST_CHECK mih_err
mih_sig_method_no_log(const struct mih_sig_json *material);

/** mih_sig_bundle_read_leaf_key() - fill leaf_key from certs */
MIH_MUST_CHECK mih_err
mih_sig_bundle_read_leaf_key(struct mih_sig_bundle *bundle);

/**
 * mih_sig_bundle_check_signature() - is the signature by @key?
 * @by: the key, for the story
 */
MIH_MUST_CHECK mih_err mih_sig_bundle_check_signature(
    const struct mih_sig_bundle *bundle, const struct mih_sig_trust *trust,
    const struct mih_sig_key *key, const char *by);

/** mih_sig_bundle_check_leaf_signature() - is the signature by leaf_key? */
MIH_MUST_CHECK mih_err mih_sig_bundle_check_leaf_signature(
    const struct mih_sig_bundle *bundle, const struct mih_sig_trust *trust);

/** mih_sig_x509_log_chain() - one line with the fingerprint of each */
void mih_sig_x509_log_chain(const char *file, STACK_OF(X509) * chain);

/**
 * mih_sig_method_read() - find the one method of a bundle and let it read
 * @material: the bundle's verificationMaterial
 */
MIH_MUST_CHECK mih_err mih_sig_method_read(struct mih_sig_bundle *bundle,
					   const struct mih_sig_json *material);

/**
 * mih_sig_bundle_parse() - mih_sig_bundle_read() on text in memory
 * @file: name for stories
 * @text: owned by the callee from now on; malloc()ed
 */
MIH_MUST_CHECK mih_err mih_sig_bundle_parse(const char *file, char *text,
					    size_t len,
					    struct mih_sig_bundle **bundle_out);

#endif
