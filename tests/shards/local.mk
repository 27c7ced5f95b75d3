# Tests of models that were signed in shards; they skip without root and
# /dev/fuse.
shards_tests = tests/shards/hints.sh tests/shards/once.sh \
	tests/shards/pages.sh
dist_check_SCRIPTS += $(shards_tests)
TESTS += $(shards_tests)
EXTRA_DIST += tests/lib/shards.sh
