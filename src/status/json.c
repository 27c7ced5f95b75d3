#include "sandbox/sandbox.h"
#include "status/documents.h"
#include "status/figures.h"
#include "status/snapshot.h"
#include "status/status_internal.h"
#include "util/out/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define FORMAT 1 /* raised when a field changes its meaning or goes */

void mih_status_write_time(struct mih_buffer *out, const char *name,
			   time_t when)
{
	char text[32] = "";
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	mih_json_text(out, name, text);
}

/* Counts of a histogram, each bucket alone, by its upper bound. */
static void write_span(struct mih_buffer *out, const char *name,
		       const struct mih_verify_histogram *span)
{
	uint64_t n = 0;

	mih_json_begin(out, name, '{');
	mih_json_begin(out, "buckets", '[');
	for (size_t i = 0; i < MIH_VERIFY_BUCKETS; i++) {
		mih_json_begin(out, NULL, '{');
		if (i < MIH_VERIFY_BUCKETS - 1)
			mih_json_number(out, "up_to_us",
					mih_verify_bucket_us[i]);
		mih_json_number(out, "n", span->buckets[i]);
		mih_json_end(out, '}');
		n += span->buckets[i];
	}
	mih_json_end(out, ']');
	mih_json_number(out, "n", n);
	mih_json_number(out, "sum_us", span->sum_ns / 1000);
	mih_json_end(out, '}');
}

static void write_stats(struct mih_buffer *out,
			const struct mih_verify_stats *stats)
{
	mih_json_begin(out, "counters", '{');
	for (size_t i = 0; i < MIH_VERIFY_COUNTS; i++)
		mih_json_number(out, mih_status_counts[i].field,
				stats->counts[i]);
	mih_json_end(out, '}');
	mih_json_begin(out, "hashed", '{');
	for (unsigned i = 0; i < MIH_VERIFY_KINDS; i++) {
		mih_json_begin(out, mih_verify_kind_name(i), '{');
		mih_json_number(out, "batches", stats->work[i].batches);
		mih_json_number(out, "bytes", stats->work[i].bytes);
		mih_json_end(out, '}');
	}
	mih_json_end(out, '}');
	mih_json_begin(out, "now", '{');
	for (size_t i = 0; i < MIH_VERIFY_GAUGES; i++)
		mih_json_number(out, mih_status_gauges[i].field,
				stats->gauges[i]);
	mih_json_end(out, '}');
	mih_json_begin(out, "latency", '{');
	for (size_t i = 0; i < MIH_VERIFY_SPANS; i++)
		write_span(out, mih_status_spans[i].field, &stats->spans[i]);
	mih_json_end(out, '}');
}

static void write_ways(struct mih_buffer *out,
		       const struct mih_status_generation *g)
{
	mih_json_begin(out, "served", '[');
	for (size_t i = 0; i < g->nshown; i++) {
		const struct mih_status_file *one = &g->shown[i];

		if (!one->stats.way)
			continue;
		mih_json_begin(out, NULL, '{');
		mih_json_text(out, "path", one->path);
		mih_json_text(out, "by", one->stats.way);
		mih_json_number(out, "verified_bytes",
				one->stats.verified_bytes);
		mih_json_end(out, '}');
	}
	mih_json_end(out, ']');
}

static void write_files(struct mih_buffer *out,
			const struct mih_status_generation *g)
{
	mih_json_begin(out, "files", '{');
	mih_json_number(out, "total", g->nfiles);
	for (unsigned i = 0; i < MIH_STATUS_STATES; i++)
		mih_json_number(out, mih_status_name(i), g->files[i]);
	mih_json_end(out, '}');
	mih_json_begin(out, "failed", '[');
	for (size_t i = 0; i < g->nshown; i++) {
		const struct mih_status_file *one = &g->shown[i];

		if (one->stats.status != MIH_VERIFY_FAILED)
			continue;
		mih_json_begin(out, NULL, '{');
		mih_json_text(out, "path", one->path);
		mih_json_number(out, "verified_bytes",
				one->stats.verified_bytes);
		mih_json_number(out, "failures", one->stats.failures);
		mih_json_end(out, '}');
	}
	mih_json_end(out, ']');
}

