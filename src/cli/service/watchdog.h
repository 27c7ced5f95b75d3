/*
 * cli/service/watchdog.h - tell a supervisor that the mount still answers
 *
 * Layer: src/cli.  Threads: start and stop from one thread each, in this order.
 * Source: sd_watchdog_enabled(3), sd_notify(3).
 *
 * A request of its own goes through the kernel and back, as anybody's does:
 * statfs(2), which the kernel never answers from memory. While the session
 * does not answer it no word is sent, and the supervisor does what it is told
 * to do then. Readers that wait for a slow disk are no reason: they hold no
 * thread of the session.
 */
#ifndef MIH_CLI_SERVICE_WATCHDOG_H
#define MIH_CLI_SERVICE_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct mih_cli_watchdog {
	const char *mountpoint; /* borrowed; NULL: not known */
	uint64_t every_ns;
	bool started, stopping;
	pthread_mutex_t lock; /* guards stopping */
	pthread_cond_t stop;
	pthread_t thread;
};

/**
 * mih_cli_watchdog_start() - if $WATCHDOG_USEC says so, from now on
 * @mountpoint: a path (kept until stop); NULL if it is not known, when all
 *              that can be said is that the process lives
 *
 * Sends twice in that time. A failure to start is told in the log.
 */
void mih_cli_watchdog_start(struct mih_cli_watchdog *w, const char *mountpoint);

/** mih_cli_watchdog_stop() - after the mount is gone; none is fine. */
void mih_cli_watchdog_stop(struct mih_cli_watchdog *w);

#endif
