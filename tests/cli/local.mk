EXTRA_DIST += tests/cli/lib.sh tests/cli/terminal.py
cli_tests = tests/cli/test_bench.sh tests/cli/test_change.sh \
	tests/cli/test_complete.sh tests/cli/test_conformance.sh \
	tests/cli/test_digest.sh tests/cli/test_doctor.sh \
	tests/cli/test_fixtures.sh \
	tests/cli/test_freshness.sh tests/cli/test_legacy.sh tests/cli/test_sign.sh \
	tests/cli/test_usage.sh tests/cli/test_verify.sh
dist_check_SCRIPTS += $(cli_tests)
TESTS += $(cli_tests)
