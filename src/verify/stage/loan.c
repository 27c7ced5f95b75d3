/*
 * A stage is lent to the devices by pieces, while it is filled. Pinning wants
 * the pages to be there, or one thread makes them all; so each load makes one
 * huge page of a piece further on, and the last of them lends it. By the time
 * its bytes are read in, it is pinned. What has been hashed is taken
 * back, so that little is left to do at the end.
 */
#include "gpu/lend/lend.h"
#include "util/checked.h"
#include "util/host/huge.h"
#include "verify/engine/engine_internal.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* A call of the driver takes 0.3 ms, beside 20 us for each MiB. */
#define PIECE_MIN ((uint64_t)16 << 20)
#define PIECE_MAX ((uint64_t)64 << 20)
#define NPIECES	  16 /* of a file, if they are not too small or large */
#define AHEAD	  2  /* pieces, beside those that are being read */
#define LOAN_MIN  (4 * PIECE_MIN)

/* Faults for a huge page; with small ones there are hundreds, the stage itself
 * is slow, and pinning takes twice the time. */
#define FAULTS_MAX 16

struct piece {
	atomic_uint there; /* huge pages */
	atomic_uint ended; /* loads */
};

struct mih_verify_loan {
	struct mih_gpu_dev *dev;
	uint8_t *base;
	uint64_t nbytes;
	uint64_t piece;	  /* bytes of one */
	uint64_t ahead;	  /* likewise; so many of a file are not lent */
	atomic_bool over; /* nothing more is lent */
	struct piece pieces[];
};

static uint64_t piece_for(uint64_t nbytes)
{
	uint64_t piece = PIECE_MIN;

	while (piece < PIECE_MAX && piece * NPIECES < nbytes)
		piece *= 2;
	return piece;
}

struct mih_verify_loan *mih_verify_loan_new(struct mih_gpu_dev *dev,
					    uint8_t *base, uint64_t nbytes,
					    size_t nloads)
{
	uint64_t piece = piece_for(nbytes);
	size_t n = (size_t)mih_checked_ceil_div(nbytes, piece);
	struct mih_verify_loan *loan;

	if (nbytes < LOAN_MIN || !mih_gpu_borrows(dev))
		return NULL;
	loan = calloc(1, sizeof(*loan) + n * sizeof(loan->pieces[0]));
	if (!loan)
		return NULL;
	loan->dev = dev;
	loan->base = base;
	loan->nbytes = nbytes;
	loan->piece = piece;
	loan->ahead =
	    piece *
	    (AHEAD + mih_checked_ceil_div(nloads * MIH_VERIFY_EXTENT, piece));
	return loan;
}

static size_t len_of(const struct mih_verify_loan *loan, uint64_t piece)
{
	return (size_t)MIH_MIN(loan->piece, loan->nbytes - piece * loan->piece);
}

/* Whole pages, as they are mapped. */
static size_t room_of(const struct mih_verify_loan *loan, uint64_t piece)
{
	return (size_t)mih_verify_stage_room(len_of(loan, piece));
}

static long nfaults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* Is there a huge page now, or the small ones of a file's end? Of what is in
 * use already nothing changes. */
static bool make_page(uint8_t *at, size_t len)
{
	long before = nfaults();

	if (madvise(at, len, MADV_POPULATE_WRITE) < 0)
		return false;
	return len < MIH_HUGE_PAGE || nfaults() - before <= FAULTS_MAX;
}

void mih_verify_loan_ahead(struct mih_verify_loan *loan, uint64_t off)
{
	uint64_t at, piece;
	size_t page = MIH_HUGE_PAGE;

	if (!loan || off % page || atomic_load(&loan->over))
		return;
	at = off + loan->ahead;
	if (at >= loan->nbytes)
		return;
	if (!make_page(loan->base + at,
		       (size_t)MIH_MIN((uint64_t)page, loan->nbytes - at))) {
		atomic_store(&loan->over, true);
		return;
	}
	piece = at / loan->piece;
	if (atomic_fetch_add(&loan->pieces[piece].there, 1) + 1 ==
	    mih_checked_ceil_div(len_of(loan, piece), page))
		mih_gpu_lend(loan->dev, loan->base + piece * loan->piece,
			     room_of(loan, piece));
}

void mih_verify_loan_hashed(struct mih_verify_loan *loan, uint64_t off)
{
	uint64_t piece;

	if (!loan)
		return;
	piece = off / loan->piece;
	if (atomic_fetch_add(&loan->pieces[piece].ended, 1) + 1 ==
	    mih_checked_ceil_div(len_of(loan, piece), MIH_VERIFY_EXTENT))
		mih_gpu_take_back(loan->dev, loan->base + piece * loan->piece,
				  room_of(loan, piece), false);
}

bool mih_verify_loan_end(struct mih_verify_loan *loan)
{
	bool may_go = true;

	if (loan)
		may_go = mih_gpu_take_back(loan->dev, loan->base,
					   (size_t)loan->nbytes, true);
	free(loan);
	return may_go;
}
