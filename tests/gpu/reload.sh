#!/bin/sh
# A reload that reads all bytes has them hashed by the mount's own devices, and
# ends as it should whatever becomes of them.
MIHFS=${top_builddir:?}/mihfs_sim
. "${top_srcdir:?}/tests/lib/mount.sh"

answers=0

# reload PATTERN - send SIGHUP and wait for the line that ends it
reload() {
	answers=$((answers + 1))
	kill -HUP "$mt_pid" || return 1
	tries=0
	while [ "$(grep -c 'reloaded[,:]' "$log")" -lt "$answers" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || return 1
		sleep 0.05
	done
	grep 'reloaded[,:]' "$log" | tail -n 1 | grep -q "$1"
}

ends() {
	grep -c 'is out of use' "$log"
}

# Nobody reads: whatever the device of the mount has to do is the reload's.
reload_until_it_fails() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 \
		24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40; do
		reload 'reloaded: root' || return 1
		[ "$(ends)" -eq "$1" ] || return 0
	done
	return 1
}

mt_begin
mt_model "$work/model"
mt_pattern 40000000 8 >"$work/model/large.bin"
mt_sign "$work/model" --device cpu

mt_mount "$work/model" --device sim:0 --gpu-memory 16M --verify=mount
check "a reload with a device" reload 'reloaded: root'
printf X | dd of="$work/model/large.bin" bs=1 seek=9000000 conv=notrunc \
	2>/dev/null
check "a bad byte is refused" reload 'not reloaded, .*: not as signed'
check_log "the log says where" "large.bin.*bytes .* differ from the signed tree"
check_equal "no device is blamed" "$(ends)" 0
mt_pattern 40000000 8 >"$work/model/large.bin"
check "a good one again" reload 'reloaded: root'
check "and what is served is right" diff -r "$work/model" "$mnt"
mt_umount

# Later than it is measured, which takes up to 70 launches. The check before
# the mount is another process, with a device of its own.
answers=0
export MIHFS_SIM=0:launch:100
mt_mount "$work/model" --device sim:0 --gpu-memory 16M --verify=mount
unset MIHFS_SIM
before=$(ends)
check "the device fails in a reload, which ends well" \
	reload_until_it_fails "$before"
check_equal "one line" "$(ends)" $((before + 1))
check "and reloads go on without it" reload 'reloaded: root'
check "as do readers" diff -r "$work/model" "$mnt"
mt_umount
mt_end
