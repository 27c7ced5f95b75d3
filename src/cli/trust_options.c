#include "cli/trust_options.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
	return o->identity || o->identity_regex || o->identity_provider ||
	       o->trust_config || o->trusted_root;
}

/* Words that mean nothing without a chain. */
static bool has_chain_rules(const struct mih_cli_trust *o)
{
	return o->crls.n > 0 || o->at_signing_time || o->certificate_name ||
	       o->certificate_eku;
}

static mih_err check_chain(const struct mih_cli_trust *o)
{
	const char *bad = NULL;

	if (has_chain_rules(o) && !wants_chain(o))
		bad = "--at-signing-time, --crl, --certificate-name and "
		      "--certificate-eku go with --certificate-chain";
	else if (o->crls.n > 0 && o->at_signing_time)
		bad = "--crl tells what is revoked now; it does not go with "
		      "--at-signing-time";
	else if (o->log_fingerprints && !wants_chain(o) && !wants_identity(o))
		bad = "--log-fingerprints goes with --certificate-chain or "
		      "--identity";
	return bad ? mih_err_fail(MIH_EUSAGE, "mihfs: %s", bad) : 0;
}

static mih_err check_identity(const struct mih_cli_trust *o)
{
	const char *bad = NULL;

	if (!wants_identity(o))
		return 0;
	if (!o->identity == !o->identity_regex)
		bad = "give one of --identity and --identity-regex";
	else if (!o->identity_provider)
		bad = "--identity-provider is missing: who must have vouched "
		      "for the identity?";
	else if (o->trust_config && o->trusted_root)
		bad = "choose one of --trust-config and --trusted-root";
	return bad ? mih_err_fail(MIH_EUSAGE, "mihfs: %s", bad) : 0;
}

static mih_err check_kinds(const struct mih_cli_trust *o)
{
	bool chain = wants_chain(o) || has_chain_rules(o);
	mih_err err;

	if (wants_keys(o) + chain + wants_identity(o) > 1)
		return mih_err_fail(MIH_EUSAGE,
				    "mihfs: choose one kind of trust: public "
				    "keys, a certificate chain or an identity");
	if (o->public_keys.n > 0 && o->trust_dir)
		return mih_err_fail(MIH_EUSAGE,
				    "mihfs: choose one of --public-key and "
				    "--trust-dir");
	err = check_chain(o);
	return err ? err : check_identity(o);
}

static mih_err load_chain(const struct mih_cli_trust *o,
			  struct mih_sig_trust *trust)
{
	mih_err err = 0;

	for (size_t i = 0; !err && i < o->certificate_chain.n; i++)
		err = mih_sig_trust_add_chain(trust,
					      o->certificate_chain.items[i]);
	for (size_t i = 0; !err && i < o->crls.n; i++)
		err = mih_sig_trust_add_crl(trust, o->crls.items[i]);
	return err;
}

static const char *trusted_root(const struct mih_cli_trust *o)
{
	if (o->trust_config)
		return o->trust_config;
	return o->trusted_root ? o->trusted_root : MIH_CLI_TRUSTED_ROOT;
}

static mih_err load_identity(const struct mih_cli_trust *o,
			     struct mih_sig_trust *trust)
{
	const struct mih_sig_identity identity = {
		.name = o->identity ? o->identity : o->identity_regex,
		.is_regex = !o->identity,
		.issuer = o->identity_provider,
	};
	mih_err err = mih_sig_trust_set_identity(trust, &identity);

	if (err)
		return err;
	err = mih_sig_trust_set_root(trust, trusted_root(o));
	if (!err || o->trust_config || o->trusted_root)
		return err;
	return mih_err_fail(err, "%s; give --trusted-root FILE",
			    mih_err_message());
}

static const char *trust_dir(const struct mih_cli_trust *o)
{
	const char *dir = o->trust_dir;

	if (!dir)
		dir = getenv("MIHFS_TRUST_DIR");
	return dir && *dir ? dir : MIH_SIG_TRUST_DIR;
}

static mih_err load_dir(const struct mih_cli_trust *o,
			struct mih_sig_trust *trust)
{
	const char *dir = trust_dir(o);
	mih_err err;

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

static mih_err load_keys(const struct mih_cli_trust *o,
			 struct mih_sig_trust *trust)
{
	mih_err err = 0;

	for (size_t i = 0; !err && i < o->public_keys.n; i++)
		err = mih_sig_trust_add_key(trust, o->public_keys.items[i]);
	return err || o->public_keys.n > 0 ? err : load_dir(o, trust);
}

/* --- who may write to it ------------------------------------------------ */

/* A sticky folder is no better: others may still add keys to it. */
static void warn_one(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return;
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		mih_log_warning("%s: not only its owner may write to it, so "
				"others decide who is trusted",
				path);
}

static void warn_list(const struct mih_cli_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		warn_one(list->items[i]);
}

static void warn_dir(const char *dir)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;

