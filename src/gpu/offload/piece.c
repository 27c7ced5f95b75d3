#include "gpu/offload/offload_internal.h"
#include "util/bytes.h"
#include "util/checked.h"

#include <string.h>

_Static_assert(sizeof(struct mih_gpu_element) <= MIH_GPU_ROW_MAX &&
		   sizeof(struct mih_gpu_segment) <= MIH_GPU_ROW_MAX,
	       "a table has room for one row per group");

enum mih_gpu_kernel mih_gpu_piece_kernel(const struct mih_gpu_batch *batch)
{
	if (batch->task == MIH_GPU_LTHASH)
		return MIH_GPU_KERNEL_LTHASH16;
	if (batch->task == MIH_GPU_SEGMENTS)
		return MIH_GPU_KERNEL_SHA256_SEGMENTS;
	switch (batch->alg) {
	case MIH_HASH_MTH4K_SHA256:
		return MIH_GPU_KERNEL_MTH4K_SHA256;
	case MIH_HASH_MTH4K_SHA512:
		return MIH_GPU_KERNEL_MTH4K_SHA512;
	case MIH_HASH_MTH4K_SHA3_256:
		return MIH_GPU_KERNEL_MTH4K_SHA3_256;
	case MIH_HASH_BLAKE3:
		return MIH_GPU_KERNEL_BLAKE3;
	default:
		return MIH_GPU_KERNEL_END;
	}
}

static size_t segment_room(const struct mih_hash_segment *segment)
{
	size_t room = mih_hash_ngroups((uint64_t)segment->nblocks * 64);

	return MIH_MAX(room, (size_t)1); /* each has a row */
}

/* Groups can be dealt out one by one; a segment is one chain. */
bool mih_gpu_piece_fits(const struct mih_gpu_batch *batch, size_t ngroups)
{
	if (batch->task == MIH_GPU_SEGMENTS)
		for (size_t i = 0; i < batch->nsegments; i++)
			if (segment_room(&batch->segments[i]) > ngroups)
				return false;
	return mih_gpu_piece_kernel(batch) != MIH_GPU_KERNEL_END;
}

bool mih_gpu_piece_left(struct mih_gpu_batch *batch)
{
	if (batch->task == MIH_GPU_SEGMENTS)
		return batch->dev.range < batch->nsegments;
	while (batch->dev.range < batch->nranges &&
	       batch->dev.off == batch->ranges[batch->dev.range].len) {
		batch->dev.range++;
		batch->dev.off = 0;
	}
	return batch->dev.range < batch->nranges;
}

static bool take_segments(struct mih_gpu_batch *batch, size_t room,
			  struct mih_gpu_piece *piece)
{
	while (batch->dev.range < batch->nsegments) {
		size_t need = segment_room(&batch->segments[batch->dev.range]);

		if (piece->room + need > room)
			break;
		piece->room += need;
		piece->nrows++;
		batch->dev.range++;
	}
	batch->dev.digest += 32 * piece->nrows;
	return piece->nrows > 0;
}

static bool take_groups(struct mih_gpu_batch *batch, size_t room,
			struct mih_gpu_piece *piece)
{
	const struct mih_hash_range *r = &batch->ranges[batch->dev.range];
	size_t len = MIH_MIN(r->len - batch->dev.off, room * MIH_HASH_GROUP);

	if (!room)
		return false;
	piece->range = (struct mih_hash_range){
		.data = (const char *)r->data + batch->dev.off,
		.len = len,
		.off = r->off + batch->dev.off,
		.is_root = r->is_root,
	};
	piece->nrows = piece->room = mih_hash_ngroups(len);
	batch->dev.off += len;
	if (batch->task == MIH_GPU_GROUPS)
		batch->dev.digest +=
		    piece->nrows * mih_hash_info(batch->alg)->len;
	return true;
}

bool mih_gpu_piece_take(struct mih_gpu_batch *batch, size_t room,
			struct mih_gpu_piece *piece)
{
	bool taken;

	*piece = (struct mih_gpu_piece){
		.batch = batch,
		.first = batch->dev.range,
		.digests = batch->dev.digest,
	};
	taken = batch->task == MIH_GPU_SEGMENTS
		    ? take_segments(batch, room, piece)
		    : take_groups(batch, room, piece);
	batch->dev.pieces += taken;
	return taken;
}

static void segment_rows(struct mih_gpu_segment *rows,
			 const struct mih_gpu_piece *piece, size_t at)
{
	for (size_t i = 0; i < piece->nrows; i++) {
		const struct mih_hash_segment *segment =
		    &piece->batch->segments[piece->first + i];

		rows[i] = (struct mih_gpu_segment){
			.at = at * MIH_HASH_GROUP,
			.nblocks = (uint32_t)segment->nblocks,
		};
		memcpy(rows[i].state, segment->state, 32);
		at += segment_room(segment);
	}
}

