#!/bin/sh
# What a supervisor hears from a server: sd_notify(3), without its library.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

supervisor=$top_srcdir/tests/service/supervisor.py

# heard PATTERN [TIMES]: so many lines match, within ten seconds
heard() {
	tries=0
	while [ "$(grep -c "^$1\$" "$work/heard")" -lt "${2:-1}" ]; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return 1
		sleep 0.05
	done
}

# begin SOCKET: a supervisor, and a server under it
begin() {
	: >"$work/heard"
	python3 "$supervisor" listen "$1" "$work/heard" &
	listener=$!
	heard listening || return 1
	NOTIFY_SOCKET=$1
	export NOTIFY_SOCKET
	mt_mount "$work/model"
	unset NOTIFY_SOCKET
}

words() {
	grep -c "$1" "$work/heard"
}

# Until none comes for a second, though a server that is well sends one ten times
# in that: those that were under way may still arrive, late on a busy machine.
falls_silent() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		before=$(words WATCHDOG=1)
		sleep 1
		[ "$(words WATCHDOG=1)" != "$before" ] || return 0
	done
	return 1
}

mt_begin
command -v python3 >/dev/null || mt_skip "no python3"
mt_model "$work/model"
mt_sign "$work/model"
listener=
rc=0
trap 'rc=$?; kill $listener 2>/dev/null; (exit $rc); mt_cleanup' EXIT

# A socket in the file system, no watchdog.
begin "$work/notify"
check "READY=1 comes when the mount answers" heard READY=1
check "with a status" heard "STATUS=serving"
check_equal "no WATCHDOG=1 where none is asked for" "$(words WATCHDOG)" 0
now=$(python3 -c 'import time; print(time.monotonic_ns() // 1000)')
kill -HUP "$mt_pid"
check "a reload says RELOADING=1" heard RELOADING=1
check "and READY=1 again" heard READY=1 2
told=$(sed -n 's/^MONOTONIC_USEC=//p' "$work/heard")
check "with the time of the signal" test "$told" -ge "$now"
check "in microseconds" test "$told" -lt "$((now + 60000000))"
mv "$bundle" "$bundle.gone"
kill -HUP "$mt_pid"
check "a failed reload ends with READY=1, too" heard READY=1 3
check "and says so" heard "STATUS=.*reload failed.*"
mv "$bundle.gone" "$bundle"
check "the end" mt_umount
check "is STOPPING=1" heard STOPPING=1
kill "$listener"
listener=

# An abstract one, and a watchdog.
WATCHDOG_USEC=200000
export WATCHDOG_USEC
begin "@mihfs-test-$$"
check "an abstract socket is as good" heard READY=1
check "WATCHDOG=1 comes again and again" heard WATCHDOG=1 5
mkfifo "$work/thaw"
python3 "$supervisor" freeze "$mt_pid" <"$work/thaw" >"$work/frozen" 2>&1 &
frozen=$!
exec 8>"$work/thaw"
tries=0
while ! grep -q . "$work/frozen" && [ $tries -lt 600 ]; do
	tries=$((tries + 1))
	sleep 0.05
done
check "not from a server whose session hangs" falls_silent
exec 8>&-
wait $frozen
check_equal "... which was held all the time" "$?:$(cat "$work/frozen")" \
	"0:frozen"
so_far=$(words WATCHDOG=1)
check "and again when it goes on" heard WATCHDOG=1 $((so_far + 3))
check "the end is not held up by it" mt_umount
kill "$listener"
listener=

# It is for another process.
WATCHDOG_PID=1
export WATCHDOG_PID
begin "$work/notify2"
check "READY=1" heard READY=1
sleep 0.5
check_equal "no WATCHDOG=1 for another process" "$(words WATCHDOG)" 0
mt_umount
kill "$listener"
listener=
mt_end
