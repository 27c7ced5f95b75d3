#include "cli/commands.h"
#include "cli/mount/confine.h"
#include "cli/mount/daemon.h"
#include "cli/mount/memory.h"
#include "cli/mount/mount_options.h"
#include "cli/fd_helper/passed.h"
#include "cli/mount/serve.h"
#include "cli/mount/source.h"
#include "cli/service/notify.h"
#include "cli/service/watchdog.h"
#include "fs/host/mountpoint.h"
#include "fs/mount.h"
#include "util/bytes.h"
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
	struct mih_verify_model *model; /* owned until it is served */
	struct mih_gpu_dev *dev;	/* owned; made after the fork */
	char *mountpoint;		/* absolute; owned */
	dev_t beneath;			/* device of the bare mount point */
	struct mih_status *status;	/* owned */
	struct mih_cli_export export;
	struct mih_cli_watchdog watchdog;
	atomic_bool ready;
	atomic_bool mismatch; /* seen with --on-mismatch=stop */
};

static void print_problem(void *context, const char *line)
{
	(void)context;
	fprintf(stderr, "%s\n", line);
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

/* The file of the metrics is made anew each time, from within the sandbox. */
static mih_err prepare_export(struct serving *s)
{
	mih_err err = mih_cli_export_prepare(&s->export, &s->options.export);
	mih_autofree char *folder = mih_cli_export_folder(&s->export);

	if (!err && folder)
		mih_cli_confine_allow(&s->confine, folder,
				      MIH_SANDBOX_READ | MIH_SANDBOX_MAKE);
	return err;
}

/* All that can be refused is refused here, while a terminal is there to say
 * why: mount point, trust, signature, files. */
static mih_err prepare(struct serving *s)
{
	struct stat st;
	mih_err err = check_mountpoint(s);

	if (!err)
		err = mih_cli_source_open(&s->options, print_problem, NULL,
					  &s->model);
	if (!err)
		err = mih_cli_confine_prepare(&s->confine, &s->options);
	if (!err)
		err = prepare_export(s);
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
static void on_failure(void *context, const struct mih_log_event *event,
		       const char *line)
{
	struct serving *s = context;

	mih_log_refusal(event, line);
	mih_status_failed(s->status, event, line);
	if (s->options.on_mismatch != MIH_CLI_MISMATCH_STOP ||
	    atomic_exchange(&s->mismatch, true))
		return;
	mih_log_error("%s: stopping, as --on-mismatch=stop says",
		      s->mountpoint);
	kill(getpid(), SIGTERM);
}

static mih_err confine(void *context, const struct mih_verify_model *model,
		       dev_t dev)
{
	struct serving *s = context;

	return mih_cli_confine_enter(&s->confine, &s->options, model, dev);
}

/* One device serves all versions of the model. */
static mih_err start_engine(void *context, const struct mih_verify_model *model,
			    struct mih_verify_engine **engine)
{
	struct serving *s = context;
	struct mih_verify_engine_params params = {
		.model = model,
		.memory = (size_t)s->options.memory,
		.keep_read = s->options.serve == MIH_CLI_SERVE_DIRECT,
		.whole = s->options.verify == MIH_CLI_VERIFY_OPEN,
		.stage_memory = s->options.serve == MIH_CLI_SERVE_STAGE
				    ? s->options.stage_memory
				    : 0,
		.failed = on_failure,
		.context = s,
	};
	const struct mih_gpu_params devices = {
		.specs = s->options.devices.device.items,
		.nspecs = s->options.devices.device.n,
		.memory = s->options.devices.gpu_memory,
		.alone = true,
	};
	mih_err err = 0;

	if (!s->dev)
		err = mih_gpu_open(&devices, &s->dev);
	if (err)
		return err;
	params.dev = s->dev;
	return mih_verify_engine_new(&params, engine);
}

static void announce(const struct serving *s,
		     const struct mih_verify_model *model)
{
	const struct mih_log_event event = { MIH_LOG_INFO, .name = "serving" };
	uint64_t nbytes = 0;

	for (size_t i = 0; i < model->nfiles; i++)
		nbytes += model->files[i].nbytes;
	mih_log_write(&event, "serving %s on %s: %zu files, %" PRIu64 " bytes",
		      s->options.model,
		      mih_cli_passed_name(&s->passed, s->mountpoint),
		      model->nfiles, nbytes);
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

static void on_ready(void *context, const struct mih_verify_model *model)
{
	struct serving *s = context;

	atomic_store(&s->ready, true);
	if (s->daemon.pipe >= 0 && !mih_cli_daemon_ready(&s->daemon))
		mih_log_setup(s->options.level, s->options.log_format,
			      MIH_LOG_TO_SYSTEM);
	announce(s, model);
	mih_cli_confine_say(&s->confine);
	mih_cli_passed_serving(&s->passed);
	mih_cli_export_start(&s->export, s->status);
	mih_cli_notify("READY=1\nSTATUS=serving");
	mih_cli_watchdog_start(&s->watchdog, mih_cli_passed_is(s->mountpoint)
						 ? NULL
						 : s->mountpoint);
	write_ready_fd(s->options.ready_fd);
}

/* All is read anew and held against the same options. Of what is wrong the log
 * gets the first line, with the story. */
static mih_err on_reload(void *context, struct mih_verify_model **model_out)
{
	struct serving *s = context;

	mih_cli_notify_reloading();
	return mih_cli_source_open(&s->options, NULL, s->dev, model_out);
}

static void on_reloaded(void *context, mih_err err,
			const struct mih_verify_model *model)
{
	const struct mih_log_event done = { MIH_LOG_INFO, .name = "reload" };
	const struct mih_log_event refused = { MIH_LOG_ERROR,
					       .name = "reload" };
	struct serving *s = context;
	uint8_t root[32];
	char hex[2 * sizeof(root) + 1];

	mih_sig_bundle_root(model->bundle, root);
	mih_bytes_to_hex(root, sizeof(root), hex);
	if (err) {
		mih_log_write(&refused, "not reloaded, root %s goes on: %s",
			      hex, mih_err_message());
		mih_cli_notify("READY=1\nSTATUS=serving; the last reload "
			       "failed");
		return;
	}
	mih_log_write(&done, "reloaded: root %s, signed by %s", hex,
		      mih_sig_bundle_signer(model->bundle));
	announce(s, model);
	mih_cli_notify("READY=1\nSTATUS=serving");
}

static void on_stopping(void *context)
{
	(void)context;
	mih_cli_notify("STOPPING=1");
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

/* auto is the way that needs nothing, and suits every loader. */
static enum mih_fs_serve serve_of(const struct mih_cli_mount_options *options)
{
	switch (options->serve) {
	case MIH_CLI_SERVE_DIRECT:
		return MIH_FS_DIRECT;
	case MIH_CLI_SERVE_STAGE:
		return MIH_FS_STAGE;
	default:
		return MIH_FS_CACHE;
	}
}

static mih_err serve(struct serving *s)
{
	struct mih_fs_params params = {
		.options = s->options.fuse,
		.debug = s->options.debug,
		.status = s->status,
		.serve = serve_of(&s->options),
		.confine =
		    s->options.sandbox != MIH_CLI_SANDBOX_OFF ? confine : NULL,
		.start = start_engine,
		.context = s,
		.ready = on_ready,
		.reload = on_reload,
		.reloaded = on_reloaded,
		.stopping = on_stopping,
	};
	mih_err err;

	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	err = mih_cli_passed_take(&s->passed, &s->mountpoint);
	if (err)
		return err;
	params.model = MIH_STEAL(&s->model);
	params.mountpoint = s->mountpoint;
	mih_log_mount(mih_cli_passed_name(&s->passed, s->mountpoint));
	err = mih_fs_serve(&params);
	mih_cli_export_stop(&s->export);
	mih_cli_watchdog_stop(&s->watchdog);
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
	mih_err err = mih_cli_source_settle(&s->options);

	if (!err)
		err = mih_cli_daemon_fork(&s->daemon);
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
	if (!s->options.foreground)
		return run_daemon(s);
	err = serve(s);
	return err ? mih_cli_fail(err) : MIH_CLI_DONE;
}

int mih_cli_mount_serve(struct mih_cli_mount_options *o)
{
	struct serving s = { .options = *o,
			     .daemon = { .pipe = -1 },
			     .export.listen.fd = -1,
			     .passed.got = { .fuse = -1, .socket = -1 } };
	int end;

	*o = (struct mih_cli_mount_options){ .command = NULL };
	mih_log_setup(s.options.level, s.options.log_format, MIH_LOG_TO_STDERR);
	/* The sandbox closes /proc and /sys. */
	s.options.memory = mih_cli_memory_budget(s.options.memory);
	if (s.options.serve == MIH_CLI_SERVE_STAGE)
		s.options.stage_memory = mih_cli_memory_stages(
		    s.options.stage_memory, s.options.memory);
	end = run(&s);
	mih_cli_export_fini(&s.export);
	mih_status_free(s.status);
	mih_verify_model_close(s.model);
	mih_cli_confine_fini(&s.confine);
	free(s.mountpoint);
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
