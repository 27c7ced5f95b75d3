/*
 * Headers of safetensors files, good and bad, in pieces of any size.
 */
#include "lib/test.h"
#include "util/checked.h"
#include "verify/ahead/ahead_internal.h"

#include <string.h>

#define KIB ((uint64_t)1 << 10)

struct header {
	uint8_t *bytes; /* owned */
	size_t len;
};

static struct header header_of(const char *json, uint64_t said)
{
	size_t len = strlen(json);
	struct header h = { .bytes = malloc(8 + len), .len = 8 + len };

	assert_non_null(h.bytes);
	for (unsigned i = 0; i < 8; i++)
		h.bytes[i] = (uint8_t)(said >> (8 * i));
	memcpy(h.bytes + 8, json, len);
	return h;
}

static struct mih_verify_tensors *read_by(const struct header *h,
					  uint64_t nbytes, size_t step)
{
	struct mih_verify_header header;

	mih_verify_header_init(&header, nbytes);
	for (size_t at = 0; at < h->len; at += step)
		mih_verify_header_feed(&header, h->bytes + at,
				       MIH_MIN(step, h->len - at));
	return mih_verify_header_end(&header);
}

/* What is found does not depend on where the pieces are cut. */
static struct mih_verify_tensors *tensors_of(const char *json, uint64_t said,
					     uint64_t nbytes)
{
	struct header h = header_of(json, said);
	struct mih_verify_tensors *whole = read_by(&h, nbytes, h.len);

	for (size_t step = 1; step < 20; step++) {
		struct mih_verify_tensors *t = read_by(&h, nbytes, step);

		assert_int_equal(!t, !whole);
		if (t) {
			assert_int_equal(t->n, whole->n);
			assert_memory_equal(t->at, whole->at,
					    t->n * sizeof(t->at[0]));
		}
		free(t);
	}
	free(h.bytes);
	return whole;
}

static void test_tensors_are_found_in_order(void **state)
{
	static const char json[] =
	    "{\"__metadata__\":{\"format\":\"pt\",\"x\":\"data_offsets\"},"
	    "\"b \\\"data_offsets\\\":[7,9]\":{\"dtype\":\"F32\","
	    "\"shape\":[2,2],\"data_offsets\":[100,116]},"
	    "\"data_offsets\" : {\"shape\":[], \"data_offsets\"\n:\t[ 0 , 100 ]"
	    ",\"dtype\":\"U8\"},\"none\":{\"data_offsets\":[116,116]}}   ";
	uint64_t data = 8 + strlen(json);
	struct mih_verify_tensors *t =
	    tensors_of(json, strlen(json), data + 116);

	(void)state;
	assert_non_null(t);
	assert_int_equal(t->n, 2);
	assert_int_equal(t->at[0].begin, data);
	assert_int_equal(t->at[0].end, data + 100);
	assert_int_equal(t->at[1].begin, data + 100);
	assert_int_equal(t->at[1].end, data + 116);
	free(t);
}

static void test_tensors_are_looked_up(void **state)
{
	static const char json[] = "{\"a\":{\"data_offsets\":[10,20]},"
				   "\"b\":{\"data_offsets\":[30,40]}}";
	uint64_t data = 8 + strlen(json);
	struct mih_verify_tensors *t = tensors_of(json, strlen(json), KIB);

	(void)state;
	assert_non_null(t);
	assert_int_equal(t->n, 2);
	assert_ptr_equal(mih_verify_tensors_first(t, 0, KIB), &t->at[0]);
	assert_ptr_equal(mih_verify_tensors_first(t, data + 11, KIB),
			 &t->at[1]);
	assert_null(mih_verify_tensors_first(t, data + 11, data + 30));
	assert_null(mih_verify_tensors_first(t, data + 31, KIB));
	assert_null(mih_verify_tensors_around(t, data + 9));
	assert_ptr_equal(mih_verify_tensors_around(t, data + 10), &t->at[0]);
	assert_ptr_equal(mih_verify_tensors_around(t, data + 19), &t->at[0]);
	assert_null(mih_verify_tensors_around(t, data + 20));
	assert_ptr_equal(mih_verify_tensors_around(t, data + 39), &t->at[1]);
	assert_null(mih_verify_tensors_around(t, UINT64_MAX - 1));
	assert_null(mih_verify_tensors_first(NULL, 0, KIB));
	assert_null(mih_verify_tensors_around(NULL, 0));
	free(t);
}

