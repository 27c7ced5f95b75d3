# Tests of a real mount; they skip without root and /dev/fuse.
EXTRA_DIST += tests/lib/mount.sh
