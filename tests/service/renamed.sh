#!/bin/sh
# A mount ends and takes no other with it, wherever its name leads by then: who
# owns a folder above it can rename that, and put a link in its place.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

is_mounted() {
	grep -qF " $1 " /proc/self/mountinfo
}

not_mounted() {
	! is_mounted "$1"
}

ended() {
	wait "$mt_pid"
	mt_pid=
}

mt_begin
mt_model "$work/model"
mt_sign "$work/model"
mkdir -p "$work/users/folder/m" "$work/admins/m"
mount -t tmpfs admins "$work/admins/m" || mt_skip "no tmpfs"
rc=0
trap 'rc=$?; umount -l "$work/admins/m" "$work"/users/*/m 2>/dev/null
	(exit $rc); mt_cleanup' EXIT

for how in "" "--sandbox=off"; do
	mnt=$work/users/folder/m
	# shellcheck disable=SC2086 # none or one
	mt_mount "$work/model" $how
	mv "$work/users/folder" "$work/users/moved"
	ln -s "$work/admins" "$work/users/folder"
	kill -TERM "$mt_pid"
	check "${how:-sandbox}: the server ends" ended
	check "${how:-sandbox}: the mount of another stays" \
		is_mounted "$work/admins/m"
	umount -l "$work/users/moved/m" 2>/dev/null
	rm "$work/users/folder"
	mv "$work/users/moved" "$work/users/folder"

	# shellcheck disable=SC2086
	mt_mount "$work/model" $how
	kill -TERM "$mt_pid"
	check "${how:-sandbox}: it ends" ended
	check "${how:-sandbox}: and its own mount goes, as ever" \
		not_mounted "$mnt"
done
mt_end
