noinst_LIBRARIES += libgpu.a
libgpu_a_SOURCES = \
	src/gpu/batch.c src/gpu/batch_internal.h \
	src/gpu/cpu.c \
	src/gpu/about.h src/gpu/device.h src/gpu/device_internal.h \
	src/gpu/offload/lane.c src/gpu/offload/offload.c \
	src/gpu/offload/offload_internal.h src/gpu/offload/piece.c \
	src/gpu/offload/pinned.c src/gpu/offload/pinned_internal.h \
	src/gpu/offload/staging.c src/gpu/offload/staging_internal.h \
	src/gpu/offload/watch.c \
	src/gpu/port.c src/gpu/port_internal.h src/gpu/ports.c \
	src/gpu/footprint.c src/gpu/footprint.h \
	src/gpu/rate.c src/gpu/registry.c src/gpu/set.c
libgpu_a_CPPFLAGS = $(AM_CPPFLAGS) $(CUDA_CPPFLAGS)

gpu_kernels = \
	src/gpu/kernels/blake3.h src/gpu/kernels/groups.h \
	src/gpu/kernels/mth4k_sha256.h src/gpu/kernels/mth4k_sha3_256.h \
	src/gpu/kernels/mth4k_sha512.h src/gpu/kernels/resident.h \
	src/gpu/kernels/target.h \
	src/gpu/kernels/lthash16.h src/gpu/kernels/sha256_segments.h \
	src/gpu/kernels/all.cu src/gpu/kernels/embed.sh
gpu_cores = $(top_srcdir)/src/hash/core
EXTRA_DIST += $(gpu_kernels)

# Kernels travel in the program as data: a fat binary for CUDA, text for OpenCL.
if HAVE_CUDA
libgpu_a_SOURCES += src/gpu/vendor/cuda.c src/gpu/vendor/cuda_image.c
CLEANFILES += src/gpu/kernels/all.fatbin
src/gpu/vendor/libgpu_a-cuda_image.$(OBJEXT): src/gpu/kernels/all.fatbin
src/gpu/kernels/all.fatbin: $(gpu_kernels) $(wildcard $(gpu_cores)/*.h)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(NVCC) -fatbin $(NVCC_ARCH) -I$(top_srcdir)/src -o $@ \
		$(top_srcdir)/src/gpu/kernels/all.cu
endif

if HAVE_OPENCL
libgpu_a_SOURCES += src/gpu/vendor/opencl.c
nodist_libgpu_a_SOURCES = \
	src/gpu/kernels/opencl_mth4k_sha256.c \
	src/gpu/kernels/opencl_mth4k_sha512.c \
	src/gpu/kernels/opencl_mth4k_sha3_256.c \
	src/gpu/kernels/opencl_blake3.c \
	src/gpu/kernels/opencl_lthash16.c \
	src/gpu/kernels/opencl_sha256_segments.c
CLEANFILES += $(nodist_libgpu_a_SOURCES)
src/gpu/kernels/opencl_%.c: $(gpu_kernels) $(wildcard $(gpu_cores)/*.h)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(SHELL) $(top_srcdir)/src/gpu/kernels/embed.sh $(top_srcdir)/src $* >$@.tmp && \
	mv $@.tmp $@
endif
