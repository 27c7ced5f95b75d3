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
	struct mih_cli_list certificate_chain;
	const char *identity, *identity_provider, *trust_config;
};

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
	      .argument = "FILE" },                                            \
	    { .name = "identity",                                              \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).identity,                                          \
	      .argument = "ID" },                                              \
	    { .name = "identity-provider",                                     \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(t).identity_provider,                                 \
	      .argument = "URL" },                                             \
	{                                                                      \
		.name = "trust-config", .kind = MIH_CLI_TEXT,                  \
		.value = &(t).trust_config, .argument = "FILE"                 \
	}

/**
 * mih_cli_trust_load() - from words to keys
 * @options: as parsed (borrowed)
 * @trust_out: set on success; finish with mih_sig_trust_free()
 *
 * Without any word the trust directory decides.
 *
 * Return: 0; MIH_EUSAGE when two kinds of trust are mixed; MIH_ENOANCHOR when
 * nobody is trusted, a key cannot be used, or the kind is one that this
 * version cannot check; each with a story that says what to do.
 */
MIH_MUST_CHECK mih_err mih_cli_trust_load(const struct mih_cli_trust *options,
					  struct mih_sig_trust **trust_out);

/** mih_cli_trust_fini() - release the lists. */
void mih_cli_trust_fini(struct mih_cli_trust *options);

#endif
