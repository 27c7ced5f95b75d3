/* The encoding of model signing 0.2, against what Python prints. */
#include "lib/sig.h"
#include "sig/legacy/legacy.h"
#include "util/checked.h"

#define HEAD " 28 application/vnd.in-toto+json "

struct encoded {
	const char *payload;
	size_t len;
	const char *text; /* behind the type */
};

/* The right column is Python's f"{len(payload)} {payload}". */
static const struct encoded cases[] = {
	{ "", 0, "0 b''" },
	{ "{\"a\": 1}", 8, "8 b'{\"a\": 1}'" },
	{ "it's", 4, "4 b\"it's\"" },
	{ "it's \"x\"", 8, "8 b'it\\'s \"x\"'" },
	{ "\t\n\r\\", 4, "4 b'\\t\\n\\r\\\\'" },
	{ "\x00\x01\x08\x0b\x1f ~\x7f\x80\xff", 10,
	  "10 b'\\x00\\x01\\x08\\x0b\\x1f ~\\x7f\\x80\\xff'" },
	{ "gr\xc3\xb6\xc3\x9f", 6, "6 b'gr\\xc3\\xb6\\xc3\\x9f'" },
};

static void hash(const char *md, const char *text, uint8_t *out)
{
	assert_int_equal(
	    EVP_Q_digest(NULL, md, NULL, text, strlen(text), out, NULL), 1);
}

static void test_legacy_encoding_is_pythons(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(cases); i++) {
		const struct encoded *c = &cases[i];
		struct mih_sig_pae got, want = { { { 0 } } };
		char text[256];

		memset(&got, 0, sizeof(got));
		snprintf(text, sizeof(text), "DSSEV1" HEAD "%s", c->text);
		hash("SHA256", text, want.md[0]);
		hash("SHA384", text, want.md[1]);
		hash("SHA512", text, want.md[2]);
		assert_int_equal(mih_sig_legacy_pae(&got, c->payload, c->len),
				 0);
		assert_memory_equal(&got, &want, sizeof(got));
	}
}

static void test_legacy_encoding_is_not_dsse(void **state)
{
	struct mih_sig_pae old, current;

	(void)state;
	assert_int_equal(mih_sig_legacy_pae(&old, "x", 1), 0);
	assert_int_equal(mih_sig_pae_init(&current, "x", 1), 0);
	assert_memory_not_equal(old.md[0], current.md[0], 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_legacy_encoding_is_pythons),
		cmocka_unit_test(test_legacy_encoding_is_not_dsse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
