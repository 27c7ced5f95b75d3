EXTRA_DIST += tests/cli/lib.sh
cli_tests = tests/cli/test_usage.sh
dist_check_SCRIPTS += $(cli_tests)
TESTS += $(cli_tests)
