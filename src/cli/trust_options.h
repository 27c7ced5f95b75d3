/*
 * cli/trust_options.h - whom the command line says to trust
 *
 * Layer: src/cli.  Threads: the main thread only.
 *
 * Shared by mount and verify, so that both mean the same by the same words.
 */
#ifndef MIH_CLI_TRUST_OPTIONS_H
#define MIH_CLI_TRUST_OPTIONS_H

#include "cli/options.h"
#include "sig/trust.h"

/** Values of the rows below; start from { 0 }. */
struct mih_cli_trust {
	struct mih_cli_list public_keys;
	const char *trust_dir;
	struct mih_cli_list certificate_chain, crls;
	bool at_signing_time, log_fingerprints;
	const char *certificate_name, *certificate_eku;
	const char *identity, *identity_regex, *identity_provider;
	const char *trust_config, *trusted_root;
	bool compat_v01, compat_v02;
	const char *expect_digest, *min_time, *max_age;
};

/** Whom to believe about keyless signatures, if nothing else is said. */
#define MIH_CLI_TRUSTED_ROOT MIH_CLI_DATA_DIR "/trusted_root.json"

/** Rows for a command's table; @t: a struct mih_cli_trust (not a pointer). */
#define MIH_CLI_TRUST_OPTIONS(t)                                               \
	{ .name = "public-key",                                                \
	  .kind = MIH_CLI_LIST,                                                \
	  .value = &(t).public_keys,                                           \
	  .argument = "FILE",                                                  \
	  .help = "trust this public key (PEM); repeatable" },                 \
	    { .name = "trust-dir",                                             \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).trust_dir,                                         \
	      .argument = "DIR",                                               \
	      .help = "trust every *.pem in DIR (default: $MIHFS_TRUST_DIR, "  \
		      "or " MIH_SIG_TRUST_DIR ")" },                           \
	    { .name = "certificate-chain",                                     \
	      .kind = MIH_CLI_LIST,                                            \
	      .value = &(t).certificate_chain,                                 \
	      .argument = "FILE",                                              \
	      .help = "trust the certificates in it (PEM), and no "            \
		      "others, to end a signer's chain; repeatable" },         \
	    { .name = "at-signing-time",                                       \
	      .kind = MIH_CLI_FLAG,                                            \
	      .value = &(t).at_signing_time,                                   \
	      .help = "certificates must be valid when the signer's began, "   \
		      "not now" },                                             \
	    { .name = "crl",                                                   \
	      .kind = MIH_CLI_LIST,                                            \
	      .value = &(t).crls,                                              \
	      .argument = "FILE",                                              \
	      .help =                                                          \
		  "refuse certificates revoked by this list; repeatable" },    \
	    { .name = "certificate-name",                                      \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).certificate_name,                                  \
	      .argument = "NAME",                                              \
	      .help = "the signer's common or alternative name" },             \
	    { .name = "certificate-eku",                                       \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).certificate_eku,                                   \
	      .argument = "OID",                                               \
	      .help = "extended key usage that the signer's must have" },      \
	    { .name = "log-fingerprints",                                      \
	      .kind = MIH_CLI_FLAG,                                            \
	      .value = &(t).log_fingerprints,                                  \
	      .help = "log the SHA-256 of every certificate" },                \
	    { .name = "identity",                                              \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).identity,                                          \
	      .argument = "ID",                                                \
	      .help = "trust this e-mail address or URI (keyless)" },          \
	    { .name = "identity-regex",                                        \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).identity_regex,                                    \
	      .argument = "REGEX",                                             \
	      .help = "... or those that match this as a whole (POSIX)" },     \
	    { .name = "identity-provider",                                     \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).identity_provider,                                 \
	      .argument = "URL",                                               \
	      .help = "who must have vouched for the identity" },              \
	    { .name = "trusted-root",                                          \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).trusted_root,                                      \
	      .argument = "FILE",                                              \
	      .help = "Sigstore trusted root (default: the public one)" },     \
	    { .name = "trust-config",                                          \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).trust_config,                                      \
	      .argument = "FILE",                                              \
	      .help = "... or a client trust config that holds it" },          \
	    { .name = "expect-digest",                                         \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).expect_digest,                                     \
	      .argument = "DIGEST",                                            \
	      .help = "take the model with this root alone, as 'mihfs "        \
		      "inspect' prints it" },                                  \
	    { .name = "min-time",                                              \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).min_time,                                          \
	      .argument = "TIME",                                              \
	      .help =                                                          \
		  "take what was provably signed then or later (keyless); "    \
		  "2026-03-14" },                                              \
	    { .name = "max-age",                                               \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).max_age,                                           \
	      .argument = "AGE",                                               \
	      .help = "... or so long ago at most; 90d, 12h" },                \
	    { .name = "compat-v0.1",                                           \
	      .kind = MIH_CLI_FLAG,                                            \
	      .value = &(t).compat_v01,                                        \
	      .help = "take statements of model signing 0.2 (Digests/v0.1)" }, \
	{                                                                      \
		.name = "compat-v0.2", .kind = MIH_CLI_FLAG,                   \
		.value = &(t).compat_v02,                                      \
		.help = "take its encoding of such statements under a "        \
			"signature"                                            \
	}

/**
 * mih_cli_trust_load() - from words to keys
 * @options: as parsed (borrowed)
 * @trust_out: set on success; finish with mih_sig_trust_free()
 *
 * Without any word the trust directory decides.
 *
 * Return: 0; MIH_EUSAGE when kinds of trust are mixed or half said;
 * MIH_ENOANCHOR when nobody is trusted or an anchor cannot be used; each with a
 * story that says what to do.
 */
MIH_MUST_CHECK mih_err mih_cli_trust_load(const struct mih_cli_trust *options,
					  struct mih_sig_trust **trust_out);

/**
 * mih_cli_trust_words() - the options again, as words of a command line
 * @at: room for mih_cli_trust_nwords() borrowed words
 *
 * Return: behind the last word.
 */
const char **mih_cli_trust_words(const struct mih_cli_trust *options,
				 const char **at);

/** mih_cli_trust_nwords() - at most so many are they */
size_t mih_cli_trust_nwords(const struct mih_cli_trust *options);

/**
 * mih_cli_trust_each_path() - let @change see, and exchange, every path
 *
 * Return: the first error of @change, or 0.
 */
MIH_MUST_CHECK mih_err mih_cli_trust_each_path(
    struct mih_cli_trust *options,
    mih_err (*change)(void *context, const char **path), void *context);

/** mih_cli_trust_fini() - release the lists. */
void mih_cli_trust_fini(struct mih_cli_trust *options);

#endif
