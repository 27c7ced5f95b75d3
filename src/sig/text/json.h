/*
 * sig/text/json.h - strict JSON, and the one large member of a text apart
 *
 * Layer: src/sig.  Threads: no state.
 * Source: RFC 8259, with duplicate names and NUL refused.
 */
#ifndef MIH_SIG_TEXT_JSON_H
#define MIH_SIG_TEXT_JSON_H

#include "util/cleanup.h"
#include "util/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Brackets within brackets. */
#define MIH_SIG_JSON_DEPTH 64

/** Bytes parsed in one piece: all but the cut-out member, or one element. */
#define MIH_SIG_JSON_TREE_MAX ((size_t)16 << 20)

/** Values in one such piece: each takes up to 240 bytes of memory, and three of
 * text will do for one. The statements of model signing 0.2 have 6 a file. */
#define MIH_SIG_JSON_VALUES_MAX ((size_t)1 << 19)

/** A JSON text and the name it has in stories. All borrowed. */
struct mih_sig_text {
	const char *file;
	const char *text;
	size_t len;
};

/** The bytes from .. to - 1 of a text; empty if nothing was found. */
struct mih_sig_span {
	size_t from, to;
};

/** The member @inner of the object that is the member @outer of the top. */
struct mih_sig_member {
	const char *outer, *inner;
	char open; /* '[' or '"': what its value must begin with */
};

/** A JSON value and where it stands, for the story. */
struct mih_sig_json {
	const json_t *value; /* borrowed */
	const char *file;    /* borrowed */
	char at[64];	     /* "predicate.resources[7]"; "" is the top */
};

static inline void mih_sig_json_put(json_t **json)
{
	json_decref(*json);
}
#define mih_autojson MIH_CLEANUP(mih_sig_json_put)

/**
 * mih_sig_json_find() - where the inside of a large value lies
 * @text:   whole text, not yet known to be JSON
 * @member: which
 * @span_out: between the brackets or quotes of the first such member whose
 *            name is written without escapes; empty if there is none (or, for
 *            a string, if its value has escapes)
 *
 * Knows strings and brackets only. If the text without the span is valid JSON
 * without duplicate names, then the span was the value of that very member:
 * up to the span both readers have read the same bytes as the same tokens.
 *
 * Return: 0, or MIH_EFORMAT if brackets nest deeper than MIH_SIG_JSON_DEPTH.
 */
MIH_MUST_CHECK mih_err mih_sig_json_find(const struct mih_sig_text *text,
					 const struct mih_sig_member *member,
					 struct mih_sig_span *span_out);

/**
 * mih_sig_json_load_without() - parse all but @span strictly
 * @skip: bytes to leave out; {0, 0} for none
 * @json_out: an object; owned by the caller
 *
 * Strict: duplicate names, trailing bytes, NUL and invalid UTF-8 are refused.
 *
 * Return: 0; MIH_EFORMAT; -ENOMEM; with a story.
 */
MIH_MUST_CHECK mih_err
mih_sig_json_load_without(const struct mih_sig_text *text,
			  struct mih_sig_span skip, json_t **json_out);

/**
 * mih_sig_json_load_at() - parse one object as strictly, named @at in stories
 */
MIH_MUST_CHECK mih_err mih_sig_json_load_at(const struct mih_sig_text *text,
					    const char *at, json_t **json_out);

/**
 * mih_sig_json_split() - cut the next element off the inside of an array
 * @text: text of the span
 * @rest: the inside; set to what follows the comma
 * @one_out: the element with the white space around it, perhaps nothing else
 *
 * Return: true if a comma followed, so that another element must come.
 */
bool mih_sig_json_split(const char *text, struct mih_sig_span *rest,
			struct mih_sig_span *one_out);

/** mih_sig_json_fail() - MIH_EFORMAT, "<file>: <at>.<key> <words>" */
MIH_MUST_CHECK mih_err mih_sig_json_fail(const struct mih_sig_json *node,
					 const char *key, const char *fmt, ...)
    MIH_PRINTF(3, 4);

/** mih_sig_json_has() - is the member there and not null? */
bool mih_sig_json_has(const struct mih_sig_json *node, const char *key);

/** mih_sig_json_only() - refuse members not in @known (ends with NULL) */
MIH_MUST_CHECK mih_err mih_sig_json_only(const struct mih_sig_json *node,
					 const char *const *known);

/** mih_sig_json_object() - the member @key, which must be an object */
MIH_MUST_CHECK mih_err mih_sig_json_object(const struct mih_sig_json *node,
					   const char *key,
					   struct mih_sig_json *child_out);

/** mih_sig_json_array() - the member @key, which must be an array */
MIH_MUST_CHECK mih_err mih_sig_json_array(const struct mih_sig_json *node,
					  const char *key,
					  struct mih_sig_json *child_out);

/** mih_sig_json_element() - element @i of an array, which must be an object */
MIH_MUST_CHECK mih_err mih_sig_json_element(const struct mih_sig_json *array,
					    size_t i,
					    struct mih_sig_json *child_out);

/** mih_sig_json_string() - the member @key, which must be a string; borrowed */
MIH_MUST_CHECK mih_err mih_sig_json_string(const struct mih_sig_json *node,
					   const char *key,
					   const char **text_out);

/** mih_sig_json_is() - the member @key must be the string @want */
MIH_MUST_CHECK mih_err mih_sig_json_is(const struct mih_sig_json *node,
				       const char *key, const char *want);

/** mih_sig_json_hex() - the member @key: 2 * @len lowercase hex digits */
MIH_MUST_CHECK mih_err mih_sig_json_hex(const struct mih_sig_json *node,
					const char *key, size_t len,
					uint8_t *out);

#endif
