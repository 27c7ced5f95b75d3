# How files are served; these skip without root and /dev/fuse.
serve_tests = tests/serve/modes.sh tests/serve/slow.sh tests/serve/stall.sh
dist_check_SCRIPTS += $(serve_tests)
TESTS += $(serve_tests)
check_PROGRAMS += fault_readers slow_server
fault_readers_SOURCES = tests/serve/fault_readers.c
slow_server_SOURCES = tests/serve/slow_server.c
slow_server_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CFLAGS) -DFUSE_USE_VERSION=314
slow_server_LDADD = $(FUSE_LIBS)
