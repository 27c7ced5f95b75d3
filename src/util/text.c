#include "util/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/* Of characters of two and three bytes: the controls of ISO 6429, line ends of
 * Unicode, and what turns the direction of writing (UAX #9). */
static bool is_control_of_unicode(unsigned c)
{
	return (c >= 0x80 && c <= 0x9f) || c == 0x61c || c == 0x200e ||
	       c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Only the first continuation byte has rules of its own (Unicode, table 3-7):
 * they keep out overlong forms, surrogates and what is over U+10FFFF. */
static bool second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

size_t mih_text_char(const char *text)
{
	unsigned char first = (unsigned char)text[0];
	size_t len;

	if (first < 0x80)
		return first != 0;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	for (size_t i = 1; i < len; i++)
		if (!continues(text[i]))
			return 0;
	return second_fits(first, (unsigned char)text[1]) ? len : 0;
}

size_t mih_text_control(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t len = mih_text_char(text);
	unsigned code = 0;

	if (is_control(c[0]))
		return len;
	if (len == 2)
		code = (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
	else if (len == 3)
		code =
		    (c[0] & 0xfu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
	return is_control_of_unicode(code) ? len : 0;
}

void mih_text_print(FILE *out, const char *text)
{
	while (*text) {
		size_t len = mih_text_control(text);

		fputc(len ? '?' : *text, out);
		text += len ? len : 1;
	}
}

/* A character of which the end was cut off goes as a whole. */
static void drop_part(char *line, size_t len)
{
	size_t at = len;

	while (at > 0 && len - at < 3 && continues(line[at - 1]))
		at--;
	if (at > 0 && (unsigned char)line[at - 1] >= 0xc2 &&
	    !mih_text_char(line + at - 1))
		line[at - 1] = '\0';
}

static void hide_controls(char *line)
{
	char *to = line;

	for (const char *c = line; *c;) {
		size_t len = mih_text_control(c);

		*to++ = len ? '?' : *c;
		c += len ? len : 1;
	}
	*to = '\0';
}

void mih_text_format(char *line, size_t cap, const char *fmt, va_list args)
{
	int n = vsnprintf(line, cap, fmt, args);

	if (n < 0)
		line[0] = '\0';
	else if ((size_t)n >= cap)
		drop_part(line, cap - 1);
	hide_controls(line);
}

/* The character at @text as JSON; advances @text. */
static size_t json_char(const char **text, char out[8])
{
	unsigned char c = (unsigned char)**text;
	size_t len = mih_text_char(*text);

	if (!len)
		snprintf(out, 8, "\\\\x%02x", c);
	else if (c == '"' || c == '\\')
		snprintf(out, 8, "\\%c", c);
	else if (is_control(c))
		snprintf(out, 8, "\\u%04x", c);
	else
		snprintf(out, 8, "%.*s", (int)len, *text);
	*text += len ? len : 1;
	return strlen(out);
}

size_t mih_text_json(const char *text, char *json, size_t cap)
{
	size_t n = 0;

	while (*text) {
		char one[8];
		size_t len = json_char(&text, one);

		if (len >= cap - n)
			break;
		memcpy(json + n, one, len);
		n += len;
	}
	json[n] = '\0';
	return n;
}

const char *mih_text_option_end(const char *text)
{
	for (; *text && *text != ','; text++)
		if (text[0] == '\\' && text[1])
			text++;
	return text;
}
