#!/bin/sh
# mount(8) and fstab(5), by mount.mihfs and by mount.fuse3, in a namespace of
# mounts where the programs are where mount(8) looks for them.
: "${top_srcdir:=$(dirname "$0")/../..}"
if [ -z "${MIHFS_NAMESPACE-}" ] && [ "$(id -u)" = 0 ] &&
	unshare -m true 2>/dev/null; then
	MIHFS_NAMESPACE=1 exec unshare -m "${SHELL:-/bin/sh}" "$0"
fi
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

# cover DIR NAME: in this namespace DIR has mihfs as NAME too
cover() {
	mkdir -p "$work/covered$1" "$work/cover$1" &&
		mount --bind "$1" "$work/covered$1" &&
		ln -s "$work/covered$1"/* "$work/cover$1/" 2>/dev/null
	ln -sf "$MIHFS" "$work/cover$1/$2" &&
		mount --bind "$work/cover$1" "$1"
}

is_mounted() {
	grep -qF " $mnt ro,nosuid,nodev" /proc/self/mountinfo
}

# mounts DESCRIPTION MODEL ARGUMENT...: the mount is right, and ends
mounts() {
	what=$1
	of=$2
	shift 2
	check "$what" mount "$@"
	check "... it is read-only, nosuid and nodev" is_mounted
	check "... and holds what was signed" diff -r "$of" "$mnt"
	umount "$mnt"
}

mt_begin
[ -n "${MIHFS_NAMESPACE-}" ] || mt_skip "no namespace of mounts"
mt_model "$work/model"
mt_sign "$work/model"
comma="$work/a,b c"
mkdir "$comma"
cp -a "$work/model" "$comma/model"
cp "$bundle" "$bundle.tree" "$comma/"
cover /sbin mount.mihfs || mt_skip "/sbin cannot be covered"
cover /usr/local/bin mihfs || mt_skip "/usr/local/bin cannot be covered"

options="root=$bundle,public-key=$pub"
mounts "mount -t mihfs" "$work/model" -t mihfs "$work/model" "$mnt" \
	-o "$options"
mounts "with words that are for others" "$work/model" -t mihfs \
	"$work/model" "$mnt" -o \
	"_netdev,nofail,x-systemd.automount,user,noauto,$options,allow_other"
mounts "rw, which mount(8) says by itself" "$work/model" -t mihfs -w \
	"$work/model" "$mnt" -o "rw,$options"
mounts "mount -r -n -v" "$work/model" -r -n -v -t mihfs "$work/model" "$mnt" \
	-o "$options"
mounts "a comma in a path" "$work/model" -t mihfs "$comma/model" "$mnt" \
	-o "root=$work/a\\,b c/signed.json,public-key=$pub"
mounts "an unknown option with -s" "$work/model" -s -t mihfs "$work/model" \
	"$mnt" -o "nonsense=1,$options"
mounts "mount -t fuse.mihfs" "$work/model" -t fuse.mihfs "$work/model" "$mnt" \
	-o "$options,_netdev,nofail"

cat >"$work/fstab" <<EOF
$work/model $mnt mihfs defaults,_netdev,nofail,x-y.z=1,$options 0 0
EOF
mounts "a line of fstab" "$work/model" -T "$work/fstab" "$mnt"
cat >"$work/fstab" <<EOF
$work/a,b\\040c/model $mnt mihfs root=$work/a\\,b\\040c/signed.json,public-key=$pub 0 0
EOF
mounts "with a comma and a blank" "$work/model" -T "$work/fstab" -a
cat >"$work/fstab" <<EOF
$work/model $mnt fuse.mihfs $options,allow_other 0 0
EOF
mounts "with the type of mount.fuse3" "$work/model" -T "$work/fstab" "$mnt"

# What does not come to a mount.
check "-f mounts nothing" mount -f -t mihfs "$work/model" "$mnt" -o "$options"
check_status "an option without a value" 1 /sbin/mount.mihfs \
	"$work/model" "$mnt" -o "root"
check_status "the next word is no value" 1 /sbin/mount.mihfs \
	"$work/model" "$mnt" -o "$options,metrics-file,expect-digest=00"
check_said "but missed" "metrics-file lacks its value"
check_status "two -o" 1 /sbin/mount.mihfs "$work/model" "$mnt" \
	-o expect-digest=00 -o "$options"
check_said "of which neither is dropped" "more than one -o"
check_status "no root" 1 mount -t mihfs "$work/model" "$mnt" -o ro
check_said "says what is missing" "root FILE is missing"
check_status "an unknown letter" 1 /sbin/mount.mihfs "$work/model" "$mnt" -x
check_status "no mount point" 1 /sbin/mount.mihfs "$work/model" -o "$options"
check_status "a bundle that is not there" 32 mount -t mihfs "$work/model" \
	"$mnt" -o "root=$work/none,public-key=$pub"
printf x >>"$work/model/config.json"
check_status "a file of another size" 32 mount -t mihfs "$work/model" "$mnt" \
	-o "$options"
check_said "is named" "config.json"
check_status "no permission" 1 setpriv --reuid 65534 --clear-groups \
	/sbin/mount.mihfs "$work/model" "$mnt" -o "$options"
check_fails "none of them mounted anything" is_mounted
mt_end
