noinst_LIBRARIES += libhash.a
libhash_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
libhash_a_SOURCES = \
	src/hash/alg.c src/hash/alg.h \
	src/hash/group.h src/hash/lthash.h src/hash/path.h src/hash/stream.h
