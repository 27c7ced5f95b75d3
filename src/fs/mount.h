/*
 * fs/mount.h - serve an engine's model as a read-only file system
 *
 * Layer: src/fs, the only one that knows FUSE.  Threads: one mount at a time
 * per call; the call owns its threads.
 */
#ifndef MIH_FS_MOUNT_H
#define MIH_FS_MOUNT_H

#include "status/status.h"
#include "util/err.h"
#include "verify/engine.h"

#include <stdbool.h>
#include <sys/types.h>

/** How readers get their bytes; see fs/serve/mode.h. */
enum mih_fs_serve {
	MIH_FS_CACHE,
	MIH_FS_DIRECT, /* the engine is to keep what was read */
	MIH_FS_STAGE,  /* the engine is to stage files */
};

/**
 * mih_fs_can_stage() - is this a build that can hand files to the kernel?
 *
 * Of an older kernel one hears only when it is mounted.
 */
bool mih_fs_can_stage(void);

struct mih_fs_params {
	/** What is served at first; taken over by mih_fs_serve(). */
	struct mih_verify_model *model;
	const char *mountpoint;
	const char *options; /* "-o" text for FUSE, comma separated, or NULL */
	bool debug;	     /* log every FUSE message */
	enum mih_fs_serve serve;   /* what cannot be falls back to CACHE */
	struct mih_status *status; /* borrowed; shown in the hidden folder
				      .mihfs; NULL: there is none */
	/**
	 * Make the engine of a model. Called in the process that will serve,
	 * after daemonising, because neither threads nor a GPU context survive
	 * fork; and once more for each reload.
	 */
	mih_err (*start)(void *context, const struct mih_verify_model *model,
			 struct mih_verify_engine **engine_out);
	void *context;
	/**
	 * Give up what serving does not need. Called once before start(), when
	 * all is mounted and there is one thread; who gives a function here
	 * gets a process beside the server for the unmounting. NULL: no.
	 * @dev is the mount's device, 0 if it is not known.
	 */
	mih_err (*confine)(void *context, const struct mih_verify_model *model,
			   dev_t dev);
	/** The mount answers: called once, before requests of users. */
	void (*ready)(void *context, const struct mih_verify_model *model);
	/**
	 * SIGHUP: open anew what is to be served, as strictly as the first
	 * time. May take long. On success fs takes @model_out over.
	 */
	mih_err (*reload)(void *context, struct mih_verify_model **model_out);
	/**
	 * The reload has ended. @err 0: whoever opens a file from now on gets
	 * @model's; else the reason is the story, and @model is served as
	 * before. From the same thread as reload.
	 */
	void (*reloaded)(void *context, mih_err err,
			 const struct mih_verify_model *model);
	/** The end begins: by a signal, or because it was unmounted. Once, on
	 * any thread. NULL: nobody wants to know. */
	void (*stopping)(void *context);
};

/**
 * mih_fs_check_mountpoint() - can something be mounted there?
 *
 * Return: 0; -ENOTDIR, -ENOENT ...; -ENOTCONN when a dead earlier mount is in
 * the way, with a story that names it and the command that clears it.
 */
MIH_MUST_CHECK mih_err mih_fs_check_mountpoint(const char *mountpoint);

/**
 * mih_fs_serve() - mount, serve until unmounted or SIGTERM/SIGINT
 *
 * SIGHUP makes it reload. Files of the new model that are what they were keep
 * their inode and what the kernel holds of them; others get a new inode, so
 * that no cached byte of the old ones is ever seen through the new. An open
 * file goes on as what it was opened as.
 *
 * After a signal the mount point is free again within a few seconds, whatever
 * readers do; their calls end in an error.
 *
 * Return: 0 after an orderly end; -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_serve(const struct mih_fs_params *params);

#endif
