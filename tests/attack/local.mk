# Attacks on a real mount, and the access patterns of loaders.
attack_tests = \
	tests/attack/bundle.sh \
	tests/attack/data.sh \
	tests/attack/files.sh \
	tests/attack/live.sh \
	tests/attack/replay.sh \
	tests/attack/traps.sh
TESTS += $(attack_tests)
dist_check_SCRIPTS += $(attack_tests)
EXTRA_DIST += tests/attack/lib.sh

check_PROGRAMS += probe replay stress
probe_SOURCES = tests/attack/probe.c
replay_SOURCES = \
	tests/attack/replay.c tests/attack/replay.h \
	tests/attack/replay_many.c tests/attack/replay_mmap.c \
	tests/attack/replay_read.c
stress_SOURCES = tests/attack/stress.c
