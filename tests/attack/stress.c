/*
 * stress BACKING ORIGINAL MOUNTED SECONDS - readers against a writer
 *
 * One process keeps writing garbage into the backing file and putting the
 * original bytes back, while four readers (two with pread, two with mmap) read
 * the mounted file at random places and compare every byte that they get.
 * Prints the counts. Succeeds only if no byte was wrong, and if there were both
 * right answers and errors: otherwise the race was not run.
 */
#include <errno.h>
#include <fcntl.h>
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

#define NREADERS 4
#define MORE_S	 45 /* seconds */
#define READ_MAX ((size_t)256 << 10)
#define PAGE	 ((size_t)4096)
#define HOLES	 8 /* damaged places at one time */

struct counts {
	_Atomic uint64_t good, errors, wrong, changes, other;
	atomic_bool stop;
};

struct race {
	const char *backing, *mounted;
	const uint8_t *want;
	size_t nbytes;
	struct counts *counts; /* shared by all processes */
};

static int die(const char *what)
{
	fprintf(stderr, "stress: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t random_below(uint64_t *state, uint64_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % n;
}

struct hole {
	size_t off, len;
};

static void write_range(int fd, const uint8_t *from, size_t off, size_t len)
{
	if (pwrite(fd, from, len, (off_t)off) != (ssize_t)len)
		die("pwrite");
}

/* Move holes about until told to stop, then mend them all. */
static void run_writer(const struct race *race)
{
	static uint8_t garbage[READ_MAX];
	struct hole holes[HOLES] = { { 0, 0 } };
	uint64_t state = 88172645463325252u;
	int fd = open(race->backing, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(race->backing);
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (uint8_t)random_below(&state, 256);
	for (unsigned turn = 0; !atomic_load(&race->counts->stop); turn++) {
		struct hole *h = &holes[turn % HOLES];

		write_range(fd, race->want + h->off, h->off, h->len);
		h->off = random_below(&state, race->nbytes);
		h->len = 1 + random_below(&state, sizeof(garbage));
		if (h->len > race->nbytes - h->off)
			h->len = race->nbytes - h->off;
		write_range(fd, garbage, h->off, h->len);
		atomic_fetch_add(&race->counts->changes, 1);
		usleep(500);
	}
	for (size_t i = 0; i < HOLES; i++)
		write_range(fd, race->want + holes[i].off, holes[i].off,
			    holes[i].len);
	close(fd);
}

static sigjmp_buf fault;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(fault, 1);
}

static int copy_mapped(const uint8_t *from, uint8_t *to, size_t len)
{
	if (sigsetjmp(fault, 1))
		return EIO;
	memcpy(to, from, len);
	return 0;
}

/* The kernel may end a read early before a page that failed: ask for the rest,
 * to get it or the error. */
static int copy_read(int fd, uint8_t *to, size_t off, size_t len)
{
	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)off);

		if (n < 0)
			return errno;
		if (n == 0)
			return ENODATA;
		to += n;
		off += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static void run_reader(const struct race *race, unsigned number)
{
	static uint8_t buf[READ_MAX];
	bool mapped = number % 2;
	uint64_t state = 0x9e3779b97f4a7c15u * (number + 1);
	int fd = open(race->mounted, O_RDONLY | O_CLOEXEC);
	uint8_t *map;

	if (fd < 0)
		die(race->mounted);
	map = mmap(NULL, race->nbytes, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || signal(SIGBUS, on_sigbus) == SIG_ERR)
		die("mmap");
	while (!atomic_load(&race->counts->stop)) {
		size_t off = random_below(&state, race->nbytes);
		size_t len = 1 + random_below(&state, READ_MAX);
		int err;

		if (len > race->nbytes - off)
			len = race->nbytes - off;
		/* Nothing but a fresh answer counts: forget cached pages. */
		madvise(map, race->nbytes, MADV_DONTNEED);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		memset(buf, 0, len);
		err = mapped ? copy_mapped(map + off, buf, len)
			     : copy_read(fd, buf, off, len);
		if (err == EIO)
			atomic_fetch_add(&race->counts->errors, 1);
		else if (err)
			atomic_fetch_add(&race->counts->other, 1);
		else if (memcmp(buf, race->want + off, len))
			atomic_fetch_add(&race->counts->wrong, 1);
		else
			atomic_fetch_add(&race->counts->good, 1);
	}
}

static pid_t start(const struct race *race, int number)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	if (number == NREADERS)
		run_writer(race);
	else
		run_reader(race, (unsigned)number);
	_exit(0);
}

static void *map_original(const char *path, size_t *len_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	*len_out = (size_t)st.st_size;
	map = mmap(NULL, *len_out, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return map == MAP_FAILED ? (die("mmap"), NULL) : map;
}

static bool everyone_ended_well(void)
{
	bool well = true;
	int status;

	while (wait(&status) > 0)
		well = well && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return well;
}

int main(int argc, char **argv)
{
	struct race race = { 0 };
	struct counts *c;
	bool well;

	if (argc != 5) {
		fprintf(stderr,
			"usage: stress BACKING ORIGINAL MOUNTED SECONDS\n");
		return 2;
	}
	race.backing = argv[1];
	race.want = map_original(argv[2], &race.nbytes);
	race.mounted = argv[3];
	c = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		 -1, 0);
	if (c == MAP_FAILED)
		die("mmap");
	race.counts = c;
	for (int i = 0; i <= NREADERS; i++)
		start(&race, i);
	sleep((unsigned)atoi(argv[4]));
	/* A slow build has seen little by then: go on until both came. */
	for (int i = 0; i < MORE_S && !(c->good && c->errors); i++)
		sleep(1);
	atomic_store(&c->stop, true);
	well = everyone_ended_well();
	printf("good %ju, errors %ju, other %ju, WRONG %ju; %ju changes\n",
	       (uintmax_t)c->good, (uintmax_t)c->errors, (uintmax_t)c->other,
	       (uintmax_t)c->wrong, (uintmax_t)c->changes);
	return !(well && !c->wrong && !c->other && c->good && c->errors);
}
