#include "gpu/offload/staging_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <string.h>

/* All blocks there are. One that finds no row counts as none. */
#define BLOCKS_MAX 80

static struct block {
	uintptr_t base, end; /* equal: a free row */
} blocks[BLOCKS_MAX];

static pthread_rwlock_t blocks_lock = PTHREAD_RWLOCK_INITIALIZER;

static void block_add(void *base, size_t len)
{
	size_t i = 0;

	pthread_rwlock_wrlock(&blocks_lock);
	while (i < BLOCKS_MAX && blocks[i].base != blocks[i].end)
		i++;
	if (i < BLOCKS_MAX)
		blocks[i] =
		    (struct block){ (uintptr_t)base, (uintptr_t)base + len };
	pthread_rwlock_unlock(&blocks_lock);
}

static void block_drop(const void *base)
{
	pthread_rwlock_wrlock(&blocks_lock);
	for (size_t i = 0; i < BLOCKS_MAX; i++)
		if (blocks[i].base == (uintptr_t)base)
			blocks[i] = (struct block){ 0, 0 };
	pthread_rwlock_unlock(&blocks_lock);
}

bool mih_gpu_staging_lasts(const void *buf)
{
	uintptr_t at = (uintptr_t)buf;
	bool found = false;

	pthread_rwlock_rdlock(&blocks_lock);
	for (size_t i = 0; i < BLOCKS_MAX && !found; i++)
		found = at >= blocks[i].base && at < blocks[i].end;
	pthread_rwlock_unlock(&blocks_lock);
	return found;
}

static size_t units(size_t len)
{
	return (len + MIH_GPU_STAGING_UNIT - 1) / MIH_GPU_STAGING_UNIT;
}

void mih_gpu_staging_init(struct mih_gpu_staging *staging)
{
	*staging = (struct mih_gpu_staging){
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
}

void mih_gpu_staging_set(struct mih_gpu_staging *staging, void *base,
			 size_t len)
{
	pthread_mutex_t *guard mih_autounlock = &staging->lock;

	pthread_mutex_lock(guard);
	if (base)
		staging->used = calloc(units(len), sizeof(*staging->used));
	if (!staging->used)
		return;
	staging->nunits = units(len);
	staging->base = base;
	block_add(base, len);
}

void mih_gpu_staging_fini(struct mih_gpu_staging *staging)
{
	if (staging->base)
		block_drop(staging->base);
	free(staging->used);
	pthread_mutex_destroy(&staging->lock);
}

/* First of the lowest @n free units in a row, or nunits. */
static size_t find_run(const struct mih_gpu_staging *staging, size_t n)
{
	size_t run = 0;

	for (size_t i = staging->lowest; i < staging->nunits; i++) {
		run = staging->used[i] ? 0 : run + 1;
		if (run == n)
			return i + 1 - n;
	}
	return staging->nunits;
}

void *mih_gpu_staging_take(struct mih_gpu_staging *staging, size_t len)
{
	pthread_mutex_t *guard mih_autounlock = &staging->lock;
	size_t n = units(len), at;

	pthread_mutex_lock(guard);
	if (len < MIH_GPU_STAGING_UNIT / 2)
		return NULL;
	at = find_run(staging, n);
	if (at == staging->nunits)
		return NULL;
	memset(&staging->used[at], true, n);
	if (at == staging->lowest)
		staging->lowest = at + n;
	return staging->base + at * MIH_GPU_STAGING_UNIT;
}

bool mih_gpu_staging_has(struct mih_gpu_staging *staging, const void *buf,
			 size_t len)
{
	pthread_mutex_t *guard mih_autounlock = &staging->lock;
	uintptr_t base, at = (uintptr_t)buf;
	size_t room;

	pthread_mutex_lock(guard);
	base = (uintptr_t)staging->base;
	room = staging->nunits * MIH_GPU_STAGING_UNIT;
	return at >= base && at - base < room && len <= room - (at - base);
}

bool mih_gpu_staging_give(struct mih_gpu_staging *staging, void *buf,
			  size_t len)
{
	pthread_mutex_t *guard mih_autounlock = &staging->lock;
	uintptr_t base = (uintptr_t)staging->base, at = (uintptr_t)buf;
	size_t first;

	pthread_mutex_lock(guard);
	if (at < base || at - base >= staging->nunits * MIH_GPU_STAGING_UNIT)
		return false;
	first = (at - base) / MIH_GPU_STAGING_UNIT;
	memset(&staging->used[first], false, units(len));
	staging->lowest = MIH_MIN(staging->lowest, first);
	return true;
}
