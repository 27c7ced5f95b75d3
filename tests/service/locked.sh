#!/bin/sh
# A reader that keeps a folder locked holds up a reload, and nothing else; the
# end of the mount comes in bounded time all the same.
: "${top_srcdir:=$(dirname "$0")/../..}"
: "${top_builddir:=.}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

until_true() {
	tries=0
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || return 1
		sleep 0.05
	done
}

is_stuck() {
	grep -q '^State:[[:space:]]*[DS]' "/proc/$reader/status" &&
		grep -q listing "$work/reader" &&
		grep -q fuse "/proc/$reader/stack"
}

keeper_is_stuck() {
	cat "/proc/$mt_pid/task"/*/stack | grep -q fuse_reverse_inval_entry
}

not_mounted() {
	! grep -qF " $mnt " /proc/self/mountinfo
}

mt_begin
[ -r /proc/self/stack ] || mt_skip "no stacks of the kernel to look at"
mt_model "$work/model"
mt_sign "$work/model"

# The memory comes from another mount.
mnt=$work/other
mkdir "$mnt"
mt_mount "$work/model"
other=$mt_pid
other_file=$mnt/weights.safetensors
mt_pid=
reader=
watchdog=
rc=0
trap 'rc=$?; kill -CONT $other 2>/dev/null
	kill -9 $other $reader $watchdog 2>/dev/null; (exit $rc); mt_cleanup' EXIT

mnt=$work/mnt
mt_mount "$work/model"
cat "$mnt/sub/deeper/tensor.bin" >"$work/read" # a name that is known
mkfifo "$work/go"
"$top_builddir/lock_folder" "$mnt" "$other_file" <"$work/go" \
	>"$work/reader" 2>&1 &
reader=$!
exec 8>"$work/go"
check "a reader maps memory of another mount" until_true \
	grep -q mapped "$work/reader"
kill -STOP "$other"
# A request that the server takes in before its last thread stops is answered.
while grep -q '^State:[[:space:]]*[A-SU-Z]' "/proc/$other/task"/*/status; do
	sleep 0.01
done
# Should something hang after all, the test fails and does not.
(sleep 60; kill -CONT "$other") 2>/dev/null &
watchdog=$!
echo go >&8
check "and hangs, with the folder locked" until_true is_stuck

printf '{"hidden_size": 512}\n' >"$work/model/config.json"
mt_sign "$work/model"
kill -HUP "$mt_pid"
check "a reload waits for that folder" until_true keeper_is_stuck
check_fails "and is not over" grep -q "reloaded[,:]" "$log"
check "what is known and did not change is read meanwhile" \
	cmp "$work/model/sub/deeper/tensor.bin" "$mnt/sub/deeper/tensor.bin"

before=$(date +%s)
kill -TERM "$mt_pid"
check "SIGTERM frees the mount point" until_true not_mounted
check "within ten seconds" test $(($(date +%s) - before)) -lt 10
check_log "by force" "a folder is kept locked: unmounting by force"
kill -CONT "$other"
wait "$mt_pid"
check_equal "the server ends when the lock is given back" $? 0
mt_pid=
wait "$reader"
reader=
kill "$watchdog" "$other"
wait "$other"
mt_end
