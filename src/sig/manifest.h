/*
 * sig/manifest.h - what a signature states about a model
 *
 * Layer: src/sig.  Threads: immutable once built.
 * Format: doc/format.md section 3.  Source: OpenSSF Model Signing 1.0.
 */
#ifndef MIH_SIG_MANIFEST_H
#define MIH_SIG_MANIFEST_H

#include "hash/alg.h"
#include "util/err.h"

/** Largest size an annotation may state: beyond any file, and far enough from
 * the end of 64 bits that rounding it up cannot overflow. */
#define MIH_SIG_SIZE_MAX ((uint64_t)1 << 60)

/** One signed file. */
struct mih_sig_resource {
	char *name;			  /* relative path, UTF-8; owned */
	enum mih_hash_alg alg;		  /* sha256, blake2b or blake3 */
	enum mih_hash_alg tree;		  /* the "mihfs" annotation's tree, or
					     MIH_HASH_NONE without one */
	uint64_t nbytes;		  /* annotation; valid if tree is set */
	uint8_t digest[MIH_HASH_LEN_MAX]; /* of alg */
	uint8_t root[MIH_HASH_LEN_MAX];	  /* of tree */
};

/** A statement of method "files". */
struct mih_sig_manifest {
	char *model_name;		    /* subject[0].name; owned */
	struct mih_sig_resource *resources; /* in payload order; owned */
	size_t nresources;		    /* at least 1 */
	bool allow_symlinks;		    /* as signed */
	char **ignore_paths;		    /* as signed; owned */
	size_t nignore_paths;
};

/** mih_sig_manifest_free() - release it and all it owns; NULL is legal. */
void mih_sig_manifest_free(struct mih_sig_manifest *manifest);

/**
 * mih_sig_name_check() - may @name be the path of a signed file?
 * @name: @len bytes, perhaps with NUL inside
 *
 * Refused: empty, absolute, an empty, "." or ".." component, trailing "/",
 * NUL, invalid UTF-8, a component over 255 bytes, over 4095 bytes in all. The
 * single name "." (a single-file model of older tools) is the caller's case.
 *
 * Return: NULL if it may, else why not in a few words.
 */
const char *mih_sig_name_check(const char *name, size_t len);

#endif
