/*
 * util/text.h - one line of text out of what anybody may have written
 *
 * Layer: src/util.  Threads: no state.
 */
#ifndef MIH_UTIL_TEXT_H
#define MIH_UTIL_TEXT_H

#include "util/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/** Room for a line that names two paths of 4095 bytes. */
#define MIH_TEXT_LINE 8704

/**
 * mih_text_format() - vsnprintf() of one line
 * @line: set to at most @cap - 1 bytes and a NUL
 * @cap:  at least 1
 *
 * Each mih_text_control() becomes '?'. What is too long ends before the
 * character of UTF-8 that does not fit.
 */
void mih_text_format(char *line, size_t cap, const char *fmt, va_list args)
    MIH_PRINTF(3, 0);

/**
 * mih_text_char() - how long is the character of UTF-8 at @text?
 *
 * Return: 1 to 4 bytes; 0 at the end, or if there is no valid character
 * (surrogates, overlong forms, over U+10FFFF, cut short).
 */
size_t mih_text_char(const char *text);

/**
 * mih_text_control() - how long is the character at @text that must not reach a
 * terminal?
 *
 * Those are the ones that change how others are shown: controls, ends of lines,
 * and Unicode's turns of the direction of writing.
 *
 * Return: 1 to 3 bytes; 0 at the end, or for any other character.
 */
size_t mih_text_control(const char *text);

/** mih_text_print() - @text with each mih_text_control() as '?' */
void mih_text_print(FILE *out, const char *text);

/**
 * mih_text_json() - what stands between the quotes of a JSON string
 * @text: NUL-terminated
 * @json: set to at most @cap - 1 bytes and a NUL; ends before what does not fit
 * @cap:  at least 1
 *
 * A byte that belongs to no character of UTF-8 is shown as "\xff" (with a
 * backslash that is text), so the result is valid JSON whatever @text is.
 *
 * Return: bytes written, without the NUL.
 */
size_t mih_text_json(const char *text, char *json, size_t cap);

/**
 * mih_text_option_end() - the end of the first option of "one,two=a\,b"
 *
 * Return: its comma, or the end of @text; a comma behind a backslash is no end.
 */
const char *mih_text_option_end(const char *text);

#endif
