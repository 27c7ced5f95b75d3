#include "cli/fd_helper/passed.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <stdio.h>
#include <string.h>

#define DESCRIPTOR "/dev/fd/"
#define SOCKET	   "unix:"
#define WAIT_MS	   60000 /* for a helper that starts beside us */

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

bool mih_cli_passed_is(const char *mountpoint)
{
	return begins(mountpoint, DESCRIPTOR) || begins(mountpoint, SOCKET);
}

/* libfuse closes the descriptor at its end; the connection is left for the
 * kernel to close, as the process must not outlive it. */
mih_err mih_cli_passed_take(struct mih_cli_passed *p, char **mountpoint)
{
	const char *path = *mountpoint + strlen(SOCKET);
	char *served;
	mih_err err;

	if (!begins(*mountpoint, SOCKET))
		return 0;
	err = mih_fs_handover_take(path, WAIT_MS, &p->got);
	if (err)
		return err;
	if (asprintf(&served, DESCRIPTOR "%d", p->got.fuse) < 0)
		return -ENOMEM;
	mih_log_info("%s: got the mount on %s", *mountpoint, p->got.mountpoint);
	free(*mountpoint);
	*mountpoint = served;
	return 0;
}

const char *mih_cli_passed_name(const struct mih_cli_passed *p,
				const char *mountpoint)
{
	return p->got.socket >= 0 ? p->got.mountpoint : mountpoint;
}

void mih_cli_passed_serving(const struct mih_cli_passed *p)
{
	if (p->got.socket >= 0)
		mih_fs_handover_serving(&p->got);
}
