#!/bin/sh
# Names, attributes, folders and extended attributes of a mount.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

# names DIR: every path below it, sorted
names() {
	(cd "$1" && find . -print0 | LC_ALL=C sort -z | od -c)
}

xattr() {
	getfattr --absolute-names --only-values -n "user.mihfs.$1" "$2"
}

mt_begin
mt_model "$work/model"
long=$(printf '%0255d' 7)
printf long >"$work/model/$long"
mkdir -p "$work/model/p/q/r/s/t"
printf deep >"$work/model/p/q/r/s/t/u"
mt_sign "$work/model"
mt_mount "$work/model"

check_equal "names are those that were signed" "$(names "$mnt")" \
	"$(names "$work/model")"
check "contents too, under every name" diff -r "$work/model" "$mnt"
check_equal "a listing is the same the second time" "$(names "$mnt")" \
	"$(names "$work/model")"

check_equal "files: mode, owner, links, size, blocks, times" \
	"$(stat -c '%a %u %g %h %s %b %Y %F' "$mnt/weights.safetensors")" \
	"444 0 0 1 5000003 9766 0 regular file"
check_equal "folders: mode, owner, links" "$(stat -c '%a %u %g %h' "$mnt/sub")" \
	"555 0 0 3"
check_equal "'..' is the folder above" "$(stat -c %i "$mnt/sub/..")" \
	"$(stat -c %i "$mnt")"
inode=$(stat -c %i "$mnt/sub/a")
mt_umount
mt_mount "$work/model"
check_equal "inode numbers outlive the mount" "$(stat -c %i "$mnt/sub/a")" \
	"$inode"

check_errno "a name that is not there" "No such file" cat "$mnt/nothing"
check_errno "and not there when asked again" "No such file" cat "$mnt/nothing"
check_errno "a file is no folder" "Not a directory" cat "$mnt/config.json/x"
check_errno "a folder is no file" "Is a directory" cat "$mnt/sub"

printf new >"$work/model/unsigned.py"
check_errno "an unsigned file is hidden" "No such file" cat "$mnt/unsigned.py"
rm "$work/model/unsigned.py"

blocks=$(find "$work/model" -type f -printf '%s\n' |
	awk '{ n += int(($1 + 4095) / 4096) } END { print n }')
check_equal "statfs: all blocks, none free, inodes" \
	"$(stat -f -c '%S %b %f %a %c %d' "$mnt")" "4096 $blocks 0 0 22 0"
check_equal "/proc/mounts names model and type" \
	"$(awk -v m="$mnt" '$2 == m { print $1, $3 }' /proc/mounts)" \
	"$work/model fuse.mihfs"
check_equal "the mount is ro, nosuid, nodev" \
	"$(awk -v m="$mnt" '$2 == m { print $4 }' /proc/mounts | cut -d, -f1-3)" \
	"ro,nosuid,nodev"

if command -v getfattr >/dev/null; then
	file=$mnt/one-group
	check_equal "xattr: nothing was read yet" "$(xattr status "$file")" \
		unverified
	cat "$file" >/dev/null
	check_equal "xattr: a file that was read" "$(xattr status "$file")" \
		verified
	check_equal "xattr: how much of it" "$(xattr verified_bytes "$file")" \
		65536
	check_equal "xattr: of the whole model" "$(xattr status "$mnt")" partial
	check "xattr: the signer" sh -c "getfattr --absolute-names \
		--only-values -n user.mihfs.signer '$mnt' | grep -q '^key '"
	check_equal "xattr: the algorithm" "$(xattr algorithm "$file")" \
		mth4k-sha256
	check_equal "xattr: the digest has its length" \
		"$(xattr digest "$file" | wc -c)" 64
	check_equal "xattr: the root digest too" \
		"$(xattr root "$mnt" | wc -c)" 64
	check_equal "xattr: the list of a file" \
		"$(getfattr --absolute-names "$file" | grep -c '^user.mihfs.')" 5
	check_equal "xattr: the list of the root" \
		"$(getfattr --absolute-names "$mnt" | grep -c '^user.mihfs.')" 3
	check_equal "xattr: other folders have none" \
		"$(getfattr --absolute-names "$mnt/sub")" ""
	check_errno "xattr: no others" "No such attribute" \
		getfattr -n user.other "$file"
	check_errno "xattr: none of the system's" "No such attribute" \
		getfattr -n security.capability "$file"
fi
check "it ends in order" mt_umount
mt_end
