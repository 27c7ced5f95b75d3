# How files are served; these skip without root and /dev/fuse.
serve_tests = tests/serve/modes.sh tests/serve/stall.sh
dist_check_SCRIPTS += $(serve_tests)
TESTS += $(serve_tests)
check_PROGRAMS += fault_readers
fault_readers_SOURCES = tests/serve/fault_readers.c
