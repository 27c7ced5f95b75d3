#!/bin/sh
# What a server has given up while it serves, and that it still serves, and
# still unmounts.
: "${top_srcdir:=$(dirname "$0")/../..}"
: "${top_builddir:=.}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

# status PID FIELD: of /proc/PID/status
status() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# of_threads PID FIELD: the different values that its threads have
of_threads() {
	cat "/proc/$1"/task/*/status | sed -n "s/^$2:[[:space:]]*//p" | sort -u
}

not_mounted() {
	! grep -qF " $mnt " /proc/self/mountinfo
}

none=0000000000000000
mt_begin
# Leaks are looked for by calls that the sandbox takes away.
export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
mt_model "$work/model"
mkdir "$work/signed" # nothing beside the bundle that it should not read
bundle=$work/signed/signed.json
mt_sign "$work/model"

mt_mount "$work/model" --sandbox=on
if ! grep -q "sandbox: .*Landlock.*system calls filtered" "$log"; then
	mt_umount
	mt_skip "Landlock or the filter is not here, or this build has neither"
fi
check "a confined mount holds what was signed" diff -r "$work/model" "$mnt"
check_equal "no thread has a capability" "$(of_threads "$mt_pid" CapEff)" $none
check_equal "or could get one" "$(of_threads "$mt_pid" CapPrm)" $none
check_equal "by no program either" "$(of_threads "$mt_pid" CapBnd)" $none
check_equal "or otherwise" "$(of_threads "$mt_pid" NoNewPrivs)" 1
check_equal "every thread is filtered" "$(of_threads "$mt_pid" Seccomp)" 2
check_equal "the log says so" \
	"$(sed -n 's/.*sandbox: \(no capabilities, no new privileges\).*/\1/p' "$log")" \
	"no capabilities, no new privileges"
check_equal "there is no core dump" \
	"$(awk '/core file/ { print $5 $6 }' "/proc/$mt_pid/limits")" 00

check "the status says so" sh -c "'$MIHFS' status --json '$mnt' |
	grep '\"capabilities\":\"$none\",\"landlock\":[4-9]'"
check "in words too" sh -c "'$MIHFS' status '$mnt' |
	grep '^sandbox  *no capabilities, no new privileges, Landlock'"

unmounter=$(cat "/proc/$mt_pid/task/$mt_pid/children")
unmounter=${unmounter% }
check_equal "the unmounter has two capabilities" \
	"$(status "$unmounter" CapEff)" 0000000000200004
check_equal "and a filter" "$(status "$unmounter" Seccomp)" 2

# As the code that has taken it over.
"$top_builddir/inject" "$mt_pid" "$work/model/config.json" "$mnt" \
	>"$work/out" 2>&1
rc=$?
sed 's/^/# /' "$work/out"
if [ $rc = 77 ]; then
	echo "# nothing could be injected here"
else
	check_equal "no thread can do what a server must not" $rc 0
	check_equal "all threads were asked" \
		"$(sed -n 's/ threads$//p' "$work/out")" \
		"$(status "$mt_pid" Threads)"
fi
check "it serves afterwards" cmp "$work/model/one-group" "$mnt/one-group"

exec 7<"$mnt/weights.safetensors"
before=$(date +%s)
check "SIGTERM ends it with an open file" mt_umount
check "at once" test $(($(date +%s) - before)) -lt 5
check "and the mount point is free" not_mounted
exec 7<&-
check_fails "the unmounter is gone" kill -0 "$unmounter"

# A server that dies leaves a dead mount, not the folder beneath it.
mt_mount "$work/model"
kill -9 "$mt_pid"
wait "$mt_pid" 2>/dev/null
mt_pid=
check_errno "a server that is killed leaves a dead mount" \
	"Transport endpoint is not connected" stat -f "$mnt"
umount -l "$mnt"

# umount(8) by somebody else, and then something else on the same folder.
mt_mount "$work/model"
kill -STOP "$mt_pid"
umount -l "$mnt"
mount -t tmpfs tmpfs "$mnt"
kill -CONT "$mt_pid"
wait "$mt_pid"
mt_pid=
check "what was mounted there since is left alone" umount "$mnt"

# Root reads what its owner keeps for himself.
chown -R 65534 "$work/model"
chmod -R go= "$work/model"
mt_mount "$work/model" --sandbox=on
check "a model that only its owner may read" diff -r "$work/model" "$mnt"
check_equal "costs one capability" "$(status "$mt_pid" CapEff)" \
	0000000000000004
mt_umount

mt_mount "$work/model" --sandbox=off
check_equal "--sandbox=off" "$(status "$mt_pid" Seccomp)" 0
check_log "is said" "sandbox: off"
mt_umount
mt_mount "$work/model" -o sandbox=require
check "as an option of fstab" diff -r "$work/model" "$mnt"
check "SIGTERM ends it" mt_umount
mt_end
