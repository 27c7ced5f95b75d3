/* How many threads a pass has, and how much of a file each takes at a time. */
#include "util/checked.h"
#include "util/pool.h"
#include "verify/bulk_internal.h"

#define PIECE	      MIH_VERIFY_BULK_PIECE
#define FAR	      ((size_t)4 << 20) /* a piece for devices */
#define MANY	      1000		/* files; of a mean size below ... */
#define SMALL	      65536		/* ... this many bytes: */
#define THREADS_SMALL 4			/* threads for each core */

_Static_assert(FAR % PIECE == 0 &&
		   FAR / MIH_HASH_GROUP == MIH_VERIFY_BULK_GROUPS,
	       "digests of the largest piece have room");
_Static_assert(MIH_VERIFY_BULK_HINT % PIECE == 0,
	       "a hint must fall on the end of a piece");

/* Of small files most time goes into waiting for a disk, where they are not in
 * memory: more threads than cores keep it busy. */
static size_t wanted_threads(const struct mih_verify_bulk *bulk)
{
	uint64_t nbytes = 0;

	if (bulk->nthreads)
		return bulk->nthreads;
	for (size_t i = 0; i < bulk->nfiles; i++)
		nbytes += MIH_MIN(bulk->files[i].nbytes, (uint64_t)PIECE);
	if (bulk->nfiles >= MANY && nbytes / bulk->nfiles < SMALL)
		return THREADS_SMALL * mih_pool_cores();
	return mih_pool_cores();
}

static bool has_hints(const struct mih_verify_bulk *bulk)
{
	for (size_t i = 0; i < bulk->nfiles; i++)
		if (bulk->files[i].hints)
			return true;
	return false;
}

/* The processor hashes a piece while it is in its cache. A device has it
 * copied, and then long reads and copies cost less: 45 instead of 28 GB/s on
 * 16 cores and one H100 (2026-11-27). What is chained goes in small steps. And
 * a few cores are left to those who feed the device, since all wait for them.
 */
struct mih_verify_bulk_shape
mih_verify_bulk_shape(const struct mih_verify_bulk *bulk)
{
	struct mih_verify_bulk_shape shape = {
		.nthreads = wanted_threads(bulk),
		.piece = PIECE,
	};

	if (bulk->dev != mih_gpu_cpu() && bulk->flat == MIH_HASH_NONE &&
	    !has_hints(bulk)) {
		shape.piece = FAR;
		if (!bulk->nthreads && shape.nthreads >= 4)
			shape.nthreads -= shape.nthreads / 4;
	}
	shape.npieces = MIH_VERIFY_BULK_AHEAD * shape.nthreads;
	return shape;
}
