noinst_LIBRARIES += libtree.a
libtree_a_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
libtree_a_SOURCES = \
	src/tree/fold.c src/tree/fold.h \
	src/tree/proof.c src/tree/proof.h \
	src/tree/shape.h \
	src/tree/sidecar.c src/tree/sidecar.h \
	src/tree/sidecar_format.c src/tree/sidecar_format_internal.h \
	src/tree/sidecar_index.c \
	src/tree/sidecar_write.c src/tree/sidecar_write.h \
	src/tree/sidecar_write_internal.h
