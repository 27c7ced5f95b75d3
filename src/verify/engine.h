/*
 * verify/engine.h - verified bytes of a model: the only place that says
 * "verified"
 *
 * Layer: src/verify.  Threads: internally locked; every call may come from any
 * thread, and none of them waits for I/O or hashing: what takes time ends in a
 * completion.
 *
 * How a byte gets out (doc/architecture.md):
 *   request -> extent (1 MiB) -> groups (64 KiB): EMPTY, LOADING, GOOD or BAD
 *   LOADING: pread into a private slot, group digests by a device, compared
 *   in constant time with the file's proven layer. One load serves everyone
 *   who asks meanwhile.
 *   GOOD: the reply is the slot itself; the slot stays in a cache of bounded
 *   bytes. BAD: -EIO for that group alone, once in the log (64 lines a minute
 *   for one file at most); the verdict stands for a while that doubles, and
 *   answers wait with it, so that a spinning reader costs nothing and a
 *   repaired file heals.
 *
 * The proven layer of a file: coarse nodes (8 MiB) when it is opened, fine
 * nodes (64 KiB) page by page on first use, both from the sidecar and compared
 * with the signed root; without a usable sidecar the file is read instead.
 *
 * Lock order: see "Locks" in engine_internal.h.
 */
#ifndef MIH_VERIFY_ENGINE_H
#define MIH_VERIFY_ENGINE_H

#include "gpu/device.h"
#include "util/err.h"
#include "util/log.h"
#include "util/pool.h"
#include "verify/count/counts.h"
#include "verify/model.h"

#include <stdatomic.h>
#include <sys/uio.h>

#define MIH_VERIFY_EXTENT   ((uint64_t)1 << 20)
#define MIH_VERIFY_READ_MAX ((size_t)1 << 20) /* bytes per read request */
#define MIH_VERIFY_READ_IOV 18 /* pieces of its answer, at most */

struct mih_verify_engine;

struct mih_verify_engine_params {
	const struct mih_verify_model *model; /* kept until free */
	struct mih_gpu_dev *dev;	      /* kept until free */
	size_t memory;	/* bytes of the cache of verified extents */
	bool keep_read; /* nobody above caches: keep what was read through
			   as well, not only what is likely asked again */
	bool whole;	/* a file counts as open only when every byte of it
			   was proven once */
	uint64_t stage_memory; /* keep whole files in sealed memory while they
				  are open, and after that as long as this
				  many bytes allow; 0: never */
	size_t nthreads;       /* 0: one per core */
	unsigned retry_ms; /* first back-off of a bad group; 0: 100 ms; doubles
			      up to 10 s */
	/**
	 * Integrity failures, one call per event (not per retry): fields, and a
	 * line that begins with the path. Any thread. NULL: mih_log_refusal().
	 */
	void (*failed)(void *context, const struct mih_log_event *event,
		       const char *line);
	void *context;
};

/**
 * mih_verify_engine_new() - start threads; nothing is read yet
 *
 * Return: 0, -ENOMEM or -EAGAIN with a story.
 */
MIH_MUST_CHECK mih_err
mih_verify_engine_new(const struct mih_verify_engine_params *params,
		      struct mih_verify_engine **engine_out);

/**
 * mih_verify_engine_free() - finish all requests, stop, release; NULL is legal
 *
 * Delayed answers of bad groups are given at once. Bytes that were handed out
 * must be released before, or by the done() of a request that ends here; no
 * call may begin any more.
 */
void mih_verify_engine_free(struct mih_verify_engine *engine);

/**
 * mih_verify_engine_shrink() - make do with a smaller cache from now on
 * @memory: bytes, as in struct mih_verify_engine_params
 *
 * For an engine that only serves what was opened before another took its place:
 * it drops staged files that are not open, and stages no more.
 */
void mih_verify_engine_shrink(struct mih_verify_engine *engine, size_t memory);

/** An answer that waits for its time; part of the requests below. */
struct mih_verify_delay {
	struct mih_verify_delay *next;
	uint64_t due_ns;
	void (*fire)(struct mih_verify_delay *delay);
};

/** A request to open a file; the caller's memory until done(). */
struct mih_verify_open {
	size_t file;   /* index in model->files */
	bool unstaged; /* nobody would read it from sealed memory */
	/** Once, on any thread, perhaps before mih_verify_open() returns. */
	void (*done)(struct mih_verify_open *request, mih_err err);
	/* The engine's. */
	struct mih_verify_open *next;
	struct mih_verify_delay delay;
	mih_err err;
	bool cancelled;
};

