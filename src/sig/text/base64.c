#include "sig/text/base64.h"

#include <stdbool.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz"
			       "0123456789+/";

#define FOREIGN 0xff

size_t mih_sig_base64_len(size_t len)
{
	return (len / 3 + (len % 3 != 0)) * 4;
}

void mih_sig_base64_encode(const uint8_t *in, size_t len, char *out)
{
	for (; len >= 3; in += 3, len -= 3) {
		uint32_t v = (uint32_t)in[0] << 16 | in[1] << 8 | in[2];

		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = alphabet[v >> 6 & 63];
		*out++ = alphabet[v & 63];
	}
	if (len > 0) {
		uint32_t v = (uint32_t)in[0] << 16 | (len > 1 ? in[1] << 8 : 0);

		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = len > 1 ? alphabet[v >> 6 & 63] : '=';
		*out = '=';
	}
}

static void fill_values(uint8_t values[256])
{
	for (int i = 0; i < 256; i++)
		values[i] = FOREIGN;
	for (uint8_t i = 0; i < 64; i++)
		values[(uint8_t)alphabet[i]] = i;
}

/* The last four characters when they end in padding: 1 or 2 bytes. */
static const char *decode_tail(const uint8_t *values, const char *text,
			       uint8_t *out, size_t *out_len)
{
	bool two = text[2] != '=';
	uint8_t a = values[(uint8_t)text[0]], b = values[(uint8_t)text[1]];
	uint8_t c = two ? values[(uint8_t)text[2]] : 0;

	if (a == FOREIGN || b == FOREIGN || c == FOREIGN)
		return "is not base64: foreign character or misplaced padding";
	if (two ? c & 3 : b & 15)
		return "is not base64: spare bits before the padding";
	*out++ = (uint8_t)(a << 2 | b >> 4);
	if (two)
		*out = (uint8_t)(b << 4 | c >> 2);
	*out_len += two ? 2 : 1;
	return NULL;
}

/* out may be text: three bytes are written after four were read. */
const char *mih_sig_base64_decode(const char *text, size_t len, uint8_t *out,
				  size_t *out_len)
{
	bool padded = len > 0 && text[len - 1] == '=';
	const char *end = text + len - (padded ? 4 : 0);
	uint8_t values[256];

	*out_len = 0;
	if (len % 4)
		return "is not base64: length is not a multiple of 4";
	fill_values(values);
	for (; text < end; text += 4, out += 3) {
		uint8_t a = values[(uint8_t)text[0]];
		uint8_t b = values[(uint8_t)text[1]];
		uint8_t c = values[(uint8_t)text[2]];
		uint8_t d = values[(uint8_t)text[3]];

		/* 0xff is the only value with a bit above 63. */
		if ((a | b | c | d) > 63)
			return "is not base64: foreign character or "
			       "misplaced padding";
		out[0] = (uint8_t)(a << 2 | b >> 4);
		out[1] = (uint8_t)(b << 4 | c >> 2);
		out[2] = (uint8_t)(c << 6 | d);
		*out_len += 3;
	}
	return padded ? decode_tail(values, text, out, out_len) : NULL;
}
