# tests of gpu
check_PROGRAMS += test_staging
TESTS += test_staging
test_staging_SOURCES = tests/gpu/test_staging.c
test_staging_LDADD = libgpu.a libutil.a $(CMOCKA_LIBS)

check_PROGRAMS += test_pinned
TESTS += test_pinned
test_pinned_SOURCES = tests/gpu/test_pinned.c
test_pinned_LDADD = libgpu.a libutil.a $(CMOCKA_LIBS)

check_PROGRAMS += test_device_equal
test_device_equal_SOURCES = tests/gpu/test_device_equal.c
test_device_equal_LDADD = libgpu.a $(HASH_LIBS) libutil.a $(CMOCKA_LIBS) $(CRYPTO_LIBS)

# Devices that exist only in memory, in place of the build's.
gpu_sim = tests/gpu/sim_port.c tests/gpu/sim_port.h
check_PROGRAMS += test_set
TESTS += test_set
test_set_SOURCES = tests/gpu/test_set.c $(gpu_sim)
test_set_LDADD = libgpu.a $(HASH_LIBS) libutil.a $(CMOCKA_LIBS) $(CRYPTO_LIBS)

# The whole program with those devices.
check_PROGRAMS += mihfs_sim
mihfs_sim_SOURCES = $(gpu_sim)
mihfs_sim_LDADD = $(mihfs_OBJECTS) $(mihfs_LDADD)
dist_check_SCRIPTS += tests/gpu/faults.sh tests/gpu/reload.sh \
	tests/gpu/samples.sh
TESTS += tests/gpu/faults.sh tests/gpu/reload.sh tests/gpu/samples.sh

# One program, once per kind of device; a kind that is not here is skipped.
dist_check_SCRIPTS += tests/gpu/cpu.sh tests/gpu/opencl.sh tests/gpu/cuda.sh
TESTS += tests/gpu/cpu.sh tests/gpu/opencl.sh tests/gpu/cuda.sh
