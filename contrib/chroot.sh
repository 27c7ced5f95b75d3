#!/bin/sh
# Run a command in a fresh, minimal Debian 12 that forgets everything after.
#
#	contrib/chroot.sh BASE FOLDER COMMAND [ARGUMENT...]
#
# BASE is that Debian; if there is nothing yet, debootstrap makes it, from the
# mirror that apt uses here or from MIHFS_MIRROR. FOLDER is seen as /share, and
# what is written there stays. Needs root and overlayfs.
set -eu
base=$1 share=$(cd "$2" && pwd)
shift 2

mirror()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -v security | head -n 1
}

if [ ! -e "$base/etc/debian_version" ]; then
	mkdir -p "$base"
	debootstrap --variant=minbase bookworm "$base" \
		"${MIHFS_MIRROR:-$(mirror)}" >"$base.log" 2>&1 || {
		tail -n 3 "$base.log" >&2
		exit 1
	}
	rm "$base.log"
fi
# All mounts are in a namespace of their own and end with it.
over=$(mktemp -d)
trap 'rmdir "$over"' EXIT
MIHFS_BASE=$(cd "$base" && pwd) MIHFS_SHARE=$share
export MIHFS_BASE MIHFS_SHARE
# shellcheck disable=SC2016
unshare --mount --propagation private sh -euc '
	mount -t tmpfs mihfs-chroot "$0"
	cd "$0"
	mkdir upper work root
	mount -t overlay mihfs-chroot -o \
		"lowerdir=$MIHFS_BASE,upperdir=upper,workdir=work" root
	mount -t proc proc root/proc
	mount --rbind /dev root/dev
	mkdir root/share
	mount --bind "$MIHFS_SHARE" root/share
	cp /etc/resolv.conf root/etc/
	exec chroot root "$@"' "$over" "$@"
