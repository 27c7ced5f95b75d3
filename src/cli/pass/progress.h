/*
 * cli/pass/progress.h - a bar with speed and time left, on a terminal only
 *
 * Layer: src/cli.  Threads: a thread of its own draws; start and stop are for
 * one thread; whoever works only counts up @done.
 */
#ifndef MIH_CLI_PASS_PROGRESS_H
#define MIH_CLI_PASS_PROGRESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mih_cli_progress {
	const char *label;	/* "signing" (borrowed) */
	_Atomic uint64_t total; /* bytes; may become more meanwhile */
	_Atomic uint64_t done;	/* bytes; hand this to the work */
	/* The bar's. */
	uint64_t start_ns;
	bool drawing;
	atomic_bool stopping;
	pthread_t thread;
};

/**
 * mih_cli_progress_start() - begin to count, and to draw if anybody can see it
 * @p:     caller's memory; finish with mih_cli_progress_stop()
 * @label: one word for what is done (kept)
 * @total: bytes to be done
 * @quiet: draw nothing
 *
 * Draws on stderr, and only if that is a terminal. A bar that cannot be drawn
 * is no reason to fail.
 */
void mih_cli_progress_start(struct mih_cli_progress *p, const char *label,
			    uint64_t total, bool quiet);

/**
 * mih_cli_progress_stop() - wipe the bar off
 *
 * Return: seconds since start.
 */
double mih_cli_progress_stop(struct mih_cli_progress *p);

#endif
