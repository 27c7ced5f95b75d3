/*
 * replay MOUNTED ORIGINAL - one TAP line for each access pattern of a loader
 */
#include "attack/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name;
	replay_pattern run;
} patterns[] = {
	{ "mmap private, read-only (safetensors header)", replay_mmap_private },
	{ "mmap shared, read-only", replay_mmap_shared },
	{ "mmap private, writable, on a read-only descriptor (PyTorch)",
	  replay_mmap_copy_on_write },
	{ "mmap shared with MAP_POPULATE (llama.cpp)", replay_mmap_populate },
	{ "mmap with MADV_SEQUENTIAL and MADV_WILLNEED", replay_mmap_advice },
	{ "mmap in strides, last page first (tensor-parallel ranks)",
	  replay_mmap_strided },
	{ "mlock of a mapping (llama.cpp --mlock)", replay_mmap_locked },
	{ "one read of the whole file (eager loading)", replay_read_whole },
	{ "lseek and read loop, 2 MiB (model streamer)", replay_seek_and_read },
	{ "posix_fadvise SEQUENTIAL, WILLNEED, DONTNEED", replay_file_advice },
	{ "interleaved offsets on one descriptor", replay_interleaved },
	{ "O_DIRECT, aligned", replay_direct_aligned },
	{ "O_DIRECT, unaligned offset and buffer", replay_direct_unaligned },
	{ "reads across and behind the end", replay_past_the_end },
	{ "16 threads, preads of 2 to 16 MiB", replay_threads },
	{ "8 processes at once, half of them with mmap", replay_processes },
	{ "io_uring, 32 reads in flight", replay_uring },
	{ "io_uring with O_DIRECT", replay_uring_direct },
};

#define NPATTERNS (sizeof(patterns) / sizeof(patterns[0]))

const char *replay_say(const char *fmt, ...)
{
	static char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return line;
}

int replay_same(const struct replay *r, const void *got, size_t off, size_t len)
{
	return off <= r->nbytes && len <= r->nbytes - off &&
	       !memcmp(got, r->want + off, len);
}

const char *replay_pread(const struct replay *r, int fd, void *buf, size_t off,
			 size_t len)
{
	size_t due = r->nbytes - off < len ? r->nbytes - off : len;
	ssize_t n = pread(fd, buf, len, (off_t)off);

	if (n < 0)
		return strerror(errno);
	if ((size_t)n != due)
		return "a read inside the file was short";
	return replay_same(r, buf, off, due) ? NULL : "WRONG BYTES";
}

static int open_original(const char *path, struct replay *r)
{
	struct stat st;
	void *map;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		return -1;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -1;
	r->want = map;
	r->nbytes = (size_t)st.st_size;
	return 0;
}

/* Each pattern meets a cold page cache: what it reads comes from the mount. */
static void drop_pages(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

int main(int argc, char **argv)
{
	struct replay r = { 0 };

	if (argc != 3 || open_original(argv[2], &r)) {
		fprintf(stderr, "usage: replay MOUNTED ORIGINAL\n");
		return 2;
	}
	r.path = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", NPATTERNS);
	for (size_t i = 0; i < NPATTERNS; i++) {
		const char *why;

		drop_pages(r.path);
		why = patterns[i].run(&r);
		if (!why)
			printf("ok %zu - %s\n", i + 1, patterns[i].name);
		else if (!strncmp(why, "SKIP ", 5))
			printf("ok %zu - %s # %s\n", i + 1, patterns[i].name,
			       why);
		else
			printf("not ok %zu - %s\n#   %s\n", i + 1,
			       patterns[i].name, why);
	}
	return 0;
}
