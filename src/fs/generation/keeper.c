#include "fs/generation/keeper.h"
#include "fs/fs_internal.h"
#include "util/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUIET_S 2
#define REST_S	5

void mih_fs_keeper_init(struct mih_fs_keeper *keeper)
{
	*keeper = (struct mih_fs_keeper){ .started = false };
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_cond_init(&keeper->change, NULL);
}

/* Set one of the keeper's flags; true if it does not stop. */
static bool set(struct mih_fs_keeper *keeper, bool *flag, bool value)
{
	bool go_on;

	pthread_mutex_lock(&keeper->lock);
	*flag = value;
	go_on = !keeper->stopping;
	pthread_cond_broadcast(&keeper->change);
	pthread_mutex_unlock(&keeper->lock);
	return go_on;
}

void mih_fs_keeper_reload(struct mih_fs_keeper *keeper)
{
	set(keeper, &keeper->reload, true);
}

void mih_fs_keeper_reap(void *context)
{
	struct mih_fs_keeper *keeper = context;

	set(keeper, &keeper->reap, true);
}

/* True when @flag is false, or becomes so within @seconds. */
static bool wait_clear(struct mih_fs_keeper *keeper, const bool *flag,
		       unsigned seconds)
{
	struct timespec limit;
	bool clear;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += seconds;
	pthread_mutex_lock(&keeper->lock);
	keeper->stopping = true;
	pthread_cond_broadcast(&keeper->change);
	while (*flag && pthread_cond_timedwait(&keeper->change, &keeper->lock,
					       &limit) == 0)
		;
	clear = !*flag;
	pthread_mutex_unlock(&keeper->lock);
	return clear;
}

bool mih_fs_keeper_quiet(struct mih_fs_keeper *keeper)
{
	return wait_clear(keeper, &keeper->telling, QUIET_S);
}

bool mih_fs_keeper_rest(struct mih_fs_keeper *keeper)
{
	return wait_clear(keeper, &keeper->busy, REST_S);
}

/* --- reload ----------------------------------------------------------------
 */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static mih_err check_room(struct mih_fs *fs)
{
	if (mih_fs_generations_earlier(&fs->generations) < MIH_FS_EARLIER_MAX)
		return 0;
	return mih_err_fail(-EBUSY,
			    "%s: files of %d earlier versions are still open; "
			    "end their readers first",
			    fs->mountpoint, MIH_FS_EARLIER_MAX);
}

/* A mount over its own model hides it: what is seen there is the mount, which
 * cannot be served by itself. */
static mih_err check_place(const struct mih_fs *fs,
			   const struct mih_verify_model *model)
{
	struct stat st;

	if (fstat(model->dirfd, &st) < 0)
		return mih_err_fail_errno(-errno, "%s", model->dir);
	if (fs->dev && st.st_dev == fs->dev)
		return mih_err_fail(-ELOOP, "%s: hidden by the mount itself",
				    model->dir);
	return 0;
}

static mih_err load(struct mih_fs *fs, struct mih_fs_generation **out)
{
	const struct mih_fs_params *params = fs->params;
	struct mih_verify_model *model;
	mih_err err = check_room(fs);

	if (!err)
		err = params->reload(params->context, &model);
	if (err)
		return err;
	err = check_place(fs, model);
	if (err) {
		mih_verify_model_close(model);
		return err;
	}
	return mih_fs_generation_new(&fs->generations, model, out);
}

/* Everything that can fail, so that publishing cannot. Only this thread ever
 * publishes, so the current version stays what it is meanwhile. */
static mih_err prepare(struct mih_fs *fs, struct mih_fs_generation **out,
		       struct mih_fs_changes *changes)
{
	struct mih_fs_generation *next = NULL;
	mih_err err = load(fs, &next);

	if (err)
		return err;
	err = mih_fs_inodes_follow(
	    &next->inodes, &fs->generations.current->inodes, now_ns(), changes);
	if (err)
		mih_err_fail_errno(err, "%s", fs->mountpoint);
	else
		err = mih_fs_generation_start(next, fs->params);
	if (err) {
		mih_fs_generation_free(next);
		return err;
	}
	*out = next;
	return 0;
}