	warn_one(dir);
	while (stream && (entry = readdir(stream))) {
		mih_autofree char *path = NULL;

		if (entry->d_name[0] == '.' || !strstr(entry->d_name, ".pem"))
			continue;
		if (asprintf(&path, "%s/%s", dir, entry->d_name) < 0)
			path = NULL;
		else
			warn_one(path);
	}
	if (stream)
		closedir(stream);
}

/* Once: --verify=mount loads the same files again. */
static void warn(const struct mih_cli_trust *o)
{
	static bool told;

	if (told)
		return;
	told = true;
	warn_list(&o->public_keys);
	warn_list(&o->certificate_chain);
	warn_list(&o->crls);
	if (wants_identity(o))
		warn_one(trusted_root(o));
	else if (!wants_chain(o) && o->public_keys.n == 0)
		warn_dir(trust_dir(o));
}

mih_err mih_cli_trust_load(const struct mih_cli_trust *options,
			   struct mih_sig_trust **trust_out)
{
	MIH_CLEANUP(free_trust) struct mih_sig_trust *trust = NULL;
	const struct mih_sig_certificate_rules rules = {
		.at_signing_time = options->at_signing_time,
		.log_fingerprints = options->log_fingerprints,
		.name = options->certificate_name,
		.eku = options->certificate_eku,
	};
	const struct mih_sig_legacy legacy = {
		.statement = options->compat_v01,
		.encoding = options->compat_v02,
	};
	const struct mih_sig_freshness freshness = {
		.digest = options->expect_digest,
		.min_time = options->min_time,
		.max_age = options->max_age,
	};
	mih_err err = check_kinds(options);

	if (err)
		return err;
	trust = mih_sig_trust_new();
	if (!trust)
		return mih_err_fail_errno(-ENOMEM, "mihfs");
	mih_sig_trust_set_legacy(trust, &legacy);
	err = mih_sig_trust_set_rules(trust, &rules);
	if (!err)
		err = mih_sig_trust_set_freshness(trust, &freshness);
	if (err)
		return err;
	if (wants_chain(options))
		err = load_chain(options, trust);
	else if (wants_identity(options))
		err = load_identity(options, trust);
	else
		err = load_keys(options, trust);
	if (err)
		return err;
	warn(options);
	*trust_out = MIH_STEAL(&trust);
	return 0;
}

/* --- back to words ----------------------------------------------------- */

static void put_flag(const char ***at, const char *word, bool value)
{
	if (value)
		*(*at)++ = word;
}

static void put_text(const char ***at, const char *word, const char *value)
{
	if (!value)
		return;
	*(*at)++ = word;
	*(*at)++ = value;
}

static void put_list(const char ***at, const char *word,
		     const struct mih_cli_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		put_text(at, word, list->items[i]);
}

const char **mih_cli_trust_words(const struct mih_cli_trust *o, const char **at)
{
	put_list(&at, "--public-key", &o->public_keys);
	put_text(&at, "--trust-dir", o->trust_dir);
	put_list(&at, "--certificate-chain", &o->certificate_chain);
	put_flag(&at, "--at-signing-time", o->at_signing_time);
	put_list(&at, "--crl", &o->crls);
	put_text(&at, "--certificate-name", o->certificate_name);
	put_text(&at, "--certificate-eku", o->certificate_eku);
	put_flag(&at, "--log-fingerprints", o->log_fingerprints);
	put_text(&at, "--identity", o->identity);
	put_text(&at, "--identity-regex", o->identity_regex);
	put_text(&at, "--identity-provider", o->identity_provider);
	put_text(&at, "--trusted-root", o->trusted_root);
	put_text(&at, "--trust-config", o->trust_config);
	put_text(&at, "--expect-digest", o->expect_digest);
	put_text(&at, "--min-time", o->min_time);
	put_text(&at, "--max-age", o->max_age);
	put_flag(&at, "--compat-v0.1", o->compat_v01);
	put_flag(&at, "--compat-v0.2", o->compat_v02);
	return at;
}

size_t mih_cli_trust_nwords(const struct mih_cli_trust *o)
{
	return 2 * (o->public_keys.n + o->certificate_chain.n + o->crls.n) + 26;
}

mih_err mih_cli_trust_each_path(struct mih_cli_trust *o,
				mih_err (*change)(void *context,
						  const char **path),
				void *context)
{
	const struct mih_cli_list *const lists[] = { &o->public_keys,
						     &o->certificate_chain,
						     &o->crls };
	const char **const paths[] = { &o->trust_dir, &o->trust_config,
				       &o->trusted_root };
	mih_err err = 0;

	for (size_t i = 0; i < MIH_ARRAY_LEN(lists); i++)
		for (size_t j = 0; !err && j < lists[i]->n; j++)
			err = change(context, &lists[i]->items[j]);
	for (size_t i = 0; !err && i < MIH_ARRAY_LEN(paths); i++)
		if (*paths[i])
			err = change(context, paths[i]);
	return err;
}

void mih_cli_trust_fini(struct mih_cli_trust *options)
{
	mih_cli_list_fini(&options->public_keys);
	mih_cli_list_fini(&options->certificate_chain);
	mih_cli_list_fini(&options->crls);
}
