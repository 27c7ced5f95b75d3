# A mount as a service that runs for long.
service_tests = \
	tests/service/locked.sh \
	tests/service/mount_helper.sh tests/service/notify.sh \
	tests/service/reload.sh tests/service/renamed.sh \
	tests/service/systemd.sh
dist_check_SCRIPTS += $(service_tests)
TESTS += $(service_tests)

check_PROGRAMS += lock_folder swap_readers
lock_folder_SOURCES = tests/service/lock_folder.c
swap_readers_SOURCES = tests/service/swap_readers.c
swap_readers_LDADD = -lpthread
EXTRA_DIST += tests/service/supervisor.py
