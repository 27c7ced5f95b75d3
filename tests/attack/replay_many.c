/*
 * Patterns of many readers: threads, processes, io_uring.
 */
#include "attack/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB	   ((size_t)1 << 20)
#define NTHREADS   16
#define NPROCESSES 8
#define NFLIGHT	   32
#define URING_LEN  ((size_t)512 << 10)

struct team {
	const struct replay *r;
	int fd;
	_Atomic size_t next; /* offset that nobody has taken yet */
	_Atomic(const char *) why;
};

static void *member(void *arg)
{
	struct team *team = arg;
	uint8_t *buf = malloc(16 * MIB);
	unsigned turn = (unsigned)(uintptr_t)pthread_self() >> 12;

	while (buf && !atomic_load(&team->why)) {
		size_t len = (size_t)(2 + turn++ % 15) * MIB;
		size_t off = atomic_fetch_add(&team->next, len);
		const char *why;

		if (off >= team->r->nbytes)
			break;
		why = replay_pread(team->r, team->fd, buf, off, len);
		if (why)
			atomic_store(&team->why, why);
	}
	if (!buf)
		atomic_store(&team->why, "out of memory");
	free(buf);
	return NULL;
}

const char *replay_threads(const struct replay *r)
{
	struct team team = { .r = r };
	pthread_t threads[NTHREADS];
	size_t n = 0;

	team.fd = open(r->path, O_RDONLY | O_CLOEXEC);
	if (team.fd < 0)
		return replay_say("open: %s", strerror(errno));
	while (n < NTHREADS &&
	       !pthread_create(&threads[n], NULL, member, &team))
		n++;
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	close(team.fd);
	return n == NTHREADS ? atomic_load(&team.why) : "pthread_create failed";
}

const char *replay_processes(const struct replay *r)
{
	const char *why = NULL;

	for (int i = 0; i < NPROCESSES; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return replay_say("fork: %s", strerror(errno));
		if (pid == 0)
			_exit((i % 2 ? replay_mmap_private(r)
				     : replay_seek_and_read(r)) != NULL);
	}
	for (int i = 0; i < NPROCESSES; i++) {
		int status;

		if (wait(&status) < 0 || status)
			why = "a process got wrong bytes or an error";
	}
	return why;
}

/* As much of io_uring as reading needs, straight from the kernel's header. */
struct ring {
	int fd;
	_Atomic unsigned *sq_tail, *cq_head, *cq_tail;
	unsigned *sq_array, sq_mask, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	void *map, *sqe_map;
	size_t map_len, sqe_len;
};

static void ring_close(struct ring *ring)
{
	if (ring->sqe_map && ring->sqe_map != MAP_FAILED)
		munmap(ring->sqe_map, ring->sqe_len);
	if (ring->map && ring->map != MAP_FAILED)
		munmap(ring->map, ring->map_len);
	if (ring->fd >= 0)
		close(ring->fd);
}

static void ring_locate(struct ring *ring, const struct io_uring_params *p)
{
	uint8_t *at = ring->map;

	ring->sq_tail = (void *)(at + p->sq_off.tail);
	ring->sq_array = (void *)(at + p->sq_off.array);
	ring->sq_mask = *(unsigned *)(void *)(at + p->sq_off.ring_mask);
	ring->cq_head = (void *)(at + p->cq_off.head);
	ring->cq_tail = (void *)(at + p->cq_off.tail);
	ring->cq_mask = *(unsigned *)(void *)(at + p->cq_off.ring_mask);
	ring->cqes = (void *)(at + p->cq_off.cqes);
	ring->sqes = ring->sqe_map;
}

