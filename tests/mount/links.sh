#!/bin/sh
# Symbolic links, as in a Hugging Face cache: followed where the operator says
# so, shown as regular files, and never beyond the folder that he names.
. "${top_srcdir:?}/tests/lib/mount.sh"

verify()
{
	"$MIHFS" verify --quiet --signature "$bundle" --public-key "$pub" "$@"
}

mt_begin
cache=$work/hub/models--org--name
model=$cache/snapshots/0123456789abcdef
mkdir -p "$cache/blobs" "$cache/refs" "$model/sub"
printf 0123456789abcdef >"$cache/refs/main"
mt_pattern 3000000 1 >"$cache/blobs/aaaa"
printf '{"hidden_size": 384}\n' >"$cache/blobs/bbbb"
ln -s ../../blobs/aaaa "$model/weights.bin"
ln -s ../../../blobs/bbbb "$model/sub/config.json"

sign="$MIHFS sign --quiet --signature $bundle --private-key $key"
# shellcheck disable=SC2086
{
	check_status "links are refused" 3 $sign "$model"
	check_said "link and target are named" "[a-z.]* -> \.\./"
	check_status "links that lead out are refused" 3 $sign \
		--allow-symlinks "$model"
	check_said "link and target are named" "leads out of the model .*[a-z.]* -> \.\./"
	check_status "the root must hold the model" 2 $sign \
		--symlink-root "$cache/blobs" "$model"
	check_said "and that is said" "not beneath"
	check "signed with --symlink-root" $sign --symlink-root "$cache" \
		"$model"
}
check "verified" verify --symlink-root "$cache" "$model"
check "a root further up" verify --symlink-root "$work" "$model"
check_status "not without" 1 verify "$model"
check_said "link and target are named" "weights.bin -> ../../blobs/aaaa"
check_status "nor mounted without" 1 mt_try_mount "$model" --allow-symlinks
check "link and target are named" grep -F \
	"(weights.bin -> ../../blobs/aaaa)" "$log"

mt_mount "$model" --symlink-root "$cache" --verify mount
for name in weights.bin sub/config.json; do
	check "$name reads" cmp "$model/$name" "$mnt/$name"
	check_equal "$name is a regular file" \
		"$(stat -c %F "$mnt/$name")" "regular file"
done
check "unmounts" mt_umount

# The blob is what is checked, and a link that leads elsewhere is not followed.
mt_mount "$model" --symlink-root "$cache"
ln -sfn ../../../outside "$model/weights.bin"
mt_pattern 3000000 1 >"$work/hub/outside"
check_errno "a link out of the root" "Input/output error" \
	cat "$mnt/weights.bin"
check "unmounts" mt_umount
ln -sfn "$cache/blobs/aaaa" "$model/weights.bin"
check_status "an absolute link is refused" 1 verify --symlink-root "$cache" \
	"$model"
ln -sfn ../../blobs/aaaa "$model/weights.bin"
printf x | dd of="$cache/blobs/aaaa" bs=1 seek=70000 conv=notrunc status=none
mt_mount "$model" --symlink-root "$cache"
check_errno "a changed blob" "Input/output error" cat "$mnt/weights.bin"
check "unmounts" mt_umount
check_status "a changed blob is named" 1 verify --symlink-root "$cache" \
	"$model"
check_said "by the name of its link" "^weights.bin: "

# Somebody signed the flat folder; the same files lie in a cache.
mkdir "$work/flat"
mt_pattern 3000000 1 >"$cache/blobs/aaaa"
cp -rL "$model/." "$work/flat"
mt_sign "$work/flat"
mt_mount "$model" --symlink-root "$cache"
check "a flat model mounts from a cache" cmp "$work/flat/weights.bin" \
	"$mnt/weights.bin"
check "unmounts" mt_umount

check_status "but not when nobody says so" 1 mt_try_mount "$model"
check "and the option is named" grep -F "not followed without" "$log"
mkdir "$work/within"
cp "$work/flat/weights.bin" "$work/within/weights.safetensors"
cp -R "$work/flat/sub" "$work/within"
ln -s weights.safetensors "$work/within/weights.bin"
check_status "nor links within the model" 1 verify --ignore-unsigned-files \
	"$work/within"
check_said "and the option is named" \
	"weights.bin: symbolic link, not followed without --allow-symlinks"
check "the operator may" verify --ignore-unsigned-files --allow-symlinks \
	"$work/within"
mt_mount "$work/within" --allow-symlinks
check "and mount it" cmp "$work/flat/weights.bin" "$mnt/weights.bin"
check_fails "which shows what is signed alone" \
	test -e "$mnt/weights.safetensors"
check "unmounts" mt_umount

# The whole cache is a model too. That its links are followed is signed, so
# nobody has to say it again; out of the model they lead for nobody.
mt_sign "$cache" --allow-symlinks
check "a whole cache is verified" verify "$cache"
mt_mount "$cache" --unsigned=deny
check "a whole cache" diff -r "$cache" "$mnt"
check "unmounts" mt_umount
ln -sfn ../../../outside "$model/weights.bin"
cp "$cache/blobs/aaaa" "$work/hub/outside"
check_status "a link out of it" 1 verify "$cache"
check_said "is refused by name" "weights.bin: symbolic link that leads out"
check_status "nor mounted" 1 mt_try_mount "$cache"
mt_end
