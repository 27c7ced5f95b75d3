/*
 * sig/text/base64.h - strict base64
 *
 * Layer: src/sig.  Threads: no state.
 * Source: RFC 4648 section 4; what section 3 leaves open is refused.
 */
#ifndef MIH_SIG_TEXT_BASE64_H
#define MIH_SIG_TEXT_BASE64_H

#include <stddef.h>
#include <stdint.h>

/** mih_sig_base64_len() - characters that encode @len bytes */
size_t mih_sig_base64_len(size_t len);

/**
 * mih_sig_base64_encode() - RFC 4648 section 4 with padding, no line breaks
 * @out: mih_sig_base64_len(@len) characters; no NUL is added
 */
void mih_sig_base64_encode(const uint8_t *in, size_t len, char *out);

/**
 * mih_sig_base64_decode() - its strict inverse
 * @text: @len characters
 * @out:  (@len / 4) * 3 bytes; may be @text itself
 * @out_len: set to the number of bytes
 *
 * Return: NULL, or in a few words what is wrong: the length, a foreign
 * character, padding in the wrong place, or spare bits that are not zero.
 */
const char *mih_sig_base64_decode(const char *text, size_t len, uint8_t *out,
				  size_t *out_len);

#endif