/* 0, or -1 with errno. One mapping holds both rings on any kernel since 5.4. */
static int ring_open(struct ring *ring)
{
	struct io_uring_params p = { 0 };
	size_t sq, cq;

	*ring = (struct ring){ .fd = -1 };
	ring->fd = (int)syscall(__NR_io_uring_setup, NFLIGHT, &p);
	if (ring->fd < 0)
		return -1;
	sq = p.sq_off.array + p.sq_entries * sizeof(unsigned);
	cq = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	ring->map_len = sq > cq ? sq : cq;
	ring->sqe_len = p.sq_entries * sizeof(struct io_uring_sqe);
	ring->map =
	    mmap(NULL, ring->map_len, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	ring->sqe_map =
	    mmap(NULL, ring->sqe_len, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	if (ring->map == MAP_FAILED || ring->sqe_map == MAP_FAILED) {
		ring_close(ring);
		return -1;
	}
	ring_locate(ring, &p);
	return 0;
}

struct flight {
	uint8_t *buf;
	size_t off;
};

static void ring_queue(struct ring *ring, int fd, const struct flight *f,
		       unsigned slot)
{
	unsigned tail =
	    atomic_load_explicit(ring->sq_tail, memory_order_relaxed);
	unsigned i = tail & ring->sq_mask;

	ring->sqes[i] = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = fd,
		.addr = (uintptr_t)f->buf,
		.len = URING_LEN,
		.off = f->off,
		.user_data = slot,
	};
	ring->sq_array[i] = i;
	atomic_store_explicit(ring->sq_tail, tail + 1, memory_order_release);
}

static const char *check_flight(const struct replay *r, const struct flight *f,
				int res)
{
	size_t left = r->nbytes - f->off;
	size_t due = left < URING_LEN ? left : URING_LEN;

	if (res < 0)
		return replay_say("read: %s", strerror(-res));
	if ((size_t)res != due)
		return replay_say("a read of %zu bytes gave %d", due, res);
	return replay_same(r, f->buf, f->off, due) ? NULL : "WRONG BYTES";
}

/* Keep every slot of @flights busy until the whole file was read. */
static const char *uring_loop(const struct replay *r, struct ring *ring, int fd,
			      struct flight *flights)
{
	size_t next = 0, flying = 0;
	const char *why = NULL;
	unsigned fresh = 0;

	for (unsigned s = 0; s < NFLIGHT && next < r->nbytes; s++, flying++) {
		flights[s].off = next;
		next += URING_LEN;
		ring_queue(ring, fd, &flights[s], s);
		fresh++;
	}
	while (flying) {
		unsigned head, slot;

		if (syscall(__NR_io_uring_enter, ring->fd, fresh, 1,
			    IORING_ENTER_GETEVENTS, NULL, 0) < 0)
			return replay_say("io_uring_enter: %s",
					  strerror(errno));
		fresh = 0;
		head = atomic_load(ring->cq_head);
		for (; head != atomic_load(ring->cq_tail); head++, flying--) {
			const struct io_uring_cqe *cqe =
			    &ring->cqes[head & ring->cq_mask];

			slot = (unsigned)cqe->user_data;
			if (!why)
				why = check_flight(r, &flights[slot], cqe->res);
			if (why || next >= r->nbytes)
				continue;
			flights[slot].off = next;
			next += URING_LEN;
			ring_queue(ring, fd, &flights[slot], slot);
			fresh++;
			flying++;
		}
		atomic_store(ring->cq_head, head);
	}
	return why;
}

static const char *uring(const struct replay *r, int flags)
{
	struct flight flights[NFLIGHT];
	const char *why = "out of memory";
	struct ring ring;
	void *memory;
	int fd;

	if (ring_open(&ring))
		return replay_say("SKIP io_uring_setup: %s", strerror(errno));
	fd = open(r->path, O_RDONLY | O_CLOEXEC | flags);
	if (fd < 0)
		why = replay_say("open: %s", strerror(errno));
	else if (!posix_memalign(&memory, 4096, NFLIGHT * URING_LEN)) {
		for (size_t s = 0; s < NFLIGHT; s++)
			flights[s].buf = (uint8_t *)memory + s * URING_LEN;
		why = uring_loop(r, &ring, fd, flights);
		free(memory);
	}
	if (fd >= 0)
		close(fd);
	ring_close(&ring);
	return why;
}

const char *replay_uring(const struct replay *r)
{
	return uring(r, 0);
}

const char *replay_uring_direct(const struct replay *r)
{
	return uring(r, O_DIRECT);
}
