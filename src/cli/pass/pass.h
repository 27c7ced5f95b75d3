/*
 * cli/pass/pass.h - read a model once: every digest that a command asks for
 *
 * Layer: src/cli.  Threads: the main thread only; the work runs on a pool.
 *
 * What sign, verify, tree and digest share: files with the digests wanted of
 * each, a sidecar (kept, or a scratch one that only yields the roots), the
 * progress bar, and an orderly end when the user interrupts.
 */
#ifndef MIH_CLI_PASS_PASS_H
#define MIH_CLI_PASS_PASS_H

#include "cli/options.h"
#include "tree/sidecar_write.h"
#include "verify/scan.h"

#include <stdatomic.h>

/** Options about the model that several commands share; start from { 0 }. */
struct mih_cli_model_options {
	struct mih_cli_device_options devices;
	struct mih_cli_list ignore; /* as typed */
	bool ignore_git, no_ignore_git;
	bool allow_symlinks;
	const char *symlink_root;
	bool quiet, json;
};

/**
 * mih_cli_links_open() - what the options say about links of @model
 * @links: set; finish with mih_io_links_close()
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err
mih_cli_links_open(const struct mih_cli_model_options *options,
		   const char *model, struct mih_io_links *links);

/** Rows for a command's table; @o: a struct mih_cli_model_options. */
#define MIH_CLI_PASS_OPTIONS(o)                                                \
	MIH_CLI_DEVICE_OPTIONS((o).devices),                                   \
	    { .name = "allow-symlinks",                                        \
	      .kind = MIH_CLI_FLAG,                                            \
	      .value = &(o).allow_symlinks,                                    \
	      .help = "follow links to files within the model" },              \
	    { .name = "symlink-root",                                          \
	      .kind = MIH_CLI_TEXT,                                            \
	      .value = &(o).symlink_root,                                      \
	      .argument = "DIR",                                               \
	      .help = "follow links to files within DIR, which holds MODEL" }, \
	    { .name = "quiet",                                                 \
	      .letter = 'q',                                                   \
	      .kind = MIH_CLI_FLAG,                                            \
	      .value = &(o).quiet,                                             \
	      .help = "no progress bar, no summary" },                         \
	{                                                                      \
		.name = "json", .kind = MIH_CLI_FLAG, .value = &(o).json,      \
		.help = "one JSON object at the end"                           \
	}

/** The same, and what to leave out, for commands that scan the model. */
#define MIH_CLI_MODEL_OPTIONS(o)                                               \
	{ .name = "ignore-paths",                                              \
	  .kind = MIH_CLI_LIST,                                                \
	  .value = &(o).ignore,                                                \
	  .argument = "PATH",                                                  \
	  .help = "leave out a file or folder, relative to MODEL or "          \
		  "absolute; repeatable" },                                    \
	    { .name = "ignore-git-paths",                                      \
	      .kind = MIH_CLI_FLAG,                                            \
	      .value = &(o).ignore_git,                                        \
	      .help =                                                          \
		  "leave out .git, .github, .gitignore and .gitattributes "    \
		  "(default)" },                                               \
	    { .name = "no-ignore-git-paths",                                   \
	      .kind = MIH_CLI_FLAG,                                            \
	      .value = &(o).no_ignore_git,                                     \
	      .help = "take these too" },                                      \
	    MIH_CLI_PASS_OPTIONS(o)

/** Paths to leave out, relative to the model. */
struct mih_cli_ignore {
	char **paths; /* owned, as are the texts */
	size_t n;
};

/**
 * mih_cli_ignore_add() - add @path as the scan wants it
 * @model: as typed; a folder or a single file
 * @path:  absolute (only kept if it lies in @model) or relative to @model;
 *         what begins with a relative @model is taken from there on
 *
 * Return: 0 or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_cli_ignore_add(struct mih_cli_ignore *ignore,
					  const char *model, const char *path);

/**
 * mih_cli_ignore_add_own() - leave out a file of ours if it lies in the model
 * @file: relative to the working directory; need not be there yet
 *
 * Return: 0 or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_cli_ignore_add_own(struct mih_cli_ignore *ignore,
					      const char *model,
					      const char *file);

/** mih_cli_ignore_fini() - release the paths. */
void mih_cli_ignore_fini(struct mih_cli_ignore *ignore);

/** The files of a model, and what the options say about finding them. */
struct mih_cli_found {
	struct mih_cli_ignore ignore;
	struct mih_io_links links;
	struct mih_verify_scan scan; /* start from .dirfd = -1 */
};

/**
 * mih_cli_found_open() - look for every file of @model
 * @found: finish with mih_cli_found_fini() in any case
 * @own:   files of ours to leave out, NULL-terminated; or NULL
 *
 * Return: 0; else as mih_verify_scan_run(), with a story.
 */
MIH_MUST_CHECK mih_err mih_cli_found_open(
    struct mih_cli_found *found, const struct mih_cli_model_options *options,
    const char *model, const char *const *own);

