/*
 * What a process that lives through very many mounts keeps of them: nothing.
 *
 *	mount_cycles serve N MOUNTPOINT MODEL BUNDLE KEY FILE
 *	mount_cycles take N SOCKET
 *
 * "serve" opens the model, mounts, reads FILE through the mount and unmounts, N
 * times in this process; it prints what the process holds after the first tenth
 * and at the end. "take" asks a fd-helper for a mount and goes, N times: there
 * it is the helper that must be looked at.
 */
#include "fs/mount.h"
#include "fs/pass/handover.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct serving {
	const char *mountpoint, *dir, *bundle, *key, *file;
	struct mih_gpu_dev *dev;
	atomic_bool was_read;
};

/* What this process holds. */
struct holding {
	size_t descriptors, threads, mounts, heap, rss;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "mount_cycles: %s: %s\n", what, mih_err_message());
	exit(1);
}

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	if (!dir)
		die(path);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* How often @word is in a file of /proc, or the number behind it there. */
static size_t look_in(const char *path, const char *word, bool number)
{
	FILE *f = fopen(path, "re");
	char line[4096];
	size_t n = 0;

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, word);

		if (at && number)
			n = strtoul(at + strlen(word), NULL, 10);
		else if (at)
			n++;
	}
	fclose(f);
	return n;
}

static struct holding look(const struct serving *s)
{
	malloc_trim(0);
	return (struct holding){
		.descriptors = count_entries("/proc/self/fd"),
		.threads = count_entries("/proc/self/task"),
		.mounts = look_in("/proc/self/mountinfo", s->mountpoint, false),
		.heap = mallinfo2().uordblks >> 10,
		.rss = look_in("/proc/self/status", "RssAnon:", true),
	};
}

static mih_err start(void *context, const struct mih_verify_model *model,
		     struct mih_verify_engine **engine_out)
{
	const struct serving *s = context;
	const struct mih_verify_engine_params params = {
		.model = model,
		.dev = s->dev,
		.memory = (size_t)16 << 20,
		.nthreads = 2,
	};

	return mih_verify_engine_new(&params, engine_out);
}

/* Read a file, then end the mount. */
static void ready(void *context, const struct mih_verify_model *model)
{
	struct serving *s = context;
	mih_autofree char *path = NULL;
	mih_autoclose int fd = -1;
	char byte;

	(void)model;
	if (asprintf(&path, "%s/%s", s->mountpoint, s->file) < 0)
		path = NULL;
	fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0 && read(fd, &byte, 1) == 1)
		atomic_store(&s->was_read, true);
	kill(getpid(), SIGTERM);
}

static mih_err open_model(const struct serving *s,
			  struct mih_verify_model **model_out)
{
	struct mih_sig_trust *trust = mih_sig_trust_new();
	const struct mih_verify_model_params params = {
		.bundle = s->bundle,
		.dir = s->dir,
		.trust = trust,
	};
	mih_err err = trust ? mih_sig_trust_add_key(trust, s->key) : -ENOMEM;

	if (!err)
		err = mih_verify_model_open(&params, model_out);
	mih_sig_trust_free(trust);
	return err;
}

static void serve_once(struct serving *s)
{
	struct mih_fs_params params = {
		.mountpoint = s->mountpoint,
		.start = start,
		.context = s,
		.ready = ready,
	};

	atomic_store(&s->was_read, false);
	if (open_model(s, &params.model))
		die("cannot open the model");
	if (mih_fs_serve(&params))
		die("cannot serve");
	if (!atomic_load(&s->was_read))
		die("nothing was read");
}

static void tell(const char *when, const struct holding *h)
{
	printf("%s descriptors %zu threads %zu mounts %zu heap %zu KiB "
	       "memory %zu KiB\n",
	       when, h->descriptors, h->threads, h->mounts, h->heap, h->rss);
	fflush(stdout);
}

static int serve_all(size_t n, char **argv)
{
	struct serving s = { argv[0], argv[1], argv[2], argv[3],
			     argv[4], NULL,    false };
	static const char *const names[] = { "cpu" };
	const struct mih_gpu_params cpu = { .specs = names, .nspecs = 1 };
	struct holding h;

	if (mih_gpu_open(&cpu, &s.dev))
		die("no device");
	for (size_t i = 0; i < n; i++) {
		serve_once(&s);
		if (i == n / 10) {
			h = look(&s);
			tell("early", &h);
		}
	}
	h = look(&s);
	tell("end", &h);
	mih_gpu_close(s.dev);
	return 0;
}

static int take_all(size_t n, const char *socket)
{
	struct mih_fs_handover got;

	for (size_t i = 0; i < n; i++) {
		mih_err err = mih_fs_handover_take(socket, 10000, &got);

		/* The helper has yet to hear that the last one went. */
		while (err == -EACCES)
			err = mih_fs_handover_take(socket, 10000, &got);
		if (err)
			die(socket);
		mih_fs_handover_end(&got);
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	mih_log_setup(MIH_LOG_ERROR, MIH_LOG_TEXT, MIH_LOG_TO_STDERR);
	if (argc == 8 && !strcmp(argv[1], "serve"))
		return serve_all(n, argv + 3);
	if (argc == 4 && !strcmp(argv[1], "take"))
		return take_all(n, argv[3]);
	fprintf(stderr, "usage: see the first lines of mount_cycles.c\n");
	return 2;
}
