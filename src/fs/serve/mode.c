#include "fs/serve/mode.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* linux/fuse.h has it from 6.9 on. */
#ifndef FUSE_DEV_IOC_BACKING_CLOSE
#define FUSE_DEV_IOC_BACKING_CLOSE _IOW(229, 2, uint32_t)
#endif

/* One inode that is open. */
struct mih_fs_mode {
	LIST_ENTRY(mih_fs_mode) link;
	fuse_ino_t ino;
	unsigned nopens;
	enum mih_fs_serve serve;
	int backing; /* the kernel's number of the memory file; 0: none */
};

void mih_fs_modes_init(struct mih_fs_modes *modes, enum mih_fs_serve wanted)
{
	*modes = (struct mih_fs_modes){ .wanted = wanted };
	pthread_mutex_init(&modes->lock, NULL);
}

void mih_fs_modes_fini(struct mih_fs_modes *modes)
{
	for (size_t i = 0; i < MIH_FS_MODE_BUCKETS; i++) {
		struct mih_fs_mode *mode;

		while ((mode = LIST_FIRST(&modes->buckets[i]))) {
			LIST_REMOVE(mode, link);
			free(mode);
		}
	}
	pthread_mutex_destroy(&modes->lock);
}

static void lacks(const char *mode, const char *what)
{
	mih_log_warning("--serve=%s needs %s; serving through the kernel's "
			"cache instead",
			mode, what);
}

#ifdef FUSE_CAP_PASSTHROUGH

bool mih_fs_can_stage(void)
{
	return true;
}

void mih_fs_modes_agree(struct mih_fs_modes *modes, struct fuse_conn_info *conn)
{
	modes->direct = conn->capable & FUSE_CAP_DIRECT_IO_ALLOW_MMAP;
	modes->stage = conn->capable & FUSE_CAP_PASSTHROUGH;
	if (modes->wanted == MIH_FS_DIRECT) {
		conn->want |= conn->capable & FUSE_CAP_DIRECT_IO_ALLOW_MMAP;
		if (!modes->direct)
			lacks("direct", "Linux 6.6");
	}
	if (modes->wanted == MIH_FS_STAGE) {
		conn->want |= conn->capable & FUSE_CAP_PASSTHROUGH;
		conn->max_backing_stack_depth = 1;
		if (!modes->stage)
			lacks("stage", "Linux 6.9");
	}
}

/* Hand the memory file to the kernel. What it refuses once it would refuse
 * always, so no more files are staged in vain. Return: its number, or 0. */
static int backing_open(struct mih_fs_modes *modes, fuse_req_t req, int staged)
{
	int backing = fuse_passthrough_open(req, staged);

	if (backing > 0)
		return backing;
	if (errno == ENOMEM || !atomic_exchange(&modes->stage, false))
		return 0;
	mih_log_warning("a staged file cannot be handed to the kernel (%s); "
			"serving through its cache instead",
			errno == EPERM ? "it takes CAP_SYS_ADMIN"
				       : strerror(errno));
	return 0;
}

static void answer_with(const struct mih_fs_mode *mode,
			struct fuse_file_info *fi)
{
	/* What is read from the memory file is in no cache of the inode's; the
	 * kernel refuses an answer that says otherwise. */
	fi->keep_cache = mode->serve != MIH_FS_STAGE;
	fi->direct_io = mode->serve == MIH_FS_DIRECT;
	fi->backing_id = mode->backing;
}

const char *mih_fs_mode_name(const struct fuse_file_info *fi)
{
	if (fi->backing_id)
		return "stage";
	return fi->direct_io ? "direct" : "cache";
}

#else /* a libfuse before 3.17 */

bool mih_fs_can_stage(void)
{
	return false;
}

const char *mih_fs_mode_name(const struct fuse_file_info *fi)
{
	(void)fi;
	return "cache";
}

void mih_fs_modes_agree(struct mih_fs_modes *modes, struct fuse_conn_info *conn)
{
	(void)conn;
	if (modes->wanted == MIH_FS_DIRECT)
		lacks("direct", "a build with libfuse 3.17");
	if (modes->wanted == MIH_FS_STAGE)
		lacks("stage", "a build with libfuse 3.17");
}

static int backing_open(struct mih_fs_modes *modes, fuse_req_t req, int staged)
{
	(void)modes;
	(void)req;
	(void)staged;
	return 0;
}

static void answer_with(const struct mih_fs_mode *mode,
			struct fuse_file_info *fi)
{
	(void)mode;
	fi->keep_cache = 1;
}

#endif

/* The place of @ino in its bucket; the lock is held. */
static struct mih_fs_mode *find(struct mih_fs_modes *modes, fuse_ino_t ino)
{
	struct mih_fs_mode *mode;

	LIST_FOREACH(mode, &modes->buckets[ino % MIH_FS_MODE_BUCKETS], link)
	if (mode->ino == ino)
		return mode;
	return NULL;
}

/* The first open of an inode says how it is served. */
static struct mih_fs_mode *begin(struct mih_fs_modes *modes, fuse_req_t req,
				 fuse_ino_t ino, int staged)
{
	struct mih_fs_mode *mode = calloc(1, sizeof(*mode));

	if (!mode)
		return NULL;
	mode->ino = ino;
	if (mih_fs_modes_stages(modes) && staged >= 0)
		mode->backing = backing_open(modes, req, staged);
	if (mode->backing)
		mode->serve = MIH_FS_STAGE;
	else if (modes->wanted == MIH_FS_DIRECT && modes->direct)
		mode->serve = MIH_FS_DIRECT;
	LIST_INSERT_HEAD(&modes->buckets[ino % MIH_FS_MODE_BUCKETS], mode,
			 link);
	return mode;
}

/* Where the only way is the kernel's cache there is nothing to remember. */
mih_err mih_fs_mode_open(struct mih_fs_modes *modes, fuse_req_t req,
			 fuse_ino_t ino, int staged, struct fuse_file_info *fi)
{
	static const struct mih_fs_mode by_cache = { .serve = MIH_FS_CACHE };
	struct mih_fs_mode *mode;

	if (modes->wanted == MIH_FS_CACHE) {
		answer_with(&by_cache, fi);
		return 0;
	}
	pthread_mutex_lock(&modes->lock);
	mode = find(modes, ino);
	if (!mode)
		mode = begin(modes, req, ino, staged);
	if (mode) {
		mode->nopens++;
		answer_with(mode, fi);
	}
	pthread_mutex_unlock(&modes->lock);
	return mode ? 0 : -ENOMEM;
}

void mih_fs_mode_close(struct mih_fs_modes *modes, struct fuse_session *session,
		       fuse_ino_t ino)
{
	struct mih_fs_mode *mode;
	uint32_t backing;

	if (modes->wanted == MIH_FS_CACHE)
		return;
	pthread_mutex_lock(&modes->lock);
	mode = find(modes, ino);
	if (mode && --mode->nopens == 0) {
		LIST_REMOVE(mode, link);
		backing = (uint32_t)mode->backing;
		if (backing)
			ioctl(fuse_session_fd(session),
			      FUSE_DEV_IOC_BACKING_CLOSE, &backing);
		free(mode);
	}
	pthread_mutex_unlock(&modes->lock);
}