/** mih_cli_found_fini() - release all of it. */
void mih_cli_found_fini(struct mih_cli_found *found);

/**
 * mih_cli_sidecar_settle() - the sidecar's name, if the user gave none
 * @sidecar: as given, or NULL; then set to "<bundle>.tree"
 * @beside:  set to the memory of that name (owned)
 *
 * Return: MIH_CLI_GO_ON, or the exit code with which the command ends now.
 */
int mih_cli_sidecar_settle(const char *bundle, const char **sidecar,
			   char **beside);

/** One file of a pass. */
struct mih_cli_pass_file {
	const char *path; /* relative to the pass's dirfd (borrowed) */
	uint64_t nbytes;
	enum mih_hash_alg flat; /* wanted, or MIH_HASH_NONE */
	enum mih_hash_alg tree; /* wanted, or MIH_HASH_NONE */
	bool hints;		/* keep the states of flat, sha256 */
	const struct mih_sig_shard *shards; /* instead of a flat digest: what
					       each must have; or NULL */
	size_t nshards;
	const uint8_t *want;   /* root of tree that is expected: one that
				  differs by a device's word is made again by
				  the processor (borrowed). NULL: what is found
				  becomes the truth, so the processor draws
				  samples of what a device does */
	const uint8_t *states; /* what somebody says a sha256, flat or of
				  shards, is at each whole MiB; tried, not
				  trusted; or NULL (borrowed) */
	/* Out. */
	size_t nbad, first_bad;		  /* shards that differ */
	bool misled;			  /* states did not fit: read again */
	mih_err err;			  /* as in verify/bulk.h */
	uint8_t digest[MIH_HASH_LEN_MAX]; /* of flat */
	uint8_t root[MIH_HASH_LEN_MAX];	  /* of tree */
};

/** One pass; fill in everything down to groups, then run. */
struct mih_cli_pass {
	const char *label; /* "signing": for the bar */
	bool quiet;
	const struct mih_cli_device_options *devices; /* NULL: auto */
	struct mih_gpu_dev *dev; /* open already, instead of @devices
				    (borrowed); or NULL */
	bool only_named;	 /* no device that @devices does not name */
	bool is_trial;		 /* what is found is for nobody: no samples */
	int dirfd;		 /* model folder (borrowed) */
	const struct mih_io_links *links; /* (borrowed) */
	struct mih_cli_pass_file *files;  /* no path twice (borrowed) */
	size_t nfiles;
	const char *sidecar; /* to be written, or NULL */
	void *context;
	/** Also told of group digests; any thread; may be NULL. */
	mih_err (*groups)(void *context, size_t file, uint64_t first,
			  const uint8_t *digests, size_t n);
	/** All that groups() was told is void, and comes again; needed with it
	 *  where a file has no want, or the processor does all. */
	void (*start_over)(void *context);
	/* Out. */
	uint64_t nbytes; /* of all files */
	double seconds;
	uint64_t nby_device, nsamples;	 /* pieces where samples are drawn: by
					    devices; of these, hashed again */
	atomic_bool device_lied;	 /* the processor found it out */
	struct mih_tree_source *sources; /* owned */
	struct mih_tree_writer *writer;	 /* with @sidecar: to be finished or
					    aborted by the caller, before
					    mih_cli_pass_fini() */
};

/**
 * mih_cli_pass_run() - do it
 *
 * Each byte of each file is read once, unless a device is found out that gave
 * a wrong digest: where samples are drawn, nothing of what devices said is kept
 * then, and the processor alone does all files again. Files that fail get their
 * err, the rest goes on. SIGINT, SIGTERM and SIGHUP end the pass with
 * -ECANCELED; while there is a writer afterwards they are only noted for
 * mih_cli_pass_check(), until mih_cli_pass_fini().
 *
 * Return: 0; or -errno with a story, and then there is no writer.
 */
MIH_MUST_CHECK mih_err mih_cli_pass_run(struct mih_cli_pass *pass);

/**
 * mih_cli_pass_check() - has a signal come that ends the command?
 *
 * To be asked before what the writer wrote takes its name.
 *
 * Return: 0; -ECANCELED with a story.
 */
MIH_MUST_CHECK mih_err mih_cli_pass_check(void);

/** mih_cli_pass_fini() - release what the pass owns; abort its writer. */
void mih_cli_pass_fini(struct mih_cli_pass *pass);

/**
 * mih_cli_pass_why() - what the err of a file means, in words
 *
 * Return: borrowed text, "changed while it was read".
 */
const char *mih_cli_pass_why(mih_err err);

/**
 * mih_cli_pass_report() - one line on stderr for each file that failed
 *
 * Return: 0, or the err of the first that failed.
 */
mih_err mih_cli_pass_report(const struct mih_cli_pass *pass);

/** mih_cli_pass_summary() - "signed 3 files, 4.66 GB in 2.1 s (2.2 GB/s)". */
void mih_cli_pass_summary(const struct mih_cli_pass *pass, const char *verb);

#endif
