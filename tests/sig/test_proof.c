/* The parts of keyless steps: times, integers, inclusion proofs, notes. */
#include "lib/sig.h"
#include "sig/keyless/keyless.h"
#include "util/checked.h"

#define DASH "\xe2\x80\x94 "
#define ROOT "XREn5ejqooktOsLIyzoknSKLzVoj2GH71N6Aw0qsExg="

static void test_proof_times(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "2026-03-14T09:26:56Z", 1773480416 },
		{ "2026-03-14T09:26:56.999Z", 1773480416 },
		{ "2026-03-14T10:26:56+01:00", 1773480416 },
		{ "2026-03-13T22:56:56.5-10:30", 1773480416 },
		{ "2024-02-29T00:00:00Z", 1709164800 },
	};
	int64_t at;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(good); i++) {
		assert_true(mih_sig_proto_time(good[i].text, &at));
		assert_int_equal(at, good[i].at);
	}
	assert_string_equal(mih_sig_time_text(1773480416).text,
			    "2026-03-14T09:26:56Z");
}

static void test_proof_no_times(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-03-14",
		"2026-03-14T09:26:56",
		"2026-03-14 09:26:56Z",
		"2026-03-14T09:26:56z",
		"2026-03-14T09:26:56Zx",
		"2026-03-14T09:26:56.Z",
		"2026-03-14T24:00:00Z",
		"2026-03-14T09:60:00Z",
		"2026-03-14T09:26:60Z",
		"2026-00-14T09:26:56Z",
		"2026-13-14T09:26:56Z",
		"2026-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-03-00T00:00:00Z",
		"2026-03-14T09:26:56+1:00",
		"2026-03-14T09:26:56+24:00",
		"2026-03-14T09:26:56+01:60",
		"+026-03-14T09:26:56Z",
	};
	int64_t at;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++)
		if (mih_sig_proto_time(bad[i], &at))
			fail_msg("'%s' is taken for a time", bad[i]);
}

static void test_proof_integers(void **state)
{
	static const char *const bad[] = {
		"",
		"-1",
		"+1",
		" 1",
		"1 ",
		"01",
		"00",
		"0x1",
		"1.0",
		"9223372036854775808",
		"99999999999999999999",
	};
	int64_t n;

	(void)state;
	assert_true(mih_sig_proto_decimal("0", &n) && n == 0);
	assert_true(mih_sig_proto_decimal("9223372036854775807", &n) &&
		    n == INT64_MAX);
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++)
		if (mih_sig_proto_decimal(bad[i], &n))
			fail_msg("'%s' is taken for an integer", bad[i]);
}

/* --- inclusion --------------------------------------------------------- */

#define LEAVES 40

static void sha256(const void *a, size_t len, uint8_t out[32])
{
	assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, a, len, out, NULL),
			 1);
}

static void leaf(uint8_t i, uint8_t out[32])
{
	const uint8_t text[2] = { 0, i };

	sha256(text, sizeof(text), out);
}

/* RFC 6962, 2.1: the tree of the leaves from .. from + n - 1. */
static void tree(uint8_t from, uint8_t n, uint8_t out[32])
{
	uint8_t text[65] = { 1 }, k = 1;

	if (n == 1) {
		leaf(from, out);
		return;
	}
	while (2 * k < n)
		k *= 2;
	tree(from, k, text + 1);
	tree(from + k, n - k, text + 33);
	sha256(text, sizeof(text), out);
}

/* RFC 6962, 2.1.1: the path of leaf @m in it. */
static size_t path(uint8_t m, uint8_t from, uint8_t n, uint8_t (*out)[32])
{
	uint8_t k = 1;
	size_t len;

	if (n == 1)
		return 0;
	while (2 * k < n)
		k *= 2;
	if (m < k) {
		len = path(m, from, k, out);
		tree(from + k, n - k, out[len]);
	} else {
		len = path(m - k, from + k, n - k, out);
		tree(from, k, out[len]);
	}
	return len + 1;
}

static void check_inclusion(uint8_t m, uint8_t n)
{
	uint8_t hashes[16][32], want[32], root[32];
	struct mih_sig_entry entry = {
		.body = { &m, 1 },
		.index = m,
		.size = n,
		.path = hashes,
		.npath = path(m, 0, n, hashes),
	};

	tree(0, n, want);
	assert_true(mih_sig_inclusion_root(&entry, root));
	assert_memory_equal(root, want, 32);
	entry.npath++;
	assert_false(mih_sig_inclusion_root(&entry, root));
	entry.npath--;
	if (entry.npath > 0) {
		hashes[entry.npath - 1][31] ^= 1;
		assert_true(mih_sig_inclusion_root(&entry, root));
		assert_memory_not_equal(root, want, 32);
		hashes[entry.npath - 1][31] ^= 1;
		entry.npath--;
		assert_false(mih_sig_inclusion_root(&entry, root));
		entry.npath++;
	}
	entry.index = n;
	assert_false(mih_sig_inclusion_root(&entry, root));
}

static void test_proof_every_leaf_of_every_tree(void **state)
{
	(void)state;
	for (uint8_t n = 1; n <= LEAVES; n++)
		for (uint8_t m = 0; m < n; m++)
			check_inclusion(m, n);
}

