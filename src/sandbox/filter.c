/*
 * Which system calls are left. What is not named fails with EPERM, so that a
 * library which tries something new gets an error and not a dead process.
 *
 * Arguments behind pointers cannot be looked at: paths are Landlock's part.
 */
#include "sandbox/sandbox_internal.h"
#include "util/checked.h"
#include "util/host/pages.h"

#if HAVE_LIBSECCOMP

#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Names, because which of them exist differs from one architecture and one
 * libseccomp to the other. */
static const char *const serve_calls[] = {
	/* files that are open, and reading */
	"read", "readv", "pread64", "preadv", "preadv2", "write", "writev",
	"pwrite64", "pwritev", "lseek", "_llseek", "close", "close_range",
	"fstat", "fstat64", "newfstatat", "fstatat64", "stat", "stat64",
	"lstat", "lstat64", "statx", "statfs", "statfs64", "fstatfs",
	"fstatfs64", "access", "faccessat", "faccessat2", "readlink",
	"readlinkat", "getdents", "getdents64", "getcwd", "openat2",
	"fadvise64", "fadvise64_64", "arm_fadvise64_64", "readahead", "fcntl",
	"fcntl64", "dup", "dup2", "dup3", "pipe", "pipe2", "splice", "flock",
	"fsync", "fdatasync", "getxattr", "fgetxattr", "lgetxattr",
	/* memory */
	"munmap", "mremap", "madvise", "brk", "mincore", "mlock", "mlock2",
	"munlock", "msync", "membarrier", "mbind", "get_mempolicy",
	/* threads and waiting */
	"futex", "futex_time64", "futex_waitv", "set_robust_list",
	"get_robust_list", "rseq", "set_tid_address", "arch_prctl",
	"sched_yield", "sched_getaffinity", "sched_setaffinity",
	"sched_getparam", "sched_getscheduler", "getcpu", "exit", "exit_group",
	"wait4", "waitpid", "waitid", "nanosleep", "clock_nanosleep",
	"clock_nanosleep_time64", "clock_gettime", "clock_gettime64",
	"clock_getres", "clock_getres_time64", "gettimeofday", "time", "poll",
	"ppoll", "ppoll_time64", "select", "_newselect", "pselect6",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
	"epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime",
	"timerfd_gettime", "restart_syscall", "pause",
	/* signals */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn",
	"rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigpending",
	"rt_sigsuspend", "sigaltstack",
	/* who and what we are */
	"getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid",
	"getgroups", "getrlimit", "ugetrlimit", "getrusage", "getrandom",
	"uname", "sysinfo", "times", "capget", "umask",
	/* sockets that are open already */
	"accept", "accept4", "recv", "recvfrom", "recvmsg", "getsockopt",
	"setsockopt", "getsockname", "getpeername", "shutdown", "sendfile",
	"sendfile64"
};

/* To replace a file whole: a new one beside it, renamed over it. */
static const char *const make_calls[] = {
	"open",	     "openat",	    "creat",	"rename",    "renameat",
	"renameat2", "unlink",	    "unlinkat", "mkdir",     "mkdirat",
	"ftruncate", "ftruncate64", "fchmod",	"fallocate",
};

static const char *const unmount_calls[] = {
	"umount2",	   "statx",  "read",	   "write",
	"close",	   "exit",   "exit_group", "rt_sigreturn",
	"restart_syscall", "munmap", "brk",	   "futex",
};

static mih_err allow(scmp_filter_ctx ctx, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int call = seccomp_syscall_resolve_name(names[i]);
		int rc = call < 0
			     ? 0
			     : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 0);

		if (rc)
			return rc;
	}
	return 0;
}

/* One call that is let through if one argument is as it should be. */
struct condition {
	int call;
	struct scmp_arg_cmp argument;
};

static mih_err allow_if(scmp_filter_ctx ctx, const struct condition *rows,
			size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = rows[i].call < 0
			     ? 0
			     : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
						      rows[i].call, 1,
						      &rows[i].argument);

		if (rc)
			return rc;
	}
	return 0;
}

/* FUSE_DEV_IOC_BACKING_*, which linux/fuse.h has from 6.9 on: a structure of
 * two 32-bit numbers and a 64-bit one goes in, or one number. */
#define BACKING_OPEN  _IOW(229, 1, uint32_t[4])
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

/* O_RDWR alone is left to Landlock: libfuse opens /dev/fuse once per thread. */
#define WRITES (O_WRONLY | O_CREAT | O_TRUNC | O_APPEND)

#define NONE_OF(n, bits) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, (uint64_t)(bits), 0)
#define ALL_OF(n, bits)                                                        \
	SCMP_CMP(n, SCMP_CMP_MASKED_EQ, (uint64_t)(bits), (uint64_t)(bits))
#define EQUAL(n, value) SCMP_CMP(n, SCMP_CMP_EQ, (uint64_t)(value))

