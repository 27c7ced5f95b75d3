/*
 * sig/keyless/keyless.h - Sigstore: who signed, proven by logs and times
 *
 * Layer: src/sig.  Threads: all immutable once made.
 * Sources: Sigstore client specification 4; RFC 6962 (logs, SCT), RFC 3161
 * (timestamps), C2SP signed-note and tlog-checkpoint.
 *
 * Each step has one file and one function. It returns 0, or MIH_EUNTRUSTED
 * with a story "<bundle>: <step>: ..."; MIH_EFORMAT where a part is malformed.
 */
#ifndef MIH_SIG_KEYLESS_KEYLESS_H
#define MIH_SIG_KEYLESS_KEYLESS_H

#include "sig/sig_internal.h"
#include "sig/text/proto.h"
#include "sig/x509/x509.h"

/** Entries and timestamps that a bundle may carry, each. */
#define MIH_SIG_PROOF_MAX 16

/** Hashes of an inclusion proof: one for each bit of a size. */
#define MIH_SIG_PATH_MAX 63

#define MIH_SIG_CHECKPOINT_MAX ((size_t)64 << 10) /* bytes */

/* --- trusted_root.c ---------------------------------------------------- */

/** A transparency log, of signatures or of certificates. */
struct mih_sig_log {
	EVP_PKEY *key; /* owned */
	uint8_t id[32];
	uint8_t hint[4]; /* before its signatures in checkpoints */
	char *host;	 /* of its URL; owned; "" if not given */
	struct mih_sig_window window;
};

struct mih_sig_logs {
	struct mih_sig_log *at; /* owned */
	size_t n;
};

/** An authority for certificates or for timestamps. */
struct mih_sig_authority {
	STACK_OF(X509) * chain; /* upwards, the last is the anchor; owned */
	struct mih_sig_window window;
};

struct mih_sig_authorities {
	struct mih_sig_authority *at; /* owned */
	size_t n;
};

struct mih_sig_root {
	struct mih_sig_logs rekor, ct;
	struct mih_sig_authorities fulcio, tsa;
};

/**
 * mih_sig_root_read() - TrustedRoot, or the one in a ClientTrustConfig
 *
 * Unknown members are passed over, as newer files have more of them; members
 * that appear twice and those of the wrong form are refused.
 *
 * Return: 0; MIH_EFORMAT or -errno with a story that names @path.
 */
MIH_MUST_CHECK mih_err mih_sig_root_read(const char *path,
					 struct mih_sig_root **root_out);

/** mih_sig_root_parse() - mih_sig_root_read() on text in memory */
MIH_MUST_CHECK mih_err mih_sig_root_parse(const struct mih_sig_text *text,
					  struct mih_sig_root **root_out);

/** mih_sig_root_free() - release; NULL is legal. */
void mih_sig_root_free(struct mih_sig_root *root);

/** mih_sig_log_find() - the log with this id, or NULL */
const struct mih_sig_log *mih_sig_log_find(const struct mih_sig_logs *logs,
					   const uint8_t id[32]);

/** mih_sig_log_verify() - ECDSA by its curve's hash, or Ed25519 */
bool mih_sig_log_verify(const struct mih_sig_log *log, const uint8_t *sig,
			size_t sig_len, const void *text, size_t len);

/* --- proof.c ----------------------------------------------------------- */

/** What a log promises about one entry. */
struct mih_sig_entry {
	int64_t log_index, integrated_time;
	uint8_t log_id[32];
	char *kind, *version;	   /* owned */
	struct mih_sig_bytes body; /* canonicalizedBody */
	struct mih_sig_bytes set;  /* signed entry timestamp, or empty */
	int64_t index, size;	   /* of the proof: in one tree of the log */
	uint8_t root[32];
	uint8_t (*path)[32]; /* owned */
	size_t npath;
	char *checkpoint; /* owned */
};

/** The material of a keyless bundle beside its certificate. */
struct mih_sig_proof {
	struct mih_sig_entry *entries; /* owned */
	size_t nentries;
	struct mih_sig_bytes *stamps; /* RFC 3161 responses in DER; owned */
	size_t nstamps;
};

/**
 * mih_sig_proof_read() - tlogEntries and timestampVerificationData
 *
 * Return: 0; MIH_EFORMAT or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_proof_read(const struct mih_sig_json *material,
					  struct mih_sig_proof **proof_out);

/** mih_sig_proof_free() - release; NULL is legal. */
void mih_sig_proof_free(struct mih_sig_proof *proof);

