/*
 * util/host/thread.h - threads that no signal reaches
 *
 * Layer: src/util.  Threads: no state.
 *
 * Signals are for the thread that waits for them, so those started here have
 * all of them blocked.
 */
#ifndef MIH_UTIL_HOST_THREAD_H
#define MIH_UTIL_HOST_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/** mih_thread_start() - as pthread_create(). Return: 0 or an errno. */
int mih_thread_start(pthread_t *thread_out, void *(*run)(void *arg), void *arg);

/**
 * mih_thread_join() - wait for @n threads, but not longer than @seconds
 *
 * Return: false if one of them still runs; then what they use must be left
 * alone for good.
 */
bool mih_thread_join(const pthread_t *threads, size_t n, unsigned seconds);

/**
 * mih_thread_crew() - run the same function on @n threads, and wait for them
 * @name: of the threads, at most 15 bytes
 * @run:  gets @context; shares out the work itself, among however many there
 *        are: where the system gives fewer threads there are fewer, and
 *        without any the caller does it all
 */
void mih_thread_crew(const char *name, size_t n, void (*run)(void *context),
		     void *context);

#endif
