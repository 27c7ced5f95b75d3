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
#include "sig/manifest.h"
#include "sig/trust.h"
#include "util/cleanup.h"
#include "util/err.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- json.c ------------------------------------------------------------ */

#define MIH_SIG_JSON_DEPTH 64 /* brackets within brackets */
#define MIH_SIG_JSON_TREE_MAX                                                  \
	((size_t)16 << 20) /* bytes parsed as one tree                         \
			    */

/** A JSON text and the name it has in stories. All borrowed. */
struct mih_sig_text {
	const char *file;
	const char *text;
	size_t len;
};

/** The bytes from .. to - 1 of a text; empty if nothing was found. */
struct mih_sig_span {
	size_t from, to;
};

/** The member @inner of the object that is the member @outer of the top. */
struct mih_sig_member {
	const char *outer, *inner;
	char open; /* '[' or '"': what its value must begin with */
};

/** A JSON value and where it stands, for the story. */
struct mih_sig_json {
	const json_t *value; /* borrowed */
	const char *file;    /* borrowed */
	char at[64];	     /* "predicate.resources[7]"; "" is the top */
};

static inline void mih_sig_json_put(json_t **json)
{
	json_decref(*json);
}
#define mih_autojson MIH_CLEANUP(mih_sig_json_put)

/**
 * mih_sig_json_find() - where the inside of a large value lies
 * @text:   whole text, not yet known to be JSON
 * @member: which
 * @span_out: between the brackets or quotes of the first such member whose
 *            name is written without escapes; empty if there is none (or, for
 *            a string, if its value has escapes)
 *
 * Knows strings and brackets only. If the text without the span is valid JSON
 * without duplicate names, then the span was the value of that very member:
 * up to the span both readers have read the same bytes as the same tokens.
 *
 * Return: 0, or MIH_EFORMAT if brackets nest deeper than MIH_SIG_JSON_DEPTH.
 */
MIH_MUST_CHECK mih_err mih_sig_json_find(const struct mih_sig_text *text,
					 const struct mih_sig_member *member,
					 struct mih_sig_span *span_out);

/**
 * mih_sig_json_load_without() - parse all but @span strictly
 * @skip: bytes to leave out; {0, 0} for none
 * @json_out: an object; owned by the caller
 *
 * Strict: duplicate names, trailing bytes, NUL and invalid UTF-8 are refused.
 *
 * Return: 0; MIH_EFORMAT; -ENOMEM; with a story.
 */
MIH_MUST_CHECK mih_err
mih_sig_json_load_without(const struct mih_sig_text *text,
			  struct mih_sig_span skip, json_t **json_out);

/**
 * mih_sig_json_load_at() - parse one object as strictly, named @at in stories
 */
MIH_MUST_CHECK mih_err mih_sig_json_load_at(const struct mih_sig_text *text,
					    const char *at, json_t **json_out);

/**
 * mih_sig_json_split() - cut the next element off the inside of an array
 * @text: text of the span
 * @rest: the inside; set to what follows the comma
 * @one_out: the element with the white space around it, perhaps nothing else
 *
 * Return: true if a comma followed, so that another element must come.
 */
bool mih_sig_json_split(const char *text, struct mih_sig_span *rest,
			struct mih_sig_span *one_out);

/** mih_sig_json_fail() - MIH_EFORMAT, "<file>: <at>.<key> <words>" */
MIH_MUST_CHECK mih_err mih_sig_json_fail(const struct mih_sig_json *node,
					 const char *key, const char *fmt, ...)
    MIH_PRINTF(3, 4);

/** mih_sig_json_has() - is the member there and not null? */
bool mih_sig_json_has(const struct mih_sig_json *node, const char *key);

/** mih_sig_json_only() - refuse members not in @known (ends with NULL) */
MIH_MUST_CHECK mih_err mih_sig_json_only(const struct mih_sig_json *node,
					 const char *const *known);

/** mih_sig_json_object() - the member @key, which must be an object */
MIH_MUST_CHECK mih_err mih_sig_json_object(const struct mih_sig_json *node,
					   const char *key,
					   struct mih_sig_json *child_out);

