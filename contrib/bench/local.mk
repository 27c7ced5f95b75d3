# Measurements. The mounts need root and /dev/fuse.
#   make bench         the mount beside an unverified server
#   make bench-serve   cache, direct and stage beside the raw file
#   make bench-status  the mount, watched and by itself
#   make bench-hash    one core beside OpenSSL and b3sum
#   make bench-scale   1 TiB and 100,000 files: time to mount, memory
#   make bench-many    100,000 and a million files, beside their limits
#   make gpu_rates     then gpu_rates DEVICE: what a device can do
#   make gpu_feed      then gpu_feed, which says how: read and copied only
# `make check` builds them too, so that it tells when one no longer links.
bench_programs = copy_server crowd gpu_feed gpu_rates huge_model many_files \
	reader
check_PROGRAMS += $(bench_programs)
EXTRA_DIST += contrib/bench/hash_bench.sh contrib/bench/lib.sh \
	contrib/bench/mount_bench.sh contrib/bench/serve_bench.sh \
	contrib/bench/serve_all.sh contrib/bench/serve/jump.sh \
	contrib/bench/serve/serve_load.py \
	contrib/bench/status_bench.sh \
	contrib/bench/many_bench.sh contrib/bench/scale_bench.sh

copy_server_SOURCES = contrib/bench/copy_server.c
copy_server_LDADD = $(mihfs_LDADD)
crowd_SOURCES = contrib/bench/serve/crowd.c
gpu_feed_SOURCES = contrib/bench/gpu/gpu_feed.c
gpu_feed_LDADD = $(gpu_rates_LDADD)
gpu_rates_SOURCES = contrib/bench/gpu/gpu_rates.c
gpu_rates_LDADD = libgpu.a $(HASH_LIBS) libutil.a $(CRYPTO_LIBS)
huge_model_SOURCES = contrib/bench/huge_model.c
huge_model_LDADD = libsig.a libtree.a $(HASH_LIBS) libutil.a $(CRYPTO_LIBS) \
	$(JANSSON_LIBS) $(XXHASH_LIBS)
many_files_SOURCES = contrib/bench/many_files.c
reader_SOURCES = contrib/bench/reader.c

bench_environment = MIHFS=$(abs_top_builddir)/mihfs \
	MIHFS_BENCH_BIN=$(abs_top_builddir)
bench: $(bench_programs) mihfs
	$(bench_environment) $(SHELL) \
		$(top_srcdir)/contrib/bench/mount_bench.sh $(BENCH_ARGS)
bench-serve: $(bench_programs) mihfs
	$(bench_environment) $(SHELL) \
		$(top_srcdir)/contrib/bench/serve_bench.sh $(BENCH_ARGS)
bench-status: $(bench_programs) mihfs
	$(bench_environment) $(SHELL) \
		$(top_srcdir)/contrib/bench/status_bench.sh $(BENCH_ARGS)
bench-hash: mihfs
	$(bench_environment) $(SHELL) \
		$(top_srcdir)/contrib/bench/hash_bench.sh $(BENCH_ARGS)
bench-scale: $(bench_programs) mihfs
	$(bench_environment) $(SHELL) \
		$(top_srcdir)/contrib/bench/scale_bench.sh $(BENCH_ARGS)
bench-many: large_bundle many_files mihfs
	$(bench_environment) $(SHELL) \
		$(top_srcdir)/contrib/bench/many_bench.sh $(BENCH_ARGS)
.PHONY: bench bench-serve bench-status bench-hash bench-many bench-scale

# A folder to take to a machine with a GPU; there: gpu_all.sh run FOLDER
EXTRA_DIST += contrib/bench/gpu/gpu_all.sh contrib/bench/gpu/interference.py
gpu-carry: mihfs gpu_feed gpu_rates test_device_equal
	$(SHELL) $(top_srcdir)/contrib/bench/gpu/gpu_all.sh carry \
		$(abs_top_builddir) $(abs_top_builddir)/gpu-carry
.PHONY: gpu-carry

# The three ways of serving there: serve_all.sh run FOLDER, which says more.
serve-carry: copy_server crowd mihfs
	$(SHELL) $(top_srcdir)/contrib/bench/serve_all.sh carry \
		$(abs_top_builddir) $(abs_top_builddir)/serve-carry
.PHONY: serve-carry
