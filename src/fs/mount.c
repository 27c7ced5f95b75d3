#include "fs/fs_internal.h"
#include "fs/host/mountinfo.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* How many requests the kernel may have on their way ahead of its readers:
 * sixteen readers with 16 MiB of readahead each. Above the threshold it stops
 * reading ahead. */
#define BACKGROUND 256
#define CONGESTED  192

#define PASSED_DESCRIPTOR                                                      \
	"/dev/fd/" /* libfuse: /dev/fuse is already mounted                    \
		    */

static bool is_passed_descriptor(const char *mountpoint)
{
	return !strncmp(mountpoint, PASSED_DESCRIPTOR,
			strlen(PASSED_DESCRIPTOR));
}

bool mih_fs_is_passed(const struct mih_fs *fs)
{
	return is_passed_descriptor(fs->mountpoint);
}

static mih_err fail_dead(const char *mountpoint)
{
	return mih_err_fail(
	    -ENOTCONN,
	    "%s: a dead file system is still mounted here; clear it with: "
	    "%s %s",
	    mountpoint, geteuid() == 0 ? "umount -l" : "fusermount3 -uz",
	    mountpoint);
}

/* A dead mihfs still answers stat() from the kernel's memory, which is told to
 * keep attributes for ever; statfs() is always asked anew. */
static mih_err check_mounted(const char *mountpoint)
{
	mih_autofree char *whole = realpath(mountpoint, NULL);
	struct mih_fs_mounted mounted;
	struct statvfs st;

	if (!whole)
		return mih_fs_is_dead(errno)
			   ? fail_dead(mountpoint)
			   : mih_err_fail_errno(-errno, "%s", mountpoint);
	if (!mih_fs_mountinfo_find(whole, &mounted) ||
	    strcmp(mounted.type, MIH_FS_TYPE) != 0)
		return 0;
	if (statvfs(whole, &st) < 0 && mih_fs_is_dead(errno))
		return fail_dead(mountpoint);
	return mih_err_fail(-EBUSY,
			    "%s: mihfs already serves %s here; end that mount "
			    "first: umount %s",
			    mountpoint, mounted.source, mountpoint);
}

mih_err mih_fs_check_mountpoint(const char *mountpoint)
{
	struct stat st;

	if (is_passed_descriptor(mountpoint))
		return 0;
	if (stat(mountpoint, &st) < 0)
		return mih_fs_is_dead(errno)
			   ? fail_dead(mountpoint)
			   : mih_err_fail_errno(-errno, "%s", mountpoint);
	if (!S_ISDIR(st.st_mode))
		return mih_err_fail(-ENOTDIR, "%s: not a directory",
				    mountpoint);
	return check_mounted(mountpoint);
}

static void do_init(void *context, struct fuse_conn_info *conn)
{
	struct mih_fs *fs = context;

	conn->max_write = MIH_FS_READ_MAX; /* sets the pages per request */
	conn->max_read = MIH_FS_READ_MAX;
	conn->max_background = BACKGROUND;
	conn->congestion_threshold = CONGESTED;
	conn->want |=
	    conn->capable & (FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
			     FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
	/* Bytes are copied into the kernel once they are proven; a page that
	 * was lent to it could change afterwards. An inode never changes, so
	 * there is nothing to invalidate in one. */
	conn->want &=
	    ~(unsigned)(FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
			FUSE_CAP_SPLICE_READ | FUSE_CAP_AUTO_INVAL_DATA);
	mih_fs_modes_agree(&fs->modes, conn);
	atomic_store(&fs->talking, true);
	sem_post(&fs->begun);
}

/* libfuse speaks in pieces of lines. Before the mount serves, its last line is
 * the story of a failure; afterwards it goes to the log. */
static struct {
	char line[512];
	size_t len;
	atomic_bool serving;
	pthread_mutex_t lock;
} speech = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* What was refused there serve/mode.c tells, with what becomes of it. */
static bool is_told(const char *line)
{
	static const char begin[] = "fuse: passthrough_open";

	return !strncmp(line, begin, sizeof(begin) - 1);
}

static void MIH_PRINTF(2, 0)
    speak(enum fuse_log_level level, const char *fmt, va_list ap)
{
	size_t room = sizeof(speech.line) - speech.len;
	int n;

	pthread_mutex_lock(&speech.lock);
	n = vsnprintf(speech.line + speech.len, room, fmt, ap);
	if (n > 0)
		speech.len += MIH_MIN((size_t)n, room - 1);
	if (speech.len > 0 && speech.line[speech.len - 1] == '\n') {
		speech.line[speech.len - 1] = '\0';
		speech.len = 0;
		if ((atomic_load(&speech.serving) || level >= FUSE_LOG_DEBUG) &&
		    !is_told(speech.line))
			mih_log(level >= FUSE_LOG_DEBUG ? MIH_LOG_DEBUG
							: MIH_LOG_WARNING,
				"%s", speech.line);
	}
	pthread_mutex_unlock(&speech.lock);
}

/* fusermount3 speaks to standard error, not to libfuse. */
static const char *unsaid(const char *options)
{
	if (geteuid() == 0)
		return "libfuse does not say why";
	if (options && strstr(options, "allow_other"))
		return "fusermount3 failed; a user's -o allow_other needs the "
		       "line user_allow_other in /etc/fuse.conf";
	return "fusermount3 failed; mihfs doctor tells what is missing";
}

static mih_err fail_session(const struct mih_fs *fs)
{
	const char *why = speech.line;

	if (!strncmp(why, "fuse: ", 6))
		why += 6;
	if (!strncmp(why, "mount failed: ", 14))
		why += 14;
	return mih_err_fail(-EIO, "%s: cannot mount: %s", fs->mountpoint,
			    *why ? why : unsaid(fs->params->options));
}

static mih_err new_session(struct mih_fs *fs)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_lowlevel_ops ops = { .init = do_init };
	mih_autofree char *text = NULL;
	mih_err err = mih_fs_options(fs->params, &text);

	if (err)
		return err;
	mih_fs_names_ops(&ops);
	mih_fs_folder_ops(&ops);
	mih_fs_data_ops(&ops);
	mih_fs_xattr_ops(&ops);
	mih_fs_readonly_ops(&ops);
	if (fs->params->status)
		mih_fs_control_ops(&fs->control, &ops);
	if (fuse_opt_add_arg(&args, "mihfs") == 0 &&
	    fuse_opt_add_arg(&args, "-o") == 0 &&
	    fuse_opt_add_arg(&args, text) == 0)
		fs->session = fuse_session_new(&args, &ops, sizeof(ops), fs);
	fuse_opt_free_args(&args);
	return fs->session ? 0 : fail_session(fs);
}

