/*
 * gpu/offload/staging_internal.h - deal out one block of staging memory
 *
 * Layer: src/gpu.  Threads: internally locked.
 *
 * Fresh memory costs more than hashing it: a page fault every 4 KiB, or 0.35 s
 * a GiB where it is pinned. So a device keeps one block for good and deals it
 * out in units of 64 KiB, lowest first, so that only as much of it is ever
 * touched as was in use at once.
 */
#ifndef MIH_GPU_STAGING_INTERNAL_H
#define MIH_GPU_STAGING_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIH_GPU_STAGING_UNIT ((size_t)65536) /* bytes; a group */

struct mih_gpu_staging {
	pthread_mutex_t lock;
	uint8_t *base; /* NULL: nothing to deal out (yet) */
	bool *used;    /* @nunits; owned */
	size_t nunits;
	size_t lowest; /* no unit below is free */
};

/** mih_gpu_staging_init() - a staging that says no until it has a block */
void mih_gpu_staging_init(struct mih_gpu_staging *staging);

/**
 * mih_gpu_staging_set() - deal out @len bytes at @base from now on; once
 * @base: kept until the end; NULL changes nothing
 * @len:  a multiple of the unit
 */
void mih_gpu_staging_set(struct mih_gpu_staging *staging, void *base,
			 size_t len);

/** mih_gpu_staging_fini() - forget the block; its memory is the caller's. */
void mih_gpu_staging_fini(struct mih_gpu_staging *staging);

/**
 * mih_gpu_staging_take() - @len bytes of the block, aligned to the unit
 *
 * Return: memory for mih_gpu_staging_give(); NULL when there is no such run,
 * or when @len is less than half a unit, which would waste the rest of it: the
 * caller then uses plain memory.
 */
void *mih_gpu_staging_take(struct mih_gpu_staging *staging, size_t len);

/** mih_gpu_staging_has() - are these @len bytes of the block? */
bool mih_gpu_staging_has(struct mih_gpu_staging *staging, const void *buf,
			 size_t len);

/**
 * mih_gpu_staging_give() - give @len bytes at @buf back
 *
 * Return: false if @buf is not of this block.
 */
bool mih_gpu_staging_give(struct mih_gpu_staging *staging, void *buf,
			  size_t len);

/**
 * mih_gpu_staging_lasts() - is @buf of a block that is dealt out?
 *
 * Then it stays mapped while its device may still read it, whoever has given
 * it back.
 */
bool mih_gpu_staging_lasts(const void *buf);

#endif
