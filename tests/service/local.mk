# A mount as a service that runs for long.
service_tests = \
	tests/service/mount_helper.sh tests/service/notify.sh \
	tests/service/reload.sh tests/service/systemd.sh
dist_check_SCRIPTS += $(service_tests)
TESTS += $(service_tests)

check_PROGRAMS += swap_readers
swap_readers_SOURCES = tests/service/swap_readers.c
swap_readers_LDADD = -lpthread
EXTRA_DIST += tests/service/supervisor.py
