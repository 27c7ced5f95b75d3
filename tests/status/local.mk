# Tests of what a mount tells about itself; they skip without root and
# /dev/fuse.
status_mount_tests = tests/status/command.sh tests/status/control.sh \
	tests/status/export.sh \
	tests/status/metrics.sh tests/status/monitoring.sh
dist_check_SCRIPTS += $(status_mount_tests)
TESTS += $(status_mount_tests)
EXTRA_DIST += tests/status/exposition.py tests/status/fields.py \
	tests/status/used.py
