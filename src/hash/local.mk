noinst_LIBRARIES += libhash.a
libhash_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
libhash_a_SOURCES = \
	src/hash/alg.c src/hash/alg.h \
	src/hash/core/blake2b.h src/hash/core/blake3.h \
	src/hash/core/keccak.h src/hash/core/port.h \
	src/hash/core/sha256.h src/hash/core/sha512.h \
	src/hash/group.c src/hash/group.h src/hash/leaves.h \
	src/hash/lthash.c src/hash/lthash.h \
	src/hash/path.c src/hash/path.h \
	src/hash/paths/ops_internal.h src/hash/paths/portable.c \
	src/hash/stream.c src/hash/stream.h

# What to link for src/hash: the archives of all paths, callers first.
HASH_LIBS = libhash.a
