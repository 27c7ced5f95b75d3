#include "cli/commands.h"
#include "cli/mount/confine.h"
#include "cli/mount/daemon.h"
#include "cli/mount/mount_options.h"
#include "cli/mount/notify.h"
#include "cli/mount/passed.h"
#include "cli/mount/serve.h"
#include "fs/host/mountpoint.h"
#include "fs/mount.h"
#include "util/cleanup.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* One mount, from the command line to its end. */
struct serving {
	struct mih_cli_mount_options options;
	struct mih_cli_daemon daemon;
	struct mih_cli_passed passed;
	struct mih_cli_confine confine;
	struct mih_verify_model *model; /* owned */
	char *dir;			/* the model, absolute; owned */
	struct mih_gpu_dev *dev;	/* owned; made after the fork */
	char *mountpoint;		/* absolute; owned */
	dev_t beneath;			/* device of the bare mount point */
	struct mih_status *status;	/* owned */
	atomic_bool ready;
	atomic_bool mismatch; /* seen with --on-mismatch=stop */
};

static void print_problem(void *context, const char *line)
{
	(void)context;
	fprintf(stderr, "%s\n", line);
}

static void free_trust(struct mih_sig_trust **trust)
{
	mih_sig_trust_free(*trust);
}

static mih_err open_model(struct serving *s)
{
	MIH_CLEANUP(free_trust) struct mih_sig_trust *trust = NULL;
	struct mih_verify_model_params params = {
		.bundle = s->options.root,
		.dir = s->options.model,
		.sidecar = s->options.tree,
		.allow_symlinks = s->options.allow_symlinks,
		.symlink_root = s->options.symlink_root,
		.deny_unsigned =
		    s->options.unsigned_files == MIH_CLI_UNSIGNED_DENY,
		.problem = print_problem,
	};
	mih_err err = mih_cli_trust_load(&s->options.trust, &trust);

	if (err)
		return err;
	/* The daemon leaves this folder; a missing model is told by its name
	 * as it was typed. */
	s->dir = realpath(s->options.model, NULL);
	if (s->dir)
		params.dir = s->dir;
	params.trust = trust;
	return mih_verify_model_open(&params, &s->model);
}

/* --verify=mount is "mihfs verify" before anything is mounted. Later reads are
 * checked all the same, since the files may change at any time. */
static int verify_all(const struct serving *s)
{
	const struct mih_cli_trust *trust = &s->options.trust;
	mih_autofree const char **argv =
	    calloc(13 + mih_cli_trust_nwords(trust), sizeof(*argv));
	const char **at = argv;

	if (!argv)
		return mih_cli_fail(-ENOMEM);
	*at++ = "verify";
	*at++ = "--quiet";
	*at++ = "--ignore-unsigned-files";
	*at++ = "--signature";
	*at++ = s->options.root;
	if (s->options.tree) {
		*at++ = "--tree";
		*at++ = s->options.tree;
	}
	if (s->options.allow_symlinks)
		*at++ = "--allow-symlinks";
	if (s->options.symlink_root) {
		*at++ = "--symlink-root";
		*at++ = s->options.symlink_root;
	}
	at = mih_cli_trust_words(trust, at);
	*at++ = "--"; /* it may begin with one */
	*at++ = s->options.model;
	return mih_cli_verify((int)(at - argv), (char **)argv);
}

static mih_err make_status(struct serving *s)
{
	mih_autofree char *bundle = realpath(s->options.root, NULL);
	const struct mih_status_params params = {
		.mountpoint = s->mountpoint,
		.bundle = bundle ? bundle : s->options.root,
	};

	return mih_status_new(&params, &s->status);
}

/* What is dead stays in the way until there is something in its place: beneath
 * it lies a folder that nobody has verified. */
static mih_err check_mountpoint(const struct serving *s)
{
	const char *mountpoint = s->options.mountpoint;
	struct statvfs st;

	if (mih_cli_passed_is(mountpoint))
		return 0;
	if (s->options.mkdir && mkdir(mountpoint, 0755) < 0 && errno != EEXIST)
		return mih_err_fail_errno(-errno, "%s", mountpoint);
	if (s->options.clear_dead && statvfs(mountpoint, &st) < 0 &&
	    errno == ENOTCONN)
		return 0;
	return mih_fs_check_mountpoint(mountpoint);
}

