/*
 * verify/source/source_internal.h - where a file's bytes are read from
 *
 * Layer: src/verify.  Threads: internally locked.
 */
#ifndef MIH_VERIFY_SOURCE_INTERNAL_H
#define MIH_VERIFY_SOURCE_INTERNAL_H

#include "util/err.h"
#include "util/host/pages.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One open file, and what was found out about reading it. */
struct mih_verify_source {
	int fd;		   /* owned */
	bool is_far;	   /* no disk of this machine */
	atomic_int around; /* the same file, O_DIRECT; owned; or below 0 */
	atomic_bool plain; /* from now on only through the page cache */
};

/** Bytes that are wanted. */
struct mih_verify_piece {
	uint8_t *data; /* where they go */
	size_t len;
	uint64_t off;
};

/** mih_verify_source_init() - take over @fd, a regular file. */
void mih_verify_source_init(struct mih_verify_source *source, int fd);

/** mih_verify_source_fini() - close. */
void mih_verify_source_fini(struct mih_verify_source *source);

/**
 * mih_verify_source_read() - all bytes of @piece, or an error
 * @where:  what mih_pages_cached() said of them
 * @around: what the page cache has not got shall not get into it
 *
 * Around the page cache where @around asks for it, and the file system takes
 * it; what cannot be read that way is read as any file is.
 *
 * Return: 0; -ENODATA: the file ends before; -errno.
 */
MIH_MUST_CHECK mih_err mih_verify_source_read(
    struct mih_verify_source *source, const struct mih_verify_piece *piece,
    enum mih_pages where, bool around);

#endif
