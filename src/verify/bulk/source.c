#include "util/bytes.h"
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

/* What the digest at hand is now, for a hint; where it has no chaining value
 * there is none. */
static void take_state(const struct mih_verify_bulk_chain *chain,
		       uint64_t nbytes, uint8_t *state)
{
	if (nbytes % 64 == 0)
		mih_hash_stream_sha256_state(chain->stream, state);
	else
		memset(state, 0, MIH_HASH_SHA256_STATE);
}

/* The shard at hand is complete: was it as signed? On to the next. */
static mih_err end_shard(struct mih_verify_bulk_file *file,
			 enum mih_hash_alg alg,
			 struct mih_verify_bulk_chain *chain)
{
	uint8_t got[MIH_HASH_LEN_MAX];
	mih_err err = mih_hash_stream_final(chain->stream, got);

	mih_hash_stream_free(chain->stream);
	chain->stream = NULL;
	if (err)
		return err;
	if (!mih_hash_eq(got, file->shards[chain->shard].digest,
			 mih_hash_info(alg)->len) &&
	    !file->nbad++)
		file->first_bad = chain->shard;
	return ++chain->shard < file->nshards
		   ? mih_hash_stream_new(alg, &chain->stream)
		   : 0;
}

mih_err mih_verify_bulk_shards(const struct mih_verify_bulk *bulk, size_t index,
			       const struct mih_verify_bulk_part *part,
			       struct mih_verify_bulk_chain *chain,
			       uint8_t *state)
{
	struct mih_verify_bulk_file *file = &bulk->files[index];
	uint64_t off = part->off, end = part->off + part->len;
	mih_err err = 0;

	while (!err && off < end && chain->shard < file->nshards) {
		const struct mih_sig_shard *shard = &file->shards[chain->shard];
		size_t len = (size_t)(MIH_MIN(shard->end, end) - off);

		err = mih_hash_stream_update(
		    chain->stream, part->data + (off - part->off), len);
		off += len;
		if (!err && state && off == end)
			take_state(chain, off - shard->begin, state);
		if (!err && off == shard->end)
			err = end_shard(file, bulk->flat, chain);
	}
	return err;
}
