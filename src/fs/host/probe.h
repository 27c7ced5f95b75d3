/*
 * fs/host/probe.h - can this host mount, and what does its kernel offer?
 *
 * Layer: src/fs.  Threads: forks; call while there is one thread.
 */
#ifndef MIH_FS_HOST_PROBE_H
#define MIH_FS_HOST_PROBE_H

#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** What a kernel says when a file system begins. */
struct mih_fs_offer {
	uint32_t major, minor; /* of its protocol */
	uint32_t max_readahead;
	bool max_pages;	  /* requests over 128 KiB */
	bool mmap_direct; /* mmap of files that are not cached */
	bool passthrough; /* reads that never leave the kernel */
	bool io_uring;	  /* requests by io_uring */
};

/**
 * mih_fs_probe() - mount for real, where nobody sees it, and listen
 *
 * In a mount namespace of a process of its own; without privileges in a user
 * namespace too. Ends within three seconds.
 *
 * Return: 0; -errno of the step that failed, with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_probe(struct mih_fs_offer *offer_out);

/** mih_fs_probe_namespace() - may this user make a user namespace? */
mih_err mih_fs_probe_namespace(void);

/** What a mount answers to statfs(2). */
enum mih_fs_life { MIH_FS_ALIVE, MIH_FS_DEAD, MIH_FS_SILENT };

/** mih_fs_probe_mount() - ask the mount on @path; waits two seconds at most. */
enum mih_fs_life mih_fs_probe_mount(const char *path);

/** mih_fs_library() - the version of libfuse that is in use. */
const char *mih_fs_library(void);

#endif
