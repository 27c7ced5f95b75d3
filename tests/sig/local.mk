sig_tests = test_base64 test_fixtures test_manifest
check_PROGRAMS += $(sig_tests)
TESTS += $(sig_tests)
sig_test_cppflags = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
sig_test_ldadd = libsig.a libhash.a libutil.a $(CRYPTO_LIBS) $(JANSSON_LIBS) \
	$(CMOCKA_LIBS)

test_base64_SOURCES = tests/sig/test_base64.c tests/lib/sig.h
test_base64_CPPFLAGS = $(sig_test_cppflags)
test_base64_LDADD = $(sig_test_ldadd)
test_fixtures_SOURCES = tests/sig/test_fixtures.c tests/lib/sig.h
test_fixtures_CPPFLAGS = $(sig_test_cppflags)
test_fixtures_LDADD = $(sig_test_ldadd)
test_manifest_SOURCES = tests/sig/test_manifest.c tests/lib/sig.h
test_manifest_CPPFLAGS = $(sig_test_cppflags)
test_manifest_LDADD = $(sig_test_ldadd)

EXTRA_DIST += tests/fixtures/cert tests/fixtures/key tests/fixtures/keyless
