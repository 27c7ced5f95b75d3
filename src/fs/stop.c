/*
 * Signals. SIGHUP is handed on; the others end the mount. libfuse's own handler
 * sets a flag and may miss a loop that is just about to sleep; and it knows no
 * limit of time. So one thread waits for the signals, wakes the loop until it
 * has seen the flag, and when the end takes too long, frees the mount point and
 * leaves: the kernel then ends every call of every reader.
 */
#include "fs/fs_internal.h"
#include "util/log.h"

#include <stdlib.h>
#include <time.h>

/* As systemd(1) has them for its own log. */
#define MORE_LOG (SIGRTMIN + 22)
#define LESS_LOG (SIGRTMIN + 23)

#define WAKE_MS	 20
#define LIMIT_MS 7000 /* an orderly end takes milliseconds */

static void fill_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, MORE_LOG);
	sigaddset(set, LESS_LOG);
	sigaddset(set, SIGUSR1); /* ours: the mount has ended by itself */
}

void mih_fs_stopper_block(struct mih_fs_stopper *stopper)
{
	sigset_t set;

	fill_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, &stopper->saved);
}

_Noreturn void mih_fs_force(const struct mih_fs *fs, const char *why)
{
	mih_log_warning("%s: %s: unmounting by force", fs->mountpoint, why);
	mih_fs_detach(fs);
	_exit(EXIT_SUCCESS);
}

/* Does @signal say that the mount is to end? One for the log is obeyed. */
static bool ends_mount(int signal)
{
	if (signal == MORE_LOG || signal == LESS_LOG) {
		mih_log_verbose(signal == MORE_LOG);
		mih_log_info("debug lines %s",
			     signal == MORE_LOG ? "from now on" : "no more");
	}
	return signal == SIGTERM || signal == SIGINT;
}

/* Wake the loop until it has ended; give up on it by time or signal. */
static void see_it_end(struct mih_fs_stopper *stopper, const sigset_t *set)
{
	const struct timespec tick = { .tv_nsec = WAKE_MS * 1000000L };

	for (int waited_ms = 0; waited_ms < LIMIT_MS; waited_ms += WAKE_MS) {
		int signal;

		if (atomic_load(&stopper->looping))
			pthread_kill(stopper->loop, SIGUSR2);
		signal = sigtimedwait(set, NULL, &tick);
		if (atomic_load(&stopper->ended))
			return;
		if (ends_mount(signal))
			mih_fs_force(stopper->fs, "second signal");
	}
	mih_fs_force(stopper->fs, "still busy after 7 seconds");
}

static void *wait_for_signal(void *context)
{
	struct mih_fs_stopper *stopper = context;
	int signal;
	sigset_t set;

	fill_signals(&set);
	/* Anybody may send SIGUSR1; it says nothing before the end. */
	do {
		if (sigwait(&set, &signal) != 0)
			signal = SIGUSR1;
		if (atomic_load(&stopper->ended))
			return NULL;
		if (signal == SIGHUP)
			mih_fs_keeper_reload(&stopper->fs->keeper);
	} while (!ends_mount(signal));
	mih_fs_say_stopping(stopper->fs);
	/* The FUSE threads are needed for this. */
	if (!mih_fs_keeper_quiet(&stopper->fs->keeper))
		mih_fs_force(stopper->fs, "a folder is kept locked");
	mih_log_debug("%s: signal %d: unmounting", stopper->fs->mountpoint,
		      signal);
	fuse_session_exit(stopper->fs->session);
	see_it_end(stopper, &set);
	return NULL;
}

static void wake(int signal)
{
	(void)signal;
}

mih_err mih_fs_stopper_start(struct mih_fs_stopper *stopper, struct mih_fs *fs)
{
	struct sigaction action = { .sa_handler = wake };
	int err;

	stopper->fs = fs;
	stopper->loop = pthread_self();
	atomic_init(&stopper->looping, true);
	atomic_init(&stopper->ended, false);
	sigaction(SIGUSR2, &action, NULL);
	err = pthread_create(&stopper->thread, NULL, wait_for_signal, stopper);
	if (err)
		return mih_err_fail_errno(-err, "%s: cannot start a thread",
					  fs->mountpoint);
	return 0;
}

void mih_fs_stopper_finish(struct mih_fs_stopper *stopper, bool started)
{
	if (started) {
		atomic_store(&stopper->ended, true);
		pthread_kill(stopper->thread, SIGUSR1);
		pthread_join(stopper->thread, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &stopper->saved, NULL);
}
