/*
 * The figures in the text format of Prometheus, version 0.0.4. Source:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#include "status/documents.h"
#include "status/figures.h"
#include "status/snapshot.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

#define PREFIX "mihfs_"

static void write_head(struct mih_buffer *out, const char *name,
		       const char *type, const char *help)
{
	mih_buffer_print(out,
			 "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n",
			 name, help, name, type);
}

/* A label's value may be any UTF-8 once quote, backslash and newline are
 * escaped; of a path's other bytes nobody knows what a scraper makes. */
static void write_label(struct mih_buffer *out, const char *name,
			const char *text)
{
	mih_buffer_print(out, "%s=\"", name);
	while (*text) {
		size_t len = mih_text_char(text);
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			mih_buffer_print(out, "\\%c", c);
		else if (!len || c < 0x20 || c == 0x7f)
			mih_buffer_print(out, "\\\\x%02x", c);
		else
			mih_buffer_add(out, text, len);
		text += len ? len : 1;
	}
	mih_buffer_add(out, "\"", 1);
}

static void write_counts(struct mih_buffer *out,
			 const struct mih_verify_stats *stats)
{
	for (size_t i = 0; i < MIH_VERIFY_COUNTS; i++) {
		const struct mih_status_figure *f = &mih_status_counts[i];

		write_head(out, f->metric, "counter", f->help);
		mih_buffer_print(out, PREFIX "%s %" PRIu64 "\n", f->metric,
				 stats->counts[i]);
	}
}

static void write_work(struct mih_buffer *out,
		       const struct mih_verify_work *work)
{
	write_head(out, "device_batches_total", "counter",
		   "Batches hashed, by the kind of device that did it.");
	for (unsigned i = 0; i < MIH_VERIFY_KINDS; i++)
		mih_buffer_print(
		    out,
		    PREFIX "device_batches_total{device=\"%s\"} %" PRIu64 "\n",
		    mih_verify_kind_name(i), work[i].batches);
	write_head(out, "device_bytes_total", "counter",
		   "Bytes hashed, by the kind of device that did it.");
	for (unsigned i = 0; i < MIH_VERIFY_KINDS; i++)
		mih_buffer_print(
		    out,
		    PREFIX "device_bytes_total{device=\"%s\"} %" PRIu64 "\n",
		    mih_verify_kind_name(i), work[i].bytes);
}

/* How many devices of a kind are in a state. */
static size_t count_devices(const struct mih_status_generation *g,
			    const char *kind, enum mih_gpu_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < g->ndevices; i++)
		n += !strcmp(g->devices[i].kind, kind) &&
		     g->devices[i].state == state;
	return n;
}

static void write_devices(struct mih_buffer *out,
			  const struct mih_status_generation *g)
{
	write_head(out, "devices", "gauge",
		   "Devices in use, by kind and state; one that is down is "
		   "never used again.");
	for (unsigned i = 0; i < MIH_VERIFY_KINDS; i++)
		for (unsigned state = 0; state < MIH_STATUS_DEVICE_STATES;
		     state++) {
			const char *kind = mih_verify_kind_name(i);

			mih_buffer_print(out,
					 PREFIX "devices{device=\"%s\","
						"state=\"%s\"} %zu\n",
					 kind, mih_status_device_state(state),
					 count_devices(g, kind, state));
		}
}

static void write_gauge(struct mih_buffer *out, const char *name,
			const char *help, uint64_t value)
{
	write_head(out, name, "gauge", help);
	mih_buffer_print(out, PREFIX "%s %" PRIu64 "\n", name, value);
}

/* Bounds in seconds; buckets are cumulative here. */
static void write_span(struct mih_buffer *out, const char *name,
		       const struct mih_verify_histogram *span)
{
	uint64_t n = 0;

	for (size_t i = 0; i < MIH_VERIFY_BUCKETS; i++) {
		n += span->buckets[i];
		mih_buffer_print(out, PREFIX "%s_bucket{le=\"", name);
		if (i < MIH_VERIFY_BUCKETS - 1)
			mih_buffer_print(out, "%g",
					 mih_verify_bucket_us[i] / 1e6);
		else
			mih_buffer_text(out, "+Inf");
		mih_buffer_print(out, "\"} %" PRIu64 "\n", n);
	}
	mih_buffer_print(out,
			 PREFIX "%s_sum %.9f\n" PREFIX "%s_count %" PRIu64 "\n",
			 name, (double)span->sum_ns / 1e9, name, n);
}

