bin_PROGRAMS += mihfs
mihfs_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
mihfs_SOURCES = \
	src/cli/commands.h src/cli/main.c \
	src/cli/options.c src/cli/options.h \
	src/cli/pass/progress.c src/cli/pass/progress.h \
	src/cli/trust_options.h
EXTRA_DIST += src/cli/trust_options.c
# From the top layer down: each archive may use those behind it.
mihfs_LDADD = libfs.a libverify.a libtree.a libgpu.a libsig.a $(HASH_LIBS) \
	libutil.a $(FUSE_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(XXHASH_LIBS)
