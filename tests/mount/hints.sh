#!/bin/sh
# A flat sha256 that another tool signed is checked by all cores where the tree
# file has hints; wrong hints change nothing but time.
. "${top_srcdir:?}/tests/lib/mount.sh"
. "${top_srcdir:?}/tests/lib/flat.sh"

# flip MODEL OFFSET - change one byte in place
flip()
{
	flip_byte=$(od -An -tu1 -j "$2" -N 1 "$1/weights.bin")
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((flip_byte ^ 1)))" |
		dd of="$1/weights.bin" bs=1 seek="$2" conv=notrunc status=none
}

# verify_with WHAT CODE TREE MODEL - mihfs verify with the tree file of TREE
verify_with()
{
	"$MIHFS" verify --quiet --signature "$bundle" --public-key "$pub" \
		--tree "$3" "$4" 2>"$work/told"
	verify_code=$?
	check "$1" [ $verify_code -eq "$2" ]
}

mt_begin
model=$work/model other=$work/other
mkdir "$model" "$other"
# The digest may end with a hint, soon after, or in a second block of padding.
for nbytes in 20971520 20971521 21000060 33554432; do
	mt_pattern $nbytes 1 >"$model/weights.bin"
	cp "$model/weights.bin" "$other"
	flip "$other" 5000000
	sign_flat "$model" "$bundle"
	sign_flat "$other" "$work/other.json"
	for m in model other; do
		sig=$bundle
		[ $m = model ] || sig=$work/other.json
		check "$nbytes: mihfs tree for $m" "$MIHFS" tree --quiet \
			--signature "$sig" "$work/$m"
	done

	# mihfs verify: three ways of being wrong, none of which it may miss.
	verify_with "$nbytes: verifies with hints" 0 "$bundle.tree" "$model"
	check_fails "$nbytes: without a word" grep -q . "$work/told"
	verify_with "$nbytes: verifies with wrong hints" 0 \
		"$work/other.json.tree" "$model"
	check "$nbytes: that is told" grep -q "weights.bin: .* wrong hints" \
		"$work/told"
	for tree in "$work/other.json.tree" "$bundle.tree" "$work/none"; do
		verify_with "$nbytes: wrong bytes with ${tree##*/}" 1 "$tree" \
			"$other"
		check "$nbytes: they are named" grep -q \
			"weights.bin: differs from the signed digest" \
			"$work/told"
	done

	mt_mount "$model"
	check "$nbytes: reads with hints" cmp "$model/weights.bin" \
		"$mnt/weights.bin"
	check_fails "$nbytes: without a word" grep -q weights.bin "$log"
	check "$nbytes: unmounts" mt_umount

	mt_mount "$model" --tree "$work/other.json.tree"
	check "$nbytes: reads with wrong hints" cmp "$model/weights.bin" \
		"$mnt/weights.bin"
	check_log "$nbytes: that is told" "weights.bin: .* wrong hints"
	check "$nbytes: unmounts" mt_umount

	# Bytes and hints that fit each other, but not the signature.
	mt_mount "$other" --tree "$work/other.json.tree"
	check_errno "$nbytes: wrong bytes with their hints" \
		"Input/output error" cat "$mnt/weights.bin"
	check_log "$nbytes: they are named" "weights.bin: bytes 0-"
	check "$nbytes: unmounts" mt_umount
	mt_mount "$other"
	check_errno "$nbytes: wrong bytes with true hints" \
		"Input/output error" cat "$mnt/weights.bin"
	check "$nbytes: unmounts" mt_umount
done
mt_end
