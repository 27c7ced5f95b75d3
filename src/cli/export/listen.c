#include "cli/export/listen.h"
#include "status/documents.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#if HAVE_MICROHTTPD

#include <microhttpd.h>

#define UNIX_PREFIX "unix:"
#define UNIX_UMASK  0117 /* for its owner and group */
#define BACKLOG	    16
#define CONNECTIONS 16
#define TIMEOUT_S   10
#define BLOCK	    65536 /* sent at a time */
#define PAGE_TYPE   "text/plain; version=0.0.4; charset=utf-8"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static bool parse_port(const char *text, in_port_t *port_out)
{
	char *end;
	long port = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || port < 1 || port > 65535)
		return false;
	*port_out = htons((uint16_t)port);
	return true;
}

static bool is_loopback(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

/* "127.0.0.1:PORT" and "[::1]:PORT"; a port alone is one of 127.0.0.1. */
static bool parse_address(const char *where, union address *a, socklen_t *len)
{
	const char *colon = strrchr(where, ':');
	const char *port = colon ? colon + 1 : where;
	char host[64] = "127.0.0.1";

	memset(a, 0, sizeof(*a));
	if (colon && (size_t)(colon - where) >= sizeof(host))
		return false;
	if (colon)
		snprintf(host, sizeof(host), "%.*s", (int)(colon - where),
			 where);
	*len = sizeof(a->v4);
	a->v4.sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &a->v4.sin_addr) == 1)
		return parse_port(port, &a->v4.sin_port);
	if (host[0] != '[' || host[strlen(host) - 1] != ']')
		return false;
	host[strlen(host) - 1] = '\0';
	*len = sizeof(a->v6);
	a->v6.sin6_family = AF_INET6;
	return inet_pton(AF_INET6, host + 1, &a->v6.sin6_addr) == 1 &&
	       parse_port(port, &a->v6.sin6_port);
}

/* What an earlier mount has left behind is in the way; anything else is not
 * ours to remove. */
static void remove_stale(const struct sockaddr_un *un)
{
	mih_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0 || lstat(un->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) < 0 &&
	    errno == ECONNREFUSED)
		unlink(un->sun_path);
}

static mih_err bind_and_listen(struct mih_cli_listen *l, const char *where,
			       const union address *a, socklen_t len)
{
	const int yes = 1;
	mode_t before;
	int rc;

	l->fd = socket(a->any.sa_family,
		       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return mih_err_fail_errno(-errno, "%s: --metrics-listen",
					  where);
	if (a->any.sa_family != AF_UNIX)
		setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	before = umask(UNIX_UMASK);
	rc = bind(l->fd, &a->any, len);
	umask(before);
	if (rc < 0 || listen(l->fd, BACKLOG) < 0)
		return mih_err_fail_errno(-errno, "%s: --metrics-listen",
					  where);
	return 0;
}

static mih_err open_unix(struct mih_cli_listen *l, const char *path)
{
	union address a = { .un.sun_family = AF_UNIX };
	mih_err err;

	if (!*path || strlen(path) >= sizeof(a.un.sun_path))
		return mih_err_fail(-ENAMETOOLONG,
				    "%s: no path for a socket: at most %zu "
				    "bytes",
				    path, sizeof(a.un.sun_path) - 1);
	strcpy(a.un.sun_path, path);
	remove_stale(&a.un);
	err = bind_and_listen(l, path, &a, sizeof(a.un));
	if (!err)
		l->path = realpath(path, NULL);
	return err;
}

static mih_err open_any(struct mih_cli_listen *l, const char *where)
{
	union address a;
	socklen_t len;

	if (!strncmp(where, UNIX_PREFIX, strlen(UNIX_PREFIX)))
		return open_unix(l, where + strlen(UNIX_PREFIX));
	if (!parse_address(where, &a, &len))
		return mih_err_fail(MIH_EUSAGE,
				    "mihfs: --metrics-listen '%s' is none of: "
				    "unix:PATH, 127.0.0.1:PORT, [::1]:PORT",
				    where);
	if (!is_loopback(&a))
		return mih_err_fail(MIH_EUSAGE,
				    "mihfs: --metrics-listen '%s' could be "
				    "reached by other hosts; only loopback "
				    "addresses and unix:PATH are served",
				    where);
	return bind_and_listen(l, where, &a, len);
}

mih_err mih_cli_listen_open(struct mih_cli_listen *l, const char *where)
{
	mih_err err = open_any(l, where);

	if (err && l->fd >= 0) {
		close(l->fd);
		l->fd = -1;
	}
	return err;
}

static ssize_t read_page(void *context, uint64_t at, char *to, size_t room)
{
	const struct mih_buffer *page = context;
	size_t len = MIH_MIN(room, page->len - (size_t)at);

	memcpy(to, page->data + at, len);
	return (ssize_t)len;
}

static void free_page(void *context)
{
	struct mih_buffer *page = context;

	mih_buffer_fini(page);
	free(page);
}

/* Not from one buffer: that goes out by sendmsg(2), which the sandbox does not
 * have, since it can address anybody. */
static enum MHD_Result reply(struct MHD_Connection *connection, unsigned code,
			     struct mih_buffer *page)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
	    page->len, BLOCK, read_page, page, free_page);
	enum MHD_Result done = MHD_NO;

	if (!response) {
		free_page(page);
		return MHD_NO;
	}
	if (MHD_add_response_header(response, "Content-Type", PAGE_TYPE) ==
	    MHD_YES)
		done = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response); /* and the page, once it was sent */
	return done;
}

/* One page, and nothing that a request could change. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *data_len, void **request)
{
	struct mih_buffer *page;
	unsigned code = MHD_HTTP_OK;

	(void)version, (void)data, (void)data_len, (void)request;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return MHD_NO;
	page = calloc(1, sizeof(*page));
	if (!page)
		return MHD_NO;
	if (strcmp(url, "/metrics") != 0) {
		mih_buffer_text(page, "see /metrics\n");
		code = MHD_HTTP_NOT_FOUND;
	} else if (mih_status_metrics(context, page)) {
		free_page(page);
		return MHD_NO;
	}
	return reply(connection, code, page);
}

void mih_cli_listen_start(struct mih_cli_listen *l, struct mih_status *status)
{
	l->server = MHD_start_daemon(
	    MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
	    answer, status, MHD_OPTION_LISTEN_SOCKET, l->fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_END);
	if (!l->server)
		mih_log_warning("--metrics-listen: the server does not start");
	else
		l->fd = -1; /* the server's now */
}

void mih_cli_listen_stop(struct mih_cli_listen *l)
{
	if (l->server)
		MHD_stop_daemon(MIH_STEAL(&l->server));
	if (l->path)
		unlink(l->path);
}

#else /* !HAVE_MICROHTTPD */

mih_err mih_cli_listen_open(struct mih_cli_listen *l, const char *where)
{
	(void)l;
	return mih_err_fail(MIH_EUSAGE,
			    "mihfs: --metrics-listen '%s': built without "
			    "libmicrohttpd",
			    where);
}

void mih_cli_listen_start(struct mih_cli_listen *l, struct mih_status *status)
{
	(void)l, (void)status;
}

void mih_cli_listen_stop(struct mih_cli_listen *l)
{
	(void)l;
}

#endif

void mih_cli_listen_fini(struct mih_cli_listen *l)
{
	free(MIH_STEAL(&l->path));
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
