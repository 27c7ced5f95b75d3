check_PROGRAMS += test_bytes test_pool
TESTS += test_bytes test_pool
util_test_ldadd = libutil.a $(CMOCKA_LIBS)

test_bytes_SOURCES = tests/util/test_bytes.c
test_bytes_LDADD = $(util_test_ldadd)
test_pool_SOURCES = tests/util/test_pool.c
test_pool_LDADD = $(util_test_ldadd)
