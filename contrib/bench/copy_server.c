/*
 * The same mount without any check: what verification is compared with.
 *
 *     copy_server DIR MOUNTPOINT
 *
 * It is src/fs as it stands (names, caching, requests, readahead), with an
 * "engine" that reads into a private buffer and answers, on the FUSE thread.
 * Never serve a model with it.
 */
#include "fs/mount.h"
#include "util/io.h"
#include "util/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 1024

struct mih_verify_engine {
	int fds[FILES_MAX]; /* of the files, for good */
};

static struct mih_verify_engine the_engine;
static struct mih_verify_file files[FILES_MAX];
static struct mih_sig_resource resource = { .alg = MIH_HASH_SHA256 };
static struct mih_verify_model model = { .files = files };

void mih_verify_open(struct mih_verify_engine *engine,
		     struct mih_verify_open *request)
{
	(void)engine;
	request->done(request, 0);
}

bool mih_verify_open_cancel(struct mih_verify_engine *engine,
			    struct mih_verify_open *request)
{
	(void)engine, (void)request;
	return false; /* it was answered at once */
}

int mih_verify_staged(struct mih_verify_engine *engine, size_t file)
{
	(void)engine, (void)file;
	return -1;
}

void mih_verify_close(struct mih_verify_engine *engine, size_t file)
{
	(void)engine, (void)file;
}

/* A private copy, like every server makes that looks at the bytes. */
void mih_verify_read(struct mih_verify_engine *engine,
		     struct mih_verify_read *request)
{
	static _Thread_local char *buf;
	uint64_t left = files[request->file].nbytes - request->off;
	size_t len = left < request->len ? (size_t)left : request->len;
	mih_err err = 0;

	if (!buf)
		buf = malloc(MIH_VERIFY_READ_MAX);
	err = !buf ? -ENOMEM
		   : mih_io_pread_full(engine->fds[request->file], buf, len,
				       request->off);
	request->iov[0] = (struct iovec){ .iov_base = buf, .iov_len = len };
	request->niov = err ? 0 : 1;
	request->done(request, err);
}

void mih_verify_read_release(struct mih_verify_read *request)
{
	(void)request;
}

void mih_verify_note_way(struct mih_verify_engine *engine, size_t file,
			 const char *way)
{
	(void)engine, (void)file, (void)way;
}

void mih_verify_file_stats(struct mih_verify_engine *engine, size_t file,
			   struct mih_verify_file_stats *stats_out)
{
	(void)engine, (void)file;
	*stats_out = (struct mih_verify_file_stats){ 0 };
}

void mih_verify_engine_stats(struct mih_verify_engine *engine,
			     struct mih_verify_stats *stats_out)
{
	(void)engine;
	*stats_out = (struct mih_verify_stats){ 0 };
}

struct mih_gpu_dev *
mih_verify_engine_device(const struct mih_verify_engine *engine)
{
	(void)engine;
	return NULL; /* nobody watches this one */
}

void mih_verify_engine_free(struct mih_verify_engine *engine)
{
	(void)engine;
}

const char *mih_sig_bundle_signer(const struct mih_sig_bundle *bundle)
{
	(void)bundle;
	return "nobody";
}

void mih_sig_bundle_root(const struct mih_sig_bundle *bundle, uint8_t root[32])
{
	(void)bundle;
	memset(root, 0, 32);
}

void mih_verify_engine_shrink(struct mih_verify_engine *engine, size_t memory)
{
	(void)engine, (void)memory;
}

void mih_verify_model_close(struct mih_verify_model *old)
{
	(void)old;
}

bool mih_verify_file_is_same(const struct mih_verify_file *a,
			     const struct mih_verify_file *b)
{
	return a == b;
}

static mih_err start(void *context, const struct mih_verify_model *served,
		     struct mih_verify_engine **engine_out)
{
	(void)context, (void)served;
	*engine_out = &the_engine;
	return 0;
}

static mih_err reload(void *context, struct mih_verify_model **model_out)
{
	(void)context, (void)model_out;
	return mih_err_fail(-ENOTSUP, "copy_server: nothing to reload");
}

static void reloaded(void *context, mih_err err,
		     const struct mih_verify_model *served)
{
	(void)context, (void)err, (void)served;
}

static void ready(void *context, const struct mih_verify_model *served)
{
	(void)context, (void)served;
	puts("READY=1");
	fflush(stdout);
	close(STDOUT_FILENO);
}

static int regular(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type == DT_REG;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The files at the top of @dir. */
static int load(char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, regular, by_bytes);
	struct stat st;

	model.dir = dir;
	model.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n < 0 || n > FILES_MAX || model.dirfd < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		int fd = openat(model.dirfd, entries[i]->d_name,
				O_RDONLY | O_CLOEXEC);

		if (fd < 0 || fstat(fd, &st) < 0)
			return -1;
		the_engine.fds[i] = fd;
		files[i] = (struct mih_verify_file){
			.path = entries[i]->d_name,
			.nbytes = (uint64_t)st.st_size,
			.proof = MIH_VERIFY_BY_FLAT,
			.resource = &resource,
		};
	}
	model.nfiles = (size_t)n;
	return 0;
}

int main(int argc, char **argv)
{
	struct mih_fs_params params = {
		.model = &model,
		.start = start,
		.ready = ready,
		.reload = reload,
		.reloaded = reloaded,
	};

	if (argc != 3 || load(argv[1]) < 0) {
		fprintf(stderr, "usage: copy_server DIR MOUNTPOINT\n");
		return 2;
	}
	params.mountpoint = argv[2];
	if (mih_fs_serve(&params) < 0) {
		fprintf(stderr, "%s\n", mih_err_message());
		return 3;
	}
	return 0;
}
