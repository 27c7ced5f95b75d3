bin_PROGRAMS += mihfs
mihfs_SOURCES = src/cli/main.c
# From the top layer down: each archive may use those behind it.
mihfs_LDADD = libfs.a libverify.a libtree.a libgpu.a libsig.a libhash.a \
	libutil.a $(FUSE_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(XXHASH_LIBS)