static void write_devices(struct mih_buffer *out,
			  const struct mih_status_generation *g)
{
	mih_json_begin(out, "devices", '[');
	for (size_t i = 0; i < g->ndevices; i++) {
		const struct mih_gpu_member *device = &g->devices[i];

		mih_json_begin(out, NULL, '{');
		mih_json_text(out, "kind", device->kind);
		mih_json_text(out, "name", device->line);
		mih_json_text(out, "state",
			      mih_status_device_state(device->state));
		mih_json_end(out, '}');
	}
	mih_json_end(out, ']');
}

static void write_generation(struct mih_buffer *out,
			     const struct mih_status_generation *g,
			     bool current)
{
	mih_json_begin(out, NULL, '{');
	mih_json_number(out, "number", g->number);
	mih_json_flag(out, "current", current);
	mih_json_text(out, "model", g->dir);
	mih_json_text(out, "root", g->root);
	mih_json_text(out, "signer", g->signer);
	mih_json_number(out, "bytes", g->nbytes);
	write_devices(out, g);
	mih_json_text(out, "status", mih_status_name(g->status));
	write_files(out, g);
	write_ways(out, g);
	mih_json_end(out, '}');
}

static void write_reloads(struct mih_buffer *out,
			  const struct mih_status_reloads *reloads)
{
	mih_json_begin(out, "reloads", '{');
	mih_json_number(out, "done", reloads->done);
	mih_json_number(out, "refused", reloads->refused);
	if (reloads->last)
		mih_status_write_time(out, "last", reloads->last);
	else
		mih_json_text(out, "last", "");
	mih_json_text(out, "error", reloads->error ? reloads->error : "");
	mih_json_end(out, '}');
}

/* Capabilities as /proc/PID/status shows them. */
static void write_sandbox(struct mih_buffer *out)
{
	const struct mih_sandbox_state *state = mih_sandbox_state();
	char text[256];

	mih_json_begin(out, "sandbox", '{');
	mih_sandbox_describe(state, text, sizeof(text));
	mih_json_text(out, "text", text);
	mih_json_flag(out, "entered", state->entered);
	mih_json_flag(out, "no_new_privileges", state->no_new_privileges);
	mih_json_flag(out, "capabilities_dropped", state->capabilities_dropped);
	if (state->capabilities_dropped) {
		snprintf(text, sizeof(text), "%016" PRIx64,
			 state->capabilities);
		mih_json_text(out, "capabilities", text);
	}
	mih_json_number(out, "landlock", (uint64_t)state->landlock);
	mih_json_flag(out, "system_call_filter", state->filter);
	mih_json_flag(out, "no_network", state->no_network);
	mih_json_flag(out, "no_core_dumps", state->no_core_dumps);
	mih_json_end(out, '}');
}

/* A mount exists only of a bundle whose signature was verified. */
static void write_snapshot(const struct mih_status_snapshot *s, void *context)
{
	struct mih_buffer *out = context;

	mih_json_begin(out, NULL, '{');
	mih_json_number(out, "format", FORMAT);
	mih_json_text(out, "version", PACKAGE_VERSION);
	mih_json_number(out, "pid", (uint64_t)getpid());
	mih_json_text(out, "mountpoint", s->mountpoint);
	mih_json_text(out, "bundle", s->bundle);
	mih_status_write_time(out, "started", s->started);
	mih_json_number(out, "uptime_seconds", s->uptime_s);
	mih_json_flag(out, "ready", s->ready);
	mih_json_text(out, "signature", s->ngenerations ? "verified" : "none");
	write_reloads(out, &s->reloads);
	mih_json_text(out, "status",
		      mih_status_name(s->ngenerations ? s->generations[0].status
						      : MIH_VERIFY_UNVERIFIED));
	write_sandbox(out);
	write_stats(out, &s->total);
	mih_json_begin(out, "generations", '[');
	for (size_t i = 0; i < s->ngenerations; i++)
		write_generation(out, &s->generations[i], i == 0);
	mih_json_end(out, ']');
	mih_json_end(out, '}');
	mih_buffer_text(out, "\n");
}

mih_err mih_status_json(struct mih_status *status, struct mih_buffer *out)
{
	mih_err err = mih_status_snapshot(status, write_snapshot, out);

	return err ? err : mih_buffer_end(out);
}
