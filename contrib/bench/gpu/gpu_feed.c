/*
 * The limit of `mihfs verify` on a host: threads that read files into pinned
 * memory and copy that to devices, and hash nothing.
 *
 *     gpu_feed NDEVICES THREADS MIB FILE...
 *
 * Each thread feeds one of the first NDEVICES devices of the build's first kind
 * from its part of MIB MiB of memory, 2 MiB at a time; with 0 devices the bytes
 * are only read. Prints the seconds from the first read to the last copy,
 * without what devices take to open.
 */
#include "gpu/port_internal.h"
#include "util/host/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE	    ((size_t)2 << 20)
#define DEVICES_MAX 64

struct file {
	int fd;
	size_t npieces;
};

static struct file *files;
static size_t nfiles, nslots; /* of each thread */
static atomic_size_t next;    /* piece, of all files in a row */
static pthread_barrier_t ready;
static struct mih_gpu_port *ports[DEVICES_MAX];
static size_t ndevices;

static void die(const char *what)
{
	fprintf(stderr, "gpu_feed: %s\n", what);
	exit(3);
}

static void must(mih_err err)
{
	if (err)
		die(mih_err_message());
}

/* Return: is there another piece? */
static bool read_piece(void *buf)
{
	size_t at = atomic_fetch_add(&next, 1);

	for (size_t i = 0; i < nfiles; at -= files[i++].npieces)
		if (at < files[i].npieces) {
			if (pread(files[i].fd, buf, PIECE,
				  (off_t)(at * PIECE)) != (ssize_t)PIECE)
				die("short read");
			return true;
		}
	return false;
}

static void *memory_for(struct mih_gpu_port *port)
{
	size_t len = nslots * PIECE;
	uint8_t *buf;

	if (port)
		return mih_gpu_ports[0]->host_alloc(port, len);
	buf = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	return buf == MAP_FAILED ? NULL : buf;
}

/* Before a slot is read into again, all copies must have ended. */
static void *feed(void *arg)
{
	struct mih_gpu_port *port =
	    ndevices ? ports[(uintptr_t)arg % ndevices] : NULL;
	size_t ngroups = nslots * PIECE / MIH_HASH_GROUP;
	struct mih_gpu_lane *lane = NULL;
	uint8_t *buf = memory_for(port);

	if (!buf)
		die("out of memory");
	if (port)
		must(mih_gpu_ports[0]->lane_open(port, ngroups, &lane));
	pthread_barrier_wait(&ready); /* all are open, the clock starts */
	pthread_barrier_wait(&ready);
	for (size_t slot = 0; read_piece(buf + slot * PIECE);
	     slot = (slot + 1) % nslots) {
		if (!lane)
			continue;
		must(mih_gpu_ports[0]->upload(lane, slot * PIECE,
					      buf + slot * PIECE, PIECE));
		if (slot + 1 == nslots)
			must(mih_gpu_port_wait(mih_gpu_ports[0], lane, 0));
	}
	if (lane)
		must(mih_gpu_port_wait(mih_gpu_ports[0], lane, 0));
	pthread_barrier_wait(&ready);
	return NULL;
}

static void open_all(char **names)
{
	files = calloc(nfiles, sizeof(*files));
	if (!files)
		die("out of memory");
	for (size_t i = 0; i < nfiles; i++) {
		struct stat st;

		files[i].fd = open(names[i], O_RDONLY | O_CLOEXEC);
		if (files[i].fd < 0 || fstat(files[i].fd, &st))
			die(names[i]);
		files[i].npieces = (size_t)st.st_size / PIECE;
	}
	if (ndevices &&
	    (!mih_gpu_ports[0] || mih_gpu_ports[0]->count() < ndevices))
		die("so many devices are not here");
	for (size_t i = 0; i < ndevices; i++)
		must(mih_gpu_ports[0]->open(i, &ports[i]));
}

int main(int argc, char **argv)
{
	size_t nthreads, mib;
	uint64_t begun;

	if (argc < 5)
		die("usage: gpu_feed NDEVICES THREADS MIB FILE...");
	ndevices = strtoul(argv[1], NULL, 10);
	nthreads = strtoul(argv[2], NULL, 10);
	mib = strtoul(argv[3], NULL, 10);
	nfiles = (size_t)argc - 4;
	if (!nthreads || ndevices > DEVICES_MAX)
		die("so many of them?");
	nslots = (mib << 20) / PIECE / nthreads;
	nslots += !nslots;
	open_all(argv + 4);
	pthread_barrier_init(&ready, NULL, (unsigned)nthreads + 1);
	for (size_t i = 0; i < nthreads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, feed, (void *)(uintptr_t)i))
			die("no thread");
	}
	pthread_barrier_wait(&ready);
	begun = mih_clock_ns();
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&ready);
	printf("%.6f\n", (double)(mih_clock_ns() - begun) * 1e-9);
	return 0;
}
