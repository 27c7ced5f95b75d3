/*
 * inject PID MODEL-FILE MOUNTPOINT - be the code that has taken the server over
 *
 * Attaches to every thread of PID as a debugger, makes it call the kernel in
 * its own name, and prints what it could do that a server must not. Exits with
 * 0 if there was nothing, 1 if there was, 77 where this cannot be done.
 */
#include <errno.h>
#include <stdio.h>

#if defined(__x86_64__)

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL	   0x050f /* the instruction, as a little-endian word */
#define BELOW	   4096	  /* of the stack: nobody's bytes */
#define MAX_ERRNO  4095
#define NARGUMENTS 4

/* Arguments that are addresses in the server: what lies there. */
struct call {
	const char *what;
	long number;
	long args[NARGUMENTS];
	const void *bytes; /* put there for argument @at, or NULL */
	size_t len;
	unsigned at;
	int works; /* a proof that injecting works at all */
};

static void die(const char *what)
{
	perror(what);
	exit(77);
}

static long peek(pid_t tid, unsigned long at)
{
	errno = 0;
	return ptrace(PTRACE_PEEKTEXT, tid, at, NULL);
}

static void poke(pid_t tid, unsigned long at, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += sizeof(long)) {
		long word = 0;
		size_t n = len - i < sizeof(word) ? len - i : sizeof(word);

		memcpy(&word, (const char *)bytes + i, n);
		if (ptrace(PTRACE_POKEDATA, tid, at + i, word) < 0)
			die("poke");
	}
}

static void stop(pid_t tid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ||
	    waitpid(tid, &status, __WALL) < 0)
		die("attach");
}

/* A stopped thread that waits in the kernel stands behind the instruction. */
static unsigned long find_instruction(pid_t tid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) < 0)
		die("registers");
	return (peek(tid, regs.rip - 2) & 0xffff) == SYSCALL ? regs.rip - 2 : 0;
}

static long run(pid_t tid, unsigned long instruction, const struct call *call)
{
	struct user_regs_struct saved, regs;
	long args[NARGUMENTS], rc;
	int status;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &saved) < 0)
		die("registers");
	memcpy(args, call->args, sizeof(args));
	if (call->bytes) {
		args[call->at] = (long)((saved.rsp - BELOW) & ~15ul);
		poke(tid, (unsigned long)args[call->at], call->bytes,
		     call->len);
	}
	regs = saved;
	regs.rip = instruction;
	regs.orig_rax = (unsigned long)-1;
	regs.rax = (unsigned long)call->number;
	regs.rdi = (unsigned long)args[0];
	regs.rsi = (unsigned long)args[1];
	regs.rdx = (unsigned long)args[2];
	regs.r10 = (unsigned long)args[3];
	if (ptrace(PTRACE_SETREGS, tid, NULL, &regs) < 0 ||
	    ptrace(PTRACE_SINGLESTEP, tid, NULL, NULL) < 0 ||
	    waitpid(tid, &status, __WALL) < 0 || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_GETREGS, tid, NULL, &regs) < 0)
		die("step");
	rc = (long)regs.rax;
	if (ptrace(PTRACE_SETREGS, tid, NULL, &saved) < 0)
		die("registers");
	return rc;
}

static int try_all(pid_t tid, unsigned long instruction,
		   const struct call *calls)
{
	int could = 0;

	for (; calls->what; calls++) {
		long rc = run(tid, instruction, calls);
		int failed = rc < 0 && rc >= -MAX_ERRNO;

		if (failed != calls->works)
			continue;
		printf("thread %d: %s: %s\n", (int)tid, calls->what,
		       failed ? strerror((int)-rc) : "it could");
		could = 1;
	}
	return could;
}

#define TEXT(argument, text)                                                   \
	.bytes = text, .len = strlen(text) + 1, .at = argument

static int attack(pid_t tid, unsigned long instruction, const char *model,
		  const char *mountpoint)
{
	char beside[4096];
	const struct call calls[] = {
		{ "read the model",
		  SYS_openat,
		  { AT_FDCWD, 0, O_RDONLY },
		  TEXT(1, model),
		  .works = 1 },
		{ "read /etc/passwd",
		  SYS_openat,
		  { AT_FDCWD, 0, O_RDONLY },
		  TEXT(1, "/etc/passwd") },
		{ "list /",
		  SYS_openat,
		  { AT_FDCWD, 0, O_RDONLY },
		  TEXT(1, "/") },
		{ "write the model",
		  SYS_openat,
		  { AT_FDCWD, 0, O_WRONLY },
		  TEXT(1, model) },
		{ "update the model",
		  SYS_openat,
		  { AT_FDCWD, 0, O_RDWR },
		  TEXT(1, model) },
		{ "make a file",
		  SYS_openat,
		  { AT_FDCWD, 0, O_WRONLY | O_CREAT, 0600 },
		  TEXT(1, beside) },
		{ "remove the model", SYS_unlink, { 0 }, TEXT(0, model) },
		{ "run a program", SYS_execve, { 0 }, TEXT(0, "/bin/true") },
		{ "make a socket", SYS_socket, { AF_INET, SOCK_STREAM } },
		{ "connect", SYS_connect, { 0, 0, 16 }, TEXT(1, "") },
		{ "fork", SYS_clone, { SIGCHLD } },
		{ "signal init", SYS_kill, { 1, 0 } },
		{ "trace init", SYS_ptrace, { PTRACE_SEIZE, 1 } },
		{ "unmount", SYS_umount2, { 0 }, TEXT(0, mountpoint) },
		{ "map code",
		  SYS_mmap,
		  { 0, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS } },
		{ "make a namespace", SYS_unshare, { CLONE_NEWUSER } },
		{ NULL },
	};

	snprintf(beside, sizeof(beside), "%s.new", model);
	return try_all(tid, instruction, calls);
}

static size_t list_threads(pid_t pid, pid_t *tids, size_t max)
{
	char path[64];
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir)) && n < max)
		if (entry->d_name[0] != '.')
			tids[n++] = atoi(entry->d_name);
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	unsigned long instruction = 0;
	pid_t tids[256];
	size_t n;
	int could = 0;

	if (argc != 4)
		return 2;
	n = list_threads(atoi(argv[1]), tids, 256);
	for (size_t i = 0; i < n; i++) {
		stop(tids[i]);
		if (!instruction)
			instruction = find_instruction(tids[i]);
	}
	if (!instruction)
		return 77;
	for (size_t i = 0; i < n; i++)
		could |= attack(tids[i], instruction, argv[2], argv[3]);
	for (size_t i = 0; i < n; i++)
		ptrace(PTRACE_DETACH, tids[i], NULL, NULL);
	printf("%zu threads\n", n);
	return could;
}

#else

int main(void)
{
	puts("the registers of this processor are not known here");
	return 77;
}

#endif
