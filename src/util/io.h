/*
 * util/io.h - file I/O that either does all of it or says why not
 *
 * Layer: src/util.  Threads: no shared state; struct mih_io_writer is for one
 * thread at a time.
 */
#ifndef MIH_UTIL_IO_H
#define MIH_UTIL_IO_H

#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * mih_io_pread_full() - read exactly @len bytes at @off
 * @fd:  open for reading (borrowed)
 * @buf: @len bytes
 * @len: number of bytes
 * @off: position in the file, in bytes
 *
 * Retries EINTR and short reads. Records no story (the caller knows the path).
 *
 * Return: 0; -ENODATA if the file ends before @off + @len; else -errno.
 */
MIH_MUST_CHECK mih_err mih_io_pread_full(int fd, void *buf, size_t len,
					 uint64_t off);

/**
 * mih_io_pwrite_full() - write exactly @len bytes at @off
 *
 * Return: 0 or -errno. Records no story.
 */
MIH_MUST_CHECK mih_err mih_io_pwrite_full(int fd, const void *buf, size_t len,
					  uint64_t off);

/**
 * mih_io_read_file() - read a whole small file
 * @path:    file; "-" is not special
 * @cap:     refuse files of more than this many bytes
 * @buf_out: set to @len_out bytes and a NUL behind them; the caller frees it
 * @len_out: set to the length without that NUL
 *
 * Return: 0; -EFBIG over @cap; -EISDIR, -ENOMEM or the errno of open and read.
 * Every failure has a story that names @path.
 */
MIH_MUST_CHECK mih_err mih_io_read_file(const char *path, size_t cap,
					char **buf_out, size_t *len_out);

/**
 * mih_io_read_secret() - read a whole small file, leaving no copy behind
 * @buf: @cap bytes, for the file and a NUL behind it
 *
 * As mih_io_read_file(), but into one buffer that never moves, so that who
 * wipes it has wiped all.
 *
 * Return: 0; -EFBIG if it does not fit; the errno of open and read; with a
 * story.
 */
MIH_MUST_CHECK mih_err mih_io_read_secret(const char *path, char *buf,
					  size_t cap, size_t *len_out);

/** A file that appears under its name whole or not at all. */
struct mih_io_writer {
	int fd;	    /* of the temporary file; owned; -1 when closed */
	char *path; /* final name; owned */
	char *temp; /* temporary name in the same folder; owned */
};

/**
 * mih_io_writer_open() - create a temporary file beside @path
 * @w:    caller's memory; finish with _commit() or _abort()
 * @path: final name; an existing file stays untouched until _commit()
 * @mode: permission bits of the final file, before the umask
 *
 * Return: 0 or -errno with a story that names @path.
 */
MIH_MUST_CHECK mih_err mih_io_writer_open(struct mih_io_writer *w,
					  const char *path, mode_t mode);

/**
 * mih_io_writer_commit() - fsync, rename over @path, fsync the folder
 *
 * On failure the temporary file is removed. @w is finished either way.
 *
 * Return: 0 or -errno with a story.
 */
MIH_MUST_CHECK mih_err mih_io_writer_commit(struct mih_io_writer *w);

/**
 * mih_io_writer_abort() - remove the temporary file; a finished @w is legal
 */
void mih_io_writer_abort(struct mih_io_writer *w);

/**
 * mih_io_keep() - a second name for a file that is about to be replaced
 * @path: the file
 * @kept_out: set to that name, in the same folder, for mih_io_keep_end(); NULL
 *            if there is no such file, or none can be made (no hard links)
 */
void mih_io_keep(const char *path, char **kept_out);

/**
 * mih_io_keep_end() - forget what was kept, or put it back
 * @kept: from mih_io_keep(); freed; NULL is legal
 * @back: true: @path becomes what it was, or goes if nothing was kept
 */
void mih_io_keep_end(const char *path, char *kept, bool back);

/**
 * mih_io_write_file() - write @len bytes as a whole new file, atomically
 *
 * Return: 0 or -errno with a story that names @path.
 */
MIH_MUST_CHECK mih_err mih_io_write_file(const char *path, const void *buf,
					 size_t len, mode_t mode);

/** Symbolic links on the way to a file; all 0: there may be none. */
struct mih_io_links {
	bool follow;  /* those that stay beneath the folder */
	char *prefix; /* not NULL: also those that stay beneath rootfd, from
			 where this is the way to the folder; owned */
	int rootfd;   /* valid with prefix; owned */
};

/**
 * mih_io_links_open() - let links of a folder lead to places beneath @root
 * @root: a folder that @folder lies in
 * @folder: where the links are
 * @links: set; finish with mih_io_links_close()
 *
 * Return: 0; -EINVAL if @folder is not beneath @root; -errno; with a story.
 */
MIH_MUST_CHECK mih_err mih_io_links_open(const char *root, const char *folder,
					 struct mih_io_links *links);

/** mih_io_links_close() - release; all 0 is legal. */
void mih_io_links_close(struct mih_io_links *links);

/**
 * mih_io_link_text() - "link -> target", for messages
 * @buf: set to @path alone if it is no link
 */
void mih_io_link_text(int dirfd, const char *path, char *buf, size_t cap);

/**
 * mih_io_open_beneath() - open a relative path without ever leaving @dirfd
 * @dirfd: folder (borrowed)
 * @path:  relative path
 * @flags: open(2) flags; O_CLOEXEC is added
 * @links: what becomes of symbolic links in @path; NULL: there may be none
 * @fd_out: set to the descriptor, owned by the caller
 *
 * openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS. Records no story.
 *
 * Return: 0; -ELOOP a link where none may be; -EXDEV a way out; -EBUSY another
 * process keeps it from being opened at once; else -errno.
 */
MIH_MUST_CHECK mih_err mih_io_open_beneath(int dirfd, const char *path,
					   int flags,
					   const struct mih_io_links *links,
					   int *fd_out);

#endif
