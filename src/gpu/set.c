/*
 * Several devices as one. Each batch goes where it will be done soonest: a
 * member's measured latency and rate say when, with the bytes that it already
 * has to do. So equal members get equal shares, a slow one or one that a model
 * keeps busy gets less, small batches stay on the submitting thread, and the
 * processor helps when the members are behind.
 *
 * What a member fails to do, the processor does.
 */
#include "gpu/batch_internal.h"
#include "gpu/offload/offload_internal.h"
#include "gpu/device_internal.h"
#include "util/checked.h"
#include "util/host/thread.h"
#include "util/log.h"
#include "util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Who names a device wants it used, even where the processor is faster. */
#define SMALL_MAX ((size_t)256 << 10)

#define CANCEL_MS 100 /* who cancels has to wait no longer */

struct member {
	struct mih_gpu_dev *dev; /* owned */
	uint64_t queued;	 /* bytes under way */
	struct mih_gpu_rate rates[MIH_GPU_KERNEL_END];
	bool known[MIH_GPU_KERNEL_END]; /* measured and usable */
};

struct set {
	struct mih_gpu_dev dev;
	pthread_t thread;     /* opens and measures */
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	bool stopping;
	bool wanted[MIH_GPU_KERNEL_END], measured[MIH_GPU_KERNEL_END];
	struct mih_gpu_rate cpu[MIH_GPU_KERNEL_END];
	size_t next_staging;
	mih_err missing; /* of a member that was named; and why: */
	char story[MIH_TEXT_LINE];
	size_t ntried, n; /* members looked for; found */
	struct mih_gpu_set_params params;
	struct member members[]; /* params.n at most */
};

static struct set *set_of(struct mih_gpu_dev *dev)
{
	return (struct set *)dev;
}

static double time_of(const struct mih_gpu_rate *rate, uint64_t nbytes)
{
	return rate->latency_ns + rate->ns_per_byte * (double)nbytes;
}

static bool is_up(const struct member *member)
{
	return member->dev->ops->state(member->dev, false) == MIH_GPU_READY;
}

/* With the lock held: who is done first with @nbytes more; NULL: the CPU. */
static struct member *choose(struct set *set, enum mih_gpu_kernel kernel,
			     size_t nbytes)
{
	double cpu = time_of(&set->cpu[kernel], nbytes), best = 1e300;
	struct member *chosen = NULL;

	for (size_t i = 0; i < set->n; i++) {
		struct member *member = &set->members[i];
		double at =
		    time_of(&member->rates[kernel], member->queued + nbytes);

		if (member->known[kernel] && at < best && is_up(member)) {
			best = at;
			chosen = member;
		}
	}
	if ((set->params.share_cpu || nbytes < SMALL_MAX) && cpu <= best)
		return NULL;
	return chosen;
}

static void want(struct set *set, enum mih_gpu_kernel kernel)
{
	if (set->wanted[kernel])
		return;
	set->wanted[kernel] = true;
	pthread_cond_broadcast(&set->changed);
}

static void on_cpu(struct mih_gpu_batch *batch)
{
	mih_gpu_batch_on_cpu(batch);
	batch->by = mih_gpu_cpu();
	batch->done(batch, 0);
}

static void member_done(struct mih_gpu_batch *batch, mih_err err)
{
	struct set *set = set_of(batch->set.set);

	pthread_mutex_lock(&set->lock);
	set->members[batch->set.member].queued -= mih_gpu_batch_nbytes(batch);
	pthread_mutex_unlock(&set->lock);
	batch->done = batch->set.done;
	batch->redone = err != 0;
	if (err)
		on_cpu(batch);
	else
		batch->done(batch, 0);
}

static void set_submit(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch)
{
	enum mih_gpu_kernel kernel = mih_gpu_piece_kernel(batch);
	size_t nbytes = mih_gpu_batch_nbytes(batch);
	struct set *set = set_of(dev);
	struct member *member;

	pthread_mutex_lock(&set->lock);
	want(set, kernel);
	member = choose(set, kernel, nbytes);
	if (member)
		member->queued += nbytes;
	pthread_mutex_unlock(&set->lock);
	if (!member) {
		on_cpu(batch);
		return;
	}
	batch->set.set = dev;
	batch->set.done = batch->done;
	batch->set.member = (size_t)(member - set->members);
	batch->done = member_done;
	member->dev->ops->submit(member->dev, batch);
}

/* Measuring --------------------------------------------------------------- */

