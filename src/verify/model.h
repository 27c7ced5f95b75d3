/*
 * verify/model.h - a signed model: bundle, sidecar and directory together
 *
 * Layer: src/verify.  Threads: immutable after mih_verify_model_open().
 */
#ifndef MIH_VERIFY_MODEL_H
#define MIH_VERIFY_MODEL_H

#include "sig/bundle.h"
#include "tree/sidecar.h"
#include "util/err.h"
#include "util/io.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** What a file's bytes are held against. */
enum mih_verify_proof {
	MIH_VERIFY_BY_TREE,  /* signed tree root: groups are checked lazily */
	MIH_VERIFY_BY_FLAT,  /* flat digest only: whole file at first open */
	MIH_VERIFY_BY_SHARD, /* each shard as a whole when it is first read */
};

/** One signed file as the mount shows it. */
struct mih_verify_file {
	const char *path; /* relative; borrowed from the manifest,
			     or the name of a single file */
	uint64_t nbytes;  /* signed; for BY_FLAT what the disk said */
	enum mih_verify_proof proof;
	enum mih_hash_alg tree; /* of its layers: the signed tree, or for
				   BY_FLAT and BY_SHARD the tree mihfs
				   makes itself */
	const uint8_t *root;	/* signed tree root (BY_TREE) */
	const struct mih_sig_resource *resource; /* borrowed */
};

struct mih_verify_model {
	struct mih_sig_bundle *bundle;	  /* verified; owned */
	struct mih_tree_sidecar *sidecar; /* NULL if there is none; owned */
	char *dir;			  /* as given; owned */
	char *name;			  /* of a single-file model: the
					     file's path; else NULL; owned */
	int dirfd;			  /* what paths are relative to:
					     dir, or the folder of the
					     single file; owned */
	struct mih_io_links links;	  /* what becomes of them; owned */
	struct mih_verify_file *files;	  /* code point order of path; owned */
	size_t nfiles;
};

struct mih_verify_model_params {
	const char *bundle;  /* signed.json */
	const char *dir;     /* model directory, or the one file
				of a single-file model */
	const char *sidecar; /* NULL: "<bundle>.tree" if there */
	const struct mih_sig_trust *trust;
	bool allow_symlinks;	  /* also if the signer did not */
	const char *symlink_root; /* links may lead anywhere beneath; or NULL */
	bool deny_unsigned;	  /* an unsigned file is an error */
	const char *const *ignore; /* with deny_unsigned: further
				      paths to leave out */
	size_t nignore;
	/** One line for every missing, wrong or extra file, if there are
	 *  several; may be NULL. */
	void (*problem)(void *context, const char *line);
	void *context;
};

/**
 * mih_verify_model_open() - check the signature and that every file is there
 * @params: borrowed for the call
 * @model_out: set on success; finish with mih_verify_model_close()
 *
 * Reads no file contents: existence, type (regular) and size of each signed
 * file are checked here, its bytes when they are read. A damaged sidecar is a
 * warning in the log and then counts as none.
 *
 * Return: 0; MIH_EUNTRUSTED, MIH_ENOANCHOR, MIH_EFORMAT from the bundle;
 * MIH_EDIGEST when files are missing, of another size or type, or extra: of one
 * the story tells, of several @problem does; -errno.
 */
MIH_MUST_CHECK mih_err
mih_verify_model_open(const struct mih_verify_model_params *params,
		      struct mih_verify_model **model_out);

/** mih_verify_model_close() - release; NULL is legal. */
void mih_verify_model_close(struct mih_verify_model *model);

/**
 * mih_verify_file_is_same() - do both stand for the same bytes?
 *
 * True only if everything that is signed about them is equal, and both are held
 * against it in the same way; their paths may differ.
 */
bool mih_verify_file_is_same(const struct mih_verify_file *a,
			     const struct mih_verify_file *b);

/** mih_verify_model_find() - index of @path in files, or -1. O(log n). */
ssize_t mih_verify_model_find(const struct mih_verify_model *model,
			      const char *path);

#endif
