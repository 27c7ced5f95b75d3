noinst_LIBRARIES += libtree.a
libtree_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
libtree_a_SOURCES = \
	src/tree/fold.h src/tree/proof.h src/tree/shape.h \
	src/tree/sidecar.h src/tree/sidecar_write.h
