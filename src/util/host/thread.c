#include "util/host/thread.h"
#include "util/cleanup.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

int mih_thread_start(pthread_t *thread_out, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(thread_out, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

bool mih_thread_join(const pthread_t *threads, size_t n, unsigned seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)seconds;
	for (size_t i = 0; i < n; i++)
		if (pthread_timedjoin_np(threads[i], NULL, &until))
			return false;
	return true;
}

struct crew {
	const char *name;
	void (*run)(void *context);
	void *context;
};

static void *work(void *arg)
{
	const struct crew *crew = arg;

	pthread_setname_np(pthread_self(), crew->name);
	crew->run(crew->context);
	return NULL;
}

void mih_thread_crew(const char *name, size_t n, void (*run)(void *context),
		     void *context)
{
	mih_autofree pthread_t *threads = calloc(n, sizeof(*threads));
	struct crew crew = { name, run, context };
	size_t started = 0;

	while (threads && started < n &&
	       !mih_thread_start(&threads[started], work, &crew))
		started++;
	if (!started)
		run(context);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}
