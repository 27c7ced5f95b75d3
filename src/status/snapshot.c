#include "status/snapshot.h"
#include "status/status_internal.h"
#include "util/bytes.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/host/clock.h"

#include <stdlib.h>

static const char *const names[MIH_STATUS_STATES] = {
	[MIH_VERIFY_UNVERIFIED] = "unverified",
	[MIH_VERIFY_PARTIAL] = "partial",
	[MIH_VERIFY_VERIFIED] = "verified",
	[MIH_VERIFY_FAILED] = "failed",
};

const char *mih_status_name(enum mih_verify_status status)
{
	return names[status];
}

const char *mih_status_device_state(enum mih_gpu_state state)
{
	static const char *const states[MIH_STATUS_DEVICE_STATES] = {
		[MIH_GPU_STARTING] = "starting",
		[MIH_GPU_READY] = "ready",
		[MIH_GPU_DOWN] = "down",
	};

	return states[state];
}

static enum mih_verify_status all_together(const uint64_t *files, size_t n)
{
	if (files[MIH_VERIFY_FAILED])
		return MIH_VERIFY_FAILED;
	if (files[MIH_VERIFY_VERIFIED] == n)
		return MIH_VERIFY_VERIFIED;
	if (files[MIH_VERIFY_UNVERIFIED] == n)
		return MIH_VERIFY_UNVERIFIED;
	return MIH_VERIFY_PARTIAL;
}

enum mih_verify_status mih_status_of_model(struct mih_verify_engine *engine,
					   size_t nfiles)
{
	uint64_t files[MIH_STATUS_STATES] = { 0 };

	for (size_t i = 0; i < nfiles; i++) {
		struct mih_verify_file_stats stats;

		mih_verify_file_stats(engine, i, &stats);
		files[stats.status]++;
	}
	return all_together(files, nfiles);
}

static bool is_shown(const struct mih_status_generation *g,
		     const struct mih_verify_file_stats *stats)
{
	if (g->nshown == MIH_STATUS_FILES_MAX)
		return false;
	return g->nfiles <= MIH_STATUS_FILES_MAX || stats->failures ||
	       stats->way || stats->status == MIH_VERIFY_FAILED;
}

static void look_at_files(const struct mih_status_served *served,
			  struct mih_status_generation *g)
{
	for (size_t i = 0; i < g->nfiles; i++) {
		const struct mih_verify_file *file = &served->model->files[i];
		struct mih_status_file one = { .path = file->path };

		mih_verify_file_stats(served->engine, i, &one.stats);
		g->files[one.stats.status]++;
		g->nbytes += file->nbytes;
		if (is_shown(g, &one.stats))
			g->shown[g->nshown++] = one;
	}
	g->status = all_together(g->files, g->nfiles);
}

static void look_at(const struct mih_status_served *served,
		    struct mih_status_generation *g)
{
	uint8_t root[MIH_STATUS_ROOT_LEN / 2];

	g->number = served->number;
	g->dir = served->model->dir;
	g->signer = mih_sig_bundle_signer(served->model->bundle);
	mih_sig_bundle_root(served->model->bundle, root);
	mih_bytes_to_hex(root, sizeof(root), g->root);
	g->nfiles = served->model->nfiles;
	g->ndevices =
	    MIH_MIN(mih_gpu_members(mih_verify_engine_device(served->engine),
				    g->devices, MIH_STATUS_DEVICES_MAX),
		    (size_t)MIH_STATUS_DEVICES_MAX);
	look_at_files(served, g);
	mih_verify_engine_stats(served->engine, &g->stats);
}

mih_err mih_status_snapshot(
    struct mih_status *status,
    void (*render)(const struct mih_status_snapshot *snapshot, void *context),
    void *context)
{
	mih_autofree struct mih_status_snapshot *s = calloc(1, sizeof(*s));
	const struct mih_status_served *served;

	if (!s)
		return -ENOMEM;
	s->mountpoint = status->mountpoint;
	s->bundle = status->bundle;
	s->started = status->started;
	s->uptime_s = (mih_clock_ns() - status->started_ns) / 1000000000;
	s->ready = atomic_load(&status->ready);
	pthread_mutex_lock(&status->lock);
	s->total = status->past;
	s->reloads = status->reloads;
	STAILQ_FOREACH(served, &status->served, next)
	{
		struct mih_status_generation *g =
		    &s->generations[s->ngenerations];

		if (s->ngenerations == MIH_STATUS_GENERATIONS)
			break;
		look_at(served, g);
		mih_status_sum(&s->total, &g->stats, true);
		s->ngenerations++;
	}
	render(s, context);
	pthread_mutex_unlock(&status->lock);
	return 0;
}
