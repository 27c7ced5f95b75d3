#include "util/out/json.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

#define ESCAPED_MAX 6 /* bytes that one byte becomes: \u001f */

static void write_string(struct mih_buffer *out, const char *text)
{
	size_t cap = ESCAPED_MAX * strlen(text) + 1;
	char *at;

	mih_buffer_add(out, "\"", 1);
	at = mih_buffer_room(out, cap);
	if (at)
		out->len += mih_text_json(text, at, cap);
	mih_buffer_add(out, "\"", 1);
}

/* A value follows another one unless a bracket or a line has just begun. */
static void begin_value(struct mih_buffer *out, const char *name)
{
	if (out->len && !strchr("{[\n", out->data[out->len - 1]))
		mih_buffer_add(out, ",", 1);
	if (!name)
		return;
	write_string(out, name);
	mih_buffer_add(out, ":", 1);
}

void mih_json_begin(struct mih_buffer *out, const char *name, char bracket)
{
	begin_value(out, name);
	mih_buffer_add(out, &bracket, 1);
}

void mih_json_end(struct mih_buffer *out, char bracket)
{
	mih_buffer_add(out, &bracket, 1);
}

void mih_json_text(struct mih_buffer *out, const char *name, const char *text)
{
	begin_value(out, name);
	write_string(out, text);
}

void mih_json_number(struct mih_buffer *out, const char *name, uint64_t value)
{
	begin_value(out, name);
	mih_buffer_print(out, "%" PRIu64, value);
}

void mih_json_flag(struct mih_buffer *out, const char *name, bool value)
{
	begin_value(out, name);
	mih_buffer_text(out, value ? "true" : "false");
}