/* All that can be refused is refused here, while a terminal is there to say
 * why: mount point, trust, signature, files. */
static mih_err prepare(struct serving *s)
{
	struct stat st;
	mih_err err = check_mountpoint(s);

	if (!err)
		err = open_model(s);
	if (!err)
		err =
		    mih_cli_confine_prepare(&s->confine, &s->options,
					    s->dir ? s->dir : s->options.model);
	if (!err && s->options.clear_dead)
		err = mih_fs_mountpoint_clear(s->options.mountpoint);
	if (err)
		return err;
	/* What is mounted already, somewhere else, stays what it is. */
	if (mih_cli_passed_is(s->options.mountpoint)) {
		s->mountpoint = strdup(s->options.mountpoint);
		return s->mountpoint ? make_status(s) : -ENOMEM;
	}
	s->mountpoint = realpath(s->options.mountpoint, NULL);
	if (!s->mountpoint || stat(s->mountpoint, &st) < 0)
		return mih_err_fail_errno(-errno, "%s", s->options.mountpoint);
	s->beneath = st.st_dev;
	return make_status(s);
}

/* The story has been logged; with "stop" one bad byte ends the mount. */
static void on_failure(void *context, const char *line)
{
	struct serving *s = context;

	mih_log_error("%s", line);
	mih_status_failed(s->status, line);
	if (s->options.on_mismatch != MIH_CLI_MISMATCH_STOP ||
	    atomic_exchange(&s->mismatch, true))
		return;
	mih_log_error("%s: stopping, as --on-mismatch=stop says",
		      s->mountpoint);
	kill(getpid(), SIGTERM);
}

static mih_err confine(void *context, dev_t dev)
{
	struct serving *s = context;

	return mih_cli_confine_enter(&s->confine, &s->options, s->model, dev);
}

static mih_err start_engine(void *context, struct mih_verify_engine **engine)
{
	struct serving *s = context;
	struct mih_verify_engine_params params = {
		.model = s->model,
		.memory = (size_t)s->options.memory,
		.failed = on_failure,
		.context = s,
	};
	const struct mih_gpu_params devices = {
		.specs = s->options.device.items,
		.nspecs = s->options.device.n,
	};
	mih_err err = mih_gpu_open(&devices, &s->dev);

	if (err)
		return err;
	params.dev = s->dev;
	return mih_verify_engine_new(&params, engine);
}

static void announce(const struct serving *s)
{
	uint64_t nbytes = 0;

	for (size_t i = 0; i < s->model->nfiles; i++)
		nbytes += s->model->files[i].nbytes;
	mih_log_info("serving %s on %s: %zu files, %" PRIu64 " bytes",
		     s->options.model,
		     mih_cli_passed_name(&s->passed, s->mountpoint),
		     s->model->nfiles, nbytes);
}

static void write_ready_fd(int fd)
{
	static const char ready[] = "READY=1\n";

	if (fd < 0)
		return;
	if (write(fd, ready, strlen(ready)) < 0)
		mih_log_warning("--ready-fd %d: %s", fd, strerror(errno));
	close(fd);
}

static void on_ready(void *context)
{
	struct serving *s = context;

	atomic_store(&s->ready, true);
	if (s->daemon.pipe >= 0 && !mih_cli_daemon_ready(&s->daemon))
		mih_log_setup(s->options.level, s->options.log_format,
			      MIH_LOG_TO_SYSLOG);
	announce(s);
	mih_cli_confine_say(&s->confine);
	mih_cli_passed_serving(&s->passed);
	mih_cli_notify("READY=1\nSTATUS=serving");
	write_ready_fd(s->options.ready_fd);
}

