/*
 * status/snapshot.h - all figures of a mount at one moment
 *
 * Layer: src/status.  Threads: a snapshot belongs to whoever took it.
 */
#ifndef MIH_STATUS_SNAPSHOT_H
#define MIH_STATUS_SNAPSHOT_H

#include "gpu/about.h"
#include "status/status.h"

#include <time.h>

#define MIH_STATUS_ROOT_LEN	 64  /* hexadecimal digits */
#define MIH_STATUS_STATES	 4   /* values of enum mih_verify_status */
#define MIH_STATUS_FILES_MAX	 256 /* files that are named */
#define MIH_STATUS_DEVICES_MAX	 16
#define MIH_STATUS_DEVICE_STATES 3  /* values of enum mih_gpu_state */
#define MIH_STATUS_GENERATIONS	 16 /* described at once */

/** A file that is shown by its name. */
struct mih_status_file {
	const char *path; /* borrowed from the model */
	struct mih_verify_file_stats stats;
};

/** One model with its engine. */
struct mih_status_generation {
	uint64_t number;	  /* 1 for the first one of the mount */
	const char *dir, *signer; /* borrowed from the model */
	char root[MIH_STATUS_ROOT_LEN + 1];
	size_t nfiles;
	uint64_t nbytes;
	enum mih_verify_status status; /* of all files together */
	uint64_t files[MIH_STATUS_STATES];
	/* All of them, or if there are more than fit, those that had failures
	 * or were opened. */
	struct mih_status_file shown[MIH_STATUS_FILES_MAX];
	size_t nshown;
	struct mih_gpu_member devices[MIH_STATUS_DEVICES_MAX];
	size_t ndevices;
	struct mih_verify_stats stats;
};

/** What came of the requests to reload. */
struct mih_status_reloads {
	uint64_t done, refused;
	time_t last;	   /* of either kind; 0: there was none */
	const char *error; /* of the last one; NULL: it was done */
};

struct mih_status_snapshot {
	const char *mountpoint, *bundle; /* borrowed from the status */
	time_t started;
	uint64_t uptime_s;
	bool ready;
	struct mih_status_reloads reloads;
	struct mih_verify_stats total; /* of all generations, past ones too */
	/* Newest first: the first one is what new opens get. */
	struct mih_status_generation generations[MIH_STATUS_GENERATIONS];
	size_t ngenerations;
};

/**
 * mih_status_snapshot() - take all figures, and render them while they stand
 * @render: called once with the snapshot, which ends with the call; may not
 *          call other functions of @status
 *
 * Cost: one look at every file of the model.
 *
 * Return: 0, or -ENOMEM.
 */
MIH_MUST_CHECK mih_err mih_status_snapshot(
    struct mih_status *status,
    void (*render)(const struct mih_status_snapshot *snapshot, void *context),
    void *context);

/** mih_status_device_state() - "starting", "ready" or "down". */
const char *mih_status_device_state(enum mih_gpu_state state);

/** mih_status_name() - "unverified", "partial", "verified" or "failed". */
const char *mih_status_name(enum mih_verify_status status);

/**
 * mih_status_of_model() - the status of all files together
 *
 * One bad file makes the model failed; it is verified when every file is. Cost:
 * one look at every file.
 */
enum mih_verify_status mih_status_of_model(struct mih_verify_engine *engine,
					   size_t nfiles);

#endif
