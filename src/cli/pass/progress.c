#include "cli/pass/progress.h"
#include "util/host/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 100000000L /* ten pictures a second */
#define BAR	30

static double seconds_since(uint64_t start_ns)
{
	return (double)(mih_clock_ns() - start_ns) / 1e9;
}

static void draw(struct mih_cli_progress *p)
{
	uint64_t done = atomic_load_explicit(&p->done, memory_order_relaxed);
	uint64_t total = atomic_load_explicit(&p->total, memory_order_relaxed);
	double part = total ? (double)done / (double)total : 1;
	double seconds = seconds_since(p->start_ns);
	double speed = (double)done / (seconds > 0 ? seconds : 1);
	double left =
	    speed > 0 && done < total ? (double)(total - done) / speed : 0;
	char bar[BAR + 1];
	int full = part > 1 ? BAR : (int)(part * BAR);

	memset(bar, ' ', BAR);
	memset(bar, '#', (size_t)full);
	bar[BAR] = '\0';
	fprintf(stderr, "\r%s [%s] %3d%% %.2f GB/s, %d:%02d left \033[K",
		p->label, bar, (int)(part * 100), speed / 1e9, (int)left / 60,
		(int)left % 60);
	fflush(stderr);
}

static void *draw_thread(void *arg)
{
	static const struct timespec tick = { .tv_nsec = TICK_NS };
	struct mih_cli_progress *p = arg;

	while (!atomic_load(&p->stopping)) {
		nanosleep(&tick, NULL);
		if (!atomic_load(&p->stopping))
			draw(p);
	}
	return NULL;
}

void mih_cli_progress_start(struct mih_cli_progress *p, const char *label,
			    uint64_t total, bool quiet)
{
	*p = (struct mih_cli_progress){
		.label = label,
		.total = total,
		.start_ns = mih_clock_ns(),
	};
	if (!quiet && isatty(STDERR_FILENO))
		p->drawing =
		    pthread_create(&p->thread, NULL, draw_thread, p) == 0;
}

double mih_cli_progress_stop(struct mih_cli_progress *p)
{
	if (p->drawing) {
		atomic_store(&p->stopping, true);
		pthread_join(p->thread, NULL);
		p->drawing = false;
		fprintf(stderr, "\r\033[K");
		fflush(stderr);
	}
	return seconds_since(p->start_ns);
}
