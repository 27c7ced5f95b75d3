check_PROGRAMS += test_vectors
TESTS += test_vectors
hash_test_ldadd = $(HASH_LIBS) libutil.a $(CRYPTO_LIBS) $(CMOCKA_LIBS)

test_vectors_SOURCES = tests/hash/test_vectors.c \
	tests/hash/common.h tests/hash/vectors.c tests/hash/vectors.h
test_vectors_LDADD = $(hash_test_ldadd)

EXTRA_DIST += tests/hash/vectors.json tests/hash/vectors.py \
	tests/reference/mihtree.py
