check_PROGRAMS += test_cgroup test_bytes test_json test_log test_node test_pool \
	test_text test_thread
TESTS += test_cgroup test_bytes test_json test_log test_node test_pool test_text \
	test_thread
util_test_ldadd = libutil.a $(CMOCKA_LIBS)

test_bytes_SOURCES = tests/util/test_bytes.c
test_bytes_LDADD = $(util_test_ldadd)
test_json_SOURCES = tests/util/test_json.c
test_json_LDADD = $(util_test_ldadd)
test_log_SOURCES = tests/util/test_log.c
test_log_LDADD = $(util_test_ldadd)
test_node_SOURCES = tests/util/test_node.c
test_node_LDADD = $(util_test_ldadd)
test_pool_SOURCES = tests/util/test_pool.c
test_pool_LDADD = $(util_test_ldadd)
test_text_SOURCES = tests/util/test_text.c
test_text_LDADD = $(util_test_ldadd)
test_thread_SOURCES = tests/util/test_thread.c
test_thread_LDADD = $(util_test_ldadd)
test_thread_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pthread_create
test_cgroup_SOURCES = tests/util/test_cgroup.c
test_cgroup_LDADD = $(util_test_ldadd)
