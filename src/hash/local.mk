noinst_LIBRARIES += libhash.a
libhash_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
libhash_a_SOURCES = \
	src/hash/alg.c src/hash/alg.h \
	src/hash/core/blake2b.h src/hash/core/blake3.h \
	src/hash/core/keccak.h src/hash/core/load.h src/hash/core/port.h \
	src/hash/core/sha256.h src/hash/core/sha512.h \
	src/hash/group.c src/hash/group.h src/hash/leaves.h \
	src/hash/lthash.c src/hash/lthash.h \
	src/hash/path.c src/hash/path.h \
	src/hash/paths/ops_internal.h src/hash/paths/pair.c \
	src/hash/paths/portable.c \
	src/hash/rates.c src/hash/rates.h \
	src/hash/stream.c src/hash/stream.h

# What to link for src/hash. The paths come twice around libhash.a, because
# each side uses the other.
HASH_PATHS =
HASH_LIBS = libhash.a $(HASH_PATHS) libhash.a

# One archive per path: its flags reach no other file.
if HAVE_SHANI
noinst_LIBRARIES += libhash_shani.a
libhash_shani_a_CFLAGS = $(AM_CFLAGS) $(SHANI_CFLAGS) $(LANES_CFLAGS)
libhash_shani_a_SOURCES = src/hash/paths/shani.c
HASH_PATHS += libhash_shani.a
endif
if HAVE_AVX2
noinst_LIBRARIES += libhash_avx2.a
libhash_avx2_a_CFLAGS = $(AM_CFLAGS) $(AVX2_CFLAGS) $(LANES_CFLAGS)
libhash_avx2_a_SOURCES = src/hash/paths/avx2.c \
	src/hash/paths/lanes_internal.h src/hash/paths/lanes_load_internal.h
HASH_PATHS += libhash_avx2.a
endif
if HAVE_AVX512
noinst_LIBRARIES += libhash_avx512.a
libhash_avx512_a_CFLAGS = $(AM_CFLAGS) $(AVX512_CFLAGS) $(LANES_CFLAGS)
libhash_avx512_a_SOURCES = src/hash/paths/avx512.c
HASH_PATHS += libhash_avx512.a
endif
