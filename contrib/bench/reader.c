/*
 * A reader with a clock: prints how many seconds it took.
 *
 *     reader read FILE         read(2), 1 MiB at a time, to the end
 *     reader mmap FILE         one map, a word of every page summed
 *     reader random FILE N     N reads of 4 KiB, no two in one 1 MiB
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MIB  ((size_t)1 << 20)
#define PAGE ((size_t)4096)

static char buf[MIB] __attribute__((aligned(4096)));
static volatile uint64_t sum; /* keeps the compiler from skipping the work */

static void die(const char *what)
{
	fprintf(stderr, "reader: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void read_all(int fd)
{
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum += (unsigned char)buf[0];
	if (n < 0)
		die("read");
}

static void map_all(int fd, size_t size)
{
	const char *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	uint64_t total = 0, word;

	if (map == MAP_FAILED)
		die("mmap");
	for (size_t at = 0; at + sizeof(word) <= size; at += PAGE) {
		memcpy(&word, map + at, sizeof(word));
		total += word;
	}
	sum = total;
}

/* The multiplier visits every MiB once, in an order no readahead guesses. */
static void read_random(int fd, size_t size, size_t n)
{
	size_t mibs = size / MIB;

	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (size_t i = 0; i < n && i < mibs; i++) {
		size_t mib = i * 7919 % mibs;
		size_t at = mib * MIB + (i * 37 % (MIB / PAGE)) * PAGE;

		if (pread(fd, buf, PAGE, (off_t)at) != (ssize_t)PAGE)
			die("pread");
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";
	struct stat st;
	double start;
	int fd;

	if (argc < 3)
		return 2;
	fd = open(argv[2], O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		die(argv[2]);
	start = now();
	if (!strcmp(how, "read"))
		read_all(fd);
	else if (!strcmp(how, "mmap"))
		map_all(fd, (size_t)st.st_size);
	else if (!strcmp(how, "random") && argc == 4)
		read_random(fd, (size_t)st.st_size, strtoul(argv[3], NULL, 10));
	else
		return 2;
	printf("%.6f\n", now() - start);
	return 0;
}
