hash_tests = test_vectors test_paths test_stream test_lthash test_rates
hash_scripts = tests/hash/cores.sh tests/hash/crosscheck.sh
check_PROGRAMS += $(hash_tests) digests
dist_check_SCRIPTS += $(hash_scripts)
TESTS += $(hash_tests) $(hash_scripts)
hash_test_ldadd = $(HASH_LIBS) libutil.a $(CRYPTO_LIBS) $(CMOCKA_LIBS)

test_vectors_SOURCES = tests/hash/test_vectors.c \
	tests/hash/common.h tests/hash/vectors.c tests/hash/vectors.h
test_vectors_LDADD = $(hash_test_ldadd)
test_paths_SOURCES = tests/hash/test_paths.c
test_paths_LDADD = $(hash_test_ldadd)
test_stream_SOURCES = tests/hash/test_stream.c
test_stream_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
test_stream_LDADD = $(hash_test_ldadd)
test_lthash_SOURCES = tests/hash/test_lthash.c
test_lthash_LDADD = $(hash_test_ldadd)
test_rates_SOURCES = tests/hash/test_rates.c
test_rates_LDADD = $(hash_test_ldadd)
digests_SOURCES = tests/hash/digests.c
digests_LDADD = $(hash_test_ldadd)

EXTRA_DIST += tests/hash/vectors.json tests/hash/vectors.py \
	tests/hash/crosscheck.py tests/reference/mihtree.py
