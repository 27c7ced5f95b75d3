/*
 * cli/export/listen.h - the metrics by HTTP, on this host only
 *
 * Layer: src/cli, the only file that knows libmicrohttpd.  Threads: open while
 * there is one; the server has a thread of its own.
 */
#ifndef MIH_CLI_EXPORT_LISTEN_H
#define MIH_CLI_EXPORT_LISTEN_H

#include "status/status.h"

struct mih_cli_listen {
	int fd;	      /* listening; owned; -1: none */
	char *path;   /* of a Unix socket, or NULL; owned */
	void *server; /* owned */
};

/**
 * mih_cli_listen_open() - listen; nothing is answered yet
 * @where: "unix:PATH", "PORT", "127.0.0.1:PORT" or "[::1]:PORT"
 *
 * An address of another host's network is refused: whoever wants that puts a
 * server with access control before the Unix socket.
 *
 * Return: 0; MIH_EUSAGE for anything else, or built without libmicrohttpd;
 * -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_cli_listen_open(struct mih_cli_listen *l,
					   const char *where);

/** mih_cli_listen_start() - answer; a failure is a line in the log. */
void mih_cli_listen_start(struct mih_cli_listen *l, struct mih_status *status);

/** mih_cli_listen_stop() - end, remove the socket; never started is legal. */
void mih_cli_listen_stop(struct mih_cli_listen *l);

/** mih_cli_listen_fini() - release; never opened (fd -1) is legal. */
void mih_cli_listen_fini(struct mih_cli_listen *l);

#endif
