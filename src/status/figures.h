/*
 * status/figures.h - every figure of an engine: its names and its meaning
 *
 * Layer: src/status.  Threads: immutable tables.
 *
 * status.json and the metrics are written from these tables, and
 * doc/monitoring.md is held against what is written.
 */
#ifndef MIH_STATUS_FIGURES_H
#define MIH_STATUS_FIGURES_H

#include "verify/count/counts.h"

/** Names of one figure. */
struct mih_status_figure {
	const char *field;  /* in status.json */
	const char *metric; /* Prometheus, without "mihfs_" */
	const char *help;   /* one sentence, no newline, no backslash */
};

extern const struct mih_status_figure mih_status_counts[MIH_VERIFY_COUNTS];
extern const struct mih_status_figure mih_status_gauges[MIH_VERIFY_GAUGES];
extern const struct mih_status_figure mih_status_spans[MIH_VERIFY_SPANS];

#endif
