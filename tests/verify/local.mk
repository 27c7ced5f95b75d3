# tests of verify
check_LIBRARIES += libtest.a
libtest_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
libtest_a_SOURCES = \
	tests/lib/model.c tests/lib/model.h \
	tests/verify/engine_test.c tests/verify/engine_test.h
verify_test_ldadd = libtest.a libverify.a libtree.a libgpu.a libsig.a \
	$(HASH_LIBS) libutil.a $(CRYPTO_LIBS) $(JANSSON_LIBS) $(XXHASH_LIBS) \
	$(CMOCKA_LIBS)

verify_tests = test_engine test_engine_hostile test_engine_stress \
	test_engine_trees test_model test_source test_stage
check_PROGRAMS += $(verify_tests)
TESTS += $(verify_tests)
test_engine_SOURCES = tests/verify/test_engine.c
test_engine_LDADD = $(verify_test_ldadd)
test_engine_hostile_SOURCES = tests/verify/test_engine_hostile.c
test_engine_hostile_LDADD = $(verify_test_ldadd)
test_engine_stress_SOURCES = tests/verify/test_engine_stress.c
test_engine_stress_LDADD = $(verify_test_ldadd)
test_engine_trees_SOURCES = tests/verify/test_engine_trees.c
test_engine_trees_LDADD = $(verify_test_ldadd)

check_PROGRAMS += test_engine_devices
TESTS += test_engine_devices
test_engine_devices_SOURCES = tests/verify/test_engine_devices.c \
	tests/gpu/sim_port.c tests/gpu/sim_port.h
test_engine_devices_LDADD = $(verify_test_ldadd)

check_PROGRAMS += test_stage_devices
TESTS += test_stage_devices
test_stage_devices_SOURCES = tests/verify/test_stage_devices.c \
	tests/gpu/sim_port.c tests/gpu/sim_port.h
test_stage_devices_LDADD = $(verify_test_ldadd)

bulk_tests = test_flat test_sample
check_PROGRAMS += $(bulk_tests)
TESTS += $(bulk_tests)
test_flat_SOURCES = tests/verify/bulk/test_flat.c
test_flat_LDADD = $(verify_test_ldadd)
test_sample_SOURCES = tests/verify/bulk/test_sample.c
test_sample_LDADD = $(verify_test_ldadd)

read_tests = test_bulk test_look test_scan
check_PROGRAMS += $(read_tests)
TESTS += $(read_tests)
test_bulk_SOURCES = tests/verify/test_bulk.c
test_bulk_LDADD = $(verify_test_ldadd)
test_look_SOURCES = tests/verify/test_look.c
test_look_LDADD = $(verify_test_ldadd)
test_scan_SOURCES = tests/verify/test_scan.c
test_scan_LDADD = $(verify_test_ldadd)
test_model_SOURCES = tests/verify/test_model.c
test_model_LDADD = $(verify_test_ldadd)
test_source_SOURCES = tests/verify/test_source.c
test_source_LDADD = $(verify_test_ldadd)
test_stage_SOURCES = tests/verify/test_stage.c
test_stage_LDADD = $(verify_test_ldadd)

ahead_tests = test_fetch test_header test_plan
check_PROGRAMS += $(ahead_tests)
TESTS += $(ahead_tests)
test_fetch_SOURCES = tests/verify/ahead/test_fetch.c
test_fetch_LDADD = $(verify_test_ldadd)
test_header_SOURCES = tests/verify/ahead/test_header.c
test_header_LDADD = $(verify_test_ldadd)
test_plan_SOURCES = tests/verify/ahead/test_plan.c
test_plan_LDADD = $(verify_test_ldadd)
