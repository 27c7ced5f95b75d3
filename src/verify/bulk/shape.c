/* How many threads a pass has, and how much of a file each takes at a time. */
#include "hash/stream.h"
#include "util/checked.h"
#include "util/pool.h"
#include "verify/bulk/bulk_internal.h"

#define PIECE	      MIH_VERIFY_BULK_PIECE
#define LINK	      (PIECE / 4)
#define AHEAD	      (4 * PIECE)	/* of each chain, and for each thread */
#define FAR	      ((size_t)2 << 20) /* a piece for devices */
#define FAR_PIECES    ((size_t)48)	/* for each device */
#define FAR_THREADS   14
#define MANY	      1000	    /* files; of a mean size below ... */
#define SMALL	      65536	    /* ... this many bytes: */
#define THREADS_SMALL 4		    /* threads for each core */
#define BYTES_MAX     (256 * PIECE) /* of all pieces, or one for each thread */
#define FILES_MAX     128 /* open at once, to be hashed side by side */

_Static_assert(FAR % PIECE == 0 &&
		   FAR / MIH_HASH_GROUP == MIH_VERIFY_BULK_GROUPS,
	       "digests of the largest piece have room");
_Static_assert(MIH_VERIFY_BULK_HINT % PIECE == 0 && PIECE % LINK == 0 &&
		   LINK % MIH_HASH_GROUP == 0,
	       "a hint must fall on the end of a piece");

static bool are_small(const struct mih_verify_bulk *bulk)
{
	uint64_t nbytes = 0;

	for (size_t i = 0; i < bulk->nfiles; i++)
		nbytes += MIH_MIN(bulk->files[i].nbytes, (uint64_t)PIECE);
	return bulk->nfiles >= MANY && nbytes / bulk->nfiles < SMALL;
}

/* Of small files most time goes into waiting for a disk, where they are not in
 * memory: more threads than cores keep it busy. */
static size_t wanted_threads(const struct mih_verify_bulk *bulk, bool small)
{
	if (bulk->nthreads)
		return bulk->nthreads;
	return mih_pool_cores() * (small ? THREADS_SMALL : 1);
}

size_t mih_verify_bulk_width(enum mih_hash_alg flat, size_t nthreads)
{
	size_t width =
	    MIH_MIN(mih_hash_stream_width(flat), (size_t)MIH_VERIFY_BULK_LINKS);

	return MIH_MIN(width, MIH_MAX(BYTES_MAX / PIECE / nthreads, (size_t)1));
}

static bool has_hints(const struct mih_verify_bulk *bulk)
{
	for (size_t i = 0; i < bulk->nfiles; i++)
		if (bulk->files[i].hints)
			return true;
	return false;
}

/* Small files are over before there is a second one to hash beside them. What
 * is read before it is hashed, side by side, is to be in a cache still: of a
 * chain any piece will do, but hints are where they are. */
static void set_flat(const struct mih_verify_bulk *bulk, bool small,
		     struct mih_verify_bulk_shape *shape)
{
	size_t n = shape->nthreads;

	shape->width = small || bulk->flat == MIH_HASH_NONE
			   ? 1
			   : mih_verify_bulk_width(bulk->flat, n);
	if (shape->width > 1 && bulk->dev == mih_gpu_cpu())
		shape->link = LINK;
	shape->nfiles =
	    MIH_MAX(n, MIH_MIN(n * shape->width, (size_t)FILES_MAX));
	shape->piece = has_hints(bulk) ? PIECE : shape->link;
	shape->ahead = AHEAD / shape->link;
	shape->npieces = n * MIH_MAX(AHEAD / shape->piece, shape->width + 1);
	shape->npieces =
	    MIH_MIN(shape->npieces, MIH_MAX(BYTES_MAX / shape->piece, n + 1));
}

/* The processor hashes a piece while it is in its cache. For a device 96 MiB
 * are enough to keep its bus busy while others are read, and with more, reading
 * costs twice as much: each buffer has left the caches when its turn comes
 * again. So many cores read what one device takes, and more stand in each
 * other's way, unless they hash what the device is too busy for; some are left
 * to those who feed it, since all wait for them. What is chained goes in small
 * steps. */
struct mih_verify_bulk_shape
mih_verify_bulk_shape(const struct mih_verify_bulk *bulk)
{
	bool small = are_small(bulk);
	struct mih_verify_bulk_shape shape = {
		.nthreads = wanted_threads(bulk, small),
		.link = PIECE,
	};
	size_t n;

	set_flat(bulk, small, &shape);
	if (bulk->dev == mih_gpu_cpu() || bulk->flat != MIH_HASH_NONE ||
	    has_hints(bulk))
		return shape;
	n = mih_gpu_expected(bulk->dev);
	if (!bulk->nthreads)
		shape.nthreads =
		    MIH_MIN(shape.nthreads - shape.nthreads / 8,
			    mih_gpu_shares(bulk->dev) ? mih_pool_cores()
						      : n * FAR_THREADS);
	shape.piece = FAR;
	shape.npieces = MIH_MAX(2 * shape.nthreads, n * FAR_PIECES);
	return shape;
}
