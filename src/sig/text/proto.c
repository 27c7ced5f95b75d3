#include "sig/text/proto.h"
#include "sig/text/base64.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

mih_err mih_sig_proto_base64(const struct mih_sig_json *node, const char *key,
			     const char *text, size_t max,
			     struct mih_sig_bytes *out)
{
	size_t len = strlen(text);
	mih_autofree uint8_t *bytes = NULL;
	const char *bad;

	if (len > mih_sig_base64_len(max))
		return mih_sig_json_fail(node, key, "is longer than %zu bytes",
					 max);
	bytes = malloc(len / 4 * 3 + 1);
	if (!bytes)
		return mih_err_fail_errno(-ENOMEM, "%s", node->file);
	bad = mih_sig_base64_decode(text, len, bytes, &out->len);
	if (bad)
		return mih_sig_json_fail(node, key, "%s", bad);
	if (out->len == 0 || out->len > max)
		return mih_sig_json_fail(node, key, "must be 1 to %zu bytes",
					 max);
	out->at = MIH_STEAL(&bytes);
	return 0;
}

mih_err mih_sig_proto_bytes(const struct mih_sig_json *node, const char *key,
			    size_t max, struct mih_sig_bytes *out)
{
	const char *text;
	mih_err err = mih_sig_json_string(node, key, &text);

	return err ? err : mih_sig_proto_base64(node, key, text, max, out);
}

mih_err mih_sig_proto_digest(const struct mih_sig_json *node, const char *key,
			     size_t len, uint8_t *out)
{
	mih_autobytes struct mih_sig_bytes bytes = { 0 };
	mih_err err = mih_sig_proto_bytes(node, key, len, &bytes);

	if (err)
		return err;
	if (bytes.len != len)
		return mih_sig_json_fail(
		    node, key, "must be %zu bytes, not %zu", len, bytes.len);
	memcpy(out, bytes.at, len);
	return 0;
}

bool mih_sig_proto_decimal(const char *text, int64_t *out)
{
	int64_t n = 0;

	if (!*text || (*text == '0' && text[1]))
		return false;
	for (; *text; text++)
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *text - '0', &n))
			return false;
	*out = n;
	return true;
}

mih_err mih_sig_proto_uint63(const struct mih_sig_json *node, const char *key,
			     int64_t *out)
{
	const json_t *value = json_object_get(node->value, key);

	*out = 0;
	if (!value || json_is_null(value))
		return 0;
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*out = json_integer_value(value);
		return 0;
	}
	if (json_is_string(value) &&
	    mih_sig_proto_decimal(json_string_value(value), out))
		return 0;
	return mih_sig_json_fail(node, key, "must be an integer, 0 or more");
}

/* @n digits of @text as a number; -1 if they are not. */
static int digits(const char *text, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		v = v * 10 + text[i] - '0';
	}
	return v;
}

/* "Z", "+01:00" or "-01:00", then the end. */
static bool parse_zone(const char *text, int64_t *seconds_out)
{
	int hours, minutes;

	*seconds_out = 0;
	if (!strcmp(text, "Z"))
		return true;
	if (strlen(text) != 6 || (*text != '+' && *text != '-') ||
	    text[3] != ':')
		return false;
	hours = digits(text + 1, 2);
	minutes = digits(text + 4, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*seconds_out = (hours * 60 + minutes) * 60 * (*text == '-' ? 1 : -1);
	return true;
}

/* timegm() would make a 31st of April the 1st of May. */
static bool exists(const struct tm *want)
{
	struct tm tm = *want;
	time_t at = timegm(&tm);

	return tm.tm_mday == want->tm_mday && tm.tm_mon == want->tm_mon &&
	       gmtime_r(&at, &tm) && tm.tm_hour == want->tm_hour;
}

bool mih_sig_proto_time(const char *text, int64_t *out)
{
	static const char form[] = "0000-00-00T00:00:00";
	struct tm tm = { 0 };
	int64_t zone;
	size_t i;

	for (i = 0; form[i]; i++)
		if (form[i] == '0' ? digits(text + i, 1) < 0
				   : text[i] != form[i])
			return false;
	tm.tm_year = digits(text, 4) - 1900;
	tm.tm_mon = digits(text + 5, 2) - 1;
	tm.tm_mday = digits(text + 8, 2);
	tm.tm_hour = digits(text + 11, 2);
	tm.tm_min = digits(text + 14, 2);
	tm.tm_sec = digits(text + 17, 2);
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59 || !exists(&tm))
		return false;
	text += i;
	if (*text == '.') {
		if (digits(++text, 1) < 0)
			return false;
		while (digits(text, 1) >= 0)
			text++;
	}
	if (!parse_zone(text, &zone))
		return false;
	*out = (int64_t)timegm(&tm) + zone;
	return true;
}

static mih_err window_end(const struct mih_sig_json *node, const char *key,
			  int64_t *out)
{
	const char *text;
	mih_err err;

	if (!mih_sig_json_has(node, key))
		return 0;
	err = mih_sig_json_string(node, key, &text);
	if (!err && !mih_sig_proto_time(text, out))
		err = mih_sig_json_fail(node, key, "is not an RFC 3339 time");
	return err;
}

mih_err mih_sig_proto_window(const struct mih_sig_json *node,
			     struct mih_sig_window *out)
{
	struct mih_sig_json valid;
	mih_err err;

	*out = (struct mih_sig_window){ INT64_MIN, INT64_MAX };
	if (!mih_sig_json_has(node, "validFor"))
		return 0;
	err = mih_sig_json_object(node, "validFor", &valid);
	if (!err)
		err = window_end(&valid, "start", &out->from);
	if (!err)
		err = window_end(&valid, "end", &out->to);
	return err;
}

struct mih_sig_time_text mih_sig_time_text(int64_t at)
{
	struct mih_sig_time_text out;
	time_t t = (time_t)at;
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
	    !strftime(out.text, sizeof(out.text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		strcpy(out.text, "a time beyond reach");
	return out;
}
