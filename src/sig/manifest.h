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

/** One signed piece of a file. */
struct mih_sig_shard {
	uint64_t begin, end; /* bytes [begin, end) of the file */
	uint8_t digest[MIH_HASH_LEN_MAX];
};

/** One signed file. */
struct mih_sig_resource {
	char *name;			  /* relative path, UTF-8; owned */
	enum mih_hash_alg alg;		  /* sha256, blake2b or blake3 */
	enum mih_hash_alg tree;		  /* the "mihfs" annotation's tree, or
					     MIH_HASH_NONE without one */
	uint64_t nbytes;		  /* if mih_sig_resource_is_sized() */
	uint8_t digest[MIH_HASH_LEN_MAX]; /* of alg, without shards */
	uint8_t root[MIH_HASH_LEN_MAX];	  /* of tree */
	struct mih_sig_shard *shards;	  /* from 0 to nbytes without a gap,
					     each with its digest of alg; NULL:
					     the file has but one; owned */
	size_t nshards;
};

/** mih_sig_resource_is_sized() - is the size of the file signed? */
static inline bool mih_sig_resource_is_sized(const struct mih_sig_resource *res)
{
	return res->tree != MIH_HASH_NONE || res->nshards > 0;
}

/** A statement. */
struct mih_sig_manifest {
	char *model_name;		    /* subject[0].name, "" if
					       is_legacy; owned */
	struct mih_sig_resource *resources; /* in payload order, or by name if
					       is_sharded; owned */
	size_t nresources;		    /* at least 1 */
	bool is_sharded;     /* method "shards": every file is in shards;
				most tools do not tell of empty files */
	bool is_legacy;	     /* by model signing 0.2 */
	bool allow_symlinks; /* as signed */
	char **ignore_paths; /* as signed; owned */
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

/**
 * mih_sig_shard_name() - take "path:start:end" apart
 * @path_len_out: bytes of the path, which may hold colons itself
 * @shard: begin and end are set
 *
 * Return: false if the name has another form.
 */
bool mih_sig_shard_name(const char *name, size_t *path_len_out,
			struct mih_sig_shard *shard);

/**
 * mih_sig_manifest_join() - one resource per file, from one per shard
 * @manifest: resources with one shard each, in any order; sorted by name
 *            afterwards
 * @bad_out: index of the shard that does not fit
 *
 * Return: 0; -EINVAL the shards of a file leave a gap or overlap; -EBADMSG the
 * digest of an empty file is another one; -ENOMEM.
 * Records no story.
 */
MIH_MUST_CHECK mih_err mih_sig_manifest_join(struct mih_sig_manifest *manifest,
					     size_t *bad_out);

#endif
