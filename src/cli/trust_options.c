#include "cli/trust_options.h"
#include "util/cleanup.h"

#include <stdlib.h>

static bool wants_keys(const struct mih_cli_trust *o)
{
	return o->public_keys.n > 0 || o->trust_dir;
}

static bool wants_chain(const struct mih_cli_trust *o)
{
	return o->certificate_chain.n > 0;
}

static bool wants_identity(const struct mih_cli_trust *o)
{
	return o->identity || o->identity_provider || o->trust_config;
}

static mih_err check_kinds(const struct mih_cli_trust *o)
{
	if (wants_keys(o) + wants_chain(o) + wants_identity(o) > 1)
		return mih_err_fail(MIH_EUSAGE,
				    "mihfs: choose one kind of trust: public "
				    "keys, a certificate chain or an identity");
	if (o->public_keys.n > 0 && o->trust_dir)
		return mih_err_fail(MIH_EUSAGE,
				    "mihfs: choose one of --public-key and "
				    "--trust-dir");
	if (wants_chain(o))
		return mih_err_fail(MIH_ENOANCHOR,
				    "mihfs: --certificate-chain: this version "
				    "cannot check certificates; use "
				    "--public-key");
	if (wants_identity(o))
		return mih_err_fail(MIH_ENOANCHOR,
				    "mihfs: --identity, --identity-provider "
				    "and --trust-config: this version cannot "
				    "check identities; use --public-key");
	return 0;
}

static mih_err load_dir(const struct mih_cli_trust *o,
			struct mih_sig_trust *trust)
{
	const char *dir = o->trust_dir;
	mih_err err;

	if (!dir)
		dir = getenv("MIHFS_TRUST_DIR");
	if (!dir || !*dir)
		dir = MIH_SIG_TRUST_DIR;
	err = mih_sig_trust_add_dir(trust, dir);
	if (!err)
		return 0;
	return mih_err_fail(err,
			    "%s; give --public-key FILE, or put the public "
			    "keys you trust into %s as *.pem",
			    mih_err_message(), dir);
}

static void free_trust(struct mih_sig_trust **trust)
{
	mih_sig_trust_free(*trust);
}

mih_err mih_cli_trust_load(const struct mih_cli_trust *options,
			   struct mih_sig_trust **trust_out)
{
	MIH_CLEANUP(free_trust) struct mih_sig_trust *trust = NULL;
	mih_err err = check_kinds(options);

	if (err)
		return err;
	trust = mih_sig_trust_new();
	if (!trust)
		return mih_err_fail_errno(-ENOMEM, "mihfs");
	for (size_t i = 0; !err && i < options->public_keys.n; i++)
		err =
		    mih_sig_trust_add_key(trust, options->public_keys.items[i]);
	if (!err && options->public_keys.n == 0)
		err = load_dir(options, trust);
	if (!err)
		*trust_out = MIH_STEAL(&trust);
	return err;
}

void mih_cli_trust_fini(struct mih_cli_trust *options)
{
	mih_cli_list_fini(&options->public_keys);
	mih_cli_list_fini(&options->certificate_chain);
}
