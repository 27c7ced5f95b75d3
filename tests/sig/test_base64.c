#include "lib/sig.h"
#include "sig/text/base64.h"
#include "util/checked.h"

static const struct {
	const char *plain, *text;
} rfc4648[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static void test_base64_rfc_vectors_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(rfc4648); i++) {
		const char *plain = rfc4648[i].plain, *text = rfc4648[i].text;
		size_t n = strlen(plain), len = mih_sig_base64_len(n);
		uint8_t bytes[16];
		char out[16];

		assert_int_equal(len, strlen(text));
		mih_sig_base64_encode((const uint8_t *)plain, n, out);
		assert_memory_equal(out, text, len);
		assert_null(mih_sig_base64_decode(text, len, bytes, &len));
		assert_int_equal(len, n);
		assert_memory_equal(bytes, plain, n);
	}
}

static void test_base64_refuses_other_forms(void **state)
{
	static const char *const bad[] = {
		"Z",
		"Zg",
		"Zg=",
		"Zg===",
		"Zg==Zg==",
		"Zg==\n",
		"Zm9\n",
		"Zm 9vYg=",
		"=m9v",
		"Z=9v",
		"Zm=v",
		"====",
		"Z===",
		"Zm9v====",
		"Zh==",
		"Zg=v",
		"Zm9=",
		"Zm-_",
		"Zm9v\r\n",
		"Zm9v Zm9v",
		"Zm9vZg==Zm9v",
		"\xff\xff\xff\xff",
		"Zm9.",
		"Zm9v*m9v",
	};
	uint8_t bytes[32];
	size_t len;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++)
		if (!mih_sig_base64_decode(bad[i], strlen(bad[i]), bytes, &len))
			fail_msg("'%s' was taken", bad[i]);
	/* A NUL inside is a foreign character like any other. */
	assert_non_null(mih_sig_base64_decode("Zm\0v", 4, bytes, &len));
}

static void test_base64_spare_bits_must_be_zero(void **state)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[3];
	size_t len, one = 0, two = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		const char a[4] = { 'A', digits[i], '=', '=' };
		const char b[4] = { 'A', 'A', digits[i], '=' };

		one += !mih_sig_base64_decode(a, 4, bytes, &len);
		two += !mih_sig_base64_decode(b, 4, bytes, &len);
	}
	assert_int_equal(one, 4);
	assert_int_equal(two, 16);
}

static void test_base64_decodes_in_place(void **state)
{
	uint8_t plain[300];
	char text[500];
	size_t len;

	(void)state;
	mih_test_fill(plain, sizeof(plain), 7);
	for (size_t n = 0; n <= sizeof(plain); n++) {
		mih_sig_base64_encode(plain, n, text);
		assert_null(mih_sig_base64_decode(text, mih_sig_base64_len(n),
						  (uint8_t *)text, &len));
		assert_int_equal(len, n);
		assert_memory_equal(text, plain, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_rfc_vectors_both_ways),
		cmocka_unit_test(test_base64_refuses_other_forms),
		cmocka_unit_test(test_base64_spare_bits_must_be_zero),
		cmocka_unit_test(test_base64_decodes_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