/** mih_sig_json_array() - the member @key, which must be an array */
MIH_MUST_CHECK mih_err mih_sig_json_array(const struct mih_sig_json *node,
					  const char *key,
					  struct mih_sig_json *child_out);

/** mih_sig_json_element() - element @i of an array, which must be an object */
MIH_MUST_CHECK mih_err mih_sig_json_element(const struct mih_sig_json *array,
					    size_t i,
					    struct mih_sig_json *child_out);

/** mih_sig_json_string() - the member @key, which must be a string; borrowed */
MIH_MUST_CHECK mih_err mih_sig_json_string(const struct mih_sig_json *node,
					   const char *key,
					   const char **text_out);

/** mih_sig_json_is() - the member @key must be the string @want */
MIH_MUST_CHECK mih_err mih_sig_json_is(const struct mih_sig_json *node,
				       const char *key, const char *want);

/** mih_sig_json_hex() - the member @key: 2 * @len lowercase hex digits */
MIH_MUST_CHECK mih_err mih_sig_json_hex(const struct mih_sig_json *node,
					const char *key, size_t len,
					uint8_t *out);

/* --- base64.c ---------------------------------------------------------- */

/** mih_sig_base64_len() - characters that encode @len bytes */
size_t mih_sig_base64_len(size_t len);

/**
 * mih_sig_base64_encode() - RFC 4648 section 4 with padding, no line breaks
 * @out: mih_sig_base64_len(@len) characters; no NUL is added
 */
void mih_sig_base64_encode(const uint8_t *in, size_t len, char *out);

/**
 * mih_sig_base64_decode() - its strict inverse
 * @text: @len characters
 * @out:  (@len / 4) * 3 bytes; may be @text itself
 * @out_len: set to the number of bytes
 *
 * Return: NULL, or in a few words what is wrong: the length, a foreign
 * character, padding in the wrong place, or spare bits that are not zero.
 */
const char *mih_sig_base64_decode(const char *text, size_t len, uint8_t *out,
				  size_t *out_len);

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
	char hint[65]; /* hex SHA-256 of the public key's PEM text */
};

/**
 * mih_sig_key_load_public() - read a PEM SubjectPublicKeyInfo
 *
 * Return: 0; MIH_EFORMAT or -errno with a story that names @path.
 */
MIH_MUST_CHECK mih_err mih_sig_key_load_public(const char *path,
					       struct mih_sig_key **key_out);

/* --- dsse.c ------------------------------------------------------------ */

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
 * mih_sig_pae_sign() - sign with @key
 * @sig: MIH_SIG_DER_MAX bytes; a DER ECDSA signature
 *
 * Return: 0 or -EIO with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_pae_sign(const struct mih_sig_pae *pae,
					const struct mih_sig_key *key,
					uint8_t *sig, size_t *len_out);

/** mih_sig_pae_verify() - true only if @sig is @key's signature over @pae */
bool mih_sig_pae_verify(const struct mih_sig_pae *pae,
			const struct mih_sig_key *key, const uint8_t *sig,
			size_t len);

/* --- trust.c ----------------------------------------------------------- */

struct mih_sig_trust {
	struct mih_sig_key **keys; /* owned */
	size_t nkeys;
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

/* --- statement.c ------------------------------------------------------- */

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
	uint8_t sig[MIH_SIG_DER_MAX];
	size_t sig_len;
	char hint[65];	  /* "" if the bundle names no key */
	bool carries_key; /* has rawBytes, which nobody must believe */
	char signer[96];
};

/** How one method reads its material and judges the signature. */
struct mih_sig_method_ops {
	enum mih_sig_method id;
	const char *member; /* of verificationMaterial */
	/** Check and keep the material. */
	mih_err (*read)(struct mih_sig_bundle *bundle,
			const struct mih_sig_json *material);
	/** See mih_sig_bundle_verify(). */
	mih_err (*verify)(const struct mih_sig_bundle *bundle,
			  const struct mih_sig_trust *trust);
};

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
