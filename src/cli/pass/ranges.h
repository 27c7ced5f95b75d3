/*
 * cli/pass/ranges.h - what a sidecar brings to a pass over the signed files
 *
 * Layer: src/cli.  Threads: groups() from any thread; the rest from one.
 *
 * A root says that a file differs, not where. The sidecar's layers can say
 * where, once they fit the signed root; until then they are only noted. This
 * makes messages better and decides nothing.
 */
#ifndef MIH_CLI_PASS_RANGES_H
#define MIH_CLI_PASS_RANGES_H

#include "cli/pass/pass.h"
#include "tree/sidecar.h"

struct mih_cli_ranges;

/**
 * mih_cli_ranges_new() - open a sidecar for comparing while files are read
 * @sidecar: file name; missing or damaged: nothing will be told
 * @limits:  what the signed files can have in it (tree/sidecar.h)
 * @files:   @n files of the pass to come (kept)
 *
 * Return: owned; NULL if out of memory.
 */
struct mih_cli_ranges *
mih_cli_ranges_new(const char *sidecar,
		   const struct mih_tree_sidecar_limits *limits,
		   const struct mih_cli_pass_file *files, size_t n);

/**
 * mih_cli_ranges_states() - the sidecar's hints for a flat sha256
 * @file: index in the files
 *
 * Return: for the states of the file, borrowed; NULL: there are none.
 */
const uint8_t *mih_cli_ranges_states(struct mih_cli_ranges *ranges,
				     size_t file);

/** mih_cli_ranges_groups() - for mih_cli_pass.groups; @context: the ranges. */
mih_err mih_cli_ranges_groups(void *context, size_t file, uint64_t first,
			      const uint8_t *digests, size_t n);

/**
 * mih_cli_ranges_tell() - the bad ranges of a file that has failed
 * @file: index in the files
 * @root: its signed root
 * @range: called with first and last byte of each range, ascending
 *
 * Return: true if ranges were told; false if the sidecar is of no use for it.
 */
bool mih_cli_ranges_tell(
    struct mih_cli_ranges *ranges, size_t file, const uint8_t *root,
    void (*range)(void *context, uint64_t from, uint64_t to), void *context);

/** mih_cli_ranges_free() - release; NULL is legal. */
void mih_cli_ranges_free(struct mih_cli_ranges *ranges);

#endif