/* --- identity.c -------------------------------------------------------- */

struct mih_sig_policy; /* struct mih_sig_identity, ready to compare */

/** mih_sig_policy_new() - see mih_sig_trust_set_identity() */
MIH_MUST_CHECK mih_err mih_sig_policy_new(
    const struct mih_sig_identity *identity, struct mih_sig_policy **out);

/** mih_sig_policy_free() - release; NULL is legal. */
void mih_sig_policy_free(struct mih_sig_policy *policy);

/** mih_sig_identity_check() - does @leaf name the expected one and issuer? */
MIH_MUST_CHECK mih_err mih_sig_identity_check(
    const char *file, const struct mih_sig_policy *policy, X509 *leaf);

/** mih_sig_identity_issuer() - who vouched; malloc()ed; NULL if unsaid, or if
 * the two extensions that say so differ */
char *mih_sig_identity_issuer(X509 *leaf);

/** mih_sig_identity_name() - the first name; malloc()ed; NULL if none */
char *mih_sig_identity_name(X509 *leaf);

/* --- the steps --------------------------------------------------------- */

/** Times that are proven. */
struct mih_sig_times {
	int64_t at[2 * MIH_SIG_PROOF_MAX];
	size_t n;
};

/** What every step needs; all borrowed. */
struct mih_sig_check {
	const struct mih_sig_bundle *bundle;
	const struct mih_sig_root *root;
	X509 *leaf;
};

/**
 * mih_sig_set_check() - the log's signed entry timestamp
 *
 * Adds its time to @times; without one it adds none.
 */
MIH_MUST_CHECK mih_err mih_sig_set_check(const struct mih_sig_check *check,
					 const struct mih_sig_entry *entry,
					 struct mih_sig_times *times);

/** mih_sig_timestamp_check() - an RFC 3161 timestamp over the signature */
MIH_MUST_CHECK mih_err mih_sig_timestamp_check(
    const struct mih_sig_check *check, const struct mih_sig_bytes *stamp,
    struct mih_sig_times *times);

/**
 * mih_sig_fulcio_check() - the leaf's chain at one time
 * @issuer_out: the certificate above the leaf; owned by the caller
 */
MIH_MUST_CHECK mih_err mih_sig_fulcio_check(const struct mih_sig_check *check,
					    int64_t at, X509 **issuer_out);

/** mih_sig_sct_check() - is the leaf in a certificate log? */
MIH_MUST_CHECK mih_err mih_sig_sct_check(const struct mih_sig_check *check,
					 X509 *issuer, int64_t at);

/** mih_sig_inclusion_check() - the path from the body to the root hash */
MIH_MUST_CHECK mih_err mih_sig_inclusion_check(
    const struct mih_sig_check *check, const struct mih_sig_entry *entry);

/** mih_sig_checkpoint_check() - the log's signature over that root hash */
MIH_MUST_CHECK mih_err mih_sig_checkpoint_check(
    const struct mih_sig_check *check, const struct mih_sig_entry *entry,
    const struct mih_sig_log *log);

/** mih_sig_body_check() - is the entry about this bundle? */
MIH_MUST_CHECK mih_err mih_sig_body_check(const struct mih_sig_check *check,
					  const struct mih_sig_entry *entry);

/* --- parts of steps, for tests ----------------------------------------- */

/** A signed note about the root of a log. Points into the text parsed. */
struct mih_sig_checkpoint {
	const char *text;
	size_t signed_len; /* bytes of text that are signed */
	size_t origin_len; /* bytes of text that are the origin */
	int64_t size;
	uint8_t root[32];
	const char *signatures; /* lines, each of which has been checked */
};

/**
 * mih_sig_checkpoint_parse() - by the rules of C2SP signed-note
 *
 * Return: NULL, or in a few words what is wrong.
 */
const char *mih_sig_checkpoint_parse(const char *text,
				     struct mih_sig_checkpoint *out);

/**
 * mih_sig_inclusion_root() - where a path leads; RFC 9162, 2.1.3.2
 * @root: 32 bytes
 *
 * Return: false if the path is not as long as @index and @size want it.
 */
bool mih_sig_inclusion_root(const struct mih_sig_entry *entry,
			    uint8_t root[32]);

#endif
