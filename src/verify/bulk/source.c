#include "util/checked.h"
#include "util/io.h"
#include "verify/bulk/bulk_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Below this, advice costs more than it brings. */
#define ADVISE ((uint64_t)1 << 20)

/* O_NONBLOCK: a FIFO must not hold us up before fstat() can tell. */
mih_err mih_verify_bulk_source_open(const struct mih_verify_bulk *bulk,
				    size_t file,
				    struct mih_verify_bulk_source *src)
{
	struct stat st;
	mih_err err;

	src->fd = -1;
	err = mih_io_open_beneath(bulk->dirfd, bulk->files[file].path,
				  O_RDONLY | O_NONBLOCK | O_NOCTTY, bulk->links,
				  &src->fd);
	if (err)
		return err;
	if (fstat(src->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size != src->nbytes)
		return (uint64_t)st.st_size < src->nbytes ? -ENODATA : -EFBIG;
	src->mtime = st.st_mtim;
	if (src->nbytes > ADVISE)
		(void)posix_fadvise(src->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

mih_err mih_verify_bulk_source_check(const struct mih_verify_bulk_source *src)
{
	struct stat st;
	char beyond;
	mih_err err = mih_io_pread_full(src->fd, &beyond, 1, src->nbytes);

	if (err != -ENODATA)
		return err ? err : -EFBIG;
	if (fstat(src->fd, &st) < 0)
		return -errno;
	return st.st_mtim.tv_sec == src->mtime.tv_sec &&
		       st.st_mtim.tv_nsec == src->mtime.tv_nsec
		   ? 0
		   : -ESTALE;
}
