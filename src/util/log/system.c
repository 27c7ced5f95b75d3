#include "util/log/system.h"
#include "util/cleanup.h"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#define JOURNAL	    "/run/systemd/journal/socket"
#define AUDIT_TEXT  8192 /* the kernel cuts at about as much */
#define ANSWER_MS   1000
#define TRUSTED_APP 1121 /* AUDIT_TRUSTED_APP of libaudit.h: free text */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int journal = -1, audit = -1; /* connected, or not here */

static int connect_journal(void)
{
	const struct sockaddr_un to = { AF_UNIX, JOURNAL };
	mih_autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -1;
	return MIH_STEAL_FD(&fd);
}

struct audit_message {
	struct nlmsghdr header;
	char text[AUDIT_TEXT];
};

static bool send_audit(int fd, int type, const char *text)
{
	struct audit_message message = { .header = {
					     .nlmsg_type = (uint16_t)type,
					     .nlmsg_flags = NLM_F_REQUEST,
					 } };
	size_t len = strnlen(text, sizeof(message.text));

	message.header.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	memcpy(NLMSG_DATA(&message.header), text, len);
	return send(fd, &message, message.header.nlmsg_len,
		    MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* A kernel whose audit is off takes records and drops them. */
static bool audit_is_on(int fd)
{
	struct audit_message answer = { .header = { .nlmsg_len = 0 } };
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	const struct audit_status *status = NLMSG_DATA(&answer.header);

	return send_audit(fd, AUDIT_GET, "") &&
	       poll(&ready, 1, ANSWER_MS) == 1 &&
	       recv(fd, &answer, sizeof(answer), 0) >=
		   (ssize_t)NLMSG_LENGTH(2 * sizeof(uint32_t)) &&
	       answer.header.nlmsg_type == AUDIT_GET && status->enabled;
}

static int connect_audit(void)
{
	mih_autoclose int fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	return fd >= 0 && audit_is_on(fd) ? MIH_STEAL_FD(&fd) : -1;
}

/* The time zone of syslog(3) is read from a file once. */
static void connect_all(void)
{
	tzset();
	openlog("mihfs", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	journal = connect_journal();
	audit = connect_audit();
}

bool mih_system_connect(void)
{
	pthread_once(&once, connect_all);
	return audit >= 0;
}

/* Source: systemd.exec(5), $JOURNAL_STREAM. */
bool mih_system_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return !strcmp(stream, mine);
}

bool mih_system_journal(const struct mih_record *record)
{
	struct mih_buffer out = { 0 };
	bool done;

	mih_system_connect();
	if (journal < 0)
		return false;
	mih_record_journal(&out, record);
	done = !mih_buffer_end(&out) &&
	       send(journal, out.data, out.len, MSG_NOSIGNAL) >= 0;
	mih_buffer_fini(&out);
	return done;
}

void mih_system_syslog(int priority, const char *text)
{
	mih_system_connect();
	syslog(LOG_DAEMON | priority, "%s", text);
}

bool mih_system_audit(const char *text)
{
	mih_system_connect();
	return audit >= 0 && send_audit(audit, TRUSTED_APP, text);
}
