/*
 * fs/unmount/unmounter.h - a process beside the server that can still unmount
 *
 * Layer: src/fs.  Threads: start before there are any; the rest on any one.
 *
 * A server in its sandbox can neither unmount nor run fusermount3. The
 * unmounter can do this one thing, for this one mount point, and only when it
 * is told to: if the server dies, the mount stays dead, so that nobody reads
 * what lies beneath it instead.
 */
#ifndef MIH_FS_UNMOUNT_UNMOUNTER_H
#define MIH_FS_UNMOUNT_UNMOUNTER_H

#include "util/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct mih_fs_unmounter {
	int socket; /* to the process; owned */
	pid_t pid;  /* 0: there is none */
};

/**
 * mih_fs_unmounter_start() - fork, while there is one thread
 * @mountpoint: absolute
 * @dev: what is mounted there
 *
 * The process keeps no descriptor of ours, and no signal but SIGKILL ends it
 * before we do. As root it keeps two capabilities and a dozen system calls.
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_unmounter_start(struct mih_fs_unmounter *u,
					      const char *mountpoint,
					      dev_t dev);

/**
 * mih_fs_unmounter_ask() - free the mount point, whoever still uses it
 *
 * Return: 0; -errno with a story; -ETIMEDOUT after five seconds.
 */
MIH_MUST_CHECK mih_err mih_fs_unmounter_ask(const struct mih_fs_unmounter *u,
					    const char *mountpoint);

/** mih_fs_unmounter_end() - let it go; none is fine. */
void mih_fs_unmounter_end(struct mih_fs_unmounter *u);

/**
 * mih_fs_unmount_now() - umount2(2), or what an unprivileged user has for it
 *
 * @dev: what is mounted there; nothing else is unmounted
 *
 * Ends what the kernel still waits for.
 *
 * Return: 0 or -errno.
 */
MIH_MUST_CHECK mih_err mih_fs_unmount_now(const char *mountpoint, dev_t dev);

#endif
