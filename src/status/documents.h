/*
 * status/documents.h - the files of the control directory: names and contents
 *
 * Layer: src/status.  Threads: immutable table; rendering from any thread.
 *
 * doc/monitoring.md explains every field.
 */
#ifndef MIH_STATUS_DOCUMENTS_H
#define MIH_STATUS_DOCUMENTS_H

#include "status/status.h"
#include "util/out/buffer.h"

#include <sys/types.h>

struct mih_status_document {
	const char *name;
	mode_t mode; /* permission bits */
	/** Append the whole document as of now. Return: 0 or -ENOMEM. */
	mih_err (*render)(struct mih_status *status, struct mih_buffer *out);
};

#define MIH_STATUS_NDOCUMENTS 4

extern const struct mih_status_document
    mih_status_documents[MIH_STATUS_NDOCUMENTS];

/** mih_status_json() - status.json: one object and a newline. */
MIH_MUST_CHECK mih_err mih_status_json(struct mih_status *status,
				       struct mih_buffer *out);

/** mih_status_metrics() - metrics: the text format of Prometheus. */
MIH_MUST_CHECK mih_err mih_status_metrics(struct mih_status *status,
					  struct mih_buffer *out);

/** mih_status_failures() - failures: an object and a newline for each. */
MIH_MUST_CHECK mih_err mih_status_failures(struct mih_status *status,
					   struct mih_buffer *out);

/**
 * mih_status_manifest() - manifest: an object and a newline for each file of
 * the newest generation
 */
MIH_MUST_CHECK mih_err mih_status_manifest(struct mih_status *status,
					   struct mih_buffer *out);

#endif
