/*
 * fault_readers - many readers that fault at random
 *
 *     fault_readers run MOUNT SIGNED PROCESSES THREADS SECONDS
 *     fault_readers populate FILE
 *
 * "run" opens files of MOUNT at random, maps and reads random places of them,
 * and holds every byte it gets against the same place in SIGNED. Prints how
 * many places were right and how many were refused. Ends with 1 if a byte was
 * wrong or a size was, 0 otherwise; early when the mount is gone.
 *
 * "populate" maps all of FILE with MAP_POPULATE, again and again, for ever.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NFILES_MAX   64
#define NTHREADS_MAX 256
#define PLACES	     24	  /* looked at per open */
#define PLACE_LEN    4096 /* bytes of each, at most */

struct file {
	char name[256];
	const uint8_t *want; /* signed bytes, mapped */
	size_t nbytes;
};

/* What all processes count together. */
struct sums {
	atomic_ulong good, refused, wrong;
	atomic_bool gone; /* the mount is */
};

static struct file files[NFILES_MAX];
static size_t nfiles;
static const char *mount_dir;
static time_t end;
static struct sums *sums;
static __thread sigjmp_buf refused;

static void on_bus_error(int signal)
{
	(void)signal;
	siglongjmp(refused, 1);
}

static void *map_file(const char *path, int flags, size_t *nbytes_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
		*nbytes_out = (size_t)st.st_size;
		map = mmap(NULL, *nbytes_out, PROT_READ, flags, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	return map;
}

static int find_files(const char *signed_dir)
{
	DIR *dir = opendir(signed_dir);
	struct dirent *entry;
	char path[4096];

	while (dir && nfiles < NFILES_MAX && (entry = readdir(dir))) {
		struct file *file = &files[nfiles];

		snprintf(path, sizeof(path), "%s/%s", signed_dir,
			 entry->d_name);
		file->want = map_file(path, MAP_SHARED, &file->nbytes);
		if (entry->d_name[0] == '.' || file->want == MAP_FAILED)
			continue;
		snprintf(file->name, sizeof(file->name), "%s", entry->d_name);
		nfiles++;
	}
	if (dir)
		closedir(dir);
	return nfiles ? 0 : -1;
}

static void count_wrong(const struct file *file, const char *what, size_t at)
{
	atomic_fetch_add(&sums->wrong, 1);
	fprintf(stderr, "%s: %s at %zu\n", file->name, what, at);
}

static void judge(const struct file *file, size_t off, const uint8_t *got,
		  size_t len)
{
	if (memcmp(file->want + off, got, len) != 0)
		count_wrong(file, "wrong bytes", off);
	else
		atomic_fetch_add(&sums->good, 1);
}

/* The jump must not skip anything that holds something. */
static void fault_place(const struct file *file, const uint8_t *map, size_t off,
			size_t len)
{
	if (sigsetjmp(refused, 1))
		atomic_fetch_add(&sums->refused, 1);
	else
		judge(file, off, map + off, len);
}

/* Less than asked for is right before a bad page, but nothing means the end. */
static void read_place(const struct file *file, int fd, size_t off, size_t len)
{
	uint8_t got[PLACE_LEN];
	ssize_t n = pread(fd, got, len, (off_t)off);

	if (n < 0)
		atomic_fetch_add(&sums->refused, 1);
	else if (n == 0)
		count_wrong(file, "ends", off);
	else
		judge(file, off, got, (size_t)n);
}

static void visit(const struct file *file, int fd, unsigned *seed)
{
	uint8_t *map = mmap(NULL, file->nbytes, PROT_READ, MAP_SHARED, fd, 0);

	for (int i = 0; i < PLACES && map != MAP_FAILED; i++) {
		size_t off =
		    ((size_t)rand_r(seed) << 12 ^ rand_r(seed)) % file->nbytes;
		size_t len = file->nbytes - off;

		if (len > PLACE_LEN)
			len = PLACE_LEN;
		if (rand_r(seed) % 2)
			fault_place(file, map, off, len);
		else
			read_place(file, fd, off, len);
	}
	if (map != MAP_FAILED)
		munmap(map, file->nbytes);
}

static void open_and_visit(const struct file *file, unsigned *seed)
{
	char path[4096];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", mount_dir, file->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTCONN)) {
		atomic_store(&sums->gone, true);
		return;
	}
	if (fd < 0) {
		atomic_fetch_add(&sums->refused, 1);
		return;
	}
	if (fstat(fd, &st) == 0 && (size_t)st.st_size != file->nbytes)
		count_wrong(file, "size", (size_t)st.st_size);
	visit(file, fd, seed);
	close(fd);
}

static void *reader(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	while (time(NULL) < end && !atomic_load(&sums->gone))
		open_and_visit(&files[(size_t)rand_r(&seed) % nfiles], &seed);
	return NULL;
}

static void run_process(unsigned number, unsigned nthreads)
{
	pthread_t threads[NTHREADS_MAX];
	unsigned n = 0;

	while (n < nthreads && n < NTHREADS_MAX &&
	       pthread_create(&threads[n], NULL, reader,
			      (void *)(uintptr_t)(1000 * number + n + 1)) == 0)
		n++;
	while (n)
		pthread_join(threads[--n], NULL);
	_exit(0);
}

static int run(char **argv)
{
	const struct sigaction action = { .sa_handler = on_bus_error };
	unsigned nprocesses = (unsigned)atoi(argv[4]);

	mount_dir = argv[2];
	sums = mmap(NULL, sizeof(*sums), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sums == MAP_FAILED || find_files(argv[3]) < 0)
		return 2;
	end = time(NULL) + atoi(argv[6]);
	sigaction(SIGBUS, &action, NULL);
	for (unsigned i = 0; i < nprocesses; i++)
		if (fork() == 0)
			run_process(i, (unsigned)atoi(argv[5]));
	while (wait(NULL) > 0)
		;
	printf("good %lu refused %lu wrong %lu\n", atomic_load(&sums->good),
	       atomic_load(&sums->refused), atomic_load(&sums->wrong));
	return atomic_load(&sums->wrong) != 0;
}

static _Noreturn void populate(const char *path)
{
	for (;;) {
		size_t nbytes;
		void *map = map_file(path, MAP_SHARED | MAP_POPULATE, &nbytes);

		if (map != MAP_FAILED)
			munmap(map, nbytes);
	}
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "run"))
		return run(argv);
	if (argc == 3 && !strcmp(argv[1], "populate"))
		populate(argv[2]);
	fputs("usage: fault_readers run MOUNT SIGNED PROCESSES THREADS "
	      "SECONDS | populate FILE\n",
	      stderr);
	return 2;
}
