/*
 * What a command line says about a model, made real: which files belong to it,
 * and where its sidecar lies.
 */
#include "cli/commands.h"
#include "cli/pass/pass.h"

#include <stdio.h>

static mih_err add_ignores(struct mih_cli_found *found,
			   const struct mih_cli_model_options *options,
			   const char *model, const char *const *own)
{
	mih_err err = 0;

	for (size_t i = 0; !err && i < options->ignore.n; i++)
		err = mih_cli_ignore_add(&found->ignore, model,
					 options->ignore.items[i]);
	for (; !err && own && *own; own++)
		err = mih_cli_ignore_add_own(&found->ignore, model, *own);
	return err;
}

mih_err mih_cli_found_open(struct mih_cli_found *found,
			   const struct mih_cli_model_options *options,
			   const char *model, const char *const *own)
{
	struct mih_verify_scan_rules rules = {
		.ignore_git = !options->no_ignore_git,
		.links = &found->links,
	};
	mih_err err = mih_cli_links_open(options, model, &found->links);

	if (!err)
		err = add_ignores(found, options, model, own);
	if (err)
		return err;
	rules.ignore = (const char *const *)found->ignore.paths;
	rules.nignore = found->ignore.n;
	return mih_verify_scan_run(model, &rules, &found->scan);
}

void mih_cli_found_fini(struct mih_cli_found *found)
{
	mih_verify_scan_fini(&found->scan);
	mih_io_links_close(&found->links);
	mih_cli_ignore_fini(&found->ignore);
}

int mih_cli_sidecar_settle(const char *bundle, const char **sidecar,
			   char **beside)
{
	if (*sidecar)
		return MIH_CLI_GO_ON;
	if (asprintf(beside, "%s.tree", bundle) < 0) {
		*beside = NULL;
		return mih_cli_fail(-ENOMEM);
	}
	*sidecar = *beside;
	return MIH_CLI_GO_ON;
}