/* After an error the rider may be lost, and the segments gone. */
static mih_err upload_segments(struct mih_gpu_rider *rider,
			       const struct mih_gpu_piece *piece, size_t at)
{
	for (size_t i = 0; i < piece->nrows; i++) {
		const struct mih_hash_segment *segment =
		    &piece->batch->segments[piece->first + i];
		mih_err err = 0;

		if (segment->nblocks)
			err = mih_gpu_lane_upload(rider, at * MIH_HASH_GROUP,
						  segment->data,
						  segment->nblocks * 64);
		if (err)
			return err;
		at += segment_room(segment);
	}
	return 0;
}

static struct mih_gpu_group group_row(const struct mih_hash_range *range,
				      size_t i)
{
	size_t at = i * MIH_HASH_GROUP;

	return (struct mih_gpu_group){
		.len =
		    (uint32_t)MIH_MIN(range->len - at, (size_t)MIH_HASH_GROUP),
		.is_root = range->is_root,
		.off = range->off + at,
	};
}

/* All of the element's message but the digest, which the kernel makes. */
static void element_row(const struct mih_hash_blake2b *prefix,
			struct mih_gpu_element *row)
{
	memcpy(row->state, prefix->state, sizeof(row->state));
	row->count = prefix->count;
	row->at = prefix->fill + 16;
	row->end = prefix->fill + 48;
	memset(row->tail, 0, sizeof(row->tail));
	memcpy(row->tail, prefix->block, prefix->fill);
	mih_bytes_put64(row->tail + prefix->fill, row->group.off);
	mih_bytes_put64(row->tail + prefix->fill + 8, row->group.len);
}

static void element_rows(struct mih_gpu_element *rows,
			 const struct mih_gpu_piece *piece)
{
	for (size_t i = 0; i < piece->nrows; i++) {
		rows[i].group = group_row(&piece->range, i);
		element_row(&piece->batch->prefixes[piece->first], &rows[i]);
	}
}

void mih_gpu_piece_rows(struct mih_gpu_rider *rider,
			const struct mih_gpu_piece *piece, size_t at,
			size_t row)
{
	struct mih_gpu_group *groups = (void *)rider->table;

	switch (piece->batch->task) {
	case MIH_GPU_SEGMENTS:
		segment_rows((struct mih_gpu_segment *)rider->table + row,
			     piece, at);
		break;
	case MIH_GPU_LTHASH:
		element_rows((struct mih_gpu_element *)rider->table + row,
			     piece);
		break;
	case MIH_GPU_GROUPS:
		for (size_t i = 0; i < piece->nrows; i++)
			groups[row + i] = group_row(&piece->range, i);
		break;
	}
}

mih_err mih_gpu_piece_upload(struct mih_gpu_rider *rider,
			     const struct mih_gpu_piece *piece, size_t at)
{
	if (piece->batch->task == MIH_GPU_SEGMENTS)
		return upload_segments(rider, piece, at);
	return mih_gpu_lane_upload(rider, at * MIH_HASH_GROUP,
				   piece->range.data, piece->range.len);
}

size_t mih_gpu_piece_out_len(enum mih_gpu_kernel kernel, size_t nrows)
{
	switch (kernel) {
	case MIH_GPU_KERNEL_LTHASH16:
		return mih_gpu_grid(kernel, nrows).groups * MIH_HASH_LT_LEN;
	case MIH_GPU_KERNEL_MTH4K_SHA512:
		return nrows * 64;
	default:
		return nrows * 32;
	}
}

/* Each work-group gave the sum of its groups, all of one batch. */
static void deliver_sum(struct mih_gpu_rider *rider)
{
	struct mih_gpu_batch *batch = rider->pieces[0].batch;
	size_t n = mih_gpu_grid(rider->kernel, rider->nrows).groups;
	uint8_t sum[MIH_HASH_LT_LEN] = { 0 };

	for (size_t i = 0; i < n; i++)
		mih_hash_lt_add(sum, rider->out + i * MIH_HASH_LT_LEN);
	pthread_mutex_lock(&rider->off->lock);
	mih_hash_lt_add(batch->digests, sum);
	pthread_mutex_unlock(&rider->off->lock);
}

void mih_gpu_piece_deliver(struct mih_gpu_rider *rider)
{
	const uint8_t *from = rider->out;

	if (rider->kernel == MIH_GPU_KERNEL_LTHASH16) {
		deliver_sum(rider);
		return;
	}
	for (size_t i = 0; i < rider->npieces; i++) {
		const struct mih_gpu_piece *piece = &rider->pieces[i];
		size_t n = mih_gpu_piece_out_len(rider->kernel, piece->nrows);

		memcpy(piece->digests, from, n);
		from += n;
	}
}
