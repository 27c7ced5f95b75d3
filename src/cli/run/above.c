#include "cli/run/above.h"
#include "util/cleanup.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* May anybody but root and us change the name of @child in @folder? */
static bool is_open_to_others(const struct stat *folder,
			      const struct stat *child)
{
	if (!is_trusted(folder->st_uid))
		return true;
	if (!(folder->st_mode & (S_IWGRP | S_IWOTH)))
		return false;
	return !(folder->st_mode & S_ISVTX) || !is_trusted(child->st_uid);
}

mih_err mih_cli_above_check(const char *mountpoint)
{
	mih_autofree char *path = strdup(mountpoint);
	struct stat child, folder;
	char *slash;

	if (!path)
		return -ENOMEM;
	if (stat(path, &child) < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	while ((slash = strrchr(path, '/')) && path[1]) {
		slash[slash == path] = '\0';
		if (stat(path, &folder) < 0)
			return mih_err_fail_errno(-errno, "%s", path);
		if (is_open_to_others(&folder, &child))
			return mih_err_fail(
			    -EPERM,
			    "%s: others may write here and so put another "
			    "folder in the place of %s; mount in a safe one "
			    "with --at DIR",
			    path, mountpoint);
		child = folder;
	}
	return 0;
}