static bool is_stopping(struct set *set)
{
	bool stopping;

	pthread_mutex_lock(&set->lock);
	stopping = set->stopping;
	pthread_mutex_unlock(&set->lock);
	return stopping;
}

/* Not for ever: a driver that hangs must not hold up the end as well. */
static bool wait_ready(struct set *set, const struct member *member)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	enum mih_gpu_state state;

	while ((state = member->dev->ops->state(member->dev, false)) ==
		   MIH_GPU_STARTING &&
	       !is_stopping(set))
		nanosleep(&pause, NULL);
	return state == MIH_GPU_READY;
}

static uint64_t border(const struct mih_gpu_rate *cpu,
		       const struct mih_gpu_rate *rate)
{
	double gain = cpu->ns_per_byte - rate->ns_per_byte;
	double lead = rate->latency_ns - cpu->latency_ns;

	if (lead <= 0)
		return 0;
	return gain > 0 && lead / gain < 1e15 ? (uint64_t)(lead / gain)
					      : UINT64_MAX;
}

static void tell(const struct set *set, const struct member *member,
		 enum mih_gpu_kernel kernel)
{
	const struct mih_gpu_rate *rate = &member->rates[kernel];
	uint64_t from = border(&set->cpu[kernel], rate);
	const char *name = mih_gpu_kernels[kernel].name + strlen("mih_");

	if (from == UINT64_MAX)
		mih_log_info("device %s: slower at %s than one core",
			     mih_gpu_describe(member->dev), name);
	else
		mih_log_info("device %s: sooner done with %s than one core "
			     "from %ju KiB on",
			     mih_gpu_describe(member->dev), name,
			     (uintmax_t)(from >> 10));
}

static bool is_alike(double a, double b)
{
	return a <= 1.5 * b && b <= 1.5 * a;
}

/* Equal cards are never measured equal; they are to get equal shares. */
static void take_rate(struct set *set, struct member *member,
		      enum mih_gpu_kernel kernel)
{
	struct mih_gpu_rate *rate = &member->rates[kernel];

	for (struct member *at = set->members; at < member; at++)
		if (at->known[kernel] && is_alike(at->rates[kernel].ns_per_byte,
						  rate->ns_per_byte)) {
			*rate = at->rates[kernel];
			return;
		}
}

static void measure_member(struct set *set, struct member *member,
			   enum mih_gpu_kernel kernel)
{
	struct mih_gpu_rate rate;

	if (!wait_ready(set, member) ||
	    mih_gpu_rate_measure(member->dev, kernel, &rate))
		return;
	pthread_mutex_lock(&set->lock);
	member->rates[kernel] = rate;
	take_rate(set, member, kernel);
	member->known[kernel] = true;
	pthread_mutex_unlock(&set->lock);
	tell(set, member, kernel);
}

static void measure(struct set *set, enum mih_gpu_kernel kernel)
{
	struct mih_gpu_rate cpu;

	if (mih_gpu_rate_measure(mih_gpu_cpu(), kernel, &cpu))
		return;
	pthread_mutex_lock(&set->lock);
	set->cpu[kernel] = cpu;
	pthread_mutex_unlock(&set->lock);
	for (size_t i = 0; i < set->n && !is_stopping(set); i++)
		measure_member(set, &set->members[i], kernel);
}

static int next_kernel(const struct set *set)
{
	for (int k = 0; k < MIH_GPU_KERNEL_END; k++)
		if (set->wanted[k] && !set->measured[k])
			return k;
	return MIH_GPU_KERNEL_END;
}

static void find_member(struct set *set, size_t i)
{
	struct mih_gpu_dev *dev = NULL;
	mih_err err = set->params.open(set->params.context, i, &dev);

	if (err && set->params.logs)
		mih_log_warning("device %s", mih_err_message());
	pthread_mutex_lock(&set->lock);
	if (!err) {
		set->members[set->n++].dev = dev;
	} else if (set->params.named && !set->missing) {
		set->missing = err;
		snprintf(set->story, sizeof(set->story), "%s",
			 mih_err_message());
	}
	set->ntried++;
	pthread_cond_broadcast(&set->changed);
	pthread_mutex_unlock(&set->lock);
}

