/* Each allocation of reading and verifying a bundle fails in turn, in our code
 * and in OpenSSL: the answer is an error, never a yes to a bad bundle, and
 * nothing is lost. The linker puts the functions below in the place of malloc()
 * and its kin (-Wl,--wrap). Those of jansson do not fail: its scanner (2.14)
 * ends the process by an assertion then. */
#include "lib/sig.h"
#include "sig/bundle.h"
#include "util/checked.h"

#include <openssl/crypto.h>

/* Of either kind: how many there were, and which fails; -1: none. */
enum { OURS, OPENSSL, KINDS };
static long count[KINDS], fatal[KINDS] = { -1, -1 };

static bool kind_fails(int kind)
{
	return count[kind]++ == fatal[kind];
}

static bool fails(void)
{
	return kind_fails(OURS);
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t n);
void *__real_reallocarray(void *at, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t n);
void *__wrap_reallocarray(void *at, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t n)
{
	return fails() ? NULL : __real_realloc(at, n);
}

void *__wrap_reallocarray(void *at, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(at, n, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
	return fails() ? NULL : __real_strndup(text, n);
}

/* --- OpenSSL ------------------------------------------------------------- */

static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n && !kind_fails(OPENSSL) ? __real_malloc(n) : NULL;
}

static void *openssl_realloc(void *at, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	if (n == 0) {
		free(at);
		return NULL;
	}
	return kind_fails(OPENSSL) ? NULL : __real_realloc(at, n);
}

static void openssl_free(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	free(at);
}

/* --- the test ------------------------------------------------------------ */

struct subject {
	const char *bundle;
	bool is_good;
};

static struct mih_sig_trust *trust;

static void add_trust(void)
{
	static const struct mih_sig_identity identity = {
		.name = "release@mihfs.test",
		.issuer = "https://issuer.mihfs.test",
	};
	static const struct mih_sig_legacy legacy = { true, true };

	trust = mih_sig_trust_new();
	assert_non_null(trust);
	assert_false(
	    mih_sig_trust_add_key(trust, sig_fixture("key/p256.pub.pem")) ||
	    mih_sig_trust_add_key(trust, sig_fixture("v0.2/p384.pub.pem")) ||
	    mih_sig_trust_add_chain(trust, sig_fixture("cert/root.pem")) ||
	    mih_sig_trust_set_identity(trust, &identity) ||
	    mih_sig_trust_set_root(trust,
				   sig_fixture("keyless/trusted_root.json")));
	mih_sig_trust_set_legacy(trust, &legacy);
}

static mih_err read_and_verify(const char *path)
{
	struct mih_sig_bundle *bundle = NULL;
	mih_err err;

	mih_err_clear();
	err = mih_sig_bundle_read(path, &bundle);
	if (!err)
		err = mih_sig_bundle_verify(bundle, trust);
	mih_sig_bundle_free(bundle);
	return err;
}

static mih_err counted(const char *path)
{
	count[OURS] = count[OPENSSL] = 0;
	return read_and_verify(path);
}

/* OpenSSL's caches make some of them needless. */
static void fail_at(const struct subject *s, const char *path, int kind, long n)
{
	mih_err err;

	fatal[kind] = n;
	err = counted(path);
	fatal[kind] = -1;
	if (!err && !s->is_good)
		fail_msg("%s: good when allocation %ld fails", s->bundle, n);
	if (err && !*mih_err_message())
		fail_msg("%s: no story when allocation %ld fails", s->bundle,
			 n);
}

/* Each of ours, and of OpenSSL's thousands some from all along the way. */
static void fail_all(const struct subject *s, const char *path)
{
	const long all[KINDS] = { count[OURS], count[OPENSSL] };

	assert_true(all[OURS] > 10 && all[OPENSSL] > 10);
	for (long n = 0; n < all[OURS]; n++)
		fail_at(s, path, OURS, n);
	for (long n = 0; n < all[OPENSSL]; n += 1 + all[OPENSSL] / 60)
		fail_at(s, path, OPENSSL, n);
	print_message("# %s: %ld of ours, %ld of OpenSSL's\n", s->bundle,
		      all[OURS], all[OPENSSL]);
}

static void test_memory_failing_anywhere_is_an_error(void **state)
{
	static const struct subject subjects[] = {
		{ "key/good-p256.sig", true },
		{ "key/good-shards.sig", true },
		{ "key/bad-payload.sig", false },
		{ "v0.2/good-p384.sig", true },
		{ "cert/good.sig", true },
		{ "cert/bad-signature.sig", false },
		{ "keyless/good.sig", true },
		{ "keyless/bad-identity.sig", false },
		{ "keyless/bad-set.sig", false },
		{ "keyless/bad-sct-key.sig", false },
		{ "keyless/bad-inclusion.sig", false },
	};

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(subjects); i++) {
		const struct subject *s = &subjects[i];
		const char *path = sig_fixture(s->bundle);

		assert_int_equal(!read_and_verify(path), s->is_good);
		assert_int_equal(!counted(path), s->is_good);
		fail_all(s, path);
		/* Nothing that failed has spoiled what comes after. */
		assert_int_equal(!read_and_verify(path), s->is_good);
	}
}

static int setup(void **state)
{
	(void)state;
	add_trust();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mih_sig_trust_free(trust);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_memory_failing_anywhere_is_an_error, setup, teardown),
	};

	/* Before it has allocated anything. */
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
				     openssl_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
