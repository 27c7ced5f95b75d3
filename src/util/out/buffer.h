/*
 * util/out/buffer.h - text that grows as it is written
 *
 * Layer: src/util.  Threads: one thread at a time.
 *
 * Writing never fails by itself: out of memory is remembered, and told once at
 * the end.
 */
#ifndef MIH_UTIL_OUT_BUFFER_H
#define MIH_UTIL_OUT_BUFFER_H

#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>

/** Start from { 0 }. */
struct mih_buffer {
	char *data; /* len bytes and a NUL, or NULL while empty; owned */
	size_t len, room;
	bool failed; /* out of memory; what was written is incomplete */
};

/**
 * mih_buffer_room() - @len bytes that may be written at the end
 *
 * Return: where they begin; NULL if there is no memory. They count once they
 * were added to buffer->len.
 */
char *mih_buffer_room(struct mih_buffer *buffer, size_t len);

/** mih_buffer_add() - append @len bytes. */
void mih_buffer_add(struct mih_buffer *buffer, const void *bytes, size_t len);

/** mih_buffer_text() - append a string. */
void mih_buffer_text(struct mih_buffer *buffer, const char *text);

/** mih_buffer_print() - append as printf(3) does. */
void mih_buffer_print(struct mih_buffer *buffer, const char *fmt, ...)
    MIH_PRINTF(2, 3);

/** mih_buffer_end() - 0, or -ENOMEM if anything could not be written. */
MIH_MUST_CHECK mih_err mih_buffer_end(const struct mih_buffer *buffer);

/** mih_buffer_fini() - release; { 0 } again. */
void mih_buffer_fini(struct mih_buffer *buffer);

#endif
