/*
 * sandbox/sandbox.h - give up, for ever, what serving does not need
 *
 * Layer: src/sandbox, above src/util only.  Threads: what is given up is given
 * up by the calling thread and by those it starts later, so enter before any
 * other thread exists; the state is immutable afterwards.
 *
 * doc/sandbox.md says what each part keeps out and who needs what.
 */
#ifndef MIH_SANDBOX_SANDBOX_H
#define MIH_SANDBOX_SANDBOX_H

#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What may be done with a file, or with everything below a folder. */
enum mih_sandbox_access {
	MIH_SANDBOX_READ = 1,	 /* read files, list folders */
	MIH_SANDBOX_WRITE = 2,	 /* write to files and devices that exist */
	MIH_SANDBOX_MAKE = 4,	 /* make, rename and remove files, folders */
	MIH_SANDBOX_EXECUTE = 8, /* run programs */
};

/** A place that stays open. A descriptor, since a mount may cover the path. */
struct mih_sandbox_path {
	int fd;		 /* O_PATH; borrowed */
	unsigned access; /* of enum mih_sandbox_access */
};

/** Which system calls are left. */
enum mih_sandbox_filter {
	MIH_SANDBOX_ALL_CALLS, /* for drivers, of which nobody knows the needs
				*/
	MIH_SANDBOX_SERVE,     /* reading files and talking to the kernel */
	MIH_SANDBOX_UNMOUNT,   /* umount2(2), and a pipe to be told when */
};

struct mih_sandbox_params {
	const struct mih_sandbox_path *paths; /* all else is closed */
	size_t npaths;
	bool no_paths; /* leave the file system as it is: Landlock would also
			  forbid to unmount */
	uint64_t capabilities; /* to keep: bits 1 << CAP_..., if held at all */
	enum mih_sandbox_filter filter;
	bool memory_files; /* SERVE: also make files in memory, */
	bool stages;	   /* and hand them to FUSE */
};

/** What is in force in this process; all 0 before mih_sandbox_enter(). */
struct mih_sandbox_state {
	bool entered;
	bool no_new_privileges, no_core_dumps;
	bool capabilities_dropped;
	uint64_t capabilities; /* effective ones that are left */
	int landlock;	       /* version of its interface; 0: not in force */
	bool no_network;       /* no connection can be made */
	bool filter;	       /* system calls are filtered */
};

/**
 * mih_sandbox_enter() - as much of @params as this system can do
 *
 * What is not possible here is left out, and the rest done all the same: the
 * caller decides whether that is enough.
 *
 * Return: 0 if all that was asked for is in force; else -ENOSYS, -EPERM,
 * -ENOMEM ... with a story that names the first part that is not.
 */
MIH_MUST_CHECK mih_err
mih_sandbox_enter(const struct mih_sandbox_params *params);

/**
 * mih_sandbox_no_dumps() - no core dump, and no debugger of the same user
 *
 * For a process that has a secret in its memory; part of mih_sandbox_enter().
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_sandbox_no_dumps(void);

/** mih_sandbox_state() - what is in force; immutable once entered. */
const struct mih_sandbox_state *mih_sandbox_state(void);

/**
 * mih_sandbox_describe() - one line for people
 * @line: "no capabilities, Landlock 7, ..." or "off"
 */
void mih_sandbox_describe(const struct mih_sandbox_state *state, char *line,
			  size_t cap);

/**
 * mih_sandbox_without_capabilities() - would @works, if there were none?
 *
 * Gives up this thread's effective capabilities while @works runs.
 *
 * Return: what @works returned; true if there is nothing to give up.
 */
bool mih_sandbox_without_capabilities(bool (*works)(void *context),
				      void *context);

/** What this system offers; nothing is changed by asking. */
struct mih_sandbox_offer {
	int landlock;	       /* version; 0: none, landlock_err says why */
	int landlock_err;      /* positive errno */
	bool filter_built;     /* built with libseccomp */
	bool filter_kernel;    /* the kernel can filter */
	uint64_t capabilities; /* effective ones now */
};

/** mih_sandbox_probe() - what could be in force here. */
void mih_sandbox_probe(struct mih_sandbox_offer *offer);

#endif
