#!/bin/sh
# Every call that would write gets EROFS: from the kernel while the mount is
# ro, from the server after root has remounted it rw.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

refused() {
	check_errno "$1" "Read-only file system" sh -c "$2"
}

all_writes() {
	refused "$1: create" ": >'$mnt/new'"
	refused "$1: write" ": >>'$mnt/config.json'"
	refused "$1: open for both" ": <>'$mnt/config.json'"
	refused "$1: truncate" "truncate -s 3 '$mnt/config.json'"
	refused "$1: chmod" "chmod 600 '$mnt/config.json'"
	refused "$1: chown" "chown 1 '$mnt/config.json'"
	refused "$1: utimes" "touch '$mnt/config.json'"
	refused "$1: unlink" "unlink '$mnt/config.json'"
	refused "$1: mkdir" "mkdir '$mnt/new'"
	refused "$1: rmdir" "rmdir '$mnt/sub'"
	refused "$1: mknod" "mknod '$mnt/new' p"
	refused "$1: symlink" "ln -s x '$mnt/new'"
	refused "$1: link" "ln '$mnt/config.json' '$mnt/new'"
	refused "$1: rename" "mv -f '$mnt/config.json' '$mnt/new'"
	if command -v setfattr >/dev/null; then
		refused "$1: setxattr" \
			"setfattr -n user.a -v b '$mnt/config.json'"
		refused "$1: removexattr" \
			"setfattr -x user.mihfs.status '$mnt/config.json'"
	fi
}

mt_begin
mt_model "$work/model"
cp -r "$work/model" "$work/before"
mt_sign "$work/model"
mt_mount "$work/model"
all_writes ro
check "root remounts it rw" mount -i -o remount,rw "$mnt"
all_writes rw
check "nothing has changed in the mount" diff -r "$work/before" "$mnt"
check "nor beneath it" diff -r "$work/before" "$work/model"
check "locks work all the same" flock -x -w 5 "$mnt/config.json" true
mt_umount
mt_end
