#!/bin/sh
# The end of a mount comes in bounded time, even when its source hangs: here
# the source is another mount, whose server has been stopped.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

not_mounted() {
	! grep -qF " $1 " /proc/self/mountinfo
}

# Until somebody waits for an answer of the stopped server.
waits() {
	tries=0
	while [ "$tries" -lt 600 ]; do
		[ "$(cat "/sys/fs/fuse/connections/$1/waiting")" = 0 ] ||
			return 0
		sleep 0.05
		tries=$((tries + 1))
	done
	return 1
}

mt_begin
grep -q ' fusectl ' /proc/mounts ||
	mount -t fusectl fusectl /sys/fs/fuse/connections 2>/dev/null
mt_model "$work/model"
mt_sign "$work/model"

# The source: a mount as well, stopped by SIGSTOP.
mt_mount "$work/model"
source=$mnt
source_pid=$mt_pid
mt_pid=
connection=$(stat -c %Ld "$source")
[ -r "/sys/fs/fuse/connections/$connection/waiting" ] ||
	mt_skip_rest=1
rc=0
trap 'rc=$?; kill -9 $source_pid $watchdog 2>/dev/null; (exit $rc); mt_cleanup' EXIT

mnt=$work/upper
mkdir "$mnt"

# A request that the server has taken in before it stops cannot be taken back:
# whoever waits for its answer waits for ever. So wait for its last thread.
stop_source() {
	kill -STOP "$source_pid"
	while grep -q '^State:[[:space:]]*[A-SU-Z]' "/proc/$source_pid/task"/*/status
	do
		sleep 0.01
	done
}

# hang: mount on top of the source, and read what it does not answer
hang() {
	mt_mount "$source"
	stop_source
	cat "$mnt/$1" >"$work/read" 2>&1 &
	reader=$!
	waits "$connection"
}

# Should a daemon wait for its source all the same, the test fails, not hangs.
(sleep 60; kill -CONT "$source_pid") 2>/dev/null &
watchdog=$!

if [ -n "${mt_skip_rest-}" ]; then
	ok "a hanging source # SKIP no fusectl file system"
else
	check "a reader hangs" hang weights.safetensors
	before=$(date +%s)
	kill -TERM "$mt_pid"
	wait "$mt_pid"
	check_equal "SIGTERM ends the mount all the same" $? 0
	mt_pid=
	check "within ten seconds" test $(($(date +%s) - before)) -lt 10
	check "the mount point is free" not_mounted "$mnt"
	wait "$reader"
	check "the reader got an error" test $? != 0
	check_log "the log says that it took force" "unmounting by force"
	kill -CONT "$source_pid"

	check "another reader hangs" hang group-and-one
	before=$(date +%s)
	kill -TERM "$mt_pid"
	kill -INT "$mt_pid"
	wait "$mt_pid"
	check_equal "a second signal ends it too" $? 0
	mt_pid=
	check "at once" test $(($(date +%s) - before)) -lt 5
	check "the mount point is free" not_mounted "$mnt"
	kill -CONT "$source_pid"
fi
kill "$watchdog"
umount "$source"
wait "$source_pid"
check_equal "the source ends in order" $? 0
mt_end
