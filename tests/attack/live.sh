#!/bin/sh
# Changes while the mount is being read, and the end of the daemon.
set -u
# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
stress=${top_builddir:-.}/stress
attack_begin

# More than the daemon's smallest cache holds, so that it must read again.
size=80000003
seconds=${MIHFS_STRESS_SECONDS:-5}
mt_pattern $size 9 >"$model/race.bin"
cp "$model/race.bin" "$pristine/race.bin"
mt_sign "$model"
cp "$bundle" "$work/signed.good"
cp "$bundle.tree" "$work/tree.good"

# --- good first, bad later ---------------------------------------------------
mt_mount "$model" --memory 16M
check "a first read is good" cmp "$pristine/race.bin" "$mnt/race.bin"
"$probe" flip "$model/race.bin" 2500000
mt_drop_caches
check_equal "changed after a good read, page cache dropped: that group fails" \
	"$(scan pages race.bin)" "$(bad_groups 38)"
"$probe" flip "$model/race.bin" 2500000
mt_umount

mt_mount "$model"
check "a first read is good" cmp "$pristine/weights.bin" "$mnt/weights.bin"
"$probe" flip "$model/weights.bin" 2500000
mt_umount
mt_mount "$model"
check_equal "changed after a good read, mounted again: that group fails" \
	"$(scan pages weights.bin)" "$(bad_groups 38)"
mt_umount
"$probe" flip "$model/weights.bin" 2500000

# --- a writer against four readers --------------------------------------------
mt_mount "$model" --memory 16M
timeout -k 5 $((seconds + 60)) "$stress" "$model/race.bin" \
	"$pristine/race.bin" "$mnt/race.bin" "$seconds" >"$work/race" 2>&1
check_equal "a writer against four readers: right bytes or EIO" $? 0
sed 's/^/# /' "$work/race"
check "the writer has put everything back" \
	cmp "$model/race.bin" "$pristine/race.bin"
check "and the mount heals" eventually 60 \
	cmp "$pristine/race.bin" "$mnt/race.bin"
check "unmounts after the race" mt_umount

# --- kill -9 -------------------------------------------------------------------
mt_mount "$model"
head -c 100000 "$mnt/weights.bin" >/dev/null
"$probe" hold "$mnt/weights.bin" /dev/null "$pristine/weights.bin" \
	>/dev/null 2>&1 &
reader=$!
kill -9 "$mt_pid"
wait "$mt_pid" 2>/dev/null
mt_pid=
check "a reader ends when the daemon is killed" \
	eventually 20 sh -c "! kill -0 $reader 2>/dev/null"
wait $reader 2>/dev/null
check_errno "the dead mount says what it is" "endpoint is not connected" \
	ls "$mnt"
mt_try_mount "$model"
check_equal "mounting over a dead mount is refused" "$?" 3
check_log "the line names the dead mount and what to do" "umount -l"
check "umount -l clears it" umount -l "$mnt"
check "nothing is left mounted" sh -c "! grep -q ' $mnt ' /proc/self/mountinfo"
check "no process is left" sh -c "! pgrep -f '[r]oot $bundle' >/dev/null"
mt_mount "$model"
check "the same place can be mounted again" \
	cmp "$pristine/weights.bin" "$mnt/weights.bin"
mt_umount

# --- SIGTERM with readers in bad groups ------------------------------------------
"$probe" flip "$model/weights.bin" 0
mt_mount "$model"
"$probe" populate "$mnt/weights.bin" >/dev/null 2>&1 &
reader=$!
sleep 1
start=$(date +%s)
mt_umount
check "SIGTERM ends the mount within 10 seconds, whatever readers do" \
	test $(($(date +%s) - start)) -le 10
# The kernel asks for ever, of a mount that is gone as well.
kill -9 $reader 2>/dev/null
check "the reader that was stuck in MAP_POPULATE can be killed" \
	eventually 20 sh -c "! kill -0 $reader 2>/dev/null"
check "nothing is left mounted" sh -c "! grep -q ' $mnt ' /proc/self/mountinfo"
mt_end
