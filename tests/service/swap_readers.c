/*
 * swap_readers MOUNT ONE OTHER STOP - readers of a mount that is reloaded
 *
 * Until the file STOP exists, threads read all of weights.safetensors, by
 * read(2) and by mmap(2), and list the top folder of MOUNT. What one open gave
 * must be, as a whole, what the folder ONE or the folder OTHER has; an error is
 * wrong as well. Prints the counts. Fails if anything was wrong, or if one of
 * the two was never seen, as then nothing was raced.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "weights.safetensors"
#define LIST_MAX  4096
#define PIECE	  ((size_t)300001)

/* One version: the bytes of a file, the names of a folder. */
struct version {
	uint8_t *bytes;
	size_t nbytes;
	char list[LIST_MAX];
};

struct race {
	const char *mount;
	struct version versions[2];
	_Atomic uint64_t seen[2], listed[2], wrong;
	atomic_bool stop;
};

static void die(const char *what)
{
	fprintf(stderr, "swap_readers: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Slowly, one entry at a time, so that a listing takes several requests. */
static void list(const char *dir, char out[LIST_MAX])
{
	DIR *stream = opendir(dir);
	char *names[64];
	size_t n = 0, len = 0;
	struct dirent *entry;

	out[0] = '\0';
	while (stream && n < 64 && (entry = readdir(stream)))
		names[n++] = strdup(entry->d_name);
	if (stream)
		closedir(stream);
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		len += (size_t)snprintf(out + len, LIST_MAX - len, "%s/",
					names[i]);
		free(names[i]);
	}
}

static int open_file(const char *dir, struct stat *st)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, st) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool read_whole(int fd, uint8_t *to, size_t nbytes)
{
	for (size_t at = 0; at < nbytes;) {
		ssize_t n = read(fd, to + at,
				 nbytes - at < PIECE ? nbytes - at : PIECE);

		if (n <= 0)
			return false;
		at += (size_t)n;
		sched_yield();
	}
	return true;
}

static void load(struct version *v, const char *dir)
{
	struct stat st;
	int fd = open_file(dir, &st);

	if (fd < 0)
		die(dir);
	v->nbytes = (size_t)st.st_size;
	v->bytes = malloc(v->nbytes);
	if (!v->bytes || !read_whole(fd, v->bytes, v->nbytes))
		die(dir);
	close(fd);
	list(dir, v->list);
}

static void judge(struct race *race, const uint8_t *bytes, size_t nbytes)
{
	for (int i = 0; i < 2; i++)
		if (bytes && race->versions[i].nbytes == nbytes &&
		    !memcmp(race->versions[i].bytes, bytes, nbytes)) {
			atomic_fetch_add(&race->seen[i], 1);
			return;
		}
	atomic_fetch_add(&race->wrong, 1);
}

static void *run_read(void *context)
{
	struct race *race = context;
	uint8_t *buf = malloc(race->versions[0].nbytes);
	struct stat st;

	while (buf && !atomic_load(&race->stop)) {
		int fd = open_file(race->mount, &st);
		bool whole = fd >= 0 &&
			     (size_t)st.st_size == race->versions[0].nbytes &&
			     read_whole(fd, buf, (size_t)st.st_size);

		if (!whole)
			fprintf(stderr, "read: %s\n", strerror(errno));
		judge(race, whole ? buf : NULL, race->versions[0].nbytes);
		if (fd >= 0)
			close(fd);
	}
	free(buf);
	return NULL;
}

static void *run_map(void *context)
{
	struct race *race = context;
	struct stat st;

	while (!atomic_load(&race->stop)) {
		int fd = open_file(race->mount, &st);
		size_t nbytes = fd >= 0 ? (size_t)st.st_size : 1;
		void *map = mmap(NULL, nbytes, PROT_READ, MAP_SHARED, fd, 0);

		/* The mapping alone must keep the version alive. */
		if (fd >= 0)
			close(fd);
		if (map == MAP_FAILED)
			fprintf(stderr, "mmap: %s\n", strerror(errno));
		judge(race, map == MAP_FAILED ? NULL : map, nbytes);
		if (map != MAP_FAILED)
			munmap(map, nbytes);
	}
	return NULL;
}

static void *run_list(void *context)
{
	struct race *race = context;
	char names[LIST_MAX];

	while (!atomic_load(&race->stop)) {
		list(race->mount, names);
		if (!strcmp(names, race->versions[0].list))
			atomic_fetch_add(&race->listed[0], 1);
		else if (!strcmp(names, race->versions[1].list))
			atomic_fetch_add(&race->listed[1], 1);
		else
			atomic_fetch_add(&race->wrong, 1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static void *(*const runs[])(void *) = { run_read, run_read, run_map,
						 run_list };
	static struct race race;
	pthread_t threads[4];
	bool raced;

	if (argc != 5) {
		fprintf(stderr, "usage: swap_readers MOUNT ONE OTHER STOP\n");
		return 2;
	}
	race.mount = argv[1];
	load(&race.versions[0], argv[2]);
	load(&race.versions[1], argv[3]);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, runs[i], &race))
			die("thread");
	while (access(argv[4], F_OK) < 0)
		usleep(20000);
	atomic_store(&race.stop, true);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2; i++)
		printf("version %d: read %ju times, listed %ju times\n", i + 1,
		       (uintmax_t)race.seen[i], (uintmax_t)race.listed[i]);
	printf("wrong: %ju\n", (uintmax_t)race.wrong);
	raced =
	    race.seen[0] && race.seen[1] && race.listed[0] && race.listed[1];
	return race.wrong == 0 && raced ? 0 : 1;
}
