#!/bin/sh
# A model that another tool signed in shards is served shard by shard.
. "${top_srcdir:?}/tests/lib/mount.sh"
. "$top_srcdir/tests/lib/shards.sh"

# flip OFFSET - change one byte of the weights in place
flip()
{
	flip_byte=$(od -An -tu1 -j "$1" -N 1 "$weights")
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((flip_byte ^ 1)))" |
		dd of="$weights" bs=1 seek="$1" conv=notrunc status=none
}

# part FILE OFFSET LENGTH
part()
{
	dd if="$1" bs=65536 skip="$2" count="$3" status=none
}

part_alike()
{
	part "$weights" "$1" "$2" >"$work/a" && part \
		"$mnt/weights.bin" "$1" "$2" >"$work/b" &&
		cmp "$work/a" "$work/b"
}

verify()
{
	"$MIHFS" verify --quiet --signature "$bundle" --public-key "$pub" \
		"$@" "$model"
}

mt_begin
model=$work/model weights=$work/model/weights.bin
mkdir -p "$model/sub"
mt_pattern 40000001 1 >"$weights"
mt_pattern 300000 2 >"$model/sub/small:1"
printf x >"$model/one"
: >"$model/empty"

# Shards that end in the middle of groups and pages.
for size in 9000001 20971520 50000000; do
	sign_shards "$model" $size
	check "$size: verified" verify
	mt_mount "$model" --memory 64M
	for name in weights.bin sub/small:1 one; do
		check "$size: $name" cmp "$model/$name" "$mnt/$name"
	done
	check_fails "$size: an empty file is not signed" test -e "$mnt/empty"
	check_equal "$size: the whole is verified" "$(getfattr --only-values \
		-n user.mihfs.status "$mnt/weights.bin" 2>/dev/null)" verified
	check "$size: unmounts" mt_umount
done

# Where it is told of, it is shown, and may be nothing else.
sign_shards "$model" 9000001 empty
check "an empty shard: verified" verify
check "an empty shard: mihfs tree" "$MIHFS" tree --quiet \
	--signature "$bundle" "$model"
mt_mount "$model" --unsigned=deny --verify=mount
check "an empty shard: the file is shown" cmp "$model/empty" "$mnt/empty"
check "unmounts" mt_umount
rm "$bundle.tree"
printf y >>"$model/empty"
check_status "an empty shard: not one byte" 1 verify
check_said "by name" "empty: longer than signed"
check_status "nor a mount" 1 mt_try_mount "$model"
rm "$model/empty"
check_status "an empty shard: nor none" 1 verify
check_said "by name" "empty: missing"
: >"$model/empty"

# Only what a reader touches is read.
sign_shards "$model" 9000001
mt_mount "$model"
check "the first page reads" part_alike 0 1
check_equal "its shards are read, and no other" "$(getfattr --only-values \
	-n user.mihfs.verified_bytes "$mnt/weights.bin" 2>/dev/null)" \
	"$((9000001 / 8388608 * 8388608))"
check "unmounts" mt_umount

# One byte: its shard is refused, and what shares a page with it.
flip 20000000
check_status "verify refuses it" 1 verify
check_said "and names the shard" \
	"weights.bin: bytes 18000002-27000002 differ from the signed shard"
mt_mount "$model"
check "pages of good shards read" part_alike 0 128
check "and behind" part_alike 512 98
check_errno "the bad shard does not" "Input/output error" \
	cat "$mnt/weights.bin"
check_log "the log names it" \
	"weights.bin: bytes 18000002-27000002 differ from the signed shard"
check_equal "in one line" "$(grep -c weights.bin "$log")" 1
flip 20000000
mt_heals()
{
	mt_tries=0
	until cmp -s "$weights" "$mnt/weights.bin"; do
		mt_tries=$((mt_tries + 1))
		[ "$mt_tries" -lt 300 ] || return 1
		sleep 0.1
	done
}
check "it heals when it is repaired" mt_heals
check "unmounts" mt_umount

# A tree file that was made for it changes nothing but time.
check "mihfs tree" "$MIHFS" tree --quiet --signature "$bundle" "$model"
mt_mount "$model"
check "with a tree file" cmp "$weights" "$mnt/weights.bin"
check "unmounts" mt_umount

printf y >>"$model/one"
check_status "a longer file is refused" 1 verify
check_said "by name" "one: longer than signed"
check_status "and not mounted" 1 mt_try_mount "$model"
rm "$model/one"
check_status "a missing file is refused" 1 verify
check_said "by name" "one: missing"
mt_end
