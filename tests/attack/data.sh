#!/bin/sh
# Bits flipped and ranges exchanged in the backing files: the damaged groups
# fail, exactly those, and nothing wrong is ever returned.
set -u
# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
attack_begin

# damaged NAME FIRST_GROUP [LAST_GROUP] - after the damage, before the repair
damaged()
{
	mt_mount "$model"
	check_equal "$1: pread fails in that group and nowhere else" \
		"$(scan pages weights.bin)" "$(bad_groups "$2")"
	check_equal "$1: mmap gives SIGBUS in that group and nowhere else" \
		"$(scan map weights.bin)" "$(bad_groups "$2")"
	check_log "$1: the log names file and range" \
		"weights.bin: bytes $(($2 * group))-"
	check "$1: other files are served" \
		cmp "$pristine/twin-a.bin" "$mnt/twin-a.bin"
}

mt_mount "$model"
check_intact "an untouched model is served whole"
mt_umount

last=$((nbytes / group))
for damage in "first 0 0" "middle 38 2500000" "last $last $((nbytes - 1))"; do
	# shellcheck disable=SC2086
	set -- $damage
	"$probe" flip "$model/weights.bin" "$3"
	damaged "a bit in the $1 group" "$2"
	check_equal "a bit in the $1 group: one line for it in the log" \
		"$(grep -c "weights.bin: bytes $(($2 * group))-" "$log")" 1
	"$probe" flip "$model/weights.bin" "$3"
	check "a bit in the $1 group: the repaired file heals" \
		eventually 30 cmp "$pristine/weights.bin" "$mnt/weights.bin"
	mt_umount
done

# A request of the kernel spans 128 KiB and more: the good groups of the same
# request are answered.
restore
"$probe" flip "$model/weights.bin" $((10 * group))
mt_mount "$model"
check "bytes before a bad group are served to one big read" cmp -n \
	$((10 * group)) "$pristine/weights.bin" "$mnt/weights.bin"
check_errno "the big read then ends in an error" "Input/output error" \
	cat "$mnt/weights.bin"
check "bytes behind a bad group are served" cmp -i $((11 * group)) \
	"$pristine/weights.bin" "$mnt/weights.bin"
mt_umount

restore
"$probe" swap "$model/weights.bin" $((3 * group)) $((40 * group)) $group
mt_mount "$model"
check_equal "two groups exchanged: both fail and nothing else" \
	"$(scan pages weights.bin)" "$(bad_groups 3
bad_groups 40)"
mt_umount

restore
"$probe" swap "$model/weights.bin" $((5 * group)) $((5 * group + 4096)) 4096
mt_mount "$model"
check_equal "two blocks of one group exchanged: that group fails" \
	"$(scan pages weights.bin)" "$(bad_groups 5)"
mt_umount

restore
mv "$model/twin-a.bin" "$work/twin"
mv "$model/sub/twin-b.bin" "$model/twin-a.bin"
mv "$work/twin" "$model/sub/twin-b.bin"
if mt_try_mount "$model"; then
	for file in twin-a.bin sub/twin-b.bin; do
		check_equal "two files of one size exchanged: $file fails" \
			"$(scan pages $file)" "bad 0-199999"
	done
	mt_umount
else
	ok "two files of one size exchanged: refused"
fi

restore
rm "$model/twin-a.bin"
truncate -s 200000 "$model/twin-a.bin"
mt_mount "$model"
check_equal "a sparse file of the same size: no zero is served" \
	"$(scan pages twin-a.bin)" "bad 0-199999"
mt_umount
mt_end
