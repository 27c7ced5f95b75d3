#include "util/out/buffer.h"
#include "util/checked.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 512

char *mih_buffer_room(struct mih_buffer *buffer, size_t len)
{
	size_t room = MIH_MAX(buffer->room, (size_t)FIRST_ROOM);
	char *data;

	if (buffer->failed)
		return NULL;
	while (room - buffer->len <= len && room <= SIZE_MAX / 2)
		room *= 2;
	if (buffer->data && room == buffer->room)
		return buffer->data + buffer->len;
	data = room - buffer->len > len ? realloc(buffer->data, room) : NULL;
	if (!data) {
		buffer->failed = true;
		return NULL;
	}
	buffer->data = data;
	buffer->room = room;
	return data + buffer->len;
}

void mih_buffer_add(struct mih_buffer *buffer, const void *bytes, size_t len)
{
	char *at = mih_buffer_room(buffer, len);

	if (!at)
		return;
	memcpy(at, bytes, len);
	at[len] = '\0';
	buffer->len += len;
}

void mih_buffer_text(struct mih_buffer *buffer, const char *text)
{
	mih_buffer_add(buffer, text, strlen(text));
}

void mih_buffer_print(struct mih_buffer *buffer, const char *fmt, ...)
{
	va_list ap, again;
	char *at;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	at = n < 0 ? NULL : mih_buffer_room(buffer, (size_t)n);
	if (at) {
		vsnprintf(at, (size_t)n + 1, fmt, again);
		buffer->len += (size_t)n;
	}
	va_end(again);
	va_end(ap);
}

mih_err mih_buffer_end(const struct mih_buffer *buffer)
{
	return buffer->failed ? -ENOMEM : 0;
}

void mih_buffer_fini(struct mih_buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct mih_buffer){ 0 };
}
