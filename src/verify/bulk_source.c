#include "hash/group.h"
#include "util/bytes.h"
#include "util/checked.h"
#include "util/io.h"
#include "verify/bulk_internal.h"

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
			       struct mih_verify_bulk_chain *chain)
{
	struct mih_verify_bulk_file *file = &bulk->files[index];
	uint64_t off = part->off, end = part->off + part->len;
	mih_err err = 0;

	while (!err && off < end && chain->shard < file->nshards) {
		uint64_t to = file->shards[chain->shard].end;
		size_t len = (size_t)(MIH_MIN(to, end) - off);

		err = mih_hash_stream_update(
		    chain->stream, part->data + (off - part->off), len);
		off += len;
		if (!err && off == to)
			err = end_shard(file, bulk->flat, chain);
	}
	return err;
}

/* FIPS 180-4, 5.3.3 */
static const uint8_t sha256_start[32] = {
	0x6a, 0x09, 0xe6, 0x67, 0xbb, 0x67, 0xae, 0x85, 0x3c, 0x6e, 0xf3,
	0x72, 0xa5, 0x4f, 0xf5, 0x3a, 0x51, 0x0e, 0x52, 0x7f, 0x9b, 0x05,
	0x68, 0x8c, 0x1f, 0x83, 0xd9, 0xab, 0x5b, 0xe0, 0xcd, 0x19,
};

/* The last blocks of a message of @nbytes, FIPS 180-4, 5.1.1. */
static void end_message(struct mih_hash_segment *at,
			const struct mih_verify_bulk_part *part,
			uint64_t nbytes)
{
	size_t rest = part->len % 64;
	uint8_t last[128] = { 0 };

	at->data = last;
	at->nblocks = rest < 56 ? 1 : 2;
	memcpy(last, part->data + (part->len - rest), rest);
	last[rest] = 0x80;
	for (size_t i = 0; i < 8; i++)
		last[64 * at->nblocks - 1 - i] = (uint8_t)(8 * nbytes >> 8 * i);
	mih_hash_sha256_segments(at, 1);
}

mih_err mih_verify_bulk_hinted(const struct mih_verify_bulk *bulk, size_t index,
			       const struct mih_verify_bulk_part *part)
{
	struct mih_verify_bulk_file *file = &bulk->files[index];
	uint64_t i = part->off / MIH_VERIFY_BULK_HINT;
	struct mih_hash_segment at = {
		.data = part->data,
		.nblocks = part->len / 64,
	};

	memcpy(at.state, i ? file->hints + 32 * (i - 1) : sha256_start, 32);
	mih_hash_sha256_segments(&at, 1);
	if (part->len == MIH_VERIFY_BULK_HINT &&
	    !mih_hash_eq(at.state, file->hints + 32 * i, 32))
		return MIH_EDIGEST;
	if (part->off + part->len < file->nbytes)
		return 0;
	end_message(&at, part, file->nbytes);
	memcpy(file->flat, at.state, 32);
	return 0;
}
