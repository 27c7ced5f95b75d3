#!/bin/sh
# Nothing stalls: many readers fault at random in several files under memory
# pressure, with and without bad groups among what they read, in each way of
# serving; a reader that maps bad bytes can be killed, and SIGTERM ends the
# mount in the midst of it all.
#
# STALL_SECONDS (2), STALL_PROCESSES (2), STALL_THREADS (4), STALL_MIB (6, of
# each of the eight files): how much of it.
# shellcheck disable=SC2016 # inner shells expand $1
: "${top_srcdir:=$(dirname "$0")/../..}"
: "${top_builddir:=.}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

seconds=${STALL_SECONDS:-2}
processes=${STALL_PROCESSES:-2}
threads=${STALL_THREADS:-4}
size=$((${STALL_MIB:-6} * 1048576 + 12345))
readers=$(realpath "$top_builddir/fault_readers")
group=

# new_group BYTES: $group, a control group with that limit; version 2 or 1
new_group() {
	for try in /sys/fs/cgroup /sys/fs/cgroup/memory; do
		for file in memory.max memory.limit_in_bytes; do
			group=$try/mihfs-stall.$$
			mkdir "$group" 2>/dev/null || continue
			[ -w "$group/$file" ] && echo "$1" >"$group/$file" &&
				return 0
			rmdir "$group"
		done
	done 2>/dev/null
	group=
	return 1
}

# within COMMAND...: become it in the control group, if there is one. The
# kernel's pages of what it reads count there.
within() {
	[ -z "$group" ] || set -- sh -c 'echo $$ >"$1/cgroup.procs" &&
		shift && exec "$@"' sh "$group" "$@"
	exec "$@"
}

# flip FILE OFFSET: change one byte; twice is as if never.
flip() {
	python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); b = f.read(1)
    f.seek(int(sys.argv[2])); f.write(bytes([b[0] ^ 1]))' "$1" "$2"
}

# flip_some: two groups in every second file
flip_some() {
	for i in 2 4 6 8; do
		flip "$work/model/f$i" 100000
		flip "$work/model/f$i" $((size - 1))
	done
}

crowd() {
	(within timeout $((seconds + 60)) "$readers" run "$mnt" "$work/want" \
		"$processes" "$threads" "$1") >"$work/sums" 2>"$work/wrong"
}

# crowd_is PATTERN: what the crowd has counted, and how it ended
crowd_is() {
	cat "$work/sums" "$work/wrong"
	[ "$crowd_end" = 0 ] && grep -q "$1" "$work/sums"
}

# killed PID: it is gone within five seconds
killed() {
	kill -KILL "$1"
	timeout 5 sh -c 'while [ -d "/proc/$1" ] &&
		! grep -q "^State:.Z" "/proc/$1/status" 2>/dev/null; do
			sleep 0.05
		done' sh "$1"
}

# ends_within SECONDS: SIGTERM ends the mount, in that time
ends_within() {
	before=$(date +%s)
	mt_umount
	[ $(($(date +%s) - before)) -le "$1" ]
}

stall() {
	: >"$log"
	mt_mount "$work/model" --serve="$1" --memory=16M --stage-memory=20M
	if grep -q "cache instead" "$log"; then
		mt_umount # not possible here, and the cache has had its turn
		return
	fi
	crowd "$seconds"
	crowd_end=$?
	check "$1: every byte is right, and none refused" \
		crowd_is 'good [1-9][0-9]* refused 0 wrong 0'
	mt_umount

	flip_some
	mt_mount "$work/model" --serve="$1" --memory=16M --stage-memory=20M
	crowd "$seconds"
	crowd_end=$?
	check "$1: with bad groups no wrong byte, and no stop" \
		crowd_is 'good [1-9][0-9]* refused [1-9][0-9]* wrong 0'

	crowd 60 &
	crowd_pid=$!
	(within "$readers" populate "$mnt/f2") &
	populate_pid=$!
	sleep 1
	check "$1: who maps a bad group at once can be killed" \
		killed $populate_pid
	check "$1: SIGTERM in the midst of it ends the mount" ends_within 10
	wait $populate_pid 2>/dev/null
	wait $crowd_pid
	crowd_end=$?
	check "$1: until the end no wrong byte" crowd_is ' wrong 0'
	flip_some
}

mt_begin
[ -x "$readers" ] || mt_skip "fault_readers is not built"
command -v python3 >/dev/null || mt_skip "no python3"
mkdir "$work/model"
for i in 1 2 3 4 5 6 7 8; do
	mt_pattern "$size" "$i" >"$work/model/f$i"
done
cp -r "$work/model" "$work/want"
mt_sign "$work/model"
# Less than the files and what they are compared with, but enough for the
# readers themselves.
limit=$((size * 10))
[ $limit -ge 50331648 ] || limit=50331648
new_group $limit || echo "# no control group: no memory pressure"
for how in cache direct stage; do
	stall "$how"
done
[ -z "$group" ] || check "no reader is left" rmdir "$group"
mt_end
