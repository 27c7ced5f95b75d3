/*
 * cli/service/notify.h - tell a supervisor how the service is doing
 *
 * Layer: src/cli.  Threads: any.
 * Source: sd_notify(3), "Notes" (the protocol is stable and needs no library).
 */
#ifndef MIH_CLI_SERVICE_NOTIFY_H
#define MIH_CLI_SERVICE_NOTIFY_H

/**
 * mih_cli_notify_connect() - find the supervisor, once
 *
 * Who gives up the right to connect must do it before.
 */
void mih_cli_notify_connect(void);

/**
 * mih_cli_notify() - send @state to $NOTIFY_SOCKET, if there is one
 * @state: "READY=1", "STOPPING=1"; assignments, one per line
 *
 * Silent on failure: a supervisor that does not listen is no reason to stop.
 */
void mih_cli_notify(const char *state);

/**
 * mih_cli_notify_reloading() - "RELOADING=1", which "READY=1" ends
 */
void mih_cli_notify_reloading(void);

#endif