static void *measure_main(void *arg)
{
	struct set *set = arg;

	for (size_t i = 0; i < set->params.n; i++)
		find_member(set, i);
	pthread_mutex_lock(&set->lock);
	while (!set->stopping) {
		int k = next_kernel(set);

		if (k == MIH_GPU_KERNEL_END) {
			pthread_cond_wait(&set->changed, &set->lock);
			continue;
		}
		pthread_mutex_unlock(&set->lock);
		measure(set, (enum mih_gpu_kernel)k);
		pthread_mutex_lock(&set->lock);
		set->measured[k] = true;
		pthread_cond_broadcast(&set->changed);
	}
	pthread_mutex_unlock(&set->lock);
	return NULL;
}

/* For a change, a while at most. Return: false if nobody wants to know any
 * more: a driver may never return. */
static bool wait_for_change(struct set *set, const atomic_bool *cancel)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += CANCEL_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&set->changed, &set->lock, &until);
	return !cancel || !atomic_load(cancel);
}

static void wait_measured(struct set *set, enum mih_gpu_kernel kernel,
			  const atomic_bool *cancel)
{
	want(set, kernel);
	while (!set->measured[kernel] && wait_for_change(set, cancel))
		;
}

bool mih_gpu_shares(struct mih_gpu_dev *dev)
{
	return dev->ops->submit == set_submit && set_of(dev)->params.share_cpu;
}

void mih_gpu_wait_for(struct mih_gpu_dev *dev, enum mih_hash_alg tree,
		      const atomic_bool *cancel)
{
	const struct mih_gpu_batch like = { .alg = tree };
	struct set *set = set_of(dev);

	if (dev == mih_gpu_cpu())
		return;
	pthread_mutex_lock(&set->lock);
	wait_measured(set, mih_gpu_piece_kernel(&like), cancel);
	pthread_mutex_unlock(&set->lock);
}

mih_err mih_gpu_found(struct mih_gpu_dev *dev, const atomic_bool *cancel)
{
	struct set *set = set_of(dev);
	mih_err err = 0;

	if (dev->ops->submit != set_submit || !set->params.named)
		return 0;
	pthread_mutex_lock(&set->lock);
	while (!err && set->ntried < set->params.n)
		if (!wait_for_change(set, cancel))
			err = mih_err_fail(-ECANCELED, "interrupted");
	if (!err && set->missing)
		err = mih_err_fail(set->missing, "%s", set->story);
	pthread_mutex_unlock(&set->lock);
	return err;
}

size_t mih_gpu_expected(struct mih_gpu_dev *dev)
{
	return dev->ops->submit == set_submit ? set_of(dev)->params.n : 1;
}

static double gb_per_s(const struct mih_gpu_rate *rate)
{
	return rate->ns_per_byte > 0 ? 1 / rate->ns_per_byte : 0;
}

mih_err mih_gpu_measure(struct mih_gpu_dev *dev,
			const struct mih_gpu_batch *like, size_t m,
			struct mih_gpu_speed *speed_out)
{
	enum mih_gpu_kernel kernel = mih_gpu_piece_kernel(like);
	struct set *set = set_of(dev);
	mih_err err = MIH_EBACKEND;

	if (dev == mih_gpu_cpu())
		return mih_err_fail(MIH_EBACKEND, "no such device");
	pthread_mutex_lock(&set->lock);
	wait_measured(set, kernel, NULL);
	if (m < set->n && set->members[m].known[kernel] &&
	    is_up(&set->members[m])) {
		const struct mih_gpu_rate *rate =
		    &set->members[m].rates[kernel];

		*speed_out = (struct mih_gpu_speed){
			.gb_per_s = gb_per_s(rate),
			.latency_us = rate->latency_ns / 1e3,
			.cpu_gb_per_s = gb_per_s(&set->cpu[kernel]),
			.border = border(&set->cpu[kernel], rate),
		};
		err = 0;
	}
	pthread_mutex_unlock(&set->lock);
	return err ? mih_err_fail(err, "the device is out of use") : 0;
}

/* The rest ---------------------------------------------------------------- */

static enum mih_gpu_state set_state(struct mih_gpu_dev *dev, bool wait)
{
	(void)dev;
	(void)wait;
	return MIH_GPU_READY;
}

/* Members are only ever added before the set ends. */
static size_t nmembers(struct set *set)
{
	size_t n;

	pthread_mutex_lock(&set->lock);
	n = set->n;
	pthread_mutex_unlock(&set->lock);
	return n;
}

