/*
 * tests/lib/model.h - a signed model on disk, with bytes that can be known
 *
 * Any failure ends the program with a line: a test that has no model cannot
 * say anything.
 */
#ifndef MIH_TESTS_LIB_MODEL_H
#define MIH_TESTS_LIB_MODEL_H

#include "sig/trust.h"
#include "verify/model.h"

/** One file to make. Its bytes are a function of its place in the list. */
struct mih_test_file {
	const char *path;
	uint64_t nbytes;
	const void *head; /* its first bytes, instead; NULL: none */
	size_t head_len;  /* at most 1 MiB */
};

struct mih_test_model_params {
	const struct mih_test_file *files; /* kept until remove */
	size_t nfiles;
	enum mih_hash_alg flat; /* of the resources */
	enum mih_hash_alg tree; /* annotation, or NONE */
	bool no_sidecar;
	bool single; /* one file, which is the model */
};

struct mih_test_model {
	struct mih_test_model_params params;
	char root[64]; /* a temporary folder, with: */
	char dir[128]; /* the model directory, or the file itself */
	char bundle[128];
	char sidecar[128];
	char key[128]; /* private, PEM */
	char pub[128];
	struct mih_sig_trust *trust; /* owned; trusts pub */
};

/** mih_test_model_make() - write the files, sign them, build the sidecar. */
void mih_test_model_make(struct mih_test_model *model,
			 const struct mih_test_model_params *params);

/** mih_test_model_remove() - delete everything. */
void mih_test_model_remove(struct mih_test_model *model);

/** mih_test_model_open() - mih_verify_model_open() with the usual choices. */
struct mih_verify_model *
mih_test_model_open(const struct mih_test_model *model);

/** mih_test_model_bytes() - what bytes off .. off + len of file @i must be. */
void mih_test_model_bytes(size_t i, uint64_t off, size_t len, void *buf);

/** mih_test_model_path() - where file @i lies; valid until the next call. */
const char *mih_test_model_path(const struct mih_test_model *model, size_t i);

/** mih_test_flip() - change one bit of the byte at @off of a file. */
void mih_test_flip(const char *path, uint64_t off);

/** mih_test_die() - end the program with a line. */
_Noreturn void mih_test_die(const char *what);

#endif
