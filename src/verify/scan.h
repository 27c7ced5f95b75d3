/*
 * verify/scan.h - the files of a model directory, as OMS sees them
 *
 * Layer: src/verify.  Threads: pure functions.
 * Source: OpenSSF Model Signing 1.0, "ignore paths" and "symlinks".
 */
#ifndef MIH_VERIFY_SCAN_H
#define MIH_VERIFY_SCAN_H

#include "util/err.h"
#include "util/io.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What to leave out, and whether links count. */
struct mih_verify_scan_rules {
	const char *const *ignore; /* paths relative to the model; the file or
				      everything below it (borrowed) */
	size_t nignore;
	bool ignore_git; /* .git, .gitignore, .gitattributes,
			    .github at the top */
	bool names_only; /* nbytes may stay 0: saves a system call a file */
	const struct mih_io_links *links; /* NULL: a link is an error; else
				links to files count as the file they lead to
				(borrowed) */
};

/** One file found. */
struct mih_verify_scan_file {
	char *path; /* relative to the model, '/' between; owned */
	uint64_t nbytes;
};

struct mih_verify_scan {
	struct mih_verify_scan_file
	    *files; /* code point order of path; owned */
	size_t nfiles;
	int dirfd; /* what the paths are relative to: the model, or the
		      folder of a single file; owned */
};

/**
 * mih_verify_scan_run() - list every regular file below @model
 * @model: directory; a single file is a model of one file, whose path is its
 *         base name
 * @rules: what to leave out
 * @scan_out: filled; finish with mih_verify_scan_fini()
 *
 * Sockets, FIFOs, devices and names that OMS forbids are errors: what cannot
 * be signed must not be passed over in silence.
 *
 * Links to directories are refused in any case: OMS names files, and a loop of
 * folders has no end. The model itself may be reached through a link.
 *
 * Return: 0; -ELOOP a link where none may be; -EINVAL a file that cannot be
 * part of a model; -errno; each with a story that names the path.
 */
MIH_MUST_CHECK mih_err mih_verify_scan_run(
    const char *model, const struct mih_verify_scan_rules *rules,
    struct mih_verify_scan *scan_out);

/**
 * mih_verify_scan_open() - open what the paths of a model are relative to
 * @model: directory, or a single file
 * @dirfd_out: set to the model, or the folder of a single file; the caller
 *             closes it; -1 or unchanged on failure
 * @single_out: set to the base name of a single file (the caller frees it), or
 *              to NULL for a directory
 *
 * Return: 0; -ENOMEM or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_verify_scan_open(const char *model, int *dirfd_out,
					    char **single_out);

/** mih_verify_scan_fini() - release what the scan owns; run it once, after a
 * call of mih_verify_scan_run() however that ended. */
void mih_verify_scan_fini(struct mih_verify_scan *scan);

/** mih_verify_scan_ignores() - would the scan leave @path out? */
bool mih_verify_scan_ignores(const struct mih_verify_scan_rules *rules,
			     const char *path);

#endif
