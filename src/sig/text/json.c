#include "sig/text/json.h"
#include "util/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NOWHERE SIZE_MAX

/* From the opening quote to behind the closing one; NOWHERE if it is open. */
static size_t skip_string(const char *text, size_t len, size_t at)
{
	for (at++; at < len; at++) {
		const char *quote = memchr(text + at, '"', len - at), *c;

		if (!quote)
			break;
		for (c = quote; c[-1] == '\\'; c--)
			;
		at = (size_t)(quote - text);
		if ((quote - c) % 2 == 0)
			return at + 1;
	}
	return NOWHERE;
}

/* The state of one walk over a text. */
struct walk {
	const struct mih_sig_text *text;
	const struct mih_sig_member *member;
	struct mih_sig_span found;
	struct mih_sig_span name; /* the last string: a name if ':' follows */
	size_t depth;
	size_t from;   /* inside of an array being measured, or 0 */
	bool hit;      /* the next value is that of outer, or of inner */
	bool in_outer; /* depth 2 is the object called outer */
};

static bool name_is(const struct walk *w, const char *name)
{
	size_t len = w->name.to - w->name.from;

	return len == strlen(name) &&
	       !memcmp(w->text->text + w->name.from, name, len);
}

static bool is_wanted(const struct walk *w, char open)
{
	return w->hit && w->depth == 2 && w->member->open == open && !w->from &&
	       !w->found.from;
}

static size_t walk_string(struct walk *w, size_t at)
{
	const char *text = w->text->text;
	size_t end = skip_string(text, w->text->len, at);

	if (end == NOWHERE)
		return NOWHERE;
	w->name = (struct mih_sig_span){ at + 1, end - 1 };
	/* Escapes in the value are for jansson to resolve. */
	if (is_wanted(w, '"') && !memchr(text + at, '\\', end - at))
		w->found = w->name;
	return end;
}

static void walk_colon(struct walk *w)
{
	w->hit = (w->depth == 1 && name_is(w, w->member->outer)) ||
		 (w->depth == 2 && w->in_outer && name_is(w, w->member->inner));
}

static bool walk_open(struct walk *w, size_t at)
{
	if (is_wanted(w, w->text->text[at]))
		w->from = at + 1;
	if (w->hit && w->depth == 1)
		w->in_outer = w->text->text[at] == '{';
	w->hit = false;
	return ++w->depth <= MIH_SIG_JSON_DEPTH;
}

static bool walk_close(struct walk *w, size_t at)
{
	if (w->depth == 0)
		return false;
	w->depth--;
	if (w->from && w->depth == 2) {
		if (w->text->text[at] == ']')
			w->found = (struct mih_sig_span){ w->from, at };
		w->from = 0;
	}
	if (w->depth == 1)
		w->in_outer = false;
	return true;
}

mih_err mih_sig_json_find(const struct mih_sig_text *text,
			  const struct mih_sig_member *member,
			  struct mih_sig_span *span_out)
{
	struct walk w = { .text = text, .member = member };
	size_t at = 0;

	*span_out = (struct mih_sig_span){ 0, 0 };
	while (at < text->len) {
		switch (text->text[at]) {
		case '"':
			at = walk_string(&w, at);
			if (at == NOWHERE)
				return 0; /* jansson will say so */
			continue;
		case ':':
			walk_colon(&w);
			break;
		case ',':
			w.hit = false;
			break;
		case '{':
		case '[':
			if (!walk_open(&w, at))
				return mih_err_fail(
				    MIH_EFORMAT,
				    "%s: JSON nested deeper than %d levels",
				    text->file, MIH_SIG_JSON_DEPTH);
			break;
		case '}':
		case ']':
			if (!walk_close(&w, at))
				return 0; /* jansson will say so */
			break;
		}
		at++;
	}
	*span_out = w.found;
	return 0;
}

bool mih_sig_json_split(const char *text, struct mih_sig_span *rest,
			struct mih_sig_span *one_out)
{
	size_t at = rest->from, depth = 0;

	*one_out = *rest;
	while (at < rest->to) {
		char c = text[at];

		if (c == '"') {
			at = skip_string(text, rest->to, at);
			if (at == NOWHERE)
				break;
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		if (c == ',' && depth == 0) {
			one_out->to = at;
			rest->from = at + 1;
			return true;
		}
		at++;
	}
	rest->from = rest->to;
	return false;
}

static mih_err load_failed(const struct mih_sig_text *text, const char *at,
			   const json_error_t *why)
{
	const char *dot = *at ? ": " : "";

	switch (json_error_code(why)) {
	case json_error_out_of_memory:
		return mih_err_fail_errno(-ENOMEM, "%s", text->file);
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return mih_err_fail(MIH_EFORMAT,
				    "%s: %s%sa string holds a NUL character",
				    text->file, at, dot);
	default:
		return mih_err_fail(MIH_EFORMAT, "%s: %s%snot strict JSON: %s",
				    text->file, at, dot, why->text);
	}
}

/* More would be what memory is filled with, not a statement. A comma within a
 * string counts too: names are short. */
static bool is_crowded(const struct mih_sig_text *text)
{
	size_t n = 1;

	if (text->len <= MIH_SIG_JSON_VALUES_MAX)
		return false;
	for (size_t i = 0; i < text->len; i++)
		n += text->text[i] == ',' || text->text[i] == '{' ||
		     text->text[i] == '[';
	return n > MIH_SIG_JSON_VALUES_MAX;
}

mih_err mih_sig_json_load_at(const struct mih_sig_text *text, const char *at,
			     json_t **json_out)
{
	json_error_t why;
	mih_autojson json_t *json = NULL;

	if (text->len > MIH_SIG_JSON_TREE_MAX)
		return mih_err_fail(MIH_EFORMAT,
				    "%s: %s%smore than %zu bytes of JSON in "
				    "one piece",
				    text->file, at, *at ? ": " : "",
				    MIH_SIG_JSON_TREE_MAX);
	if (is_crowded(text))
		return mih_err_fail(
		    MIH_EFORMAT, "%s: %s%smore than %zu values in one piece",
		    text->file, at, *at ? ": " : "", MIH_SIG_JSON_VALUES_MAX);
	json = json_loadb(text->text, text->len, JSON_REJECT_DUPLICATES, &why);
	if (!json)
		return load_failed(text, at, &why);
	if (!json_is_object(json))
		return mih_err_fail(MIH_EFORMAT, "%s: %s%snot a JSON object",
				    text->file, at, *at ? ": " : "");
	*json_out = MIH_STEAL(&json);
	return 0;
}

mih_err mih_sig_json_load_without(const struct mih_sig_text *text,
				  struct mih_sig_span skip, json_t **json_out)
{
	size_t tail = text->len - skip.to;
	struct mih_sig_text rest = { .file = text->file,
				     .len = skip.from + tail };
	mih_autofree char *copy = NULL;