static void test_what_makes_no_sense_is_left_out(void **state)
{
	static const char *const wrong[] = {
		"",
		"{}",
		"\"data_offsets\"",
		"\"data_offsets\":",
		"\"data_offsets\":[",
		"\"data_offsets\":[1,2",
		"\"data_offsets\":[1]",
		"\"data_offsets\":[,2]",
		"\"data_offsets\":[1,]",
		"\"data_offsets\":[1,2,3]",
		"\"data_offsets\":[1 1,20]",
		"\"data_offsets\":[-1,2]",
		"\"data_offsets\":[1.5,2]",
		"\"data_offsets\":[1e0,2]",
		"\"data_offsets\":[\"1\",2]",
		"\"data_offsets\":[[1,2]]",
		"\"data_offsets\":{1,2}",
		"\"data_offsets\",[1,2]",
		"\"data_offset\":[1,2]",
		"\"data_offsetss\":[1,2]",
		"\"\\u0064ata_offsets\":[1,2]",
		"\"\\\"data_offsets\":[1,2]",
		"\"data_offsets\":[2,1]",
		"\"data_offsets\":[2,2]",
		"\"data_offsets\":[1,1000000]",
		"\"data_offsets\":[18446744073709551615,18446744073709551616]",
		"\"data_offsets\":[18446744073709551617,2]",
		"\"data_offsets\":[1,18446744073709551618]",
		"\"data_offsets\":[99999999999999999999999,2]",
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(wrong); i++) {
		struct mih_verify_tensors *t =
		    tensors_of(wrong[i], strlen(wrong[i]), KIB);

		if (t)
			fail_msg("%s: %zu tensors", wrong[i], t->n);
	}
}

/* After what makes no sense the next tensor is found all the same. */
static void test_overlaps_are_left_out(void **state)
{
	static const char json[] =
	    "\"data_offsets\":[5,10]\"data_offsets\":[9,12]"
	    "\"data_offsets\":[1,x\"data_offsets\":[5,10]"
	    "\"data_offsets\":[10,12]\"data_offsets\":[11,400]"
	    "\"data_offsets\":\"data_offsets\":[0,5]";
	uint64_t data = 8 + strlen(json);
	struct mih_verify_tensors *t = tensors_of(json, strlen(json), KIB);

	(void)state;
	assert_non_null(t);
	assert_int_equal(t->n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(t->at[i].begin, data + 5 * i);
	free(t);
}

static void test_lengths_are_bounded(void **state)
{
	static const char json[] = "\"data_offsets\":[1,2]";
	static const struct {
		uint64_t said, nbytes;
		bool found;
	} rows[] = {
		{ sizeof(json) - 1, KIB, true },
		{ sizeof(json) - 1, 8 + sizeof(json) - 1 + 2, true },
		{ sizeof(json) - 1, 8 + sizeof(json) - 1 + 1, false },
		{ sizeof(json) - 2, KIB, false }, /* the bracket is outside */
		{ sizeof(json), KIB, false },	  /* has not ended */
		{ KIB - 8, KIB, false },
		{ KIB - 7, KIB, false },
		{ 100000001, (uint64_t)1 << 30, false },
		{ UINT64_MAX, KIB, false },
		{ UINT64_MAX - 7, UINT64_MAX, false },
		{ 0, KIB, false },
		{ sizeof(json) - 1, 8, false },
		{ sizeof(json) - 1, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(rows); i++) {
		struct mih_verify_tensors *t =
		    tensors_of(json, rows[i].said, rows[i].nbytes);

		if (!t == rows[i].found)
			fail_msg("row %zu", i);
		free(t);
	}
}

/* How much is wanted is what its reader goes by: not a byte too many. */
static void test_only_the_header_is_wanted(void **state)
{
	struct header h = header_of("{}", 2 * KIB);
	struct mih_verify_header header;

	(void)state;
	mih_verify_header_init(&header, 8);
	assert_int_equal(mih_verify_header_left(&header), 0);
	mih_verify_header_init(&header, 4 * KIB);
	assert_int_equal(mih_verify_header_left(&header), 8);
	mih_verify_header_feed(&header, h.bytes, h.len);
	assert_int_equal(mih_verify_header_left(&header), 2 * KIB - 2);
	assert_null(mih_verify_header_end(&header));
	mih_verify_header_init(&header, 2 * KIB + 7);
	mih_verify_header_feed(&header, h.bytes, h.len);
	assert_int_equal(mih_verify_header_left(&header), 0);
	free(h.bytes);
}

static void test_tensors_are_bounded(void **state)
{
	size_t n = ((size_t)1 << 18) + 1;
	size_t len = strlen("\"data_offsets\":[00000001,00000002]");
	char *json = malloc(n * len + 1);
	struct mih_verify_tensors *t;
	struct header h;

	(void)state;
	assert_non_null(json);
	for (size_t i = 0; i < n; i++)
		snprintf(json + i * len, len + 1,
			 "\"data_offsets\":[%08zu,%08zu]", i, i + 1);
	h = header_of(json, n * len);
	t = read_by(&h, 2 * h.len, h.len);
	assert_non_null(t);
	assert_int_equal(t->n, n - 1);
	free(t);
	free(h.bytes);
	free(json);
}

static void test_names_of_files(void **state)
{
	(void)state;
	assert_true(mih_verify_tensors_named("a/b-00001.safetensors"));
	assert_true(mih_verify_tensors_named(".safetensors"));
	assert_false(mih_verify_tensors_named("safetensors"));
	assert_false(mih_verify_tensors_named("a.safetensors.index.json"));
	assert_false(mih_verify_tensors_named(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tensors_are_found_in_order),
		cmocka_unit_test(test_tensors_are_looked_up),
		cmocka_unit_test(test_what_makes_no_sense_is_left_out),
		cmocka_unit_test(test_overlaps_are_left_out),
		cmocka_unit_test(test_lengths_are_bounded),
		cmocka_unit_test(test_only_the_header_is_wanted),
		cmocka_unit_test(test_tensors_are_bounded),
		cmocka_unit_test(test_names_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
