#!/bin/sh
# A mount whose device fails in every way: readers get the right bytes, the log
# gets one line, and a bad file is bad by the processor's word.
MIHFS=${top_builddir:?}/mihfs_sim
. "${top_srcdir:?}/tests/lib/mount.sh"
mt_begin
mt_model "$work/model"
mt_pattern 20000000 8 >"$work/model/large.bin"
mt_sign "$work/model" --device cpu

cmp_all() {
	diff -r "$work/model" "$mnt"
}

# Read until the log says $1, at most so often; every reading must be right.
read_until_logged() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		mt_drop_caches
		cmp_all || return 1
		! grep -q -e "$1" "$log" || return 0
	done
	return 1
}

# fault NAME SPEC LINE - the device fails so; LINE is in the log once
fault() {
	export MIHFS_SIM="$2"
	mt_mount "$work/model" --device sim:0 --gpu-memory 16M --memory 16M
	check "$1: what is read is right, until the log says so" \
		read_until_logged "$3"
	check "$1: and afterwards" cmp_all
	check_equal "$1: one line" "$(grep -c 'is out of use' "$log")" 1
	check_equal "$1: no file is blamed" "$(grep -c 'differ' "$log")" 0
	mt_umount
	unset MIHFS_SIM
}

fault "open fails" 0:open "sim:0 is out of use: sim: fell off the bus"
fault "out of memory" 0:memory "sim:0 is out of use: sim: out of memory"
fault "launch fails" 0:launch:12 "sim:0 is out of use: sim: launch failure"
fault "hangs" 0:hang:12 "sim:0 is out of use: sim: no answer for"
# Later than it is measured, which takes up to 70 launches.
fault "wrong" 0:wrong:100 "sim:0 is out of use: it gave a wrong digest"
fault "wrong from the start" 0:wrong "sim:0 is out of use: it hashes wrongly"

# The mount answers, and reads are right, long before the device is ready.
export MIHFS_SIM_OPEN_MS=40000
mt_before=$(date +%s)
mt_mount "$work/model" --device sim:0 --gpu-memory 16M
check "a device that is not ready holds nobody up" cmp_all
check "the mount did not wait for it" test $(($(date +%s) - mt_before)) -lt 15
mt_umount
unset MIHFS_SIM_OPEN_MS
check_log "nor does it hold up the end" "its driver does not return"

# Nor is one that is missing waited for, which only its driver could tell.
mt_mount "$work/model" --device sim:9
check "a device that is missing: what is read is right" cmp_all
mt_umount
check_log "the log says so" "device sim:9: no such device here"

# A file that is staged, with a device that fails in the middle of it.
mount_staged() {
	mt_mount "$work/model" --device sim:0 --gpu-memory 16M --serve=stage \
		--stage-memory=300M
	tries=0
	until grep -q 'than one core' "$log" || [ "$tries" -ge 600 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
}

mt_pattern 200000000 9 >"$work/model/staged.bin"
mt_sign "$work/model" --device cpu
mount_staged
check "staged: what is read is right" cmp_all
check_equal "and the device in use" "$(grep -c 'out of use' "$log")" 0
mt_umount
export MIHFS_SIM=0:launch:30
mount_staged
check "staged, with a device that fails at it" cmp_all
check_log "the log says so" "sim:0 is out of use: sim: launch failure"
mt_umount
unset MIHFS_SIM
rm "$work/model/staged.bin"
mt_sign "$work/model" --device cpu

# A bad byte, found by a device, is confirmed and told once.
printf X | dd of="$work/model/large.bin" bs=1 seek=9000000 conv=notrunc 2>/dev/null
mt_mount "$work/model" --device sim:0 --gpu-memory 16M
check_errno "a bad byte is an error with a device too" "Input/output error" \
	cmp "$work/model/large.bin" "$mnt/large.bin"
check_log "the log names it" "large.bin: bytes .* differ from the signed tree"
check_equal "the device is not blamed" "$(grep -c 'is out of use' "$log")" 0
mt_umount

# The commands.
mt_pattern 20000000 8 >"$work/model/large.bin"
for fault in open memory launch:14 hang:14 wrong wrong:14; do
	export MIHFS_SIM="0:$fault"
	check "verify, $fault" "$MIHFS" verify --signature "$bundle" \
		--public-key "$pub" --device sim:0 --gpu-memory 16M \
		"$work/model"
	check_equal "verify, $fault: one line" \
		"$(grep -c 'is out of use' "$work/out")" 1
done
unset MIHFS_SIM
# A driver that never starts is no reason not to listen, nor not to end.
check_status "verify, a driver that hangs: an interrupt is heard" 124 env \
	MIHFS_SIM_START_MS=100000 timeout -s INT -k 40 1 "$MIHFS" verify \
	--signature "$bundle" --public-key "$pub" --device sim:0 "$work/model"
check_said "and its driver left alone" "does not return"
check "verify with eight devices, three of them lost" env \
	MIHFS_SIM="1:launch:14 4:hang:14 7:memory" "$MIHFS" verify \
	--signature "$bundle" --public-key "$pub" --device sim:0 \
	--device sim:1 --device sim:2 --device sim:3 --device sim:4 \
	--device sim:5 --device sim:6 --device sim:7 --gpu-memory 16M \
	"$work/model"
check_status "one that is not here is an error still" 3 "$MIHFS" sign \
	--quiet --signature "$work/c.json" --private-key "$key" \
	--device sim:9 "$work/model"
check_said "and it is named" "sim:9: no such device here"
check "nothing is left of it" test ! -e "$work/c.json"
check_status "nor does verify do without it" 3 "$MIHFS" verify --quiet \
	--signature "$bundle" --public-key "$pub" --device sim:9 "$work/model"
check_said "and says so" "sim:9: no such device here"

# Of a file that is bad while its device errs about other groups, the ranges
# told are those that the processor finds bad.
mt_pattern 6000000 9 >"$work/model/large.bin"
printf 'sim: hash wrongly' | dd of="$work/model/large.bin" bs=1 conv=notrunc \
	seek=2097152 2>/dev/null
mt_sign "$work/model" --device cpu
printf 'X' | dd of="$work/model/large.bin" bs=1 conv=notrunc seek=4300000 \
	2>/dev/null
check_status "verify, bad file and bad device" 1 env MIHFS_SIM=0:marked \
	"$MIHFS" verify --signature "$bundle" --public-key "$pub" \
	--device sim:0 --gpu-memory 16M "$work/model"
check_said "the bad range is named" "large.bin: bytes 4259840-4325375 differ"
check_equal "and no other" "$(grep -c 'bytes .* differ' "$work/out")" 1

# What doctor says of a device that is there, and of one that is broken.
check "doctor" env MIHFS_SIM=1:wrong "$MIHFS" doctor
check_said "doctor prints address and border" \
	"sim:0 .*PCI 0000:00:00.0, UUID SIM-00, .* GB/s after .* than a core"
check_equal "doctor says which one auto takes" \
	"$(grep -c ', taken by auto' "$work/out")" 1
check_said "doctor names the broken one" "sim:1 (simulated) is there but does"
mt_end