	if (skip.from == skip.to)
		return mih_sig_json_load_at(text, "", json_out);
	if (rest.len <= MIH_SIG_JSON_TREE_MAX) {
		copy = malloc(rest.len + 1);
		if (!copy)
			return mih_err_fail_errno(-ENOMEM, "%s", text->file);
		memcpy(copy, text->text, skip.from);
		memcpy(copy + skip.from, text->text + skip.to, tail);
	}
	rest.text = copy;
	return mih_sig_json_load_at(&rest, "", json_out);
}

mih_err mih_sig_json_fail(const struct mih_sig_json *node, const char *key,
			  const char *fmt, ...)
{
	char words[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return mih_err_fail(MIH_EFORMAT, "%s: %s%s%s %s", node->file, node->at,
			    *node->at && *key ? "." : "", key, words);
}

bool mih_sig_json_has(const struct mih_sig_json *node, const char *key)
{
	const json_t *value = json_object_get(node->value, key);

	return value && !json_is_null(value);
}

mih_err mih_sig_json_only(const struct mih_sig_json *node,
			  const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)node->value, key, value)
	{
		const char *const *name = known;

		while (*name && strcmp(*name, key))
			name++;
		if (!*name)
			return mih_sig_json_fail(node, key, "is unknown here");
	}
	return 0;
}

static mih_err get(const struct mih_sig_json *node, const char *key,
		   json_type type, const json_t **value_out)
{
	static const char *const words[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",
	};

	*value_out = json_object_get(node->value, key);
	if (!*value_out)
		return mih_sig_json_fail(node, key, "is missing");
	if (json_typeof(*value_out) != type)
		return mih_sig_json_fail(node, key, "must be %s", words[type]);
	return 0;
}

static mih_err get_child(const struct mih_sig_json *node, const char *key,
			 json_type type, struct mih_sig_json *child_out)
{
	struct mih_sig_json child = { .file = node->file };
	mih_err err = get(node, key, type, &child.value);

	if (err)
		return err;
	if (snprintf(child.at, sizeof(child.at), "%s%s%s", node->at,
		     *node->at ? "." : "", key) < 0)
		return -EINVAL;
	*child_out = child;
	return 0;
}

mih_err mih_sig_json_object(const struct mih_sig_json *node, const char *key,
			    struct mih_sig_json *child_out)
{
	return get_child(node, key, JSON_OBJECT, child_out);
}

mih_err mih_sig_json_array(const struct mih_sig_json *node, const char *key,
			   struct mih_sig_json *child_out)
{
	return get_child(node, key, JSON_ARRAY, child_out);
}

mih_err mih_sig_json_element(const struct mih_sig_json *array, size_t i,
			     struct mih_sig_json *child_out)
{
	struct mih_sig_json child = { .file = array->file };

	child.value = json_array_get(array->value, i);
	if (snprintf(child.at, sizeof(child.at), "%s[%zu]", array->at, i) < 0)
		return -EINVAL;
	if (!json_is_object(child.value))
		return mih_sig_json_fail(&child, "", "must be an object");
	*child_out = child;
	return 0;
}

mih_err mih_sig_json_string(const struct mih_sig_json *node, const char *key,
			    const char **text_out)
{
	const json_t *value;
	mih_err err = get(node, key, JSON_STRING, &value);

	if (!err)
		*text_out = json_string_value(value);
	return err;
}

mih_err mih_sig_json_is(const struct mih_sig_json *node, const char *key,
			const char *want)
{
	const char *text;
	mih_err err = mih_sig_json_string(node, key, &text);

	if (err)
		return err;
	if (strcmp(text, want))
		return mih_sig_json_fail(node, key, "is '%.80s', not '%s'",
					 text, want);
	return 0;
}

mih_err mih_sig_json_hex(const struct mih_sig_json *node, const char *key,
			 size_t len, uint8_t *out)
{
	const char *text;
	mih_err err = mih_sig_json_string(node, key, &text);

	if (err)
		return err;
	if (!mih_bytes_from_hex(text, len, out))
		return mih_sig_json_fail(
		    node, key, "must be %zu lowercase hex digits", 2 * len);
	return 0;
}