static mih_err mount_session(struct mih_fs *fs)
{
	struct stat st;
	mih_err err;

	fuse_set_log_func(speak);
	err = new_session(fs);
	if (err)
		return err;
	if (!is_passed_descriptor(fs->mountpoint)) {
		if (stat(fs->mountpoint, &st) < 0)
			return mih_err_fail_errno(-errno, "%s", fs->mountpoint);
		fs->beneath = st.st_dev;
	}
	if (fuse_session_mount(fs->session, fs->mountpoint) != 0)
		return fail_session(fs);
	atomic_store(&speech.serving, true);
	return 0;
}

/* FUSE threads only take requests in and hand them on, so a few are enough;
 * clone_fd spares them a common lock (who was passed a descriptor may have no
 * /dev/fuse to clone it with; libfuse goes on without). */
static mih_err run_loop(struct mih_fs *fs)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int end;

	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_clone_fd(config,
				   !mih_fs_is_passed(fs) ||
				       access("/dev/fuse", R_OK | W_OK) == 0);
	fuse_loop_cfg_set_max_threads(
	    config, (unsigned)MIH_MIN(mih_pool_cores() + 2, (size_t)16));
	end = fuse_session_loop_mt(fs->session, config);
	fuse_loop_cfg_destroy(config);
	if (end < 0)
		return mih_err_fail_errno(end,
					  "%s: the connection to the "
					  "kernel broke",
					  fs->mountpoint);
	return 0;
}

/* Threads come last: neither the fork of an unmounter nor a sandbox would be
 * right with them. */
static mih_err begin(struct mih_fs *fs)
{
	const struct mih_fs_params *params = fs->params;
	struct mih_fs_generation *first;
	mih_err err =
	    mih_fs_generation_new(&fs->generations, params->model, &first);

	if (err)
		return err;
	err = mount_session(fs);
	if (!err)
		err = mih_fs_confine(fs);
	if (!err)
		err = mih_fs_generation_start(first, params);
	if (err)
		mih_fs_generation_free(first);
	else
		mih_fs_generation_publish(first);
	return err;
}

void mih_fs_say_stopping(struct mih_fs *fs)
{
	if (!atomic_exchange(&fs->stopping, true) && fs->params->stopping)
		fs->params->stopping(fs->params->context);
}

/* Requests under way are finished before the session goes, since their answers
 * go through it; the keeper, who may be looking at the mount, ends with it. */
static void finish(struct mih_fs *fs)
{
	if (!mih_fs_keeper_rest(&fs->keeper))
		mih_fs_force(fs, "a reload does not end");
	mih_fs_control_stop(fs);
	mih_fs_generations_stop(&fs->generations);
	mih_fs_unmount(fs);
	sem_post(&fs->begun);
	mih_fs_keeper_join(&fs->keeper);
}

static mih_err serve(struct mih_fs *fs)
{
	struct mih_fs_stopper stopper;
	bool stopping = false;
	mih_err err;

	mih_fs_stopper_block(&stopper);
	err = begin(fs);
	if (!err)
		err = mih_fs_control_start(fs);
	if (!err)
		err = mih_fs_stopper_start(&stopper, fs);
	stopping = !err;
	if (!err)
		err = mih_fs_keeper_start(fs);
	if (!err)
		err = run_loop(fs);
	if (stopping)
		atomic_store(&stopper.looping, false);
	mih_fs_say_stopping(fs);
	finish(fs);
	mih_fs_stopper_finish(&stopper, stopping);
	if (fs->session)
		fuse_session_destroy(fs->session);
	return err;
}

mih_err mih_fs_serve(const struct mih_fs_params *params)
{
	struct mih_fs fs = {
		.params = params,
		.folders_lock = PTHREAD_MUTEX_INITIALIZER,
		.uid = getuid(),
		.gid = getgid(),
	};
	mih_err err;

	sem_init(&fs.begun, 0, 0);
	fs.mountpoint = is_passed_descriptor(params->mountpoint)
			    ? strdup(params->mountpoint)
			    : realpath(params->mountpoint, NULL);
	if (!fs.mountpoint) {
		err = mih_err_fail_errno(-errno, "%s", params->mountpoint);
		mih_verify_model_close(params->model);
		return err;
	}
	mih_fs_generations_init(&fs.generations);
	mih_fs_keeper_init(&fs.keeper);
	mih_fs_modes_init(&fs.modes, params->serve);
	fs.generations.unused = mih_fs_keeper_reap;
	fs.generations.context = &fs.keeper;
	err = serve(&fs);
	mih_fs_folders_free(&fs);
	mih_fs_generations_fini(&fs.generations);
	mih_fs_keeper_fini(&fs.keeper);
	mih_fs_modes_fini(&fs.modes);
	free(fs.mountpoint);
	return err;
}
