#include "fs/generation/generation.h"

#include <stdlib.h>

/* The least that an engine works well with: an earlier version has few readers,
 * and there may be MIH_FS_EARLIER_MAX of them. */
#define EARLIER_MEMORY ((size_t)8 << 20)

void mih_fs_generations_init(struct mih_fs_generations *all)
{
	*all = (struct mih_fs_generations){ .current = NULL };
	pthread_mutex_init(&all->lock, NULL);
}

static void stop_engine(struct mih_fs_generation *generation)
{
	mih_status_remove(generation->status, generation->engine);
	mih_verify_engine_free(generation->engine);
	generation->engine = NULL;
}

void mih_fs_generations_stop(struct mih_fs_generations *all)
{
	for (struct mih_fs_generation *g = all->current; g; g = g->older)
		stop_engine(g);
}

void mih_fs_generations_fini(struct mih_fs_generations *all)
{
	struct mih_fs_generation *g;

	while ((g = all->current)) {
		all->current = g->older;
		mih_fs_generation_free(g);
	}
	pthread_mutex_destroy(&all->lock);
}

mih_err mih_fs_generation_new(struct mih_fs_generations *all,
			      struct mih_verify_model *model,
			      struct mih_fs_generation **generation_out)
{
	struct mih_fs_generation *generation = calloc(1, sizeof(*generation));
	mih_err err;

	if (!generation) {
		mih_verify_model_close(model);
		return mih_err_fail_errno(-ENOMEM, "mihfs");
	}
	generation->all = all;
	generation->model = model;
	atomic_init(&generation->refs, 1);
	err = mih_fs_inodes_build(model->files, model->nfiles,
				  &generation->inodes);
	if (err) {
		mih_fs_generation_free(generation);
		return err;
	}
	*generation_out = generation;
	return 0;
}

mih_err mih_fs_generation_start(struct mih_fs_generation *generation,
				const struct mih_fs_params *params)
{
	mih_err err = params->start(params->context, generation->model,
				    &generation->engine);

	if (err)
		return err;
	generation->status = params->status;
	return mih_status_add(params->status, generation->model,
			      generation->engine);
}

void mih_fs_generation_free(struct mih_fs_generation *generation)
{
	if (!generation)
		return;
	stop_engine(generation);
	mih_fs_inodes_fini(&generation->inodes);
	mih_verify_model_close(generation->model);
	free(generation);
}

void mih_fs_generation_publish(struct mih_fs_generation *generation)
{
	struct mih_fs_generations *all = generation->all;
	struct mih_fs_generation *before;

	pthread_mutex_lock(&all->lock);
	before = all->current;
	generation->serial = before ? before->serial + 1 : 0;
	generation->older = before;
	all->current = generation;
	pthread_mutex_unlock(&all->lock);
	if (!before)
		return;
	mih_verify_engine_shrink(before->engine, EARLIER_MEMORY);
	mih_fs_generation_put(before); /* it is not current any more */
}

/* The first earlier one that nobody holds, out of the list. Nobody can begin to
 * hold it: whoever finds one in the list counts from one upwards only. */
static struct mih_fs_generation *take_unused(struct mih_fs_generations *all)
{
	struct mih_fs_generation *found = NULL, **at;

	pthread_mutex_lock(&all->lock);
	for (at = &all->current->older; *at && !found;) {
		if (atomic_load(&(*at)->refs) == 0) {
			found = *at;
			*at = found->older;
		} else {
			at = &(*at)->older;
		}
	}
	pthread_mutex_unlock(&all->lock);
	return found;
}

void mih_fs_generations_reap(struct mih_fs_generations *all)
{
	struct mih_fs_generation *g;

	while ((g = take_unused(all)))
		mih_fs_generation_free(g);
}

size_t mih_fs_generations_earlier(struct mih_fs_generations *all)
{
	size_t n = 0;

	pthread_mutex_lock(&all->lock);
	for (const struct mih_fs_generation *g = all->current->older; g;
	     g = g->older)
		n++;
	pthread_mutex_unlock(&all->lock);
	return n;
}

struct mih_fs_generation *
mih_fs_generation_get(struct mih_fs_generation *generation)
{
	atomic_fetch_add_explicit(&generation->refs, 1, memory_order_relaxed);
	return generation;
}

struct mih_fs_generation *
mih_fs_generation_current(struct mih_fs_generations *all)
{
	struct mih_fs_generation *current;

	pthread_mutex_lock(&all->lock);
	current = mih_fs_generation_get(all->current);
	pthread_mutex_unlock(&all->lock);
	return current;
}

/* Freeing waits for threads, so another thread does it. That one may free @g
 * as soon as nothing is left: do not look at it again. */
void mih_fs_generation_put(struct mih_fs_generation *generation)
{
	struct mih_fs_generations *all;

	if (!generation)
		return;
	all = generation->all;
	if (atomic_fetch_sub_explicit(&generation->refs, 1,
				      memory_order_acq_rel) == 1 &&
	    all->unused)
		all->unused(all->context);
}

static bool try_get(struct mih_fs_generation *generation)
{
	unsigned refs = atomic_load(&generation->refs);

	while (refs && !atomic_compare_exchange_weak(&generation->refs, &refs,
						     refs + 1))
		;
	return refs != 0;
}

struct mih_fs_found mih_fs_find_current(struct mih_fs_generations *all,
					uint64_t ino)
{
	struct mih_fs_found found = { mih_fs_generation_current(all), NULL };

	found.node = mih_fs_inode_get(&found.generation->inodes, ino);
	if (!found.node) {
		mih_fs_generation_put(found.generation);
		found.generation = NULL;
	}
	return found;
}

#define ANY_SERIAL UINT64_MAX

/* The newest with that serial, which has @ino and is not about to be freed. */
static struct mih_fs_found find(struct mih_fs_generations *all, uint64_t ino,
				uint64_t serial)
{
	struct mih_fs_found found = { NULL, NULL };

	pthread_mutex_lock(&all->lock);
	for (struct mih_fs_generation *g = all->current; g && !found.generation;
	     g = g->older) {
		if (serial != ANY_SERIAL && serial != g->serial)
			continue;
		found.node = mih_fs_inode_get(&g->inodes, ino);
		if (found.node && try_get(g))
			found.generation = g;
	}
	pthread_mutex_unlock(&all->lock);
	if (!found.generation)
		found.node = NULL;
	return found;
}

struct mih_fs_found mih_fs_find_serial(struct mih_fs_generations *all,
				       uint64_t ino, uint64_t serial)
{
	return find(all, ino, serial);
}

struct mih_fs_found mih_fs_find(struct mih_fs_generations *all, uint64_t ino)
{
	struct mih_fs_found found = mih_fs_find_current(all, ino);

	return found.generation ? found : find(all, ino, ANY_SERIAL);
}