/**
 * mih_verify_open() - make a file ready for reading
 *
 * Opens the backing file beneath the model directory, checks type and size,
 * and proves its coarse layer (BY_FLAT or without a sidecar: by reading the
 * whole file once). Opens of one file share that work. Every successful open
 * needs one mih_verify_close().
 *
 * done() gets: 0; -EIO when type, size or digest are not the signed ones (the
 * line is in the log); -ENOENT, -EACCES, -EMFILE, -ENOMEM ... as the system
 * says.
 */
void mih_verify_open(struct mih_verify_engine *engine,
		     struct mih_verify_open *request);

/**
 * mih_verify_open_cancel() - whoever asked does not want the file any more
 *
 * The caller sees to it that @request is not freed meanwhile by its done().
 * The work on the file stops when nobody has waited for it for a second:
 * whoever was only interrupted and asks again finds it where it was. A request
 * that is cancelled before mih_verify_open() got it ends there, with -EINTR.
 *
 * Return: true: @request is the caller's again and done() will not be called;
 * false: it was or will be.
 */
bool mih_verify_open_cancel(struct mih_verify_engine *engine,
			    struct mih_verify_open *request);

/**
 * mih_verify_staged() - the sealed memory file that holds an open file's bytes
 * @file: open
 *
 * Every byte of it is proven, and nobody can change it any more.
 *
 * Return: a descriptor, the engine's, valid until the last close of @file; -1
 * if the file is not staged.
 */
int mih_verify_staged(struct mih_verify_engine *engine, size_t file);

/** mih_verify_close() - undo one successful open. */
void mih_verify_close(struct mih_verify_engine *engine, size_t file);

struct mih_verify_slot;
struct mih_verify_read;

/** A request in the queue of one extent; part of struct mih_verify_read. */
struct mih_verify_wait {
	struct mih_verify_wait *next;
	struct mih_verify_read *request;
	uint64_t extent;
	unsigned mask; /* groups of the extent that are still missing */
};

/** A request for bytes; the caller's memory until released. */
struct mih_verify_read {
	size_t file;  /* open */
	uint64_t off; /* 0 <= off <= the file's nbytes */
	size_t len;   /* 1 .. MIH_VERIFY_READ_MAX; cut at the end of file */
	/**
	 * Once, on any thread, perhaps before mih_verify_read() returns. With
	 * err 0 exactly the asked bytes (cut at the end of the file, never
	 * shorter) lie in iov[0 .. niov) until mih_verify_read_release().
	 * With -EIO or another error niov is 0.
	 */
	void (*done)(struct mih_verify_read *request, mih_err err);
	struct iovec iov[MIH_VERIFY_READ_IOV];
	int niov;
	/* The engine's. */
	bool quiet; /* asked by itself: not counted, and says nothing */
	struct mih_verify_engine *engine;
	struct mih_verify_slot *slots[MIH_VERIFY_READ_IOV]; /* one per group */
	struct mih_verify_wait waits[2]; /* it touches two extents at most */
	struct mih_verify_delay delay;
	struct mih_pool_work work;
	uint64_t end;
	uint64_t begun_ns;
	atomic_uint pending;
	atomic_int err;
	unsigned delay_ms;
	bool missed;
};

/** mih_verify_read() - ask for verified bytes; see struct mih_verify_read. */
void mih_verify_read(struct mih_verify_engine *engine,
		     struct mih_verify_read *request);

/** mih_verify_read_release() - give the bytes back; after done(), once. */
void mih_verify_read_release(struct mih_verify_read *request);

/** How far a file is proven. */
enum mih_verify_status {
	MIH_VERIFY_UNVERIFIED, /* no byte read yet */
	MIH_VERIFY_PARTIAL,    /* some groups proven, none bad */
	MIH_VERIFY_VERIFIED,   /* every group was proven at least once */
	MIH_VERIFY_FAILED,     /* a group, a layer or the file is bad now */
};

struct mih_verify_file_stats {
	enum mih_verify_status status;
	uint64_t verified_bytes; /* of distinct groups proven so far */
	uint64_t failures;	 /* loads that ended BAD */
	const char *way; /* as of mih_verify_note_way(); NULL: never opened */
};

/**
 * mih_verify_note_way() - how the bytes of an open file get to its readers
 * @way: a word for people; static
 *
 * For the statistics alone.
 */
void mih_verify_note_way(struct mih_verify_engine *engine, size_t file,
			 const char *way);

/** mih_verify_file_stats() - a snapshot for one file. */
void mih_verify_file_stats(struct mih_verify_engine *engine, size_t file,
			   struct mih_verify_file_stats *stats_out);

/** mih_verify_engine_stats() - a snapshot of the whole engine. */
void mih_verify_engine_stats(struct mih_verify_engine *engine,
			     struct mih_verify_stats *stats_out);

/** mih_verify_engine_device() - what hashes for it (borrowed). */
struct mih_gpu_dev *
mih_verify_engine_device(const struct mih_verify_engine *engine);

#endif
