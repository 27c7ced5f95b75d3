/*
 * Stages: the proven bytes of whole files in memory files that are sealed, so
 * that nobody, this process included, can change them while they are served.
 * A file that was closed stays until the budget needs its room, oldest first.
 *
 * Each one takes whole pages and a descriptor, however small the file is: the
 * budget counts the pages, and of three descriptors one is left to the file on
 * disk and one to files that are not staged.
 */
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/host/huge.h"
#include "util/log.h"
#include "verify/engine/engine_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

void mih_verify_stages_init(struct mih_verify_stages *stages, uint64_t budget)
{
	struct rlimit limit;

	pthread_mutex_init(&stages->lock, NULL);
	TAILQ_INIT(&stages->lru);
	atomic_init(&stages->budget, budget);
	stages->max = SIZE_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY)
		stages->max = (size_t)limit.rlim_cur / 3;
}

/* What @nbytes of a file take: whole pages. */
static uint64_t room_of(uint64_t nbytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return mih_checked_ceil_div(nbytes, page) * page;
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
	stages->nbytes -= room_of(stage->nbytes);
	stages->n--;
	*stage->owner = NULL;
}

/* Why one more of @room bytes does not fit; 0: it does. The lock is held. */
static mih_err lacks(const struct mih_verify_stages *stages, uint64_t room)
{
	uint64_t budget = atomic_load(&stages->budget);

	if (room > budget || stages->nbytes > budget - room)
		return -ENOSPC;
	return stages->n < stages->max ? 0 : -EMFILE;
}

/* Forget what was closed longest ago until @room bytes fit. The lock is held.
 * Return: as lacks(). */
static mih_err make_room(struct mih_verify_stages *stages, uint64_t room,
			 struct mih_verify_stage_lru *dropped)
{
	struct mih_verify_stage *oldest;
	mih_err err;

	if (room > atomic_load(&stages->budget))
		return -ENOSPC;
	while ((err = lacks(stages, room)) &&
	       (oldest = TAILQ_FIRST(&stages->lru))) {
		forget(stages, oldest);
		TAILQ_INSERT_TAIL(dropped, oldest, lru);
	}
	return err;
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

static mih_err reserve(struct mih_verify_stages *stages, uint64_t nbytes)
{
	struct mih_verify_stage_lru dropped = TAILQ_HEAD_INITIALIZER(dropped);
	mih_err err;

	pthread_mutex_lock(&stages->lock);
	err = make_room(stages, room_of(nbytes), &dropped);
	if (!err) {
		stages->nbytes += room_of(nbytes);
		stages->n++;
	}
	pthread_mutex_unlock(&stages->lock);
	free_all(&dropped);
	return err;
}

void mih_verify_stages_end(struct mih_verify_stages *stages)
{
	atomic_store(&stages->budget, 0);
	mih_verify_stages_trim(stages);
}

void mih_verify_stages_trim(struct mih_verify_stages *stages)
{
	struct mih_verify_stage_lru dropped = TAILQ_HEAD_INITIALIZER(dropped);
	struct mih_verify_stage *stage;

	pthread_mutex_lock(&stages->lock);
	while (stages->nbytes > atomic_load(&stages->budget) &&
	       (stage = TAILQ_FIRST(&stages->lru))) {
		forget(stages, stage);
		TAILQ_INSERT_TAIL(&dropped, stage, lru);
	}
	pthread_mutex_unlock(&stages->lock);
	free_all(&dropped);
}

/* Huge pages where the system allows them: filling 4 KiB pages stops at
 * 4-5 GB/s however many threads do it. A smaller file would get a whole one
 * where the system is generous. */
static mih_err stage_map(struct mih_verify_stage *stage)
{
	void *map;

	stage->fd =
	    memfd_create("mihfs-stage", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (stage->fd < 0 || ftruncate(stage->fd, (off_t)stage->nbytes) < 0)
		return -errno;
	if (stage->nbytes >= MIH_HUGE_PAGE) {
		map = mih_huge_map(stage->fd, (size_t)room_of(stage->nbytes));
	} else {
		map = mmap(NULL, stage->nbytes, PROT_READ | PROT_WRITE,
			   MAP_SHARED, stage->fd, 0);
		if (map == MAP_FAILED)
			map = NULL;
	}
	if (!map)
		return -errno;
	stage->map = map;
	return 0;
}

mih_err mih_verify_stage_new(struct mih_verify_stages *stages, uint64_t nbytes,
			     struct mih_verify_stage **owner)
{
	struct mih_verify_stage *stage;
	mih_err err = reserve(stages, nbytes);

	if (err)
		return err;
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
	stages->nbytes -= room_of(nbytes);
	stages->n--;
	pthread_mutex_unlock(&stages->lock);
	if (stage)
		stage_free(stage);
	return err;
}

mih_err mih_verify_stage_seal(struct mih_verify_stage *stage)
{
	if (stage->map)
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
