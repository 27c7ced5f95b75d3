/*
 * Many readers with one clock: prints the seconds from their first open to
 * the last byte of the slowest.
 *
 *     crowd HOW WAYS FILE...
 *
 * Each FILE is read by WAYS processes, each of which reads its part:
 *     open      nothing is read
 *     read      read(2), 1 MiB at a time
 *     large     read(2), 16 MiB at a time
 *     raw       read(2) with O_DIRECT, 1 MiB at a time
 *     mmap      one map, a word of every page summed
 *     populate  MAP_SHARED | MAP_POPULATE
 *     random    the map in pieces of 4 MiB, in no order
 *     ranks     every WAYS-th piece of 1 MiB by read(2), as ranks of a tensor
 *     rank      the same, but only the first of them is there
 *     tensors   the tensors of a safetensors file by read(2), in no order
 *     direct    the same with O_DIRECT
 *     lazy      the same from a map
 *     forget    nothing; the kernel is asked to drop the file's pages
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB   ((size_t)1 << 20)
#define PAGE  ((size_t)4096)
#define PIECE (4 * MIB)
#define LARGE (16 * MIB)

/* What one process reads: bytes from @from to @to of @fd. */
struct part {
	int fd;
	size_t from, to, size, way, ways;
	char *buf;
};

struct way {
	const char *name;
	int flags;
	void (*run)(const struct part *part);
};

/* Shared by all processes. */
struct clock {
	atomic_uint ready;
	atomic_bool go;
	_Atomic uint64_t end_ns;
};

static volatile uint64_t sum; /* keeps the compiler from skipping the work */

