#include "util/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char story[1024];

static void sanitise(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

mih_err mih_err_fail(mih_err err, const char *fmt, ...)
{
	char line[sizeof(story)];
	va_list ap;

	/* Not straight into story: an argument may be the old story. */
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	sanitise(line);
	memcpy(story, line, sizeof(story));
	return err;
}

mih_err mih_err_fail_errno(mih_err err, const char *fmt, ...)
{
	char line[sizeof(story)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return mih_err_fail(err, "%s: %s", line, strerror(-err));
}

const char *mih_err_message(void)
{
	return story;
}

void mih_err_clear(void)
{
	story[0] = '\0';
}