/* Each open file holds a descriptor, so take all there are. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static mih_err serve(struct serving *s)
{
	struct mih_fs_params params = {
		.model = s->model,
		.options = s->options.fuse,
		.debug = s->options.debug,
		.status = s->status,
		.confine =
		    s->options.sandbox != MIH_CLI_SANDBOX_OFF ? confine : NULL,
		.start = start_engine,
		.context = s,
		.ready = on_ready,
	};
	mih_err err;

	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	err = mih_cli_passed_take(&s->passed, &s->mountpoint);
	if (err)
		return err;
	params.mountpoint = s->mountpoint;
	err = mih_fs_serve(&params);
	mih_cli_notify("STOPPING=1");
	mih_gpu_close(MIH_STEAL(&s->dev));
	if (!err && atomic_load(&s->mismatch))
		err = mih_err_fail(MIH_EDIGEST, "%s: stopped after a mismatch",
				   s->mountpoint);
	return err;
}

/* The server's process; what goes wrong later can only be logged. */
static int run_child(struct serving *s)
{
	mih_err err = serve(s);

	if (!err)
		return MIH_CLI_DONE;
	if (atomic_load(&s->ready))
		mih_log_error("%s", mih_err_message());
	else
		mih_cli_daemon_fail(&s->daemon, err);
	return mih_cli_exit_code(err);
}

/* See with our own eyes that the mount is there: statfs is never answered from
 * the kernel's memory. */
static mih_err check_answer(const struct serving *s)
{
	struct statvfs fs;
	struct stat st;

	if (mih_cli_passed_is(s->mountpoint))
		return 0;
	if (stat(s->mountpoint, &st) < 0 || statvfs(s->mountpoint, &fs) < 0)
		return mih_err_fail_errno(-errno, "%s", s->mountpoint);
	if (st.st_dev == s->beneath)
		return mih_err_fail(-ENOTCONN, "%s: the mount is gone already",
				    s->mountpoint);
	return 0;
}

static int run_daemon(struct serving *s)
{
	mih_err err = mih_cli_daemon_fork(&s->daemon);

	if (!err && !s->daemon.parent)
		return run_child(s);
	if (!err)
		err = mih_cli_daemon_wait(&s->daemon);
	if (!err)
		err = check_answer(s);
	return err ? mih_cli_fail(err) : MIH_CLI_DONE;
}

static int run(struct serving *s)
{
	mih_err err = prepare(s);

	if (err)
		return mih_cli_fail(err);
	if (s->options.verify == MIH_CLI_VERIFY_MOUNT) {
		int code = verify_all(s);

		if (code != MIH_CLI_DONE)
			return code;
	}
	if (!s->options.foreground)
		return run_daemon(s);
	err = serve(s);
	return err ? mih_cli_fail(err) : MIH_CLI_DONE;
}

int mih_cli_mount_serve(struct mih_cli_mount_options *o)
{
	struct serving s = { .options = *o,
			     .daemon = { .pipe = -1 },
			     .passed.got = { .fuse = -1, .socket = -1 } };
	int end;

	*o = (struct mih_cli_mount_options){ .command = NULL };
	mih_log_setup(s.options.level, s.options.log_format, MIH_LOG_TO_STDERR);
	end = run(&s);
	mih_status_free(s.status);
	mih_verify_model_close(s.model);
	mih_cli_confine_fini(&s.confine);
	free(s.mountpoint);
	free(s.dir);
	mih_cli_mount_options_fini(&s.options);
	return end;
}

int mih_cli_mount(int argc, char **argv)
{
	static const struct mih_cli_mount_form form = {
		.command = "mount",
		.synopsis = "--root FILE [options] MODEL MOUNTPOINT",
		.about =
		    "Check the signature of MODEL and serve it, read-only, on "
		    "MOUNTPOINT.\nEvery byte is checked before it is returned; "
		    "wrong bytes give EIO.\nReturns when the mount answers. "
		    "End it with: umount MOUNTPOINT",
		.least = 2,
		.most = 2,
	};
	struct mih_cli_mount_options o;
	char **operands;
	int end = mih_cli_mount_options_parse(&o, &form, argc, argv, &operands);

	if (end == MIH_CLI_GO_ON) {
		o.model = operands[0];
		o.mountpoint = operands[1];
		end = mih_cli_mount_serve(&o);
	}
	mih_cli_mount_options_fini(&o);
	return end;
}
