/*
 * Who reads by equal steps. The ranks that share a tensor each take one piece
 * of every row or block of it: several readers with the same stride, in one
 * file, each at its own pace, from processes that cannot be told apart here.
 * So what is remembered are pieces; a reader is what three of them at equal
 * distances have in common.
 */
#include "verify/ahead/ahead_internal.h"

#include "util/checked.h"

/* A step is known to the page only: the kernel asks for whole ones. */
#define SLACK MIH_VERIFY_PAGE

static bool is_near(uint64_t a, uint64_t b)
{
	return a > b ? a - b <= SLACK : b - a <= SLACK;
}

/* Its requests may come in any order, so any part of the next piece will do. */
static bool is_step(const struct mih_verify_strider *strider, uint64_t off)
{
	uint64_t next = strider->at + strider->stride;

	return strider->stride && off + SLACK >= next &&
	       off < next + strider->piece;
}

static struct mih_verify_strider *step_find(struct mih_verify_steps *steps,
					    uint64_t off)
{
	for (size_t i = 0; i < MIH_VERIFY_STRIDERS; i++)
		if (is_step(&steps->striders[i], off))
			return &steps->striders[i];
	return NULL;
}

static void piece_add(struct mih_verify_steps *steps, uint64_t off,
		      uint64_t end)
{
	unsigned i = steps->npieces++ % MIH_VERIFY_PIECES;

	steps->pieces[i] = (struct mih_verify_range){ off, end };
}

static struct mih_verify_range *piece_find(struct mih_verify_steps *steps,
					   uint64_t off, uint64_t end)
{
	for (size_t i = 0; i < MIH_VERIFY_PIECES; i++) {
		struct mih_verify_range *piece = &steps->pieces[i];

		if (piece->end && off <= piece->end && end >= piece->begin)
			return piece;
	}
	return NULL;
}

static bool begins_near(const struct mih_verify_steps *steps, uint64_t at)
{
	for (size_t i = 0; i < MIH_VERIFY_PIECES; i++)
		if (steps->pieces[i].end && is_near(steps->pieces[i].begin, at))
			return true;
	return false;
}

/* The piece before the one at @off, of three at equal distances; of several
 * the nearest. */
static const struct mih_verify_range *
piece_before(const struct mih_verify_steps *steps, uint64_t off)
{
	const struct mih_verify_range *found = NULL;

	for (size_t i = 0; i < MIH_VERIFY_PIECES; i++) {
		const struct mih_verify_range *piece = &steps->pieces[i];
		uint64_t stride = off - piece->begin;

		if (!piece->end || off <= piece->end || stride <= SLACK ||
		    stride > piece->begin ||
		    (found && piece->begin < found->begin))
			continue;
		if (begins_near(steps, piece->begin - stride))
			found = piece;
	}
	return found;
}

/* It takes the place of the one that was silent for longest. */
static void strider_add(struct mih_verify_steps *steps,
			const struct mih_verify_range *before, uint64_t off,
			uint64_t tick)
{
	struct mih_verify_strider *oldest = &steps->striders[0];

	for (size_t i = 1; i < MIH_VERIFY_STRIDERS; i++)
		if (steps->striders[i].used < oldest->used)
			oldest = &steps->striders[i];
	*oldest = (struct mih_verify_strider){
		.at = off,
		.stride = off - before->begin,
		.piece = before->end - before->begin,
		.used = tick,
		.nsteps = 2,
	};
}

/* What came in between makes one of two. */
static void piece_join(struct mih_verify_steps *steps,
		       struct mih_verify_range *piece)
{
	for (size_t i = 0; i < MIH_VERIFY_PIECES; i++) {
		struct mih_verify_range *other = &steps->pieces[i];

		if (other == piece || !other->end ||
		    other->begin > piece->end || other->end < piece->begin)
			continue;
		piece->begin = MIH_MIN(piece->begin, other->begin);
		piece->end = MIH_MAX(piece->end, other->end);
		*other = (struct mih_verify_range){ 0 };
	}
}

/* Its first request may be the second one to arrive. Return: is it known now
 * that a piece begins at @off? */
static bool piece_note(struct mih_verify_steps *steps, uint64_t off,
		       uint64_t end)
{
	struct mih_verify_range *piece = piece_find(steps, off, end);
	bool begins = !piece || off < piece->begin;

	if (!piece) {
		piece_add(steps, off, end);
		return true;
	}
	piece->begin = MIH_MIN(piece->begin, off);
	piece->end = MIH_MAX(piece->end, end);
	piece_join(steps, piece);
	return begins;
}

struct mih_verify_strider *mih_verify_steps_note(struct mih_verify_steps *steps,
						 uint64_t off, uint64_t end,
						 uint64_t tick)
{
	struct mih_verify_strider *strider = step_find(steps, off);
	const struct mih_verify_range *before;

	if (strider) {
		uint64_t next = strider->at + strider->stride;

		strider->at = is_near(off, next) ? off : next;
		strider->used = tick;
		strider->nsteps++;
		piece_add(steps, off, end);
		return strider->nsteps >= MIH_VERIFY_STEPS ? strider : NULL;
	}
	before = piece_note(steps, off, end) ? piece_before(steps, off) : NULL;
	if (before)
		strider_add(steps, before, off, tick);
	return NULL;
}
