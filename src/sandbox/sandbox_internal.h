/*
 * sandbox/sandbox_internal.h - the parts that sandbox.c puts together
 *
 * Layer: src/sandbox.  Threads: the calling thread.
 */
#ifndef MIH_SANDBOX_SANDBOX_INTERNAL_H
#define MIH_SANDBOX_SANDBOX_INTERNAL_H

#include "sandbox/sandbox.h"

/* capabilities.c */

/** mih_sandbox_capabilities() - effective ones of this thread, as bits. */
uint64_t mih_sandbox_capabilities(void);

/**
 * mih_sandbox_drop() - keep @keep of the capabilities and no others
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_sandbox_drop(uint64_t keep);

/* landlock.c */

/** mih_sandbox_landlock_version() - 1 and more, or -errno: not here. */
int mih_sandbox_landlock_version(void);

/**
 * mih_sandbox_landlock() - close all paths but those of @params, and TCP
 * @version_out: set on success
 *
 * Return: 0 or -errno with a story; then nothing is closed.
 */
MIH_MUST_CHECK mih_err
mih_sandbox_landlock(const struct mih_sandbox_params *params, int *version_out);

/* filter.c */

/** mih_sandbox_filter_built() - is there a library to make filters with? */
bool mih_sandbox_filter_built(void);

/**
 * mih_sandbox_filter() - let through the system calls of params->filter
 * @makes: files may be made, written, renamed and removed
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err
mih_sandbox_filter(const struct mih_sandbox_params *params, bool makes);

#endif
