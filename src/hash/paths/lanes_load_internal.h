/*
 * hash/paths/lanes_load_internal.h - where the words of vector lanes come from
 *
 * Layer: src/hash.  Threads: no state.
 *
 * The loads that hash/core/port.h leaves to vector targets. See
 * hash/paths/lanes_internal.h for what must stand before.
 */
#ifndef MIH_HASH_PATHS_LANES_LOAD_INTERNAL_H
#define MIH_HASH_PATHS_LANES_LOAD_INTERNAL_H

#include "hash/core/port.h"

#define LANES32 (MIH_LANES_BYTES / 4)
#define LANES64 (MIH_LANES_BYTES / 8)

/* Where the messages of all lanes are, and those that come after them. */
struct lanes {
	const uint8_t *at[LANES32];
	const uint8_t *next[LANES32];
};

typedef const struct lanes *mih_src;

/*
 * A load of 64 bytes per lane. The same place of each lane's next message is
 * prefetched: lanes walk 16 pages at once, and the hardware's own prefetch
 * ends at each page.
 */
#define LOAD_ROWS(w, n, type, transpose)                                       \
	MIH_UNROLL for (mih_u32 k = 0; k < 64; k += MIH_LANES_BYTES)           \
	{                                                                      \
		MIH_UNROLL for (mih_u32 i = 0; i < (n); i++)                   \
		    memcpy(&w[i], src->at[i] + off + k, sizeof(type));         \
		transpose(w);                                                  \
		w += (n);                                                      \
	}                                                                      \
	MIH_UNROLL for (mih_u32 i = 0; i < (n); i++)                           \
	    __builtin_prefetch(src->next[i] + off, 0, 2);

MIH_FN void mih_load16x32(mih_w32 *w, mih_src src, mih_u32 off){
	LOAD_ROWS(w, LANES32, mih_w32, transpose32)
}

MIH_FN void mih_load8x64(mih_w64 *w, mih_src src, mih_u32 off){
	LOAD_ROWS(w, LANES64, mih_w64, transpose64)
}

MIH_FN mih_w64 mih_load1x64(mih_src src, mih_u32 off)
{
	mih_w64 w;

	for (mih_u32 i = 0; i < LANES64; i++) {
		mih_u64 word;

		memcpy(&word, src->at[i] + off, sizeof(word));
		w[i] = word;
	}
	return w;
}

/* A piece that ends early, copied behind zeros so that loads stay inside. */
struct piece {
	struct lanes lanes;
	uint8_t bytes[LANES32][64];
};

MIH_FN void piece_copy(struct piece *piece, mih_src src, mih_u32 off,
		       mih_u32 rest)
{
	memset(piece->bytes, 0, sizeof(piece->bytes));
	for (mih_u32 i = 0; i < LANES32; i++) {
		memcpy(piece->bytes[i], src->at[i] + off, rest);
		piece->lanes.at[i] = piece->bytes[i];
		piece->lanes.next[i] = src->next[i];
	}
}

MIH_FN void mih_rest16x32(mih_w32 *w, mih_src src, mih_u32 off, mih_u32 rest)
{
	struct piece piece;

	if (rest >= 64) {
		mih_load16x32(w, src, off);
	} else if (!rest) {
		memset(w, 0, 16 * sizeof(*w));
	} else {
		piece_copy(&piece, src, off, rest);
		mih_load16x32(w, &piece.lanes, 0);
	}
}

MIH_FN void mih_rest8x64(mih_w64 *w, mih_src src, mih_u32 off, mih_u32 rest)
{
	struct piece piece;

	if (rest >= 64) {
		mih_load8x64(w, src, off);
	} else if (!rest) {
		memset(w, 0, 8 * sizeof(*w));
	} else {
		piece_copy(&piece, src, off, rest);
		mih_load8x64(w, &piece.lanes, 0);
	}
}

#endif
