/*
 * Where the tensors of a safetensors file lie, from the bytes of its header.
 * Those were signed, but nobody has promised that they make sense.
 */
#include "verify/ahead/ahead_internal.h"

#include "util/bytes.h"
#include "util/checked.h"

#include <stdlib.h>
#include <string.h>

#define SUFFIX	     ".safetensors"
#define LENGTH_BYTES 8
#define HEADER_MAX   ((uint64_t)100000000) /* as the format has it */
#define TENSORS_MAX  ((size_t)1 << 18)	   /* 4 MiB of memory */

static const char name[] = "data_offsets";
#define NAME_LEN (sizeof(name) - 1)
#define OTHER	 (NAME_LEN + 1) /* the string is another one */

enum {
	OUTSIDE,
	STRING,
	ESCAPED,
	COLON, /* the name was read; what follows is to be: */
	BRACKET,
	BEGIN,
	END,
};

bool mih_verify_tensors_named(const char *path)
{
	size_t len = strlen(path), suffix = sizeof(SUFFIX) - 1;

	return len >= suffix && !strcmp(path + len - suffix, SUFFIX);
}

/* How many begin before @off. */
static size_t count_before(const struct mih_verify_tensors *tensors,
			   uint64_t off)
{
	size_t from = 0, to = tensors ? tensors->n : 0;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (tensors->at[middle].begin < off)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

const struct mih_verify_range *
mih_verify_tensors_first(const struct mih_verify_tensors *tensors,
			 uint64_t from, uint64_t to)
{
	size_t i = count_before(tensors, from);

	return tensors && i < tensors->n && tensors->at[i].begin < to
		   ? &tensors->at[i]
		   : NULL;
}

const struct mih_verify_range *
mih_verify_tensors_around(const struct mih_verify_tensors *tensors,
			  uint64_t off)
{
	size_t i = count_before(tensors, off + 1);

	return i && off < tensors->at[i - 1].end ? &tensors->at[i - 1] : NULL;
}

void mih_verify_header_init(struct mih_verify_header *header, uint64_t nbytes)
{
	*header = (struct mih_verify_header){
		.nbytes = nbytes,
		.end = nbytes > LENGTH_BYTES ? LENGTH_BYTES : 0,
	};
}

uint64_t mih_verify_header_left(const struct mih_verify_header *header)
{
	return header->end > header->at ? header->end - header->at : 0;
}

/* Return: is there room for one more? */
static bool grow(struct mih_verify_header *header)
{
	struct mih_verify_tensors *larger;
	size_t room = header->room ? 2 * header->room : 64;

	if (header->tensors && header->tensors->n < header->room)
		return true;
	if (header->room >= TENSORS_MAX)
		return false;
	larger = realloc(header->tensors,
			 sizeof(*larger) + room * sizeof(larger->at[0]));
	if (!larger)
		return false;
	if (!header->tensors)
		larger->n = 0;
	header->tensors = larger;
	header->room = room;
	return true;
}

static void add(struct mih_verify_header *header)
{
	uint64_t begin = header->begin, end = header->number;

	if (begin >= end || end > header->nbytes - header->end || !grow(header))
		return;
	header->tensors->at[header->tensors->n++] = (struct mih_verify_range){
		header->end + begin,
		header->end + end,
	};
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One of the two numbers. Return: does @c belong there? */
static bool read_number(struct mih_verify_header *header, uint8_t c)
{
	if (is_space(c)) {
		header->spaced = header->digits;
		return true;
	}
	if (c >= '0' && c <= '9') {
		header->digits = true;
		return !header->spaced &&
		       !__builtin_mul_overflow(header->number, 10u,
					       &header->number) &&
		       !__builtin_add_overflow(header->number, c - '0',
					       &header->number);
	}
	if (!header->digits || c != (header->state == BEGIN ? ',' : ']'))
		return false;
	if (header->state == BEGIN) {
		header->begin = header->number;
		header->state = END;
	} else {
		add(header);
		header->state = OUTSIDE;
	}
	header->number = 0;
	header->digits = header->spaced = false;
	return true;
}

static void read_string(struct mih_verify_header *header, uint8_t c)
{
	if (c == '"') {
		header->state = header->matched == NAME_LEN ? COLON : OUTSIDE;
	} else if (c == '\\') {
		header->state = ESCAPED;
		header->matched = OTHER;
	} else if (header->matched < NAME_LEN && c == name[header->matched]) {
		header->matched++;
	} else {
		header->matched = OTHER;
	}
}

/* Return: does @c belong after the name? */
static bool read_offsets(struct mih_verify_header *header, uint8_t c)
{
	if (header->state == BEGIN || header->state == END)
		return read_number(header, c);
	if (is_space(c))
		return true;
	if (header->state == COLON && c == ':') {
		header->state = BRACKET;
		return true;
	}
	if (header->state == BRACKET && c == '[') {
		header->state = BEGIN;
		header->number = 0;
		header->digits = header->spaced = false;
		return true;
	}
	return false;
}

static void read_byte(struct mih_verify_header *header, uint8_t c)
{
	if (header->state == STRING) {
		read_string(header, c);
	} else if (header->state == ESCAPED) {
		header->state = STRING;
	} else if (header->state == OUTSIDE || !read_offsets(header, c)) {
		header->state = c == '"' ? STRING : OUTSIDE;
		header->matched = 0;
	}
}

static void read_length(struct mih_verify_header *header, uint8_t c)
{
	header->number |= (uint64_t)c << (8 * header->at);
	if (header->at + 1 < LENGTH_BYTES)
		return;
	if (header->number <= HEADER_MAX &&
	    header->number <= header->nbytes - LENGTH_BYTES)
		header->end += header->number;
	header->number = 0;
}

void mih_verify_header_feed(struct mih_verify_header *header,
			    const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len && header->at < header->end; i++) {
		if (header->at < LENGTH_BYTES)
			read_length(header, data[i]);
		else
			read_byte(header, data[i]);
		header->at++;
	}
}

static int compare(const void *a, const void *b)
{
	const struct mih_verify_range *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static void put_in_order(struct mih_verify_tensors *tensors)
{
	size_t n = 0;

	qsort(tensors->at, tensors->n, sizeof(tensors->at[0]), compare);
	for (size_t i = 0; i < tensors->n; i++)
		if (!n || tensors->at[i].begin >= tensors->at[n - 1].end)
			tensors->at[n++] = tensors->at[i];
	tensors->n = n;
}

struct mih_verify_tensors *
mih_verify_header_end(struct mih_verify_header *header)
{
	struct mih_verify_tensors *tensors = header->tensors, *exact;

	header->tensors = NULL;
	header->room = 0;
	if (!tensors || mih_verify_header_left(header)) {
		free(tensors);
		return NULL;
	}
	put_in_order(tensors);
	exact = realloc(tensors,
			sizeof(*tensors) + tensors->n * sizeof(tensors->at[0]));
	return exact ? exact : tensors;
}
