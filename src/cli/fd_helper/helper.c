#include "cli/fd_helper/helper.h"
#include "cli/service/notify.h"
#include "fs/pass/handover.h"
#include "sandbox/sandbox.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <time.h>

/* A server says that it serves just before the kernel hears of it, and what
 * the kernel hears sets the readahead back. */
#define READ_AHEAD_MS 500

#define BIT(capability) ((uint64_t)1 << (capability))

struct helper {
	const struct mih_cli_helper_params *params;
	int signals, listener; /* owned */
	int server;	       /* the connection of who serves; owned; or -1 */
	pid_t pid;	       /* of who serves */
	int64_t give_up_ms;    /* when; -1: never */
	int64_t read_ahead_ms; /* when; -1: never, or done */
	struct mih_log_budget budget;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void expect_server(struct helper *h)
{
	int64_t wait_ms = h->params->wait_ms;

	h->give_up_ms = wait_ms < 0 ? -1 : now_ms() + wait_ms;
}

static bool is_allowed(const struct mih_cli_helper_params *params, uid_t uid)
{
	for (size_t i = 0; i < params->nuids; i++)
		if (params->uids[i] == uid)
			return true;
	return false;
}

/* The descriptor is the server's alone: it is closed here, whatever happens. */
static mih_err mount_for(const struct helper *h, int server)
{
	const struct mih_fs_kernel_place *place = &h->params->place;
	mih_autoclose int fuse = -1;
	mih_err err = mih_fs_kernel_mount(place, &fuse);

	if (err)
		return err;
	err = mih_fs_handover_give(server, fuse, place->mountpoint);
	if (err)
		return mih_err_fail_errno(err, "%s: cannot hand over",
					  h->params->socket);
	return 0;
}

/* Whoever may connect can do so again and again; the log is not his to fill. */
static void tell(struct helper *h, const struct mih_log_event *event,
		 const char *what, pid_t pid, const char *more)
{
	enum mih_log_leave leave = mih_log_budget_take(&h->budget);

	if (leave != MIH_LOG_SILENT)
		mih_log_write(event, "%s: process %d %s%s%s",
			      h->params->place.mountpoint, (int)pid, what, more,
			      leave == MIH_LOG_SAY_LAST
				  ? " (no more of this for a minute)"
				  : "");
}

static void refuse(struct helper *h, int server, pid_t pid, const char *why)
{
	const struct mih_log_event event = { MIH_LOG_WARNING };

	tell(h, &event, "is refused: ", pid, why);
	mih_fs_handover_refuse(server, why);
}

static void greet(struct helper *h)
{
	const struct mih_log_event served = { MIH_LOG_INFO };
	mih_autoclose int server = -1;
	char why[64];
	uid_t uid;
	pid_t pid;

	if (mih_fs_handover_accept(h->listener, &pid, &uid, &server))
		return;
	if (!is_allowed(h->params, uid)) {
		snprintf(why, sizeof(why), "user %u may not serve",
			 (unsigned)uid);
		refuse(h, server, pid, why);
	} else if (h->server >= 0) {
		snprintf(why, sizeof(why), "process %d serves already",
			 (int)h->pid);
		refuse(h, server, pid, why);
	} else if (mount_for(h, server)) {
		refuse(h, server, pid, mih_err_message());
	} else {
		snprintf(why, sizeof(why), " of user %u", (unsigned)uid);
		tell(h, &served, "serves this mount now,", pid, why);
		h->server = MIH_STEAL_FD(&server);
		h->pid = pid;
		h->give_up_ms = -1;
	}
}

/* The server has something to say, or is gone. */
static void listen_to_server(struct helper *h)
{
	const struct mih_log_event gone = { MIH_LOG_WARNING };
	char byte;
	ssize_t n = read(h->server, &byte, 1);

	if (n > 0) {
		h->read_ahead_ms = now_ms() + READ_AHEAD_MS;
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	tell(h, &gone, "is gone", h->pid,
	     "; readers get an error until another one serves");
	close(MIH_STEAL_FD(&h->server));
	h->read_ahead_ms = -1;
	expect_server(h);
}

static bool is_due(int64_t at_ms)
{
	return at_ms >= 0 && now_ms() >= at_ms;
}

static int next_timeout(const struct helper *h)
{
	int64_t at_ms = h->read_ahead_ms < 0 ? h->give_up_ms : h->read_ahead_ms;

	if (at_ms < 0)
		return -1;
	return (int)MIH_MIN(MIH_MAX(at_ms - now_ms(), 0), 60000);
}

/* One round; true if it was the last. */
static bool take_turn(struct helper *h)
{
	struct pollfd fds[] = { { .fd = h->signals, .events = POLLIN },
				{ .fd = h->listener, .events = POLLIN },
				{ .fd = h->server, .events = POLLIN } };

	if (poll(fds, MIH_ARRAY_LEN(fds), next_timeout(h)) < 0)
		return false;
	if (fds[0].revents)
		return true;
	/* Before the next one: its place may be free now. */
	if (fds[2].revents)
		listen_to_server(h);
	if (fds[1].revents)
		greet(h);
	if (is_due(h->read_ahead_ms)) {
		mih_fs_kernel_read_ahead(&h->params->place);
		h->read_ahead_ms = -1;
	}
	return is_due(h->give_up_ms);
}

/* What is left: to mount and unmount, and to reach the mount point and the
 * socket in the folders of others. */
static void confine(void)
{
	const struct mih_sandbox_params params = {
		.no_paths = true,
		.capabilities = BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_OVERRIDE),
		.filter = MIH_SANDBOX_ALL_CALLS,
	};

	if (mih_sandbox_enter(&params))
		mih_log_warning("not all privileges can be given up: %s",
				mih_err_message());
}

static mih_err open_signals(int *fd_out)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*fd_out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd_out < 0 ? mih_err_fail_errno(-errno, "mihfs: signals") : 0;
}

static mih_err serve(struct helper *h)
{
	const struct mih_cli_helper_params *params = h->params;
	mih_err err = open_signals(&h->signals);

	if (!err)
		err = mih_fs_kernel_check(&params->place);
	if (!err)
		err = mih_fs_handover_listen(params->socket, params->mode,
					     params->uids[0], &h->listener);
	if (err)
		return err;
	confine();
	mih_log_info("%s: waiting for a server on %s", params->place.mountpoint,
		     params->socket);
	mih_cli_notify("READY=1");
	expect_server(h);
	while (!take_turn(h))
		;
	mih_cli_notify("STOPPING=1");
	unlink(params->socket);
	return mih_fs_kernel_unmount(&params->place);
}

mih_err mih_cli_helper_run(const struct mih_cli_helper_params *params)
{
	struct helper h = { .params = params,
			    .signals = -1,
			    .listener = -1,
			    .server = -1,
			    .give_up_ms = -1,
			    .read_ahead_ms = -1 };
	mih_err err = serve(&h);

	mih_cleanup_close(&h.server);
	mih_cleanup_close(&h.listener);
	mih_cleanup_close(&h.signals);
	return err;
}
