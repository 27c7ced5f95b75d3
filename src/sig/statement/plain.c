/*
 * Resources as nearly every signer writes them: objects of few members, names
 * without escapes, plain ASCII. A million of them through a JSON library is
 * most of the time that a mount takes, so they are read here without one.
 *
 * What is accepted is a small part of strict JSON, each member at most once;
 * for all else, be it right or wrong, the answer is "not plain", and the caller
 * asks the library, which also finds the words for what is wrong.
 */
#include "sig/sig_internal.h"
#include "util/bytes.h"

#include <string.h>

/** What is left of the text. */
struct cursor {
	const char *at, *end;
};

/** The bytes of a string. */
struct word {
	const char *text;
	size_t len;
};

/** A member, and who reads its value. */
struct field {
	const char *name;
	bool (*read)(struct cursor *c, void *out);
	void *out;
	bool is_optional;
	bool is_seen;
};

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' ||
				  *c->at == '\r' || *c->at == '\n'))
		c->at++;
}

static bool take(struct cursor *c, char want)
{
	skip_blanks(c);
	if (c->at == c->end || *c->at != want)
		return false;
	c->at++;
	return true;
}

/* Only bytes that stand for themselves. */
static bool read_word(struct cursor *c, void *out)
{
	struct word *word = out;

	if (!take(c, '"'))
		return false;
	word->text = c->at;
	while (c->at < c->end && *c->at >= ' ' && *c->at <= '~' &&
	       *c->at != '"' && *c->at != '\\')
		c->at++;
	word->len = (size_t)(c->at - word->text);
	/* No blanks are skipped here: a bare line break is no JSON. */
	return c->at < c->end && *c->at++ == '"';
}

/* 18 digits cannot overflow. What follows the last is the caller's to judge,
 * so that neither fractions nor exponents get through. */
static bool read_number(struct cursor *c, void *out)
{
	uint64_t *value = out;
	const char *from;

	skip_blanks(c);
	*value = 0;
	for (from = c->at; c->at < c->end && *c->at >= '0' && *c->at <= '9';
	     c->at++) {
		if (c->at - from == 18)
			return false;
		*value = 10 * *value + (uint64_t)(*c->at - '0');
	}
	return c->at > from && (*from != '0' || c->at - from == 1);
}

static bool is_word(const struct word *word, const char *text)
{
	return strlen(text) == word->len &&
	       !memcmp(word->text, text, word->len);
}

static struct field *find_field(struct field *fields, const struct word *name)
{
	for (; fields->name; fields++)
		if (is_word(name, fields->name))
			return fields;
	return NULL;
}

/* @fields ends with a row without a name. */
static bool read_object(struct cursor *c, struct field *fields)
{
	struct field *field;
	struct word name;

	if (!take(c, '{'))
		return false;
	do {
		if (!read_word(c, &name) || !take(c, ':'))
			return false;
		field = find_field(fields, &name);
		if (!field || field->is_seen || !field->read(c, field->out))
			return false;
		field->is_seen = true;
	} while (take(c, ','));
	for (; fields->name; fields++)
		if (!fields->is_seen && !fields->is_optional)
			return false;
	return take(c, '}');
}

/** What is written in a resource. */
struct plain {
	struct word name, algorithm, digest;
	struct word tree, root; /* empty without an annotation */
	uint64_t size;
};

static bool read_note(struct cursor *c, void *out)
{
	struct plain *p = out;
	struct field fields[] = {
		{ .name = "tree", .read = read_word, .out = &p->tree },
		{ .name = "root", .read = read_word, .out = &p->root },
		{ .name = "size", .read = read_number, .out = &p->size },
		{ .name = NULL },
	};

	return read_object(c, fields);
}

static bool read_notes(struct cursor *c, void *out)
{
	struct field fields[] = {
		{ .name = "mihfs", .read = read_note, .out = out },
		{ .name = NULL },
	};

	return read_object(c, fields);
}

static bool read_text(const struct mih_sig_text *text, struct plain *p)
{
	struct cursor c = { text->text, text->text + text->len };
	struct field fields[] = {
		{ .name = "name", .read = read_word, .out = &p->name },
		{ .name = "algorithm",
		  .read = read_word,
		  .out = &p->algorithm },
		{ .name = "digest", .read = read_word, .out = &p->digest },
		{ .name = "annotations",
		  .read = read_notes,
		  .out = p,
		  .is_optional = true },
		{ .name = NULL },
	};

	if (!read_object(&c, fields))
		return false;
	skip_blanks(&c);
	return c.at == c.end;
}

static bool take_hex(const struct word *word, size_t len, uint8_t *out)
{
	char hex[2 * MIH_HASH_LEN_MAX + 1];

	if (word->len != 2 * len)
		return false;
	memcpy(hex, word->text, word->len);
	hex[word->len] = '\0';
	return mih_bytes_from_hex(hex, len, out);
}

static const struct mih_hash_info *find_tree(const struct word *name)
{
	for (int id = MIH_HASH_NONE + 1; id < MIH_HASH_ALG_END; id++) {
		const struct mih_hash_info *info =
		    mih_hash_info((enum mih_hash_alg)id);

		if (info->is_tree && is_word(name, info->name))
			return info;
	}
	return NULL;
}

/* A tree that is the digest's algorithm as well has one more rule. */
static bool take_tree(const struct plain *p, struct mih_sig_resource *res)
{
	const struct mih_hash_info *info = find_tree(&p->tree);

	if (!info || info->id == res->alg || p->size > MIH_SIG_SIZE_MAX ||
	    !take_hex(&p->root, info->len, res->root))
		return false;
	res->tree = info->id;
	res->nbytes = p->size;
	return true;
}

bool mih_sig_plain_read(const struct mih_sig_text *text, enum mih_hash_alg alg,
			struct mih_sig_resource *res)
{
	const struct mih_hash_info *info = mih_hash_info(alg);
	struct mih_sig_resource found = { .alg = alg };
	struct plain p = { .size = 0 };

	if (text->len > MIH_SIG_JSON_TREE_MAX || !read_text(text, &p) ||
	    !is_word(&p.algorithm, info->name) ||
	    !take_hex(&p.digest, info->len, found.digest) ||
	    (p.tree.text && !take_tree(&p, &found)) ||
	    mih_sig_name_check(p.name.text, p.name.len))
		return false;
	found.name = strndup(p.name.text, p.name.len);
	if (!found.name)
		return false;
	*res = found;
	return true;
}
