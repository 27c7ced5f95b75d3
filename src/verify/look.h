/*
 * verify/look.h - what lies at many signed paths, without opening any file
 *
 * Layer: src/verify.  Threads: one call uses a pool of its own.
 */
#ifndef MIH_VERIFY_LOOK_H
#define MIH_VERIFY_LOOK_H

#include "util/err.h"
#include "util/io.h"

#include <stddef.h>
#include <stdint.h>

/** One path, and what is there. */
struct mih_verify_look {
	const char *path; /* relative to the model (borrowed); NULL: nowhere */
	mih_err err;	  /* out: 0 a regular file; -EINVAL something else;
			     -ELOOP, -EXDEV a link; -ENOENT; -errno */
	uint64_t nbytes;  /* out: valid without err */
};

/**
 * mih_verify_look_run() - look at @n paths
 * @dirfd: model folder (borrowed)
 * @links: what becomes of symbolic links
 * @looks: quickest if those of one folder stand side by side
 *
 * One system call for each file, where no link is in the way: a million files
 * take a second or two. Several threads look, for inodes that must come from a
 * disk.
 */
void mih_verify_look_run(int dirfd, const struct mih_io_links *links,
			 struct mih_verify_look *looks, size_t n);

#endif