static void die(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	exit(3);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void read_by(const struct part *part, size_t step)
{
	for (size_t at = part->from; at < part->to; at += step) {
		size_t left = part->to - at;
		size_t len = left < step ? left : step;
		ssize_t n;

		for (size_t got = 0; got < len; got += (size_t)n) {
			n = pread(part->fd, part->buf + got, len - got,
				  (off_t)(at + got));
			if (n <= 0)
				die("pread");
		}
		sum += (unsigned char)part->buf[0];
	}
}

static void run_open(const struct part *part)
{
	(void)part;
}

static void run_read(const struct part *part)
{
	read_by(part, MIB);
}

static void run_large(const struct part *part)
{
	read_by(part, LARGE);
}

static void run_ranks(const struct part *part)
{
	struct part piece = *part;

	for (size_t at = part->way * MIB; at < part->size;
	     at += part->ways * MIB) {
		piece.from = at;
		piece.to = at + MIB < part->size ? at + MIB : part->size;
		read_by(&piece, MIB);
	}
}

static void touch(const char *map, size_t from, size_t to)
{
	uint64_t total = 0, word;

	for (size_t at = from; at + sizeof(word) <= to; at += PAGE) {
		memcpy(&word, map + at, sizeof(word));
		total += word;
	}
	sum += total;
}

static const char *map_file(const struct part *part, int flags)
{
	const char *map = mmap(NULL, part->size, PROT_READ, flags, part->fd, 0);

	if (map == MAP_FAILED)
		die("mmap");
	return map;
}

static void run_mmap(const struct part *part)
{
	touch(map_file(part, MAP_PRIVATE), part->from, part->to);
}

static void run_populate(const struct part *part)
{
	touch(map_file(part, MAP_SHARED | MAP_POPULATE), part->from, part->to);
}

/* The multiplier visits every piece once, in an order no readahead guesses. */
static void run_random(const struct part *part)
{
	const char *map = map_file(part, MAP_PRIVATE);
	size_t n = (part->to - part->from + PIECE - 1) / PIECE;

	for (size_t i = 0; i < n; i++) {
		size_t at = part->from + i * 7919 % n * PIECE;

		touch(map, at, at + PIECE < part->to ? at + PIECE : part->to);
	}
}

static void run_rank(const struct part *part)
{
	if (part->way == 0)
		run_ranks(part);
}

/* The header of a safetensors file, as text. */
static char *header_of(const struct part *part, size_t *data_out)
{
	uint64_t len = 0;
	char *text;

	if (pread(part->fd, part->buf, PAGE, 0) < (ssize_t)sizeof(len))
		die("header");
	memcpy(&len, part->buf, sizeof(len));
	*data_out = sizeof(len) + (size_t)len;
	text = malloc(LARGE);
	if (*data_out > LARGE || !text)
		die("header");
	if (pread(part->fd, part->buf, (*data_out + PAGE - 1) / PAGE * PAGE,
		  0) < (ssize_t)*data_out)
		die("header");
	memcpy(text, part->buf + sizeof(len), (size_t)len);
	text[len] = '\0';
	return text;
}

/* Where its tensors are. Return: how many. */
static size_t tensors_of(const struct part *part, size_t (**ranges_out)[2])
{
	const char *key = "\"data_offsets\":";
	size_t data, n = 0;
	char *text = header_of(part, &data);
	size_t(*ranges)[2] = malloc(strlen(text) * sizeof(*ranges));

	if (!ranges)
		die("memory");
	for (char *at = text; (at = strstr(at, key)); n++) {
		at += strlen(key);
		if (sscanf(at, "[%zu,%zu]", &ranges[n][0], &ranges[n][1]) != 2)
			die("header");
		ranges[n][0] += data;
		ranges[n][1] += data;
	}
	free(text);
	*ranges_out = ranges;
	return n;
}

/* A tensor at a time, as one read; O_DIRECT reads the pages it is in. */
static void run_tensors(const struct part *part)
{
	size_t(*ranges)[2];
	size_t n = tensors_of(part, &ranges);

	for (size_t i = part->way; i < n; i += part->ways) {
		struct part one = *part;

		one.from = ranges[i * 7919 % n][0] / PAGE * PAGE;
		one.to = (ranges[i * 7919 % n][1] + PAGE - 1) / PAGE * PAGE;
		if (one.to > part->size)
			one.to = part->size;
		read_by(&one, LARGE);
	}
	free(ranges);
}

static void run_lazy(const struct part *part)
{
	const char *map = map_file(part, MAP_PRIVATE);
	size_t(*ranges)[2];
	size_t n = tensors_of(part, &ranges);

	for (size_t i = part->way; i < n; i += part->ways)
		touch(map, ranges[i * 7919 % n][0], ranges[i * 7919 % n][1]);
	free(ranges);
}

static void run_forget(const struct part *part)
{
	if (fdatasync(part->fd) < 0 && errno != EROFS && errno != EINVAL)
		die("fdatasync");
	posix_fadvise(part->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static const struct way ways[] = {
	{ "open", 0, run_open },
	{ "read", 0, run_read },
	{ "large", 0, run_large },
	{ "raw", O_DIRECT, run_read },
	{ "mmap", 0, run_mmap },
	{ "populate", 0, run_populate },
	{ "random", 0, run_random },
	{ "ranks", 0, run_ranks },
	{ "forget", 0, run_forget },
	{ "rank", 0, run_rank },
	{ "tensors", 0, run_tensors },
	{ "lazy", 0, run_lazy },
	{ "direct", O_DIRECT, run_tensors },
};

static const struct way *way_find(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	return NULL;
}

static size_t cut(size_t size, size_t way, size_t n)
{
	return way == n ? size : size / n * way / PAGE * PAGE;
}

/* One process. Its memory is there before the clock starts. */
static void reader(const struct way *way, const char *path, struct part part,
		   struct clock *clock)
{
	struct stat st;
	uint64_t end;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	part.buf = aligned_alloc(PAGE, LARGE);
	if (!part.buf)
		die("memory");
	memset(part.buf, 1, LARGE);
	atomic_fetch_add(&clock->ready, 1);
	while (!atomic_load(&clock->go))
		usleep(100);
	part.fd = open(path, O_RDONLY | way->flags);
	if (part.fd < 0 || fstat(part.fd, &st) < 0)
		die(path);
	part.size = (size_t)st.st_size;
	part.from = cut(part.size, part.way, part.ways);
	part.to = cut(part.size, part.way + 1, part.ways);
	way->run(&part);
	end = now_ns();
	for (uint64_t last = atomic_load(&clock->end_ns); last < end;)
		if (atomic_compare_exchange_weak(&clock->end_ns, &last, end))
			break;
	_exit(0);
}

int main(int argc, char **argv)
{
	const struct way *way = argc > 3 ? way_find(argv[1]) : NULL;
	size_t n = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned all = (unsigned)(argc - 3) * (unsigned)n;
	int failed = 0, status;
	struct clock *clock;
	uint64_t begun;

	if (!way || !n)
		return 2;
	clock = mmap(NULL, sizeof(*clock), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (clock == MAP_FAILED)
		die("mmap");
	for (int i = 3; i < argc; i++)
		for (size_t k = 0; k < n; k++) {
			struct part part = { .way = k, .ways = n };
			pid_t pid = fork();

			if (pid < 0)
				die("fork");
			if (pid == 0)
				reader(way, argv[i], part, clock);
		}
	while (atomic_load(&clock->ready) < all)
		usleep(100);
	begun = now_ns();
	atomic_store(&clock->go, true);
	while (wait(&status) > 0)
		failed |= status;
	if (failed)
		return 3;
	printf("%.6f\n", (double)(atomic_load(&clock->end_ns) - begun) * 1e-9);
	return 0;
}
