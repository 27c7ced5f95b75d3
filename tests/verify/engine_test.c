#include "verify/engine_test.h"
#include "util/cleanup.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct waiting_open {
	struct mih_verify_open request;
	sem_t done;
	mih_err err;
};

struct waiting_read {
	struct mih_verify_read request;
	sem_t done;
	mih_err err;
};

/* Loads end on many threads. */
static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;

static void failed(void *context, const struct mih_log_event *event,
		   const char *line)
{
	struct engine_test *t = context;

	(void)event;
	if (getenv("MIH_TEST_LINES"))
		printf("# %s\n", line);
	pthread_mutex_lock(&line_lock);
	snprintf(t->line, sizeof(t->line), "%s", line);
	pthread_mutex_unlock(&line_lock);
	atomic_fetch_add(&t->nlimits, strstr(line, "is not logged") != NULL);
	atomic_fetch_add(&t->nlines, 1);
}

void mih_test_engine_restart(struct engine_test *t)
{
	mih_verify_engine_free(t->engine);
	mih_verify_model_close(t->model);
	t->model = mih_test_model_open(&t->disk);
	t->params.model = t->model;
	t->params.dev = t->dev;
	t->params.failed = failed;
	t->params.context = t;
	atomic_store(&t->nlines, 0);
	atomic_store(&t->nlimits, 0);
	if (mih_verify_engine_new(&t->params, &t->engine))
		mih_test_die("engine");
}

void mih_test_engine_start(struct engine_test *t,
			   const struct mih_test_model_params *disk)
{
	static const char *const names[] = { "cpu" };
	const struct mih_gpu_params cpu = { .specs = names, .nspecs = 1 };

	if (!t->params.memory)
		t->params.memory = 64 * MIB;
	mih_test_model_make(&t->disk, disk);
	if (mih_gpu_open(&cpu, &t->dev))
		mih_test_die("device");
	mih_test_engine_restart(t);
}

void mih_test_engine_end(struct engine_test *t)
{
	mih_verify_engine_free(t->engine);
	mih_verify_model_close(t->model);
	mih_gpu_close(t->dev);
	mih_test_model_remove(&t->disk);
}

static void open_done(struct mih_verify_open *request, mih_err err)
{
	struct waiting_open *w = (struct waiting_open *)request;

	w->err = err;
	sem_post(&w->done);
}

mih_err mih_test_engine_open(struct engine_test *t, size_t file)
{
	struct waiting_open w = { .request = { .file = file,
					       .done = open_done } };

	sem_init(&w.done, 0, 0);
	mih_verify_open(t->engine, &w.request);
	sem_wait(&w.done);
	sem_destroy(&w.done);
	return w.err;
}

static void read_done(struct mih_verify_read *request, mih_err err)
{
	struct waiting_read *w = (struct waiting_read *)request;

	w->err = err;
	sem_post(&w->done);
}

static void copy_out(const struct mih_verify_read *request, uint8_t *buf,
		     size_t want)
{
	size_t sum = 0;

	assert_true(request->niov <= MIH_VERIFY_READ_IOV);
	for (int i = 0; i < request->niov; i++) {
		assert_true(sum + request->iov[i].iov_len <= want);
		memcpy(buf + sum, request->iov[i].iov_base,
		       request->iov[i].iov_len);
		sum += request->iov[i].iov_len;
	}
	assert_int_equal(sum, want);
}

mih_err mih_test_engine_read(struct engine_test *t, size_t file, uint64_t off,
			     size_t len, void *buf)
{
	uint64_t nbytes = t->model->files[file].nbytes;
	struct waiting_read w = {
		.request = { .file = file,
			     .off = off,
			     .len = len,
			     .done = read_done },
	};

	sem_init(&w.done, 0, 0);
	mih_verify_read(t->engine, &w.request);
	sem_wait(&w.done);
	sem_destroy(&w.done);
	if (w.err)
		assert_int_equal(w.request.niov, 0);
	else
		copy_out(&w.request, buf, MIH_MIN(len, nbytes - off));
	mih_verify_read_release(&w.request);
	return w.err;
}

/* The model's order is that of paths, the disk's the one of the test. */
static size_t on_disk(const struct engine_test *t, size_t file)
{
	for (size_t i = 0; i < t->disk.params.nfiles; i++)
		if (!strcmp(t->disk.params.files[i].path,
			    t->model->files[file].path))
			return i;
	mih_test_die("no such file");
}

mih_err mih_test_engine_check(struct engine_test *t, size_t file, uint64_t off,
			      size_t len)
{
	uint64_t nbytes = t->model->files[file].nbytes;
	mih_autofree uint8_t *got = malloc(len);
	mih_autofree uint8_t *want = malloc(len);
	mih_err err = mih_test_engine_read(t, file, off, len, got);

	len = (size_t)MIH_MIN(len, nbytes - off);
	mih_test_model_bytes(on_disk(t, file), off, len, want);
	if (!err)
		assert_int_equal(memcmp(got, want, len), 0);
	return err;
}

void mih_test_engine_check_all(struct engine_test *t, size_t file)
{
	uint64_t nbytes = t->model->files[file].nbytes;

	assert_int_equal(mih_test_engine_open(t, file), 0);
	for (uint64_t off = 0; off < nbytes; off += MIB)
		assert_int_equal(mih_test_engine_check(t, file, off, MIB), 0);
	assert_int_equal(mih_test_engine_check(t, file, nbytes, 1), 0);
	mih_verify_close(t->engine, file);
}

uint64_t mih_test_engine_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void mih_test_engine_sleep(unsigned ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
			       .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

struct mih_verify_stats mih_test_engine_stats(struct engine_test *t)
{
	struct mih_verify_stats stats;

	mih_verify_engine_stats(t->engine, &stats);
	return stats;
}
