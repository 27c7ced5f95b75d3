/*
 * Stages: the proven bytes of whole files in memory files that are sealed, so
 * that nobody, this process included, can change them while they are served.
 * A file that was closed stays until the budget needs its room, oldest first.
 */
#include "util/cleanup.h"
#include "util/log.h"
#include "verify/engine/engine_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void mih_verify_stages_init(struct mih_verify_stages *stages, uint64_t budget)
{
	pthread_mutex_init(&stages->lock, NULL);
	TAILQ_INIT(&stages->lru);
	atomic_init(&stages->budget, budget);
}

uint64_t mih_verify_stages_bytes(struct mih_verify_stages *stages)
{
	uint64_t nbytes;

	pthread_mutex_lock(&stages->lock);
	nbytes = stages->nbytes;
	pthread_mutex_unlock(&stages->lock);
	return nbytes;
}

static void stage_free(struct mih_verify_stage *stage)
{
	if (stage->map)
		munmap(stage->map, stage->nbytes);
	if (stage->fd >= 0)
		close(stage->fd);
	free(stage);
}

/* Out of the books; the lock is held. */
static void forget(struct mih_verify_stages *stages,
		   struct mih_verify_stage *stage)
{
	if (!stage->is_open)
		TAILQ_REMOVE(&stages->lru, stage, lru);
	stages->nbytes -= stage->nbytes;
	*stage->owner = NULL;
}

/* Forget what was closed longest ago until @nbytes fit. The lock is held.
 * Return: do they? */
static bool make_room(struct mih_verify_stages *stages, uint64_t nbytes,
		      struct mih_verify_stage_lru *dropped)
{
	uint64_t budget = atomic_load(&stages->budget);
	struct mih_verify_stage *oldest;

	if (nbytes > budget)
		return false;
	while (stages->nbytes > budget - nbytes &&
	       (oldest = TAILQ_FIRST(&stages->lru))) {
		forget(stages, oldest);
		TAILQ_INSERT_TAIL(dropped, oldest, lru);
	}
	return stages->nbytes <= budget - nbytes;
}

/* What was forgotten under the lock is freed outside of it. */
static void free_all(struct mih_verify_stage_lru *dropped)
{
	struct mih_verify_stage *stage;

	while ((stage = TAILQ_FIRST(dropped))) {
		TAILQ_REMOVE(dropped, stage, lru);
		stage_free(stage);
	}
}

static bool reserve(struct mih_verify_stages *stages, uint64_t nbytes)
{
	struct mih_verify_stage_lru dropped = TAILQ_HEAD_INITIALIZER(dropped);
	bool fits;

	pthread_mutex_lock(&stages->lock);
	fits = make_room(stages, nbytes, &dropped);
	if (fits)
		stages->nbytes += nbytes;
	pthread_mutex_unlock(&stages->lock);
	free_all(&dropped);
	return fits;
}

void mih_verify_stages_end(struct mih_verify_stages *stages)
{
	struct mih_verify_stage_lru dropped = TAILQ_HEAD_INITIALIZER(dropped);

	pthread_mutex_lock(&stages->lock);
	atomic_store(&stages->budget, 0);
	make_room(stages, 0, &dropped);
	pthread_mutex_unlock(&stages->lock);
	free_all(&dropped);
}

/* Huge pages where the system allows them: filling 4 KiB pages stops at
 * 4-5 GB/s however many threads do it. */
static mih_err stage_map(struct mih_verify_stage *stage)
{
	void *map;

	stage->fd =
	    memfd_create("mihfs-stage", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (stage->fd < 0 || ftruncate(stage->fd, (off_t)stage->nbytes) < 0)
		return -errno;
	map = mmap(NULL, stage->nbytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		   stage->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	stage->map = map;
	madvise(map, stage->nbytes, MADV_HUGEPAGE);
	return 0;
}

mih_err mih_verify_stage_new(struct mih_verify_stages *stages, uint64_t nbytes,
			     struct mih_verify_stage **owner)
{
	struct mih_verify_stage *stage;
	mih_err err;

	if (!reserve(stages, nbytes))
		return -ENOSPC;
	stage = calloc(1, sizeof(*stage));
	if (!stage) {
		err = -ENOMEM;
	} else {
		stage->fd = -1;
		stage->nbytes = nbytes;
		stage->is_open = true;
		stage->owner = owner;
		err = stage_map(stage);
	}
	if (!err) {
		*owner = stage;
		return 0;
	}
	pthread_mutex_lock(&stages->lock);
	stages->nbytes -= nbytes;
	pthread_mutex_unlock(&stages->lock);
	if (stage)
		stage_free(stage);
	return err;
}

mih_err mih_verify_stage_seal(struct mih_verify_stage *stage)
{
	munmap(MIH_STEAL(&stage->map), stage->nbytes);
	if (fcntl(stage->fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

bool mih_verify_stage_reopen(struct mih_verify_stages *stages,
			     struct mih_verify_stage **owner)
{
	struct mih_verify_stage *stage;

	pthread_mutex_lock(&stages->lock);
	stage = *owner;
	if (stage && !stage->is_open) {
		TAILQ_REMOVE(&stages->lru, stage, lru);
		stage->is_open = true;
	}
	pthread_mutex_unlock(&stages->lock);
	return stage != NULL;
}

void mih_verify_stage_close(struct mih_verify_stages *stages,
			    struct mih_verify_stage **owner)
{
	struct mih_verify_stage *stage;

	pthread_mutex_lock(&stages->lock);
	stage = *owner;
	if (stage && stage->is_open) {
		stage->is_open = false;
		TAILQ_INSERT_TAIL(&stages->lru, stage, lru);
	}
	pthread_mutex_unlock(&stages->lock);
}

void mih_verify_stage_drop(struct mih_verify_stages *stages,
			   struct mih_verify_stage **owner)
{
	struct mih_verify_stage *stage;

	pthread_mutex_lock(&stages->lock);
	stage = *owner;
	if (stage)
		forget(stages, stage);
	pthread_mutex_unlock(&stages->lock);
	if (stage)
		stage_free(stage);
}
