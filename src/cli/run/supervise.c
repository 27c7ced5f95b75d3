#include "cli/run/supervise.h"
#include "cli/commands.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define MERCY_MS 10000 /* for a command whose server is gone */

static const int forwarded[] = { SIGTERM, SIGINT,  SIGHUP,  SIGQUIT,
				 SIGUSR1, SIGUSR2, SIGWINCH };

struct pair {
	const struct mih_cli_pair *params;
	sigset_t saved;
	int signals, ready;    /* owned */
	pid_t server, command; /* 0: not there, or not any more */
	int code;	       /* of the command; then of all; -1: none yet */
	bool failed;	       /* the server ended before the command */
};

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

static mih_err open_signals(struct pair *p)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < MIH_ARRAY_LEN(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, &p->saved);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signals < 0 ? mih_err_fail_errno(-errno, "mihfs run") : 0;
}

/* A child has the caller's signals, and ends when its parent does. */
static pid_t fork_child(const struct pair *p)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	sigprocmask(SIG_SETMASK, &p->saved, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(MIH_CLI_SYSTEM);
	return 0;
}

/* Whatever the server prints is no output of the command. */
static _Noreturn void become_server(const struct pair *p, int ready_fd)
{
	mih_autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int code;

	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	code = p->params->serve(p->params->context, ready_fd);
	fflush(NULL);
	_exit(code);
}

static mih_err start_server(struct pair *p)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return mih_err_fail_errno(-errno, "mihfs run");
	p->ready = ends[0];
	p->server = fork_child(p);
	if (p->server == 0)
		become_server(p, ends[1]);
	close(ends[1]);
	return p->server < 0 ? mih_err_fail_errno(-errno, "mihfs run") : 0;
}

/* Of 126 and 127 each shell says the same. */
static _Noreturn void become_command(const struct pair *p)
{
	char **argv = p->params->argv;
	const char *what = p->params->cwd;
	int why;

	if (!what || chdir(what) == 0) {
		what = argv[0];
		execvp(argv[0], argv);
	}
	why = errno;
	fprintf(stderr, "mihfs run: %s: %s\n", what, strerror(why));
	_exit(why == ENOENT && what == argv[0] ? 127 : 126);
}

static void start_command(struct pair *p)
{
	p->command = fork_child(p);
	if (p->command > 0)
		return;
	if (p->command == 0)
		become_command(p);
	fprintf(stderr, "mihfs run: cannot fork: %s\n", strerror(errno));
	p->command = 0;
	p->code = MIH_CLI_SYSTEM;
}

/* A line, or the end of a server that gave up; its code follows. */
static void hear_ready(struct pair *p)
{
	char line[16];
	ssize_t n = read(p->ready, line, sizeof(line));

	close(MIH_STEAL_FD(&p->ready));
	if (n > 0)
		start_command(p);
}

static void server_ended(struct pair *p, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : MIH_CLI_SYSTEM;

	p->server = 0;
	if (p->code >= 0)
		return; /* as it was told to */
	p->failed = true;
	p->code = code ? code : MIH_CLI_SYSTEM;
	if (!p->command)
		return;
	fprintf(stderr,
		"mihfs run: the server of %s ended before the command, which "
		"is stopped\n",
		p->params->name);
	kill(p->command, SIGTERM);
}

/* As process 1 of a container we have the orphans of others, too. */
static void reap(struct pair *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->command) {
			p->command = 0;
			if (p->code < 0)
				p->code = exit_code(status);
		} else if (pid == p->server) {
			server_ended(p, status);
		}
	}
}

/* What the terminal sends, it sends to the command as well. */
static void forward(struct pair *p, const struct signalfd_siginfo *info)
{
	int signal = (int)info->ssi_signo;

	if (p->command) {
		if (info->ssi_code != SI_KERNEL)
			kill(p->command, signal);
	} else if (signal != SIGWINCH) {
		p->code = 128 + signal;
	}
}

static void take_signals(struct pair *p)
{
	struct signalfd_siginfo info;

	while (read(p->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(p);
		else
			forward(p, &info);
	}
}

/* Until there is a code and no command, or no mercy any more. */
static void run_command(struct pair *p)
{
	while (p->code < 0 || p->command) {
		struct pollfd fds[] = {
			{ .fd = p->signals, .events = POLLIN },
			{ .fd = p->ready, .events = POLLIN },
		};

		if (poll(fds, 2, p->failed ? MERCY_MS : -1) == 0)
			kill(p->command, SIGKILL);
		if (fds[1].revents)
			hear_ready(p);
		if (fds[0].revents)
			take_signals(p);
	}
}

/* Bounded: a server that is told to end takes seconds at most. */
static void end_server(struct pair *p)
{
	struct pollfd wait = { .fd = p->signals, .events = POLLIN };

	if (p->server)
		kill(p->server, SIGTERM);
	while (p->server) {
		poll(&wait, 1, -1);
		take_signals(p);
	}
}

int mih_cli_supervise(const struct mih_cli_pair *pair)
{
	struct pair p = {
		.params = pair, .signals = -1, .ready = -1, .code = -1
	};
	mih_err err = open_signals(&p);

	if (!err)
		err = start_server(&p);
	if (err) {
		p.code = mih_cli_fail(err);
	} else {
		run_command(&p);
		end_server(&p);
	}
	mih_cleanup_close(&p.ready);
	mih_cleanup_close(&p.signals);
	return p.code;
}
