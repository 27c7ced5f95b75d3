/*
 * sig/text/proto.h - bytes, integers and times as protobuf writes them in JSON
 *
 * Layer: src/sig.  Threads: no state.
 * Source: ProtoJSON; RFC 3339. Sigstore's bundles and trusted roots are
 * protobuf messages: a member with its default value (0, "") may be absent.
 */
#ifndef MIH_SIG_TEXT_PROTO_H
#define MIH_SIG_TEXT_PROTO_H

#include "sig/text/json.h"
#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes on the heap; start from { 0 }. */
struct mih_sig_bytes {
	uint8_t *at; /* owned */
	size_t len;
};

static inline void mih_sig_bytes_fini(struct mih_sig_bytes *bytes)
{
	free(bytes->at);
}
#define mih_autobytes MIH_CLEANUP(mih_sig_bytes_fini)

/** A time of validity in seconds since 1970, both ends within. */
struct mih_sig_window {
	int64_t from, to;
};

/**
 * mih_sig_proto_bytes() - the member @key: strict base64 of at least one byte
 * @max: refuse more bytes than this
 * @out: finish with mih_sig_bytes_fini()
 *
 * Return: 0; MIH_EFORMAT or -ENOMEM with a story.
 */
MIH_MUST_CHECK mih_err mih_sig_proto_bytes(const struct mih_sig_json *node,
					   const char *key, size_t max,
					   struct mih_sig_bytes *out);

/** mih_sig_proto_digest() - the member @key: base64 of @len bytes exactly */
MIH_MUST_CHECK mih_err mih_sig_proto_digest(const struct mih_sig_json *node,
					    const char *key, size_t len,
					    uint8_t *out);

/** mih_sig_proto_base64() - mih_sig_proto_bytes() for a text at hand */
MIH_MUST_CHECK mih_err mih_sig_proto_base64(const struct mih_sig_json *node,
					    const char *key, const char *text,
					    size_t max,
					    struct mih_sig_bytes *out);

/**
 * mih_sig_proto_uint63() - the member @key: an integer from 0 to 2^63 - 1
 *
 * Written as a JSON number or as a string of digits; absent is 0.
 */
MIH_MUST_CHECK mih_err mih_sig_proto_uint63(const struct mih_sig_json *node,
					    const char *key, int64_t *out);

/** mih_sig_proto_decimal() - digits without sign and leading zeros, and NUL */
bool mih_sig_proto_decimal(const char *text, int64_t *out);

/** mih_sig_proto_time() - RFC 3339, fractions cut off; true if it is one */
bool mih_sig_proto_time(const char *text, int64_t *out);

/**
 * mih_sig_proto_window() - the member "validFor" with "start" and "end"
 *
 * Absent ends are open.
 */
MIH_MUST_CHECK mih_err mih_sig_proto_window(const struct mih_sig_json *node,
					    struct mih_sig_window *out);

/** mih_sig_window_has() - is @at within? */
static inline bool mih_sig_window_has(const struct mih_sig_window *window,
				      int64_t at)
{
	return window->from <= at && at <= window->to;
}

/** A time as text, for stories. */
struct mih_sig_time_text {
	char text[32];
};

/** mih_sig_time_text() - "2026-03-14T09:26:56Z" */
struct mih_sig_time_text mih_sig_time_text(int64_t at);

#endif
