/*
 * cli/mount/memory.h - how much memory verified bytes may take
 *
 * Layer: src/cli.  Threads: no state.
 */
#ifndef MIH_CLI_MOUNT_MEMORY_H
#define MIH_CLI_MOUNT_MEMORY_H

#include <stdint.h>

#define MIH_CLI_MEMORY_LEAST  ((uint64_t)16 << 20)
#define MIH_CLI_MEMORY_UNSAID UINT64_MAX

/**
 * mih_cli_memory_settle() - the bytes of the cache, within the control group
 * @asked: what the operator wants; MIH_CLI_MEMORY_UNSAID
 * @limit: of the control group, in bytes; 0: none
 *
 * Without a word 256 MiB, but at most a quarter of the limit; whatever was
 * asked for, at most half of it, because a server that is killed for its
 * memory breaks every reader. At least MIH_CLI_MEMORY_LEAST.
 */
uint64_t mih_cli_memory_settle(uint64_t asked, uint64_t limit);

/**
 * mih_cli_memory_budget() - the same with the limit of this process
 *
 * Tells in the log what was lowered.
 */
uint64_t mih_cli_memory_budget(uint64_t asked);

/**
 * mih_cli_memory_stages() - the bytes that staged files may take in all
 * @asked: what the operator wants; MIH_CLI_MEMORY_UNSAID
 * @cache: what mih_cli_memory_budget() has given
 *
 * Without a word half of what the machine has available now, or of the limit
 * of the control group, whichever is less. Whatever was asked for, at most what
 * that limit leaves beside the cache and an eighth for the process; what was
 * lowered is told in the log.
 */
uint64_t mih_cli_memory_stages(uint64_t asked, uint64_t cache);

#endif
