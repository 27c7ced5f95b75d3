/*
 * Once the mount answers: more readahead, and the good news.
 */
#include "fs/fs_internal.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* INIT caps readahead at 128 KiB, an eighth of a request. With 16 MiB the
 * daemon always has requests to work on while the reader copies. */
#define READAHEAD_KIB "16384"

static mih_err raise_readahead(const char *file)
{
	/* For both, as the sandbox lets nothing be opened only to write. */
	mih_autoclose int fd = open(file, O_RDWR | O_CLOEXEC);

	if (fd < 0 || write(fd, READAHEAD_KIB, strlen(READAHEAD_KIB)) < 0)
		return -errno;
	return 0;
}

void mih_fs_read_ahead(dev_t dev)
{
	char file[64];
	mih_err err;

	snprintf(file, sizeof(file), "/sys/class/bdi/%u:%u/read_ahead_kb",
		 major(dev), minor(dev));
	err = raise_readahead(file);
	if (err)
		mih_log_warning("readahead stays at 128 KiB (%s), so reading "
				"is slow; raise it with: echo " READAHEAD_KIB
				" | sudo tee %s",
				strerror(-err), file);
}

/* stat() is a request like any other's here, and returns when the kernel has
 * taken our INIT and a FUSE thread has answered. */
static bool see_mount(struct mih_fs *fs)
{
	struct stat st;

	if (stat(fs->mountpoint, &st) < 0 || st.st_dev == fs->beneath)
		return false; /* unmounted before it ever answered */
	fs->dev = st.st_dev;
	mih_fs_read_ahead(st.st_dev);
	return true;
}

/* Of a passed descriptor we know no mount point to look at; the kernel's first
 * request says as much. Who mounted it cares for the readahead. */
static bool hear_kernel(struct mih_fs *fs)
{
	while (sem_wait(&fs->begun) < 0)
		;
	return atomic_load(&fs->talking);
}

bool mih_fs_answer(struct mih_fs *fs)
{
	const struct mih_fs_params *params = fs->params;
	struct mih_fs_generation *current;

	if (!(mih_fs_is_passed(fs) ? hear_kernel(fs) : see_mount(fs)))
		return false;
	mih_status_ready(params->status);
	current = mih_fs_generation_current(&fs->generations);
	if (params->ready)
		params->ready(params->context, current->model);
	mih_fs_generation_put(current);
	return true;
}
