/*
 * Landlock by system calls. The C library has no functions for it, and the
 * kernel headers of a build machine may be older than the kernel it runs on:
 * what is needed of them is spelled out here.
 * Source: landlock(7), landlock_create_ruleset(2), landlock_add_rule(2).
 */
#include "sandbox/sandbox_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The numbers are the same on every architecture. */
#define CREATE_RULESET 444
#define ADD_RULE       445
#define RESTRICT_SELF  446

#define GET_VERSION  1u /* flag of CREATE_RULESET */
#define PATH_BENEATH 1	/* kind of rule */

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_CHAR = 1 << 6,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_BLOCK = 1 << 11,
	FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,	/* from version 2 */
	FS_TRUNCATE = 1 << 14,	/* from version 3 */
	FS_IOCTL_DEV = 1 << 15, /* from version 5 */
};

#define FS_OF_FILES                                                            \
	(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define NET_BIND_AND_CONNECT 3u /* TCP, from version 4 */
#define SCOPE_SOCKETS_SIGNALS                                                  \
	3u /* abstract Unix sockets and signals to others, from version 6 */

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

int mih_sandbox_landlock_version(void)
{
	long version = syscall(CREATE_RULESET, NULL, 0, GET_VERSION);

	return version < 0 ? -errno : (int)version;
}

/* Everything that this kernel can close is closed. */
static struct ruleset_attr closed(int version)
{
	struct ruleset_attr attr = { .fs = (FS_MAKE_SYM << 1) - 1 };

	if (version >= 2)
		attr.fs |= FS_REFER;
	if (version >= 3)
		attr.fs |= FS_TRUNCATE;
	if (version >= 4)
		attr.net = NET_BIND_AND_CONNECT;
	if (version >= 5)
		attr.fs |= FS_IOCTL_DEV;
	if (version >= 6)
		attr.scoped = SCOPE_SOCKETS_SIGNALS;
	return attr;
}

/* The kernel refuses bytes that it does not know unless they are 0, and sizes
 * that end before a member it does know are fine. */
static size_t attr_size(int version)
{
	if (version >= 6)
		return sizeof(struct ruleset_attr);
	return (version >= 4 ? 2 : 1) * sizeof(uint64_t);
}

static uint64_t rights(unsigned access)
{
	uint64_t fs = 0;

	if (access & MIH_SANDBOX_READ)
		fs |= FS_READ_FILE | FS_READ_DIR;
	if (access & MIH_SANDBOX_WRITE)
		fs |= FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
	if (access & MIH_SANDBOX_MAKE)
		fs |= FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG | FS_MAKE_DIR |
		      FS_MAKE_SYM | FS_MAKE_SOCK | FS_REMOVE_FILE |
		      FS_REMOVE_DIR | FS_REFER;
	if (access & MIH_SANDBOX_EXECUTE)
		fs |= FS_EXECUTE;
	return fs;
}

static mih_err add(int ruleset, const struct mih_sandbox_path *path,
		   uint64_t handled)
{
	struct path_beneath rule = {
		.allowed = rights(path->access) & handled,
		.parent = path->fd,
	};
	struct stat st;

	if (fstat(path->fd, &st) < 0)
		return mih_err_fail_errno(-errno, "Landlock");
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= FS_OF_FILES;
	if (syscall(ADD_RULE, ruleset, PATH_BENEATH, &rule, 0) < 0)
		return mih_err_fail_errno(-errno, "Landlock: a path");
	return 0;
}

mih_err mih_sandbox_landlock(const struct mih_sandbox_params *params,
			     int *version_out)
{
	int version = mih_sandbox_landlock_version();
	struct ruleset_attr attr = closed(version);
	mih_autoclose int ruleset = -1;

	if (version < 0)
		return mih_err_fail_errno(version, "Landlock");
	ruleset = (int)syscall(CREATE_RULESET, &attr, attr_size(version), 0);
	if (ruleset < 0)
		return mih_err_fail_errno(-errno, "Landlock");
	for (size_t i = 0; i < params->npaths; i++) {
		mih_err err = add(ruleset, &params->paths[i], attr.fs);

		if (err)
			return err;
	}
	if (syscall(RESTRICT_SELF, ruleset, 0) < 0)
		return mih_err_fail_errno(-errno, "Landlock");
	*version_out = version;
	return 0;
}
