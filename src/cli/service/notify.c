#include "cli/service/notify.h"
#include "util/cleanup.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int supervisor = -1; /* connected, or there is none */

static void connect_once(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	mih_autoclose int fd = -1;
	size_t len;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	len = strlen(path);
	if (len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0'; /* the abstract name space */
	len += offsetof(struct sockaddr_un, sun_path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, (socklen_t)len) == 0)
		supervisor = MIH_STEAL_FD(&fd);
}

void mih_cli_notify_connect(void)
{
	pthread_once(&once, connect_once);
}

void mih_cli_notify(const char *state)
{
	mih_cli_notify_connect();
	if (supervisor >= 0)
		(void)!send(supervisor, state, strlen(state), MSG_NOSIGNAL);
}

/* The time tells the supervisor which of its signals this answers. */
void mih_cli_notify_reloading(void)
{
	struct timespec ts;
	char state[64];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
	mih_cli_notify(state);
}
