#!/bin/sh
# A source that answers late, as a network does: what is read is right, many
# requests are on their way at once, what is damaged is refused alone, and the
# mount ends although the source does not answer.
: "${top_srcdir:=$(dirname "$0")/../..}"
: "${top_builddir:=.}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

server=$(realpath "$top_builddir/slow_server")
server_pid=
groups=512 # of each file

# slow_start MS: $work/slow is the model, MS later
slow_start() {
	rm -f "$work/up"
	mkfifo "$work/up"
	"$server" "$work/model" "$work/slow" "$1" >"$work/up" 2>>"$log" &
	server_pid=$!
	exec 8<"$work/up"
	timeout 60 stat "$work/slow/good" >/dev/null
	read -r line <&8
	if [ "$line" != ready ]; then
		echo "Bail out! no slow source"
		exit 1
	fi
}

# slow_stop: $reads that there were, $most at once
slow_stop() {
	kill -TERM "$server_pid"
	reads='' most=''
	while read -r line <&8; do
		reads=${line%% reads*}
		most=${line##*, }
		most=${most%% *}
	done
	exec 8<&-
	wait "$server_pid"
}

# pieces FILE: groups of it, whose numbers come in, as one digest
pieces() {
	while read -r at; do
		dd if="$1" bs=65536 skip="$at" count=1 status=none || return 1
	done | sha256sum
}

# others FILE: all groups of it but the tenth
others() {
	head -c $((10 * 65536)) "$1" && tail -c +$((11 * 65536 + 1)) "$1"
}

# others_are_right: of the damaged file
others_are_right() {
	others "$mnt/bad" >"$work/got" && others "$work/model/bad" |
		cmp - "$work/got"
}

# ends: SIGTERM ends the mount, in time
ends() {
	kill -TERM "$mt_pid"
	timeout 60 tail --pid="$mt_pid" -f /dev/null || return 1
	wait "$mt_pid"
	mt_rc=$?
	mt_pid=
	return "$mt_rc"
}

[ -x "$server" ] || mt_skip "slow_server is not built"
mt_begin 11
mkdir "$work/model" "$work/slow"
mt_pattern $((groups * 65536)) 1 >"$work/model/good"
mt_pattern $((groups * 65536 + 12345)) 2 >"$work/model/bad"
mt_sign "$work/model"
printf x | dd of="$work/model/bad" bs=1 seek=$((10 * 65536 + 7)) conv=notrunc \
	status=none

slow_start 5
mt_mount "$work/slow"
check "a sequential read is right" cmp "$work/model/good" "$mnt/good"
mt_umount
slow_stop
echo "# sequential: $reads reads, $most at once"
check "many of its reads were under way at once" \
	[ "$most" -ge 16 ] # of 128 KiB each; a plain reader has two
check "and none was repeated" [ "$reads" -le $((groups / 2 + 16)) ]

slow_start 5
mt_mount "$work/slow"
seq 3 7 "$((groups - 1))" >"$work/list"
check_equal "a strided read is right" "$(pieces "$mnt/good" <"$work/list")" \
	"$(pieces "$work/model/good" <"$work/list")"
seq 0 5 "$((groups - 1))" | awk '{ print $1 * 211 % '$groups' }' >"$work/list"
check_equal "random reads are right" "$(pieces "$mnt/good" <"$work/list")" \
	"$(pieces "$work/model/good" <"$work/list")"
check_errno "a damaged group is refused" "Input/output error" \
	dd if="$mnt/bad" bs=65536 skip=10 count=1 of=/dev/null
check "its neighbours are right" others_are_right
mt_umount
slow_stop

slow_start 3000
mt_mount "$work/slow"
head -c 1000000 "$mnt/good" >/dev/null 2>&1 &
reader=$!
sleep 0.3 # its reads are asleep by now; if not, they will be
check "the mount ends while its source sleeps" ends
wait "$reader"
slow_stop

# Who opens a small file does not wait for large ones that are checked whole:
# of these more than 140 MiB are asked for before it. It must be there when a
# few rounds of all threads, 32 MiB each, are read.
read_so_far() {
	"$MIHFS" status --json "$mnt" |
		sed -n 's/.*"disk_bytes": *\([0-9]*\).*/\1/p'
}

mt_pattern 100000000 3 >"$work/model/large-1"
mt_pattern 100000000 4 >"$work/model/large-2"
echo small >"$work/model/small"
mt_sign "$work/model"
slow_start 1000
mt_mount "$work/slow" --verify=open
cmp "$work/model/large-1" "$mnt/large-1" &
large=$!
cmp "$work/model/large-2" "$mnt/large-2" &
sleep 0.3 # they are under way by now; if not, small has it even easier
check "a small file is opened" cmp "$work/model/small" "$mnt/small"
check "while large ones that were there first are read" \
	[ "$(read_so_far)" -lt 100000000 ]
wait $large && wait $!
check "which are right, too" [ $? -eq 0 ]
mt_umount
slow_stop
mt_end
