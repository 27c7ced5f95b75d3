#!/bin/sh
# The traps of FUSE that a verifying file system can fall into.
set -u
# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
attack_begin

# cpu_ticks - processor time that the daemon has used, in 1/100 s
cpu_ticks()
{
	sed 's/.*) //' "/proc/$mt_pid/stat" | awk '{ print $12 + $13 }'
}

# bytes_read - what the daemon has read in all, sockets and devices included
bytes_read()
{
	awk '/^rchar/ { print $2 }' "/proc/$mt_pid/io"
}

# --- a failing page under MAP_POPULATE: the kernel asks for ever ---------------
"$probe" flip "$model/weights.bin" 2500000
mt_mount "$model"
cat "$mnt/weights.bin" >/dev/null 2>&1
before=$(cpu_ticks)
read_before=$(bytes_read)
timeout -s KILL 5 "$probe" populate "$mnt/weights.bin" >/dev/null 2>&1
status=$?
ticks=$(($(cpu_ticks) - before))
echo "# MAP_POPULATE over a bad group: status $status," \
	"$ticks ticks and $(($(bytes_read) - read_before)) bytes in 5 s"
check "a reader that spins in MAP_POPULATE can be killed" \
	test $status = 137 -o $status = 2
check "it costs the daemon less than a fifth of a core" test "$ticks" -lt 100
check "its group is not read again and again" \
	test $(($(bytes_read) - read_before)) -lt $((100 * group))
check "others are served meanwhile" \
	cmp "$pristine/twin-a.bin" "$mnt/twin-a.bin"
mt_umount

# --- good neighbours come back as 4 KiB requests: do not hash them again --------
mt_mount "$model"
read_before=$(bytes_read)
scan pages weights.bin >/dev/null
used=$(($(bytes_read) - read_before))
echo "# reading $nbytes bytes page by page around a bad group: $used read"
check "each good group is read about once, however it is asked for" \
	test $used -lt $((nbytes + 40 * group))
mt_umount
restore

# --- a file cut short under the mount gives errors, never zeros ------------------
mt_mount "$model"
exec 4<"$mnt/weights.bin"
truncate -s $((70 * group + 100)) "$model/weights.bin"
mt_drop_caches
check_equal "beyond the new end: errors, no zeros" \
	"$(scan pages weights.bin | grep -c WRONG)" 0
check_errno "a read there says EIO" "Input/output error" \
	dd if="$mnt/weights.bin" of=/dev/null bs=$group skip=72 count=1
exec 4<&-
mt_umount
restore

# --- many faults at once, more than there are threads ------------------------------
i=0
while [ $i -lt 6 ]; do
	mt_pattern 3000000 $((20 + i)) >"$model/shard-$i.bin"
	i=$((i + 1))
done
cp "$model"/shard-*.bin "$pristine"
mt_sign "$model"
mt_mount "$model" --memory 16M
pids=
for i in 0 1 2 3 4 5; do
	scan map shard-$i.bin >"$work/fan.$i" &
	pids="$pids $!"
	scan pages shard-$i.bin >"$work/fan.p$i" &
	pids="$pids $!"
done
# shellcheck disable=SC2086
wait $pids
check_equal "384 threads fault at once in 6 files: all end, all bytes right" \
	"$(cat "$work"/fan.*)" ""

# --- locks and writes ---------------------------------------------------------------
check "flock works" flock "$mnt/config.json" true
check "an exclusive lock keeps another out" sh -c \
	"exec 5<'$mnt/config.json'; flock 5; ! flock -n '$mnt/config.json' true"
check_errno "a new file: EROFS" "Read-only file system" \
	sh -c ": >'$mnt/new.lock'"
check_errno "opening for writing: EROFS" "Read-only file system" \
	sh -c ": >>'$mnt/config.json'"
check_errno "a new folder: EROFS" "Read-only file system" mkdir "$mnt/np"
check_errno "removing: EROFS" "Read-only file system" rm "$mnt/config.json"
check_errno "renaming: EROFS" "Read-only file system" \
	mv "$mnt/config.json" "$mnt/other.json"
mt_umount
mt_end
