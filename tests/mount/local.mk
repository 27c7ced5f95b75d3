# Tests of a real mount; they skip without root and /dev/fuse.
mount_tests = \
	tests/mount/life.sh tests/mount/links.sh tests/mount/log.sh \
	tests/mount/many.sh tests/mount/mixed.sh \
	tests/mount/hints.sh tests/mount/names.sh \
	tests/mount/options.sh tests/mount/readonly.sh tests/mount/run.sh \
	tests/mount/sandbox.sh \
	tests/mount/signers.sh tests/mount/stop.sh
dist_check_SCRIPTS += $(mount_tests)
TESTS += $(mount_tests)
EXTRA_DIST += tests/lib/dsse.sh tests/lib/flat.sh tests/lib/mount.sh

check_PROGRAMS += inject
inject_SOURCES = tests/sandbox/inject.c