static void write_spans(struct mih_buffer *out,
			const struct mih_verify_stats *stats)
{
	for (size_t i = 0; i < MIH_VERIFY_SPANS; i++) {
		const struct mih_status_figure *f = &mih_status_spans[i];

		write_head(out, f->metric, "histogram", f->help);
		write_span(out, f->metric, &stats->spans[i]);
	}
}

static void write_info(struct mih_buffer *out,
		       const struct mih_status_snapshot *s)
{
	write_head(out, "info", "gauge",
		   "Always 1; the labels tell what is served.");
	for (size_t i = 0; i < s->ngenerations; i++) {
		const struct mih_status_generation *g = &s->generations[i];

		mih_buffer_print(out,
				 PREFIX "info{version=\"" PACKAGE_VERSION
					"\",generation=\"%" PRIu64 "\",",
				 g->number);
		write_label(out, "mountpoint", s->mountpoint);
		mih_buffer_text(out, ",");
		write_label(out, "model", g->dir);
		mih_buffer_print(out, ",root=\"%s\"} 1\n", g->root);
	}
}

static void write_file_states(struct mih_buffer *out,
			      const struct mih_status_generation *g)
{
	write_head(out, "files", "gauge",
		   "Signed files, by how far they are "
		   "proven.");
	for (unsigned i = 0; i < MIH_STATUS_STATES; i++)
		mih_buffer_print(out,
				 PREFIX "files{status=\"%s\"} %" PRIu64 "\n",
				 mih_status_name(i), g->files[i]);
	write_gauge(out, "model_bytes", "Bytes of all signed files.",
		    g->nbytes);
}

static void write_per_file(struct mih_buffer *out,
			   const struct mih_status_generation *g)
{
	write_head(out, "file_verified_bytes", "gauge",
		   "Bytes of distinct groups of a file proven so far.");
	for (size_t i = 0; i < g->nshown; i++) {
		mih_buffer_text(out, PREFIX "file_verified_bytes{");
		write_label(out, "path", g->shown[i].path);
		mih_buffer_print(out, "} %" PRIu64 "\n",
				 g->shown[i].stats.verified_bytes);
	}
	write_head(out, "file_failures_total", "counter",
		   "Refusals of a file, groups and openings together.");
	for (size_t i = 0; i < g->nshown; i++) {
		mih_buffer_text(out, PREFIX "file_failures_total{");
		write_label(out, "path", g->shown[i].path);
		mih_buffer_print(out, "} %" PRIu64 "\n",
				 g->shown[i].stats.failures);
	}
}

static void write_snapshot(const struct mih_status_snapshot *s, void *context)
{
	struct mih_buffer *out = context;

	write_info(out, s);
	write_gauge(out, "ready", "1 once the mount answers.", s->ready);
	write_gauge(out, "start_time_seconds",
		    "When the mount began, in seconds since 1970.",
		    (uint64_t)s->started);
	write_gauge(out, "generations",
		    "Models served at once: 2 while one replaces another.",
		    s->ngenerations);
	write_counts(out, &s->total);
	write_work(out, s->total.work);
	for (size_t i = 0; i < MIH_VERIFY_GAUGES; i++)
		write_gauge(out, mih_status_gauges[i].metric,
			    mih_status_gauges[i].help, s->total.gauges[i]);
	write_spans(out, &s->total);
	if (!s->ngenerations)
		return;
	write_devices(out, &s->generations[0]);
	write_file_states(out, &s->generations[0]);
	write_per_file(out, &s->generations[0]);
}

mih_err mih_status_metrics(struct mih_status *status, struct mih_buffer *out)
{
	mih_err err = mih_status_snapshot(status, write_snapshot, out);

	return err ? err : mih_buffer_end(out);
}
