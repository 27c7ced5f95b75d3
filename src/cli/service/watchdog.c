#include "cli/service/watchdog.h"
#include "cli/service/notify.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define LEAST_US 1000 /* more often says nothing more */

/* 0: nobody waits for us. */
static uint64_t interval_us(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	unsigned long long n;
	char *end;

	if (!usec || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	errno = 0;
	n = strtoull(usec, &end, 10);
	return errno || *end || end == usec || n < 2 * LEAST_US ? 0 : n;
}

static bool is_alive(const struct mih_cli_watchdog *w)
{
	struct statvfs st;

	return !w->mountpoint || statvfs(w->mountpoint, &st) == 0;
}

/* False when it is time to end. */
static bool sleep_once(struct mih_cli_watchdog *w)
{
	struct timespec until;
	uint64_t ns;
	bool go_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	ns = (uint64_t)until.tv_nsec + w->every_ns;
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	pthread_mutex_lock(&w->lock);
	while (!w->stopping &&
	       pthread_cond_clockwait(&w->stop, &w->lock, CLOCK_MONOTONIC,
				      &until) != ETIMEDOUT)
		;
	go_on = !w->stopping;
	pthread_mutex_unlock(&w->lock);
	return go_on;
}

static void *watch(void *context)
{
	struct mih_cli_watchdog *w = context;

	do {
		if (is_alive(w))
			mih_cli_notify("WATCHDOG=1");
	} while (sleep_once(w));
	return NULL;
}

void mih_cli_watchdog_start(struct mih_cli_watchdog *w, const char *mountpoint)
{
	uint64_t us = interval_us();
	int err;

	*w = (struct mih_cli_watchdog){ .mountpoint = mountpoint,
					.every_ns = us * 1000 / 2 };
	if (!us)
		return;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->stop, NULL);
	err = pthread_create(&w->thread, NULL, watch, w);
	if (err)
		mih_log_error("watchdog: cannot start a thread: %s",
			      strerror(err));
	else
		pthread_setname_np(w->thread, "mihfs-watchdog");
	w->started = !err;
}

void mih_cli_watchdog_stop(struct mih_cli_watchdog *w)
{
	if (!w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->stop);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->started = false;
}
