#include "util/err.h"
#include "util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char story[MIH_TEXT_LINE];
static _Thread_local mih_err last;

mih_err mih_err_fail(mih_err err, const char *fmt, ...)
{
	char line[sizeof(story)];
	va_list ap;

	/* Not straight into story: an argument may be the old story. */
	va_start(ap, fmt);
	mih_text_format(line, sizeof(line), fmt, ap);
	va_end(ap);
	memcpy(story, line, sizeof(story));
	last = err;
	return err;
}

mih_err mih_err_fail_errno(mih_err err, const char *fmt, ...)
{
	char line[sizeof(story)];
	va_list ap;

	va_start(ap, fmt);
	mih_text_format(line, sizeof(line), fmt, ap);
	va_end(ap);
	return mih_err_fail(err, "%s: %s", line, strerror(-err));
}

const char *mih_err_message(void)
{
	return story;
}

mih_err mih_err_last(void)
{
	return last;
}

void mih_err_clear(void)
{
	last = 0;
	story[0] = '\0';
}
