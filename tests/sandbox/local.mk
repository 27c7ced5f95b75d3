check_PROGRAMS += test_sandbox
TESTS += test_sandbox
test_sandbox_SOURCES = tests/sandbox/test_sandbox.c
test_sandbox_LDADD = libsandbox.a libutil.a $(SECCOMP_LIBS) $(CMOCKA_LIBS)
