# Measurements of the mount: "make bench", as root with /dev/fuse.
bench_programs = copy_server reader
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)
EXTRA_DIST += contrib/bench/mount_bench.sh

copy_server_SOURCES = contrib/bench/copy_server.c
copy_server_LDADD = libfs.a $(HASH_LIBS) libutil.a $(FUSE_LIBS) $(CRYPTO_LIBS)
reader_SOURCES = contrib/bench/reader.c

bench: $(bench_programs) mihfs
	MIHFS=$(abs_top_builddir)/mihfs MIHFS_BENCH_BIN=$(abs_top_builddir) \
		$(SHELL) $(top_srcdir)/contrib/bench/mount_bench.sh $(BENCH_ARGS)
.PHONY: bench
