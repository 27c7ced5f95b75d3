/*
 * tests/lib/sig.h - files, keys and fixtures for the tests of src/sig
 */
#ifndef MIH_TESTS_LIB_SIG_H
#define MIH_TESTS_LIB_SIG_H

#include "lib/test.h"
#include "util/err.h"
#include "util/io.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

static char sig_dir[] = "/tmp/mihfs-sig-XXXXXX";

/* Group setup and teardown: one folder for all files a test writes. */
static inline int sig_setup(void **state)
{
	(void)state;
	return mkdtemp(sig_dir) ? 0 : -1;
}

static inline int sig_teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", sig_dir);
	return system(command);
}

/* Valid until the end; kept reachable, so that no leak is reported. */
static inline const char *sig_path(const char *folder, const char *name)
{
	static char *paths[1024];
	static unsigned next;
	char **path = &paths[next++];

	assert_true(next <= 1024);
	assert_true(asprintf(path, "%s/%s", folder, name) > 0);
	return *path;
}

static inline const char *sig_temp(const char *name)
{
	return sig_path(sig_dir, name);
}

/* "key/p256.pub.pem" among the fixtures. */
static inline const char *sig_fixture(const char *name)
{
	char folder[400];
	const char *top = getenv("top_srcdir");

	snprintf(folder, sizeof(folder), "%s/tests/fixtures", top ? top : ".");
	return sig_path(folder, name);
}

static inline void sig_write(const char *path, const void *text, size_t len)
{
	assert_int_equal(mih_io_write_file(path, text, len, 0600), 0);
}

/* Inlined, gcc 12 takes what it returns for the address of a local. */
__attribute__((noinline, unused)) static char *sig_read(const char *path,
							size_t *len)
{
	char *text;

	assert_int_equal(mih_io_read_file(path, 1 << 24, &text, len), 0);
	return text;
}

/* The last story must hold @words. */
static inline void sig_expect_story(const char *words)
{
	if (!strstr(mih_err_message(), words))
		fail_msg("story is '%s', not '%s'", mih_err_message(), words);
}

/* A copy of @text with the first @find replaced; the caller frees it. */
static inline char *sig_replace(const char *text, const char *find,
				const char *with)
{
	const char *at = strstr(text, find);
	char *copy;

	if (!at)
		fail_msg("'%s' is not in the text", find);
	copy = malloc(strlen(text) + strlen(with) + 1);
	assert_non_null(copy);
	memcpy(copy, text, (size_t)(at - text));
	strcpy(copy + (at - text), with);
	strcat(copy, at + strlen(find));
	return copy;
}

/* Write a new key: public part, and private part as PKCS#8. */
static inline void sig_write_key(EVP_PKEY *key, const char *pub,
				 const char *priv, const char *password)
{
	FILE *f = fopen(pub, "w");

	assert_non_null(key);
	assert_non_null(f);
	assert_int_equal(PEM_write_PUBKEY(f, key), 1);
	fclose(f);
	f = fopen(priv, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_PKCS8PrivateKey(
			     f, key, password ? EVP_aes_256_cbc() : NULL,
			     password, password ? (int)strlen(password) : 0,
			     NULL, NULL),
			 1);
	fclose(f);
}

#endif