/* The flags of clone(2) come second where the stack comes first. */
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static mih_err allow_some(scmp_filter_ctx ctx)
{
	const struct condition rows[] = {
		{ SCMP_SYS(open), NONE_OF(1, WRITES) },
		{ SCMP_SYS(openat), NONE_OF(2, WRITES) },
		/* threads, but no processes */
		{ SCMP_SYS(clone), ALL_OF(CLONE_FLAGS, CLONE_THREAD) },
		/* data, but no code */
		{ SCMP_SYS(mmap), NONE_OF(2, PROT_EXEC) },
		{ SCMP_SYS(mmap2), NONE_OF(2, PROT_EXEC) },
		{ SCMP_SYS(mprotect), NONE_OF(2, PROT_EXEC) },
		/* ourselves, but nobody else */
		{ SCMP_SYS(kill), EQUAL(0, getpid()) },
		{ SCMP_SYS(tgkill), EQUAL(0, getpid()) },
		/* to whom the socket is connected, but no address */
		{ SCMP_SYS(sendto), EQUAL(4, 0) },
		{ SCMP_SYS(send), EQUAL(3, 0) },
		/* to read a limit, but not to set one */
		{ SCMP_SYS(prlimit64), EQUAL(2, 0) },
		{ SCMP_SYS(prctl), EQUAL(0, PR_SET_NAME) },
		{ SCMP_SYS(prctl), EQUAL(0, PR_GET_NAME) },
		{ SCMP_SYS(ioctl), EQUAL(1, FUSE_DEV_IOC_CLONE) },
		{ SCMP_SYS(ioctl), EQUAL(1, TCGETS) },
		{ SCMP_SYS(ioctl), EQUAL(1, FIONREAD) },
	};

	return allow_if(ctx, rows, MIH_ARRAY_LEN(rows));
}

/* clone3(2) hides its flags behind a pointer; told that there is none, the C
 * library takes clone(2). */
static mih_err fill_serve(scmp_filter_ctx ctx, bool makes)
{
	mih_err err = allow(ctx, serve_calls, MIH_ARRAY_LEN(serve_calls));

	if (!err)
		err = allow_some(ctx);
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, MIH_PAGES_CALL, 0);
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
				       SCMP_SYS(clone3), 0);
	if (!err && makes)
		err = allow(ctx, make_calls, MIH_ARRAY_LEN(make_calls));
	return err;
}

static mih_err fill_memory_files(scmp_filter_ctx ctx)
{
	static const char *const calls[] = { "memfd_create", "ftruncate",
					     "ftruncate64" };

	return allow(ctx, calls, MIH_ARRAY_LEN(calls));
}

/* Memory files that are full and sealed, for the kernel to read. */
static mih_err fill_stages(scmp_filter_ctx ctx)
{
	const struct condition rows[] = {
		{ SCMP_SYS(ioctl), EQUAL(1, BACKING_OPEN) },
		{ SCMP_SYS(ioctl), EQUAL(1, BACKING_CLOSE) },
	};

	return allow_if(ctx, rows, MIH_ARRAY_LEN(rows));
}

/* It looks at a mount point, and reads nothing. */
static mih_err fill_unmount(scmp_filter_ctx ctx)
{
	const struct condition rows[] = {
		{ SCMP_SYS(open), ALL_OF(1, O_PATH) },
		{ SCMP_SYS(openat), ALL_OF(2, O_PATH) },
	};
	mih_err err = allow(ctx, unmount_calls, MIH_ARRAY_LEN(unmount_calls));

	return err ? err : allow_if(ctx, rows, MIH_ARRAY_LEN(rows));
}

mih_err mih_sandbox_filter(const struct mih_sandbox_params *params, bool makes)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	mih_err err;

	if (!ctx)
		return mih_err_fail_errno(-ENOMEM, "seccomp");
	err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!err && params->filter == MIH_SANDBOX_SERVE)
		err = fill_serve(ctx, makes);
	if (!err && params->filter == MIH_SANDBOX_SERVE && params->memory_files)
		err = fill_memory_files(ctx);
	if (!err && params->filter == MIH_SANDBOX_SERVE && params->stages)
		err = fill_stages(ctx);
	if (!err && params->filter == MIH_SANDBOX_UNMOUNT)
		err = fill_unmount(ctx);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err ? mih_err_fail_errno(err, "seccomp") : 0;
}

bool mih_sandbox_filter_built(void)
{
	return true;
}

#else /* !HAVE_LIBSECCOMP */

mih_err mih_sandbox_filter(const struct mih_sandbox_params *params, bool makes)
{
	(void)params;
	(void)makes;
	return mih_err_fail(-ENOSYS, "seccomp: built without libseccomp");
}

bool mih_sandbox_filter_built(void)
{
	return false;
}

#endif
