#include "lib/test.h"
#include "util/bytes.h"

static void test_hex_round_trip(void **state)
{
	uint8_t in[3] = { 0x00, 0xab, 0xff }, out[3];
	char hex[7];

	(void)state;
	mih_bytes_to_hex(in, 3, hex);
	assert_string_equal(hex, "00abff");
	assert_true(mih_bytes_from_hex(hex, 3, out));
	assert_memory_equal(in, out, 3);
}

static void test_hex_refuses_other_forms(void **state)
{
	static const char *const bad[] = { "",	     "00abf",  "00abff00",
					   "00ABFF", "00abfg", " 0abff" };
	uint8_t out[3];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(mih_bytes_from_hex(bad[i], 3, out));
}

static void test_integers_are_little_endian(void **state)
{
	uint8_t b[8];

	(void)state;
	mih_bytes_put64(b, 0x0807060504030201u);
	for (int i = 0; i < 8; i++)
		assert_int_equal(b[i], i + 1);
	assert_true(mih_bytes_get64(b) == 0x0807060504030201u);
	mih_bytes_put32(b, 0x04030201u);
	assert_int_equal(mih_bytes_get32(b), 0x04030201u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_round_trip),
		cmocka_unit_test(test_hex_refuses_other_forms),
		cmocka_unit_test(test_integers_are_little_endian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
