# The patterns of contrib/kubernetes/, run without a cluster: namespaces instead
# of containers. They skip without root and /dev/fuse.
kubernetes_tests = \
	tests/kubernetes/cycles.sh tests/kubernetes/fd_passing.sh \
	tests/kubernetes/memory.sh tests/kubernetes/node.sh \
	tests/kubernetes/sidecar.sh tests/kubernetes/verify.sh
dist_check_SCRIPTS += $(kubernetes_tests)
TESTS += $(kubernetes_tests)
EXTRA_DIST += tests/kubernetes/pods.sh tests/kubernetes/reader.py

check_PROGRAMS += mount_cycles
mount_cycles_SOURCES = tests/kubernetes/mount_cycles.c
mount_cycles_LDADD = $(mihfs_LDADD)
