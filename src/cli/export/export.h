/*
 * cli/export/export.h - give the metrics of a mount to those who collect them
 *
 * Layer: src/cli.  Threads: prepare on the main thread while it is the only
 * one; start and stop once each.
 */
#ifndef MIH_CLI_EXPORT_EXPORT_H
#define MIH_CLI_EXPORT_EXPORT_H

#include "cli/export/listen.h"
#include "status/status.h"

#include <pthread.h>
#include <stdbool.h>

/** What the command line says; texts are borrowed. */
struct mih_cli_export_options {
	const char *file;     /* NULL: none */
	const char *interval; /* seconds between two writes; NULL: 15 */
	const char *listen;   /* "unix:PATH", "127.0.0.1:PORT"; NULL: none */
};

struct mih_cli_export {
	struct mih_status *status; /* borrowed */
	char *file;		   /* absolute; owned; NULL: none */
	unsigned interval_ms;
	struct mih_cli_listen listen;
	pthread_mutex_t lock; /* guards stopping */
	pthread_cond_t changed;
	bool stopping, writing;
	pthread_t writer; /* valid while writing */
};

/**
 * mih_cli_export_prepare() - open what must be open before the work begins
 *
 * Before a daemon leaves its folder, and before the sandbox.
 *
 * Return: 0; MIH_EUSAGE when the options make no sense; -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_cli_export_prepare(
    struct mih_cli_export *e, const struct mih_cli_export_options *options);

/** mih_cli_export_folder() - where files must be made, or NULL; to be freed. */
char *mih_cli_export_folder(const struct mih_cli_export *e);

/**
 * mih_cli_export_start() - begin; what cannot be done is a line in the log
 * @status: kept until mih_cli_export_stop()
 */
void mih_cli_export_start(struct mih_cli_export *e, struct mih_status *status);

/** mih_cli_export_stop() - write the file once more and end. */
void mih_cli_export_stop(struct mih_cli_export *e);

/** mih_cli_export_fini() - release; { .listen.fd = -1 } is legal. */
void mih_cli_export_fini(struct mih_cli_export *e);

#endif
