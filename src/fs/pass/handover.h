/*
 * fs/pass/handover.h - give the descriptor of a mount to an unprivileged server
 *
 * Layer: src/fs.  Threads: no state.
 *
 * One connection of a Unix socket (SOCK_SEQPACKET) per server, open as long as
 * the server lives. The helper sends one message: the descriptor and the mount
 * point, or why there is none. The server sends one byte once it answers
 * requests. Nothing else is said; the end of the connection is the end of the
 * server.
 */
#ifndef MIH_FS_PASS_HANDOVER_H
#define MIH_FS_PASS_HANDOVER_H

#include "util/err.h"

#include <limits.h>
#include <sys/types.h>

/** What a server gets. */
struct mih_fs_handover {
	int fuse;		   /* of the mount; owned; -1: none */
	int socket;		   /* the connection; owned; -1: none */
	char mountpoint[PATH_MAX]; /* as the helper sees it, for messages */
};

/**
 * mih_fs_handover_listen() - make the helper's socket
 * @path: replaced if a dead socket is there
 * @mode: permission bits
 * @owner: who shall own it
 * @fd_out: set on success; owned by the caller, who removes @path in the end
 *
 * Return: 0; -EADDRINUSE if another helper listens there; -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_handover_listen(const char *path, mode_t mode,
					      uid_t owner, int *fd_out);

/**
 * mih_fs_handover_accept() - take one connection in
 * @peer_out: the server's process, as the kernel says
 * @uid_out: and its user
 * @fd_out: set on success: non-blocking; owned by the caller
 *
 * Return: 0; -EAGAIN if nobody is there any more; -errno. Records no story.
 */
MIH_MUST_CHECK mih_err mih_fs_handover_accept(int listener, pid_t *peer_out,
					      uid_t *uid_out, int *fd_out);

/**
 * mih_fs_handover_give() - send the descriptor of a mount
 *
 * Never waits: a connection that was just made has room for one message.
 *
 * Return: 0 or -errno. Records no story.
 */
MIH_MUST_CHECK mih_err mih_fs_handover_give(int socket, int fuse,
					    const char *mountpoint);

/** mih_fs_handover_refuse() - send @why instead; the connection ends. */
void mih_fs_handover_refuse(int socket, const char *why);

/**
 * mih_fs_handover_take() - server: connect and wait for a descriptor
 * @path: the helper's socket
 * @wait_ms: how long to wait for a helper that is not there yet
 * @got: filled on success; finish with mih_fs_handover_end()
 *
 * Return: 0; -EPROTO if what came is no /dev/fuse; -EACCES if the helper
 * refuses; -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_fs_handover_take(const char *path, int wait_ms,
					    struct mih_fs_handover *got);

/** mih_fs_handover_serving() - server: requests are answered from now on. */
void mih_fs_handover_serving(const struct mih_fs_handover *got);

/** mih_fs_handover_end() - close what is open. */
void mih_fs_handover_end(struct mih_fs_handover *got);

#endif
