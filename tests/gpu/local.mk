# tests of gpu
check_PROGRAMS += test_staging
TESTS += test_staging
test_staging_SOURCES = tests/gpu/test_staging.c
test_staging_LDADD = libgpu.a libutil.a $(CMOCKA_LIBS)

check_PROGRAMS += test_device_equal
test_device_equal_SOURCES = tests/gpu/test_device_equal.c
test_device_equal_LDADD = libgpu.a $(HASH_LIBS) libutil.a $(CMOCKA_LIBS) $(CRYPTO_LIBS)

# One program, once per kind of device; a kind that is not here is skipped.
dist_check_SCRIPTS += tests/gpu/cpu.sh tests/gpu/opencl.sh tests/gpu/cuda.sh
TESTS += tests/gpu/cpu.sh tests/gpu/opencl.sh tests/gpu/cuda.sh
