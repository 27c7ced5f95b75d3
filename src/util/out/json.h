/*
 * util/out/json.h - write JSON into a buffer, member by member
 *
 * Layer: src/util.  Threads: one thread at a time.
 *
 *     mih_json_begin(&b, NULL, '{');
 *     mih_json_text(&b, "path", path);
 *     mih_json_end(&b, '}');
 *
 * @name is NULL for an element of an array and for the value that is the whole
 * text. Commas come by themselves.
 */
#ifndef MIH_UTIL_OUT_JSON_H
#define MIH_UTIL_OUT_JSON_H

#include "util/out/buffer.h"

#include <stdint.h>

/** mih_json_begin() - an object, '{', or an array, '['. */
void mih_json_begin(struct mih_buffer *out, const char *name, char bracket);

/** mih_json_end() - '}' or ']'. */
void mih_json_end(struct mih_buffer *out, char bracket);

/** mih_json_text() - a string, whatever bytes it has (util/text.h). */
void mih_json_text(struct mih_buffer *out, const char *name, const char *text);

/** mih_json_number() - a whole number. */
void mih_json_number(struct mih_buffer *out, const char *name, uint64_t value);

/** mih_json_flag() - true or false. */
void mih_json_flag(struct mih_buffer *out, const char *name, bool value);

#endif
