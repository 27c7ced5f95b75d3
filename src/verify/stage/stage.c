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
	stages->budget = budget;
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

/* Make room for @nbytes. Return: what is to be freed, outside the lock. */
static bool reserve(struct mih_verify_stages *stages, uint64_t nbytes,
		    struct mih_verify_stage_lru *dropped)
{
	struct mih_verify_stage *oldest;
	bool fits;

	pthread_mutex_lock(&stages->lock);
	while (nbytes <= stages->budget &&
	       stages->nbytes > stages->budget - nbytes &&
	       (oldest = TAILQ_FIRST(&stages->lru))) {
		forget(stages, oldest);
		TAILQ_INSERT_TAIL(dropped, oldest, lru);
	}
	fits = nbytes <= stages->budget &&
	       stages->nbytes <= stages->budget - nbytes;
	if (fits)
		stages->nbytes += nbytes;
	pthread_mutex_unlock(&stages->lock);
	return fits;
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
	struct mih_verify_stage_lru dropped = TAILQ_HEAD_INITIALIZER(dropped);
	struct mih_verify_stage *stage;
	bool fits = reserve(stages, nbytes, &dropped);
	mih_err err;

	while ((stage = TAILQ_FIRST(&dropped))) {
		TAILQ_REMOVE(&dropped, stage, lru);
		stage_free(stage);
	}
	if (!fits)
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
