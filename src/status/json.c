#include "status/documents.h"
#include "status/snapshot.h"
#include "util/out/json.h"

#include <unistd.h>

#define FORMAT 1 /* raised when a field changes its meaning or goes */

static void write_time(struct mih_buffer *out, const char *name, time_t when)
{
	char text[32] = "";
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	mih_json_text(out, name, text);
}

static void write_stats(struct mih_buffer *out,
			const struct mih_verify_stats *stats)
{
	mih_json_begin(out, "counters", '{');
	mih_json_number(out, "read_bytes", stats->bytes_read);
	mih_json_number(out, "verified_bytes", stats->bytes_verified);
	mih_json_number(out, "refused_groups", stats->groups_bad);
	mih_json_number(out, "cache_hits", stats->cache_hits);
	mih_json_end(out, '}');
	mih_json_begin(out, "now", '{');
	mih_json_number(out, "cache_bytes", stats->cache_bytes);
	mih_json_end(out, '}');
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
	for (size_t i = 0; i < g->nfailed; i++) {
		const struct mih_status_failed *one = &g->failed[i];

		mih_json_begin(out, NULL, '{');
		mih_json_text(out, "path", one->path);
		mih_json_number(out, "verified_bytes",
				one->stats.verified_bytes);
		mih_json_number(out, "failures", one->stats.failures);
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
	mih_json_text(out, "status", mih_status_name(g->status));
	write_files(out, g);
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
	write_time(out, "started", s->started);
	mih_json_number(out, "uptime_seconds", s->uptime_s);
	mih_json_flag(out, "ready", s->ready);
	mih_json_text(out, "signature", s->ngenerations ? "verified" : "none");
	mih_json_text(out, "status",
		      mih_status_name(s->ngenerations ? s->generations[0].status
						      : MIH_VERIFY_UNVERIFIED));
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
