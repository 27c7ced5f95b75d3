# tests of lint: rules about the source that a program can check
lint_tests = \
	tests/lint/layers.sh \
	tests/lint/symbols.sh \
	tests/lint/style.sh \
	tests/lint/features.sh \
	tests/lint/selftest.sh \
	tests/lint/docs.sh \
	tests/lint/install.sh \
	tests/lint/dist.sh
TESTS += $(lint_tests)
dist_check_SCRIPTS += $(lint_tests)
EXTRA_DIST += tests/lib/tap.sh tests/lint/expected-features

# The quick gate of contrib/ci.sh lint and of a desk.
lint: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(lint_tests)"
.PHONY: lint
