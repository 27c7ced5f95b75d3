#!/bin/sh
# Mounts and unmounts, again and again: no descriptor, no thread, no mount and
# less than 1 MiB of memory stays, in a process that serves them all, in the
# fd-helper, and on the host. $MIHFS_CYCLES is how many.
: "${top_srcdir:=$(dirname "$0")/../..}"
: "${top_builddir:=.}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"
# shellcheck source=tests/kubernetes/pods.sh
. "$top_srcdir/tests/kubernetes/pods.sh"
cycles=${MIHFS_CYCLES:-200}
program=$top_builddir/mount_cycles

# value LINE WORD - the number behind the word in that line of $work/held
value() {
	sed -n "/^$1 /s/.* $2 \([0-9]*\).*/\1/p" "$work/held"
}

# same WHAT - as many at the end as early on
same() {
	check_equal "$1: no $2 is left behind" "$(value end "$2")" \
		"$(value early "$2")"
}

# no_more WHAT - the same of the helper, who may have been busy early on
no_more() {
	check "the helper: no $1 is left behind" test "$(value end "$1")" \
		-le "$(value early "$1")"
}

# The allocator of a sanitizer keeps what was freed, and has no heap to look at.
sanitized=
less_than_1_mib() {
	if [ -n "$sanitized" ]; then
		ok "$1: less than 1 MiB more $2 # SKIP a sanitizer's allocator"
		return
	fi
	check "$1: less than 1 MiB more $2" test \
		$(($(value end "$2") - $(value early "$2"))) -lt 1024
}

helper_descriptors() {
	find "/proc/$helper/fd" -type l | wc -l
}

# What the helper holds, as mount_cycles says it of itself.
helper_holds() {
	printf '%s descriptors %d threads %d mounts %d memory %d KiB\n' "$1" \
		"$(helper_descriptors)" \
		"$(find "/proc/$helper/task" -maxdepth 1 | wc -l)" \
		"$(grep -cF " $vol/" "/proc/$helper/mountinfo")" \
		"$(awk '/^RssAnon:/ { print $2 }' "/proc/$helper/status")"
}

# helper_rests - it has heard that the last one went: nothing changes for long
helper_rests() {
	same_for=0 before=
	while [ "$same_for" -lt 10 ]; do
		now=$(helper_descriptors)
		if [ "$now" = "$before" ]; then
			same_for=$((same_for + 1))
		else
			same_for=0
		fi
		before=$now
		sleep 0.05
	done
}

few_descriptors() {
	[ "$(helper_descriptors)" -le "$(value early descriptors)" ]
}

# A server with no time limit of a minute.
serve_all() {
	"$program" serve "$cycles" "$mnt" "$work/model" "$bundle" "$pub" \
		config.json >"$work/held" 2>"$work/err"
}

take_all() {
	setpriv --reuid 65534 --clear-groups "$program" take "$1" "$socks/fd" \
		2>"$work/err"
}

run_command() {
	"$MIHFS" run --log-level warning --root "$bundle" --public-key "$pub" \
		"$work/model" -- true
}

mt_begin
[ -x "$program" ] || mt_skip "no $program: make check builds it"
command -v setpriv >/dev/null || mt_skip "no setpriv"
pod_begin
pod_image "$program"
program=$image/mount_cycles
mt_model "$work/model"
mt_sign "$work/model"

check "$cycles mounts in one process" serve_all
sed 's/^/# /' "$work/held" "$work/err"
[ "$(value end heap)" != 0 ] || sanitized=yes
for what in descriptors threads mounts; do
	same "one process" $what
done
for what in heap memory; do
	less_than_1_mib "one process" $what
done

pod_privileged "$MIHFS" fd-helper --socket "$socks/fd" --allow-uid 65534 \
	--mkdir "$vol/model" >/dev/null 2>&1 &
helper=$!
pids="$pids $helper"
check "a tenth of $cycles servers of one helper" take_all $((cycles / 10))
helper_rests
helper_holds early >"$work/held"
check "$cycles servers of one helper" take_all "$cycles"
pod_until few_descriptors
helper_holds end >>"$work/held"
sed 's/^/# /' "$work/held" "$work/err"
for what in descriptors threads mounts; do
	no_more $what
done
less_than_1_mib "the helper" memory
kill -TERM "$helper"
wait "$helper"

n=0
while [ $n -lt $((cycles / 20)) ] && mt_try_mount "$work/model" && mt_umount
do
	n=$((n + 1))
done
check_equal "$n processes that mount" $n $((cycles / 20))
n=0
while [ $n -lt $((cycles / 20)) ] && run_command; do
	n=$((n + 1))
done
check_equal "$n commands of mihfs run" $n $((cycles / 20))
# Others may mount here meanwhile.
check_equal "the host has none of the mounts any more" \
	"$(grep -F " $work/" /proc/self/mountinfo | grep -c " fuse.mihfs ")" 0
mt_end
