#!/bin/sh
# A large shard is checked by all cores where the tree file has hints; wrong
# hints change nothing but time.
. "${top_srcdir:?}/tests/lib/mount.sh"
. "$top_srcdir/tests/lib/shards.sh"

# flip FILE OFFSET - change one byte in place
flip()
{
	flip_byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((flip_byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# u64 FILE OFFSET - a number of the tree file
u64()
{
	od -An -tu8 --endian=little -j "$2" -N 8 "$1" | tr -d ' '
}

# verify_with WHAT CODE TREE - mihfs verify with that tree file
verify_with()
{
	"$MIHFS" verify --quiet --signature "$bundle" --public-key "$pub" \
		--tree "$3" "$model" 2>"$work/told"
	verify_code=$?
	check "$1" [ $verify_code -eq "$2" ]
}

said()
{
	check "$1" grep -q "$2" "$work/told"
}

mt_begin
model=$work/model weights=$work/model/weights.bin bad=$work/bad.tree
mkdir "$model"
mt_pattern 40000001 1 >"$weights"

# Shards that begin at whole blocks of SHA-256, at a MiB, and in between,
# where there is no state to go on from.
for size in 12000000 12582912 12000001; do
	sign_shards "$model" $size
	check "$size: mihfs tree" "$MIHFS" tree --quiet \
		--signature "$bundle" "$model"
	# One state of 32 bytes for each whole MiB of 40000001 bytes.
	check "$size: it has hints" [ "$(u64 "$bundle.tree" 216)" -eq \
		$((38 * 32)) ]

	verify_with "$size: verifies with hints" 0 "$bundle.tree"
	check_fails "$size: without a word" grep -q . "$work/told"
	mt_mount "$model"
	check "$size: reads with hints" cmp "$weights" "$mnt/weights.bin"
	check_fails "$size: without a word" grep -q weights.bin "$log"
	check "$size: unmounts" mt_umount

	# The third hint, which lies within the first shard in any case.
	cp "$bundle.tree" "$bad"
	flip "$bad" $(($(u64 "$bad" 208) + 64))
	verify_with "$size: verifies with a wrong hint" 0 "$bad"
	said "$size: that is told" "weights.bin: .* wrong hints"
	mt_mount "$model" --tree "$bad"
	check "$size: reads with a wrong hint" cmp "$weights" \
		"$mnt/weights.bin"
	check_log "$size: that is told" "weights.bin: .* wrong hints"
	check "$size: unmounts" mt_umount

	# Wrong bytes: with right hints, with a wrong one, with none, and with
	# hints that were made of them.
	flip "$weights" 16000000
	for tree in "$bundle.tree" "$bad" "$work/none"; do
		verify_with "$size: wrong bytes with ${tree##*/}" 1 "$tree"
		said "$size: their shard is named" "weights.bin: bytes \
$size-$((2 * size - 1)) differ from the signed shard"
		mt_mount "$model" --tree "$tree"
		check_errno "$size: nor are they served" "Input/output error" \
			dd if="$mnt/weights.bin" of="$work/a" bs=65536 \
			skip=244 count=1 status=none
		check_log "$size: their shard is named" "weights.bin: bytes \
$size-$((2 * size - 1)) differ from the signed shard"
		check "$size: other shards are served" cmp -n 8388608 \
			"$weights" "$mnt/weights.bin"
		check "$size: unmounts" mt_umount
	done
	cp "$bundle" "$work/kept.json"
	sign_shards "$model" $size
	check "$size: mihfs tree of wrong bytes" "$MIHFS" tree --quiet \
		--signature "$bundle" --output "$bad" "$model"
	cp "$work/kept.json" "$bundle"
	verify_with "$size: wrong bytes with their own hints" 1 "$bad"
	mt_mount "$model" --tree "$bad"
	check_errno "$size: nor are they served" "Input/output error" \
		cat "$mnt/weights.bin"
	check "$size: unmounts" mt_umount
	flip "$weights" 16000000
done
mt_end
