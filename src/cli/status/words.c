#include "cli/status/words.h"
#include "util/checked.h"
#include "util/text.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

static uint64_t number(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (uint64_t)value : 0;
}

void mih_cli_status_put(const char *text)
{
	mih_text_print(stdout, text);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void print_text(const char *label, const json_t *object,
		       const char *name)
{
	printf("%-12s ", label);
	mih_cli_status_put(text_of(object, name));
	putchar('\n');
}

/* "12.3 GiB" */
static const char *size_text(uint64_t bytes, char text[32])
{
	static const char *const units[] = { "B",   "KiB", "MiB",
					     "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit + 1 < MIH_ARRAY_LEN(units); unit++)
		value /= 1024;
	snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_failed(const json_t *generation)
{
	const json_t *failed = json_object_get(generation, "failed"), *one;
	size_t i;

	json_array_foreach(failed, i, one) print_text("  failed", one, "path");
}

static void print_served(const json_t *generation)
{
	const json_t *served = json_object_get(generation, "served"), *one;
	char size[32];
	size_t i;

	json_array_foreach(served, i, one)
	{
		printf("  by %-7s ", text_of(one, "by"));
		mih_cli_status_put(text_of(one, "path"));
		printf(", %s verified\n",
		       size_text(number(one, "verified_bytes"), size));
	}
}

static void print_devices(const json_t *generation)
{
	const json_t *devices = json_object_get(generation, "devices"), *one;
	size_t i;

	json_array_foreach(devices, i, one)
	{
		print_text("device", one, "name");
		if (strcmp(text_of(one, "state"), "ready") != 0)
			print_text("  it is", one, "state");
	}
}

static void print_generation(const json_t *generation)
{
	const json_t *files = json_object_get(generation, "files");
	char size[32];

	print_text("model", generation, "model");
	if (!json_is_true(json_object_get(generation, "current")))
		printf("%-12s for files that are still open\n", "  old");
	print_text("signed by", generation, "signer");
	print_text("root", generation, "root");
	print_devices(generation);
	print_text("status", generation, "status");
	printf("%-12s %" PRIu64 " (%s): %" PRIu64 " verified, %" PRIu64
	       " partly, %" PRIu64 " not yet, %" PRIu64 " failed\n",
	       "files", number(files, "total"),
	       size_text(number(generation, "bytes"), size),
	       number(files, "verified"), number(files, "partial"),
	       number(files, "unverified"), number(files, "failed"));
	print_failed(generation);
	print_served(generation);
}

static void print_reloads(const json_t *reloads)
{
	const char *error =
	    json_string_value(json_object_get(reloads, "error"));

	if (number(reloads, "done") + number(reloads, "refused") == 0)
		return;
	printf("%-12s %" PRIu64 " done, %" PRIu64 " refused\n", "reloads",
	       number(reloads, "done"), number(reloads, "refused"));
	if (error && *error)
		print_text("  refused", reloads, "error");
}

void mih_cli_status_words(const json_t *status)
{
	const json_t *counters = json_object_get(status, "counters");
	const json_t *now = json_object_get(status, "now"), *generation;
	uint64_t reads = number(counters, "reads");
	char size[32], limit[32];
	size_t i;

	print_text("mount", status, "mountpoint");
	printf("%-12s %" PRIu64 ", for %" PRIu64 " s\n", "process",
	       number(status, "pid"), number(status, "uptime_seconds"));
	print_text("version", status, "version");
	print_text("sandbox", json_object_get(status, "sandbox"), "text");
	json_array_foreach(json_object_get(status, "generations"), i,
			   generation) print_generation(generation);
	print_reloads(json_object_get(status, "reloads"));
	printf("%-12s %s\n", "verified",
	       size_text(number(counters, "verified_bytes"), size));
	printf("%-12s %" PRIu64 " groups, %" PRIu64 " files\n", "refused",
	       number(counters, "refused_groups"),
	       number(counters, "refused_files"));
	printf("%-12s %s of %s, %.0f %% of %" PRIu64 " reads without a load\n",
	       "cache", size_text(number(now, "cache_bytes"), size),
	       size_text(number(now, "cache_limit_bytes"), limit),
	       percent(number(counters, "read_hits"), reads), reads);
}

static uint64_t counter(const json_t *status, const char *name)
{
	return number(json_object_get(status, "counters"), name);
}

/* A mount that was made anew in between begins at 0. */
static uint64_t gained(const json_t *before, const json_t *now,
		       const char *name)
{
	uint64_t from = counter(before, name), to = counter(now, name);

	return to > from ? to - from : 0;
}

void mih_cli_status_headings(void)
{
	printf("%10s %12s %12s %7s %8s %8s %8s\n", "verified", "verified/s",
	       "served/s", "hits", "queued", "refused", "errors");
}

void mih_cli_status_line(const json_t *before, const json_t *now,
			 double seconds)
{
	char total[32], verified[32], served[32];
	const json_t *gauges = json_object_get(now, "now");
	double good = (double)gained(before, now, "verified_bytes") / seconds;
	double out = (double)gained(before, now, "served_bytes") / seconds;

	printf("%10s %12s %12s %5.0f %% %8" PRIu64 " %8" PRIu64 " %8" PRIu64
	       "\n",
	       size_text(counter(now, "verified_bytes"), total),
	       size_text((uint64_t)good, verified),
	       size_text((uint64_t)out, served),
	       percent(gained(before, now, "read_hits"),
		       gained(before, now, "reads")),
	       number(gauges, "queued"),
	       counter(now, "refused_groups") + counter(now, "refused_files"),
	       counter(now, "read_errors") + counter(now, "open_errors"));
}
