/*
 * util/host/cgroup.h - what the control groups of this process allow
 *
 * Layer: src/util.  Threads: no state.
 * Source: cgroups(7), proc_pid_mountinfo(5), kernel documentation cgroup-v2.
 */
#ifndef MIH_UTIL_HOST_CGROUP_H
#define MIH_UTIL_HOST_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/** Where the kernel tells about a process. */
struct mih_cgroup_files {
	const char *cgroup;    /* "/proc/self/cgroup" */
	const char *mountinfo; /* "/proc/self/mountinfo" */
};

/**
 * mih_cgroup_memory_limit() - the least limit of memory above this process
 * @files: NULL: of this process
 * @limit_out: set to bytes if there is a limit
 *
 * Both versions of control groups, also side by side; each group up to the
 * uppermost one that is mounted here counts.
 *
 * Return: true if there is a limit.
 */
bool mih_cgroup_memory_limit(const struct mih_cgroup_files *files,
			     uint64_t *limit_out);

#endif
