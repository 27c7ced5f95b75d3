/*
 * hash/leaves.h - BLAKE2b-512 of many 4 KiB blocks at once
 *
 * Layer: src/hash.  Threads: no state but the chosen path (hash/path.h).
 * Source: RFC 7693.
 *
 * No tree of mihfs uses them yet; they are measured, and held to the published
 * vectors, so that a tree could.
 */
#ifndef MIH_HASH_LEAVES_H
#define MIH_HASH_LEAVES_H

#include <stddef.h>
#include <stdint.h>

/**
 * mih_hash_blake2b_leaves() - BLAKE2b-512 of each of @n blocks
 * @data:    @n times MIH_HASH_BLOCK bytes
 * @n:       number of blocks
 * @digests: @n times 64 bytes
 */
void mih_hash_blake2b_leaves(const void *data, size_t n, uint8_t *digests);

#endif
