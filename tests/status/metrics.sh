#!/bin/sh
# The metrics of a real mount: their format, and that they count what happens.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

exposition=$top_srcdir/tests/status/exposition.py

# value SERIES: its sample now
value() {
	cp "$mnt/.mihfs/metrics" "$work/metrics"
	python3 "$exposition" "$work/metrics" --value "$1"
}

mt_begin
command -v python3 >/dev/null || mt_skip "no python3"
mt_model "$work/model"
printf 'odd' >"$work/model/quote\" back\\slash"
mt_sign "$work/model"
mt_mount "$work/model" --device cpu

check "they have the form of Prometheus" \
	python3 "$exposition" "$mnt/.mihfs/metrics"
check_equal "the mount is ready" "$(value mihfs_ready)" 1
check_equal "nothing was read" "$(value mihfs_verified_bytes_total)" 0
check_equal "all files are unproven" \
	"$(value 'mihfs_files{status="unverified"}')" 13

cat "$mnt/one-group" >/dev/null
check_equal "a group was verified" "$(value mihfs_verified_groups_total)" 1
check_equal "its bytes" "$(value mihfs_verified_bytes_total)" 65536
check_equal "by the device" \
	"$(value 'mihfs_device_bytes_total{device="cpu"}')" 65536
check_equal "and served" "$(value mihfs_served_bytes_total)" 65536
check_equal "of this file" \
	"$(value 'mihfs_file_verified_bytes{path="one-group"}')" 65536
check_equal "a file with an awkward name is there" \
	"$(value 'mihfs_file_verified_bytes{path="quote\" back\\slash"}')" 0
check_equal "one opening" "$(value mihfs_open_requests_total)" 1
check_equal "the read was timed" \
	"$(value mihfs_read_duration_seconds_count)" \
	"$(value mihfs_read_requests_total)"
check_equal "the load too" "$(value mihfs_disk_duration_seconds_count)" \
	"$(value mihfs_hash_duration_seconds_count)"
check_equal "nothing was refused" "$(value mihfs_refused_groups_total)" 0

printf X | dd of="$work/model/sub/a" bs=1 seek=66000 conv=notrunc 2>/dev/null
mt_drop_caches
cat "$mnt/sub/a" >/dev/null 2>&1
cat "$mnt/sub/a" >/dev/null 2>&1
check_equal "a bad group is known as such" "$(value mihfs_bad_groups)" 1
check "it was refused" test "$(value mihfs_refused_groups_total)" -ge 1
check "the reader got an error" test "$(value mihfs_read_errors_total)" -ge 1
check "of this file" test \
	"$(value 'mihfs_file_failures_total{path="sub/a"}')" -ge 1
# Each look is allowed a little later than the last; a busy machine may ask too
# late for the first ones.
is_held_back() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		cat "$mnt/sub/a" >/dev/null 2>&1
		[ "$(value mihfs_read_backoffs_total)" -lt 1 ] || return 0
	done
	return 1
}
check "asking again does not read again" is_held_back
check_equal "the state of the file shows" \
	"$(value 'mihfs_files{status="failed"}')" 1

rm "$work/model/one-byte"
check_errno "a file that is gone" "No such file" cat "$mnt/one-byte"
check_equal "is counted as refused" "$(value mihfs_refused_files_total)" 1
check "the form is still right" python3 "$exposition" "$mnt/.mihfs/metrics"
mt_umount
mt_end
