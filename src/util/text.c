#include "util/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
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

void mih_text_format(char *line, size_t cap, const char *fmt, va_list args)
{
	int n = vsnprintf(line, cap, fmt, args);

	if (n < 0)
		line[0] = '\0';
	else if ((size_t)n >= cap)
		drop_part(line, cap - 1);
	for (char *c = line; *c; c++)
		if (is_control((unsigned char)*c))
			*c = '?';
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
