/*
 * cli/status/fetch.h - read the status of a mount that may hang
 *
 * Layer: src/cli.  Threads: the main thread only.
 */
#ifndef MIH_CLI_STATUS_FETCH_H
#define MIH_CLI_STATUS_FETCH_H

#include "util/out/buffer.h"

/**
 * mih_cli_status_fetch() - the text of MOUNTPOINT/.mihfs/status.json
 * @mountpoint: as the user typed it
 * @timeout_ms: give up then
 * @text: appended to; the caller finishes it
 *
 * A child looks, because whoever asks a hung file system may hang too, even
 * against SIGKILL; such a child is left behind and holds nothing of ours.
 *
 * Return: 0; -ETIMEDOUT: no answer; -ENOTCONN: no mihfs mount, or a dead one;
 * -ENOTSUP: the model has a signed .mihfs of its own; -EACCES ...; with a
 * story that names @mountpoint.
 */
MIH_MUST_CHECK mih_err mih_cli_status_fetch(const char *mountpoint,
					    unsigned timeout_ms,
					    struct mih_buffer *text);

#endif
