#include "cli/publish/password.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

/* What a terminal, or somebody who is done with it, sends. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

#define NSIGNALS MIH_ARRAY_LEN(signals)

static volatile sig_atomic_t received;

static void on_signal(int signo)
{
	received = signo;
}

struct prompt {
	int fd; /* the terminal */
	struct termios shown;
	sigset_t mask; /* of before */
	struct sigaction before[NSIGNALS];
};

/* From here to the end they come only while we wait for input: none is lost
 * between a look at it and the wait. What was ignored stays ignored. */
static void hold_signals(struct prompt *p)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t held;

	sigemptyset(&action.sa_mask);
	sigemptyset(&held);
	for (size_t i = 0; i < NSIGNALS; i++)
		sigaddset(&held, signals[i]);
	sigprocmask(SIG_BLOCK, &held, &p->mask);
	received = 0;
	for (size_t i = 0; i < NSIGNALS; i++) {
		sigaction(signals[i], NULL, &p->before[i]);
		if (p->before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

/* What has come meanwhile takes its usual effect now, before we return. */
static void let_signals_go(const struct prompt *p)
{
	for (size_t i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &p->before[i], NULL);
	if (received)
		raise(received);
	sigprocmask(SIG_SETMASK, &p->mask, NULL);
}

/* One line, which the terminal hands over whole; 0 if a signal came first. */
static ssize_t read_line(const struct prompt *p, char *buf, size_t cap)
{
	struct pollfd poll = { .fd = p->fd, .events = POLLIN };

	if (ppoll(&poll, 1, NULL, &p->mask) < 0)
		return errno == EINTR ? 0 : -1;
	return read(p->fd, buf, cap - 1);
}

static ssize_t read_hidden(struct prompt *p, char *buf, size_t cap)
{
	struct termios hidden;
	ssize_t n = -1;

	hold_signals(p);
	if (tcgetattr(p->fd, &p->shown) == 0) {
		hidden = p->shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		if (tcsetattr(p->fd, TCSAFLUSH, &hidden) == 0)
			n = read_line(p, buf, cap);
		tcsetattr(p->fd, TCSAFLUSH, &p->shown);
		if (write(p->fd, "\n", 1) < 0)
			n = -1;
	}
	let_signals_go(p);
	return n;
}

bool mih_cli_password_ask(const char *key_path, char *buf, size_t cap)
{
	mih_autoclose int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	struct prompt p = { .fd = fd };
	ssize_t n;

	if (fd < 0)
		return false;
	do {
		received = 0;
		dprintf(fd, "Password for %s: ", key_path);
		n = read_hidden(&p, buf, cap);
	} while (n == 0 && received);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\r\n")] = '\0';
	return true;
}