static void test_proof_extreme_sizes(void **state)
{
	uint8_t body = 0, root[32], hashes[63][32] = { { 0 } };
	struct mih_sig_entry entry = {
		.body = { &body, 1 },
		.index = INT64_MAX - 1,
		.size = INT64_MAX,
		.path = hashes,
	};

	(void)state;
	for (; entry.npath <= 63; entry.npath++)
		(void)mih_sig_inclusion_root(&entry, root);
	entry.npath = 0;
	entry.index = entry.size = 0;
	assert_false(mih_sig_inclusion_root(&entry, root));
}

/* --- checkpoints ------------------------------------------------------- */

static void test_proof_checkpoint_is_read(void **state)
{
	static const char text[] = "log.test - 7\n42\n" ROOT "\nmore\n\n" DASH
				   "log.test AAAAAAA=\n" DASH "w.test AAAA\n";
	struct mih_sig_checkpoint note;

	(void)state;
	assert_null(mih_sig_checkpoint_parse(text, &note));
	assert_int_equal(note.size, 42);
	assert_int_equal(note.root[0], 0x5d);
	assert_int_equal(note.root[31], 0x18);
	assert_int_equal(note.origin_len, strlen("log.test - 7"));
	assert_int_equal(note.signed_len,
			 strlen("log.test - 7\n42\n" ROOT "\nmore\n"));
	assert_ptr_equal(note.signatures, text + note.signed_len + 1);
}

static void test_proof_bad_checkpoints_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n\n",
		"log.test\n42\n" ROOT "\n",
		"log.test\n42\n" ROOT "\n\n",
		"log.test\n42\n" ROOT "\n\n" DASH "log.test AAAA",
		"log.test\n42\n" ROOT "\n\n- log.test AAAA\n",
		"log.test\n42\n" ROOT "\n\n" DASH "log.test\n",
		"log.test\n42\n" ROOT "\n\n" DASH " AAAA\n",
		"log.test\n42\n" ROOT "\n\n" DASH "log.test \n",
		"log.test\n42\n" ROOT "\n\n" DASH "log test AAAA\n",
		"log.test\n42\n" ROOT "\n\n" DASH "log.test AAAA\n\n",
		"log.test\n42\n" ROOT "\n\nx\n\n" DASH "log.test AAAA\n",
		"\n42\n" ROOT "\n\n" DASH "log.test AAAA\n",
		"log.test\n042\n" ROOT "\n\n" DASH "log.test AAAA\n",
		"log.test\n-1\n" ROOT "\n\n" DASH "log.test AAAA\n",
		"log.test\n42\nAAAA\n\n" DASH "log.test AAAA\n",
		"log.test\n42\n\n" DASH "log.test AAAA\n",
		"log.test\n\n42\n" ROOT "\n" DASH "log.test AAAA\n",
	};
	struct mih_sig_checkpoint note;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++)
		if (!mih_sig_checkpoint_parse(bad[i], &note))
			fail_msg("checkpoint %zu is taken", i);
}

/* --- issuer -------------------------------------------------------------- */

static void add_issuer(X509 *cert, const char *oid, const char *value)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *bytes = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	assert_int_equal(ASN1_OCTET_STRING_set(bytes, (const uint8_t *)value,
					       (int)strlen(value)),
			 1);
	extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, bytes);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(bytes);
	ASN1_OBJECT_free(object);
}

/* Other tools read the older extension, we the newer one first. */
static void test_proof_issuers_must_agree(void **state)
{
	static const struct {
		const char *v1, *v2, *issuer;
	} rows[] = {
		{ "https://a", NULL, "https://a" },
		{ NULL, "\x0c\x09https://a", "https://a" },
		{ "https://a", "\x0c\x09https://a", "https://a" },
		{ "https://b", "\x0c\x09https://a", NULL },
		{ "https://a", "\x0c\x09https://b", NULL },
		{ "https://a", "https://a", NULL }, /* no DER */
		{ NULL, "\x0c\x0ahttps://a", NULL },
		{ "", "\x0c\x09https://a", NULL },
		{ NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(rows); i++) {
		X509 *cert = X509_new();
		char *issuer;

		if (rows[i].v1)
			add_issuer(cert, "1.3.6.1.4.1.57264.1.1", rows[i].v1);
		if (rows[i].v2)
			add_issuer(cert, "1.3.6.1.4.1.57264.1.8", rows[i].v2);
		issuer = mih_sig_identity_issuer(cert);
		if (rows[i].issuer)
			assert_string_equal(issuer, rows[i].issuer);
		else if (issuer)
			fail_msg("%zu: taken as '%s'", i, issuer);
		free(issuer);
		X509_free(cert);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proof_times),
		cmocka_unit_test(test_proof_no_times),
		cmocka_unit_test(test_proof_integers),
		cmocka_unit_test(test_proof_every_leaf_of_every_tree),
		cmocka_unit_test(test_proof_extreme_sizes),
		cmocka_unit_test(test_proof_checkpoint_is_read),
		cmocka_unit_test(test_proof_bad_checkpoints_are_refused),
		cmocka_unit_test(test_proof_issuers_must_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
