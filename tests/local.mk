# Each tests/<folder>/local.mk adds cmocka programs to check_PROGRAMS and TESTS,
# or scripts to dist_check_SCRIPTS and TESTS. All of them speak TAP.
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	MIHFS=$(abs_top_builddir)/mihfs; export MIHFS; \
	top_srcdir=$(abs_top_srcdir); export top_srcdir; \
	top_builddir=$(abs_top_builddir); export top_builddir;
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = $(SHELL)
EXTRA_DIST += build-aux/tap-driver.sh tests/lib/test.h

if HAVE_CMOCKA
include tests/util/local.mk
include tests/sandbox/local.mk
include tests/hash/local.mk
include tests/tree/local.mk
include tests/gpu/local.mk
include tests/sig/local.mk
include tests/verify/local.mk
include tests/fs/local.mk
endif
include tests/mount/local.mk
include tests/serve/local.mk
include tests/service/local.mk
include tests/shards/local.mk
include tests/kubernetes/local.mk
include tests/status/local.mk
include tests/attack/local.mk
include tests/cli/local.mk
include tests/fuzz/local.mk
include tests/lint/local.mk
