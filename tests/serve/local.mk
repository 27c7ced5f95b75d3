# How files are served; these skip without root and /dev/fuse.
serve_tests = tests/serve/modes.sh
dist_check_SCRIPTS += $(serve_tests)
TESTS += $(serve_tests)
