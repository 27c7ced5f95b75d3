sig_tests = test_base64 test_bundle test_certificate test_fixtures test_key \
	test_keyless test_legacy test_manifest test_memory test_plain \
	test_proof test_sign test_statement
check_PROGRAMS += $(sig_tests)
TESTS += $(sig_tests)
sig_test_cppflags = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
sig_test_ldadd = libsig.a $(HASH_LIBS) libutil.a $(CRYPTO_LIBS) $(JANSSON_LIBS) \
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
test_memory_SOURCES = tests/sig/test_memory.c tests/lib/sig.h
test_memory_CPPFLAGS = $(sig_test_cppflags)
test_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc \
	-Wl,--wrap=realloc,--wrap=reallocarray,--wrap=strdup,--wrap=strndup
test_memory_LDADD = $(sig_test_ldadd)
test_bundle_SOURCES = tests/sig/test_bundle.c tests/lib/sig.h
test_bundle_CPPFLAGS = $(sig_test_cppflags)
test_bundle_LDADD = $(sig_test_ldadd)
test_certificate_SOURCES = tests/sig/test_certificate.c tests/lib/sig.h
test_certificate_CPPFLAGS = $(sig_test_cppflags)
test_certificate_LDADD = $(sig_test_ldadd)
test_keyless_SOURCES = tests/sig/test_keyless.c tests/lib/sig.h
test_keyless_CPPFLAGS = $(sig_test_cppflags)
test_keyless_LDADD = $(sig_test_ldadd)
test_legacy_SOURCES = tests/sig/test_legacy.c tests/lib/sig.h
test_legacy_CPPFLAGS = $(sig_test_cppflags)
test_legacy_LDADD = $(sig_test_ldadd)
test_plain_SOURCES = tests/sig/test_plain.c tests/lib/sig.h
test_plain_CPPFLAGS = $(sig_test_cppflags)
test_plain_LDADD = $(sig_test_ldadd)
test_proof_SOURCES = tests/sig/test_proof.c tests/lib/sig.h
test_proof_CPPFLAGS = $(sig_test_cppflags)
test_proof_LDADD = $(sig_test_ldadd)
test_key_SOURCES = tests/sig/test_key.c tests/lib/sig.h
test_key_CPPFLAGS = $(sig_test_cppflags)
test_key_LDADD = $(sig_test_ldadd)
test_sign_SOURCES = tests/sig/test_sign.c tests/lib/sig.h
test_sign_CPPFLAGS = $(sig_test_cppflags)
test_sign_LDADD = $(sig_test_ldadd)
test_statement_SOURCES = tests/sig/test_statement.c tests/lib/sig.h
test_statement_CPPFLAGS = $(sig_test_cppflags)
test_statement_LDADD = $(sig_test_ldadd)
# Measures; run by hand.
check_PROGRAMS += large_bundle
large_bundle_SOURCES = tests/sig/large_bundle.c
large_bundle_CPPFLAGS = $(sig_test_cppflags)
large_bundle_LDADD = $(sig_test_ldadd)

EXTRA_DIST += tests/fixtures/cert tests/fixtures/key tests/fixtures/keyless \
	tests/fixtures/keyless-kinds tests/fixtures/v0.2
