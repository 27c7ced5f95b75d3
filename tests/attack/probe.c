/*
 * probe COMMAND ... - what the shell cannot do to a file, or see in one
 *
 *   probe flip FILE OFFSET              change one bit
 *   probe swap FILE OFFSET OFFSET LEN   exchange two ranges
 *   probe pages FILE ORIGINAL           read every page; say which fail
 *   probe map FILE ORIGINAL             the same through a mapping (SIGBUS)
 *   probe populate FILE                 map with MAP_POPULATE and wait
 *   probe hold FILE FIFO ORIGINAL       open, wait for the FIFO, then "pages"
 *
 * "pages" and "map" print ranges that gave an error ("bad 65536-131071"), and
 * exit with 1 if any byte that they did get was not the original's.
 */
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
#include <unistd.h>

#define PAGE	 ((size_t)4096)
#define NTHREADS 32

enum verdict { GOOD, BAD, WRONG };

struct scan {
	int fd;
	const uint8_t *map;  /* of the file, or NULL to use pread(2) */
	const uint8_t *want; /* the original */
	size_t nbytes, npages;
	unsigned char *verdicts; /* one per page */
	_Atomic size_t next;	 /* page that nobody has taken yet */
};

static int die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? die(path) : fd;
}

static size_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		die("fstat");
	return (size_t)st.st_size;
}

static void *map_or_die(int fd, size_t len)
{
	void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? (die("mmap"), NULL) : map;
}

static void read_all(int fd, void *buf, size_t len, off_t off)
{
	if (pread(fd, buf, len, off) != (ssize_t)len)
		die("pread");
}

static void write_all(int fd, const void *buf, size_t len, off_t off)
{
	if (pwrite(fd, buf, len, off) != (ssize_t)len)
		die("pwrite");
}

static int flip(char **argv)
{
	int fd = open_or_die(argv[0], O_RDWR);
	off_t off = strtoll(argv[1], NULL, 0);
	uint8_t byte;

	read_all(fd, &byte, 1, off);
	byte ^= 1;
	write_all(fd, &byte, 1, off);
	return close(fd) ? die("close") : 0;
}

static int swap(char **argv)
{
	int fd = open_or_die(argv[0], O_RDWR);
	off_t a = strtoll(argv[1], NULL, 0), b = strtoll(argv[2], NULL, 0);
	size_t len = strtoull(argv[3], NULL, 0);
	uint8_t *x = malloc(len), *y = malloc(len);

	if (!x || !y)
		die("malloc");
	read_all(fd, x, len, a);
	read_all(fd, y, len, b);
	write_all(fd, x, len, b);
	write_all(fd, y, len, a);
	free(x);
	free(y);
	return close(fd) ? die("close") : 0;
}

static _Thread_local sigjmp_buf fault;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(fault, 1);
}

/* Copy a page out of the mapping; false if the kernel has none to give. */
static bool copy_mapped(const uint8_t *from, uint8_t *to, size_t len)
{
	if (sigsetjmp(fault, 1))
		return false;
	memcpy(to, from, len);
	return true;
}

static enum verdict judge(struct scan *scan, size_t page)
{
	size_t off = page * PAGE, left = scan->nbytes - off;
	size_t len = left < PAGE ? left : PAGE;
	uint8_t buf[PAGE];
	ssize_t n = (ssize_t)len;

	if (scan->map) {
		if (!copy_mapped(scan->map + off, buf, len))
			return BAD;
	} else {
		n = pread(scan->fd, buf, len, (off_t)off);
		if (n < 0)
			return errno == EIO ? BAD : WRONG;
	}
	return n == (ssize_t)len && !memcmp(buf, scan->want + off, len) ? GOOD
									: WRONG;
}

/* Answers of a bad group are held back, so the pages are asked all at once. */
static void *scan_some(void *arg)
{
	struct scan *scan = arg;
	size_t page;

	while ((page = atomic_fetch_add(&scan->next, 1)) < scan->npages)
		scan->verdicts[page] = (unsigned char)judge(scan, page);
	return NULL;
}

static void run_scan(struct scan *scan)
{
	pthread_t threads[NTHREADS];

	for (int i = 0; i < NTHREADS; i++)
		if (pthread_create(&threads[i], NULL, scan_some, scan))
			die("pthread_create");
	for (int i = 0; i < NTHREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Print runs of pages that are not good; the number of wrong ones. */
static size_t report(const struct scan *scan)
{
	static const char *const words[] = { "good", "bad", "WRONG" };
	size_t nwrong = 0;

	for (size_t i = 0, first; i < scan->npages; i++) {
		unsigned char v = scan->verdicts[i];

		for (first = i; i + 1 < scan->npages && v != GOOD &&
				scan->verdicts[i + 1] == v;)
			i++;
		if (v == WRONG)
			nwrong += i - first + 1;
		if (v != GOOD)
			printf("%s %zu-%zu\n", words[v], first * PAGE,
			       i + 1 == scan->npages ? scan->nbytes - 1
						     : (i + 1) * PAGE - 1);
	}
	return nwrong;
}

static int scan_fd(int fd, const char *original, bool mapped)
{
	int original_fd = open_or_die(original, O_RDONLY);
	struct scan scan = { .fd = fd, .nbytes = size_of(original_fd) };
	size_t nwrong;

	if (size_of(fd) != scan.nbytes)
		printf("WRONG size %zu\n", size_of(fd));
	scan.npages = (scan.nbytes + PAGE - 1) / PAGE;
	scan.verdicts = calloc(scan.npages, 1);
	scan.want = map_or_die(original_fd, scan.nbytes);
	/* One page, one request: no readahead shares its fate. */
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	if (mapped) {
		void *map = map_or_die(fd, scan.nbytes);

		if (signal(SIGBUS, on_sigbus) == SIG_ERR)
			die("signal");
		madvise(map, scan.nbytes, MADV_RANDOM);
		scan.map = map;
	}
	run_scan(&scan);
	nwrong = report(&scan);
	free(scan.verdicts);
	return nwrong != 0 || size_of(fd) != scan.nbytes;
}

static int pages(char **argv)
{
	return scan_fd(open_or_die(argv[0], O_RDONLY), argv[1], false);
}

static int map(char **argv)
{
	return scan_fd(open_or_die(argv[0], O_RDONLY), argv[1], true);
}

static int populate(char **argv)
{
	int fd = open_or_die(argv[0], O_RDONLY);

	if (mmap(NULL, size_of(fd), PROT_READ, MAP_SHARED | MAP_POPULATE, fd,
		 0) == MAP_FAILED)
		die("mmap");
	return 0;
}

static int hold(char **argv)
{
	int fd = open_or_die(argv[0], O_RDONLY);
	char byte;
	int fifo;

	puts("open");
	fflush(stdout);
	fifo = open_or_die(argv[1], O_RDONLY);
	if (read(fifo, &byte, 1) < 0)
		die("read");
	close(fifo);
	return scan_fd(fd, argv[2], false);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int nargs;
		int (*run)(char **argv);
	} commands[] = {
		{ "flip", 2, flip },	     { "swap", 4, swap },
		{ "pages", 2, pages },	     { "map", 2, map },
		{ "populate", 1, populate }, { "hold", 3, hold },
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc == commands[i].nargs + 2 &&
		    !strcmp(argv[1], commands[i].name))
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: see the top of tests/attack/probe.c\n");
	return 2;
}