/* In turn, so that each member's slots feed it and its neighbours alike. */
static void *staging_of_members(struct set *set, size_t len, bool ready)
{
	void *buf = NULL;
	size_t first, n;

	pthread_mutex_lock(&set->lock);
	first = set->next_staging++;
	n = set->n;
	pthread_mutex_unlock(&set->lock);
	for (size_t i = 0; i < n && !buf; i++) {
		struct mih_gpu_dev *member = set->members[(first + i) % n].dev;

		buf = ready ? mih_gpu_staging_ready(member, len)
			    : member->ops->staging_alloc(member, len);
	}
	return buf;
}

static void *set_staging_alloc(struct mih_gpu_dev *dev, size_t len)
{
	return staging_of_members(set_of(dev), len, false);
}

static void *set_staging_ready(struct mih_gpu_dev *dev, size_t len)
{
	return staging_of_members(set_of(dev), len, true);
}

static bool set_staging_has(struct mih_gpu_dev *dev, const void *buf,
			    size_t len)
{
	struct set *set = set_of(dev);
	size_t n = nmembers(set);
	bool has = false;

	for (size_t i = 0; i < n && !has; i++) {
		struct mih_gpu_dev *member = set->members[i].dev;

		has = member->ops->staging_has(member, buf, len);
	}
	return has;
}

static bool set_staging_free(struct mih_gpu_dev *dev, void *buf, size_t len)
{
	struct set *set = set_of(dev);
	size_t n = nmembers(set);

	for (size_t i = 0; i < n; i++) {
		struct mih_gpu_dev *member = set->members[i].dev;

		if (member->ops->staging_free(member, buf, len))
			return true;
	}
	return false;
}

static const char *set_describe(struct mih_gpu_dev *dev)
{
	struct set *set = set_of(dev);
	struct mih_gpu_dev *first = mih_gpu_cpu();

	pthread_mutex_lock(&set->lock);
	if (set->n)
		first = set->members[0].dev;
	pthread_mutex_unlock(&set->lock);
	return mih_gpu_describe(first);
}

static void look_at(struct mih_gpu_dev *dev, struct mih_gpu_member *member)
{
	member->kind = dev->kind;
	member->state = dev->ops->state(dev, false);
	snprintf(member->line, sizeof(member->line), "%s",
		 mih_gpu_describe(dev));
}

size_t mih_gpu_members(struct mih_gpu_dev *dev, struct mih_gpu_member *members,
		       size_t max)
{
	struct set *set = set_of(dev);
	size_t n;

	if (dev->ops->submit != set_submit) {
		if (max > 0)
			look_at(dev, members);
		return 1;
	}
	n = nmembers(set);
	for (size_t i = 0; i < MIH_MIN(n, max); i++)
		look_at(set->members[i].dev, &members[i]);
	return n;
}

static void set_close(struct mih_gpu_dev *dev)
{
	struct set *set = set_of(dev);

	pthread_mutex_lock(&set->lock);
	set->stopping = true;
	pthread_cond_broadcast(&set->changed);
	pthread_mutex_unlock(&set->lock);
	if (!mih_thread_join(&set->thread, 1, MIH_GPU_JOIN_S)) {
		mih_log_warning("devices: a driver that was asked for them "
				"does not return");
		return;
	}
	for (size_t i = 0; i < set->n; i++)
		mih_gpu_close(set->members[i].dev);
	pthread_cond_destroy(&set->changed);
	pthread_mutex_destroy(&set->lock);
	free(set->params.context);
	free(set);
}

static const struct mih_gpu_ops set_ops = {
	.close = set_close,
	.submit = set_submit,
	.state = set_state,
	.staging_alloc = set_staging_alloc,
	.staging_ready = set_staging_ready,
	.staging_has = set_staging_has,
	.staging_free = set_staging_free,
	.describe = set_describe,
};

mih_err mih_gpu_set_new(const struct mih_gpu_set_params *params,
			struct mih_gpu_dev **dev_out)
{
	struct set *set =
	    calloc(1, sizeof(*set) + params->n * sizeof(set->members[0]));
	int rc;

	if (!set)
		return mih_err_fail_errno(-ENOMEM, "devices");
	set->dev.ops = &set_ops;
	set->dev.kind = params->kind;
	set->params = *params;
	set->wanted[MIH_GPU_KERNEL_MTH4K_SHA256] = true;
	pthread_mutex_init(&set->lock, NULL);
	pthread_cond_init(&set->changed, NULL);
	rc = mih_thread_start(&set->thread, measure_main, set);
	if (rc) {
		free(set);
		return mih_err_fail_errno(-rc, "devices");
	}
	*dev_out = &set->dev;
	return 0;
}
