/*
 * Text that grows, and JSON written into it.
 */
#include "lib/test.h"
#include "util/out/json.h"

#include <string.h>

static void test_a_buffer_keeps_what_was_written(void **state)
{
	struct mih_buffer b = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		mih_buffer_print(&b, "%04d", i);
	assert_int_equal(mih_buffer_end(&b), 0);
	assert_int_equal(b.len, 40000);
	assert_int_equal(strlen(b.data), b.len);
	assert_memory_equal(b.data + 4 * 1234, "1234", 4);
	mih_buffer_fini(&b);
	assert_null(b.data);
}

static void test_a_buffer_that_cannot_grow_says_so(void **state)
{
	struct mih_buffer b = { 0 };

	(void)state;
	mih_buffer_text(&b, "before");
	assert_null(mih_buffer_room(&b, SIZE_MAX - 16));
	mih_buffer_text(&b, "behind");
	assert_int_equal(mih_buffer_end(&b), -ENOMEM);
	assert_string_equal(b.data, "before");
	mih_buffer_fini(&b);
}

static void test_members_are_separated(void **state)
{
	struct mih_buffer b = { 0 };

	(void)state;
	mih_json_begin(&b, NULL, '{');
	mih_json_begin(&b, "a", '[');
	mih_json_number(&b, NULL, 0);
	mih_json_number(&b, NULL, UINT64_MAX);
	mih_json_begin(&b, NULL, '{');
	mih_json_end(&b, '}');
	mih_json_end(&b, ']');
	mih_json_flag(&b, "b", true);
	mih_json_text(&b, "c", "");
	mih_json_end(&b, '}');
	assert_string_equal(b.data, "{\"a\":[0,18446744073709551615,{}],"
				    "\"b\":true,\"c\":\"\"}");
	mih_buffer_fini(&b);
}

static void test_objects_on_lines_of_their_own(void **state)
{
	struct mih_buffer b = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		mih_json_begin(&b, NULL, '{');
		mih_json_end(&b, '}');
		mih_buffer_text(&b, "\n");
	}
	assert_string_equal(b.data, "{}\n{}\n");
	mih_buffer_fini(&b);
}

static void test_any_bytes_become_a_string(void **state)
{
	struct mih_buffer b = { 0 };
	char text[3 * 256 + 1];

	(void)state;
	mih_json_text(&b, NULL, "{[\"\\\n\xff");
	assert_string_equal(b.data, "\"{[\\\"\\\\\\u000a\\\\xff\"");
	mih_buffer_fini(&b);
	memset(text, 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	mih_json_text(&b, NULL, text);
	assert_int_equal(b.len, 2 + 6 * (sizeof(text) - 1));
	mih_buffer_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_buffer_keeps_what_was_written),
		cmocka_unit_test(test_a_buffer_that_cannot_grow_says_so),
		cmocka_unit_test(test_members_are_separated),
		cmocka_unit_test(test_objects_on_lines_of_their_own),
		cmocka_unit_test(test_any_bytes_become_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
