/*
 * verify/ahead/ahead_internal.h - where the readers of a file will go on
 *
 * Layer: src/verify.  Threads: no state of its own; what a file remembers is
 * guarded by its file->lock.
 *
 * All of it is advice: the worst that wrong advice does is that groups are
 * loaded, and proven, which nobody asks for.
 */
#ifndef MIH_VERIFY_AHEAD_AHEAD_INTERNAL_H
#define MIH_VERIFY_AHEAD_AHEAD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIH_VERIFY_PAGE	    ((uint64_t)4096)
#define MIH_VERIFY_PIECES   32 /* remembered: three rounds of ten ranks */
#define MIH_VERIFY_STRIDERS 16 /* readers by equal steps, told apart */
#define MIH_VERIFY_STEPS    3  /* equal ones, until one is believed */

/** The bytes begin .. end - 1 of a file. */
struct mih_verify_range {
	uint64_t begin, end;
};

/* strides.c */

/** A reader that jumps by equal steps. */
struct mih_verify_strider {
	uint64_t at;	 /* where its last piece begins */
	uint64_t stride; /* from one piece to the next; 0: nobody */
	uint64_t piece;	 /* bytes of a piece */
	uint64_t to;	 /* first piece that was not fetched ahead */
	uint64_t used;	 /* tick of its last step */
	unsigned nsteps; /* equal ones */
	unsigned stream; /* its place among the streams; ahead.c's */
};

/** What was read lately, piece by piece, and who reads by equal steps. */
struct mih_verify_steps {
	struct mih_verify_range pieces[MIH_VERIFY_PIECES];
	unsigned npieces; /* so far; each takes the place of the oldest */
	struct mih_verify_strider striders[MIH_VERIFY_STRIDERS];
};

/**
 * mih_verify_steps_note() - note a request for the bytes off .. end - 1
 * @tick: of this request; grows
 *
 * Requests that touch make up one piece. Three pieces at equal distances, no
 * matter how many others were read in between, may be those of one reader; it
 * is believed when it is the next one to be there.
 *
 * Return: the reader that has made a step with this request, if it has made
 * MIH_VERIFY_STEPS of them; else NULL. Cost: a thousand comparisons at most.
 */
struct mih_verify_strider *mih_verify_steps_note(struct mih_verify_steps *steps,
						 uint64_t off, uint64_t end,
						 uint64_t tick);

/* safetensors.c */

/** Where tensors lie: in order, none empty, no two overlap. */
struct mih_verify_tensors {
	size_t n;
	struct mih_verify_range at[];
};

/** mih_verify_tensors_named() - does a file of this name have such a header? */
bool mih_verify_tensors_named(const char *path);

/**
 * mih_verify_tensors_first() - the first tensor that begins in from .. to - 1
 * @tensors: NULL: none are known
 *
 * Return: borrowed, or NULL.
 */
const struct mih_verify_range *
mih_verify_tensors_first(const struct mih_verify_tensors *tensors,
			 uint64_t from, uint64_t to);

/** mih_verify_tensors_around() - the tensor that byte @off is in, or NULL. */
const struct mih_verify_range *
mih_verify_tensors_around(const struct mih_verify_tensors *tensors,
			  uint64_t off);

/**
 * A safetensors header, read from its first byte to its last in pieces of any
 * size: 8 bytes with the length of a JSON object, which has a member for each
 * tensor: "name":{"dtype":...,"shape":...,"data_offsets":[begin,end]}.
 *
 * Only the offsets are looked for, and no tree is made: of the 100 MB that a
 * header may have, jansson would make gigabytes.
 */
struct mih_verify_header {
	uint64_t nbytes; /* of the file */
	uint64_t at;	 /* bytes seen */
	uint64_t end;	 /* of the header, once 8 bytes are seen */
	unsigned state;
	unsigned matched; /* of the name in the string that is being read */
	bool digits, spaced;
	uint64_t number, begin;
	size_t room;			    /* ranges that @tensors can hold */
	struct mih_verify_tensors *tensors; /* owned */
};

/** mih_verify_header_init() - begin with a file of @nbytes bytes. */
void mih_verify_header_init(struct mih_verify_header *header, uint64_t nbytes);

/** mih_verify_header_left() - bytes wanted after those seen; 0: it is over. */
uint64_t mih_verify_header_left(const struct mih_verify_header *header);

/**
 * mih_verify_header_feed() - the bytes that follow
 * @data: @len bytes; those behind the header are ignored
 */
void mih_verify_header_feed(struct mih_verify_header *header,
			    const uint8_t *data, size_t len);

/**
 * mih_verify_header_end() - the tensors, and no memory is held any more
 *
 * Left out are those that are empty, reach beyond the file, or overlap one that
 * begins before; and all beyond a quarter of a million.
 *
 * Return: to be freed; NULL if the header did not end or has no tensors.
 */
struct mih_verify_tensors *
mih_verify_header_end(struct mih_verify_header *header);

/* learn.c */

struct mih_verify_engine;
struct mih_verify_file_run;

/** How far the header of an open file is known. */
enum mih_verify_learning {
	MIH_VERIFY_UNLEARNT,
	MIH_VERIFY_LEARNING,
	MIH_VERIFY_LEARNT, /* also: there is nothing to be learnt */
};

/**
 * mih_verify_learn_start() - read a file's header, as any reader would
 *
 * Its bytes are proven like all others, and parsed on threads of the pool; then
 * pattern->tensors is set. Whatever fails is given up silently.
 */
void mih_verify_learn_start(struct mih_verify_engine *engine, uint32_t file);

/** mih_verify_learn_forget() - the last close; file->lock is taken. */
void mih_verify_learn_forget(struct mih_verify_file_run *run);

#endif
