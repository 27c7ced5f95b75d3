/*
 * cli/pass/signed.h - the signed files of a bundle, and where they lie
 *
 * Layer: src/cli.  Threads: the main thread only.
 *
 * Shared by verify and tree. Says nothing about trust: verify checks the
 * signature first, tree needs none.
 */
#ifndef MIH_CLI_PASS_SIGNED_H
#define MIH_CLI_PASS_SIGNED_H

#include "cli/pass/pass.h"
#include "sig/bundle.h"

struct mih_cli_signed {
	const struct mih_sig_manifest *manifest; /* borrowed */
	int dirfd;		   /* what paths are relative to; owned */
	char *single;		   /* name of a single-file model; owned */
	struct mih_io_links links; /* what becomes of them; owned */
	/** Called for each signed file that is not there as it should be. */
	void (*problem)(void *context, const char *path, const char *why);
	void *context;
	/* The files that are there, and for each its resource. */
	struct mih_cli_pass_file *files;	   /* owned */
	const struct mih_sig_resource **resources; /* owned */
	size_t nfiles;
};

/**
 * mih_cli_signed_open() - look for every signed file
 * @s:     caller's memory with problem and context set; finish with
 *         mih_cli_signed_close() in any case
 * @model: as typed
 * @manifest: kept until close
 * @options: whether links are followed even if the signature does not say so
 *
 * Sets path, nbytes (of the disk) and no digests of the files. What is
 * missing, of another type or of another than the signed size goes to
 * problem(), not into files.
 *
 * Return: 0; -ENOMEM or -errno of the model itself, with a story.
 */
MIH_MUST_CHECK mih_err
mih_cli_signed_open(struct mih_cli_signed *s, const char *model,
		    const struct mih_sig_manifest *manifest,
		    const struct mih_cli_model_options *options);

/** mih_cli_signed_close() - release what @s owns. */
void mih_cli_signed_close(struct mih_cli_signed *s);

/**
 * mih_cli_signed_path() - where resource @name lies, relative to s->dirfd
 *
 * Return: borrowed; NULL if it can lie nowhere in a single-file model. Older
 * tools call the file of such a model ".".
 */
const char *mih_cli_signed_path(const struct mih_cli_signed *s,
				const char *name);

#endif