/* What the kernel does not remember is no error. */
static void tell_one(struct mih_fs *fs, const struct mih_fs_change *change)
{
	char name[256] = "";
	int end;

	if (change->name) {
		memcpy(name, change->name, change->name_len);
		end = fuse_lowlevel_notify_inval_entry(
		    fs->session, change->folder, name, change->name_len);
	} else {
		end = fuse_lowlevel_notify_inval_inode(fs->session,
						       change->folder, 0, 0);
	}
	if (end && end != -ENOENT && end != -ENOTDIR)
		mih_log_debug("%s: the kernel does not forget '%s': %s",
			      fs->mountpoint, name, strerror(-end));
}

/* Names first: each waits for the lookups and listings of its folder that are
 * under way, which may still bring in what was right before. What they brought
 * is gone when this ends. Return: false when the mount is about to end. */
static bool tell(struct mih_fs *fs, const struct mih_fs_changes *changes)
{
	struct mih_fs_keeper *keeper = &fs->keeper;
	bool go_on = true;

	for (size_t i = 0; go_on && i < changes->n; i++) {
		go_on = set(keeper, &keeper->telling, true);
		if (go_on)
			tell_one(fs, &changes->items[i]);
		set(keeper, &keeper->telling, false);
	}
	return go_on;
}

static void say(struct mih_fs *fs, mih_err err,
		const struct mih_verify_model *model)
{
	const struct mih_fs_params *params = fs->params;

	mih_status_reloaded(params->status, err ? mih_err_message() : NULL);
	params->reloaded(params->context, err, model);
}

static void reload(struct mih_fs *fs)
{
	struct mih_fs_generation *before, *next = NULL;
	struct mih_fs_changes changes = { .n = 0 };
	mih_err err = prepare(fs, &next, &changes);

	before = mih_fs_generation_current(&fs->generations);
	if (!err) {
		mih_fs_generation_publish(next);
		mih_fs_control_look(fs, &next->inodes);
		if (tell(fs, &changes))
			say(fs, 0, next->model);
	} else {
		say(fs, err, before->model);
	}
	mih_fs_changes_fini(&changes);
	mih_fs_generation_put(before);
}

/* --- the thread ------------------------------------------------------------
 */

enum task { TASK_STOP, TASK_REAP, TASK_RELOAD };

static enum task wait_for_task(struct mih_fs_keeper *keeper)
{
	enum task task = TASK_STOP;

	pthread_mutex_lock(&keeper->lock);
	keeper->busy = false;
	pthread_cond_broadcast(&keeper->change);
	while (!keeper->stopping && !keeper->reap && !keeper->reload)
		pthread_cond_wait(&keeper->change, &keeper->lock);
	if (!keeper->stopping) {
		task = keeper->reap ? TASK_REAP : TASK_RELOAD;
		if (task == TASK_REAP)
			keeper->reap = false;
		else
			keeper->reload = false;
		keeper->busy = true;
	}
	pthread_mutex_unlock(&keeper->lock);
	return task;
}

static void *keep(void *context)
{
	struct mih_fs *fs = context;
	enum task task;

	if (!mih_fs_answer(fs))
		return NULL; /* unmounted before it ever answered */
	while ((task = wait_for_task(&fs->keeper)) != TASK_STOP) {
		if (task == TASK_REAP)
			mih_fs_generations_reap(&fs->generations);
		else
			reload(fs);
	}
	return NULL;
}

mih_err mih_fs_keeper_start(struct mih_fs *fs)
{
	int err = pthread_create(&fs->keeper.thread, NULL, keep, fs);

	if (err)
		return mih_err_fail_errno(-err, "%s: cannot start a thread",
					  fs->mountpoint);
	fs->keeper.started = true;
	return 0;
}

void mih_fs_keeper_join(struct mih_fs_keeper *keeper)
{
	if (keeper->started)
		pthread_join(keeper->thread, NULL);
}

void mih_fs_keeper_fini(struct mih_fs_keeper *keeper)
{
	pthread_cond_destroy(&keeper->change);
	pthread_mutex_destroy(&keeper->lock);
}
