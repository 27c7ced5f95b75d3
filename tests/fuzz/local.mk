# Built on request only, with clang:
#     ./configure CC=clang \
#         --enable-sanitizers=address,undefined,fuzzer-no-link
#     make fuzz_bundle
#     ./fuzz_bundle -max_len=4096 -dict=$(top_srcdir)/tests/fuzz/bundle.dict \
#         CORPUS $(top_srcdir)/tests/fixtures/key
EXTRA_PROGRAMS += fuzz_bundle
EXTRA_DIST += tests/fuzz/bundle.dict
fuzz_bundle_SOURCES = tests/fuzz/fuzz_bundle.c
fuzz_bundle_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
fuzz_bundle_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_bundle_LDADD = libsig.a $(HASH_LIBS) libutil.a $(CRYPTO_LIBS) $(JANSSON_LIBS)

# The same way, with seeds:
#     mkdir CORPUS && tests/fuzz/seed_keyless.py CORPUS \
#         tests/fixtures/keyless*/*.sig tests/fixtures/keyless*/trusted_root.json
#     ./fuzz_keyless -max_len=16384 CORPUS
EXTRA_PROGRAMS += fuzz_keyless
EXTRA_DIST += tests/fuzz/seed_keyless.py
fuzz_keyless_SOURCES = tests/fuzz/fuzz_keyless.c
fuzz_keyless_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
fuzz_keyless_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_keyless_LDADD = libsig.a $(HASH_LIBS) libutil.a $(CRYPTO_LIBS) $(JANSSON_LIBS)
