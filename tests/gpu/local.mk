# tests of gpu
check_PROGRAMS += test_staging
TESTS += test_staging
test_staging_SOURCES = tests/gpu/test_staging.c
test_staging_LDADD = libgpu.a libutil.a $(CMOCKA_LIBS)
