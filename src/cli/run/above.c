#include "cli/run/above.h"
#include "util/cleanup.h"
#include "util/log.h"

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

void mih_cli_above_warn(const char *mountpoint)
{
	mih_autofree char *path = strdup(mountpoint);
	struct stat child, folder;
	char *slash;

	if (!path || stat(path, &child) < 0)
		return;
	while ((slash = strrchr(path, '/')) && path[1]) {
		slash[slash == path] = '\0';
		if (stat(path, &folder) < 0)
			return;
		if (is_open_to_others(&folder, &child)) {
			mih_log_warning("%s: others may write here and so put "
					"another folder in the place of %s; "
					"mount in a safe one with --at DIR",
					path, mountpoint);
			return;
		}
		child = folder;
	}
}
