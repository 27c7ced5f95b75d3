/*
 * status/manifest.h - what was signed of a file, as text
 *
 * Layer: src/status.  Threads: no state.
 */
#ifndef MIH_STATUS_MANIFEST_H
#define MIH_STATUS_MANIFEST_H

#include "verify/model.h"

#define MIH_STATUS_DIGEST_ROOM 160

/** mih_status_algorithm() - what its digest was made with. */
const char *mih_status_algorithm(const struct mih_verify_file *file);

/**
 * mih_status_digest() - its signed digest in hexadecimal
 * @text: set to it; to "N shards" where there is a digest for each of them
 */
void mih_status_digest(const struct mih_verify_file *file,
		       char text[MIH_STATUS_DIGEST_ROOM]);

#endif
