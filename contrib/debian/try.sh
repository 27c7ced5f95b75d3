#!/bin/sh
# Install the Debian package in a bare Debian 12, use it, and purge it. TAP.
#
#	contrib/debian/try.sh BASE PACKAGE
#
# BASE is as in contrib/chroot.sh. Needs root, a mirror and /dev/fuse.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"

if [ "${1-}" != --within ]; then
	share=$(mktemp -d) || exit 1
	trap 'rm -rf "$share"' EXIT
	cp "$2" "$share/mihfs.deb" || exit 1
	cp "$0" "$top_srcdir/tests/lib/tap.sh" "$share" || exit 1
	openssl ecparam -name prime256v1 -genkey -noout -out "$share/key.pem" &&
		openssl ec -in "$share/key.pem" -pubout \
			-out "$share/key.pub" 2>/dev/null || exit 1
	"$top_srcdir/contrib/chroot.sh" "$1" "$share" \
		sh /share/try.sh --within
	exit
fi

# --- what follows runs in the bare system -------------------------------
# shellcheck source=tests/lib/tap.sh
. /share/tap.sh
export DEBIAN_FRONTEND=noninteractive

installed()
{
	dpkg-query -W -f '${db:Status-Status}' mihfs
}

# Names with mihfs in them, where packages and their scripts put files.
found()
{
	find /bin /boot /etc /lib /opt /run /sbin /srv /usr /var -xdev \
		-name '*mihfs*' ! -path '/var/lib/apt/*' ! -path '/var/cache/*'
}

install_package()
{
	apt-get update -qq &&
		apt-get install -y -qq --no-install-recommends /share/mihfs.deb
}

enabled_units()
{
	find /etc/systemd /var/lib/systemd -name '*mihfs*' 2>/dev/null
}

serve()
{
	mkdir /tmp/model /tmp/mnt && seq 200000 >/tmp/model/weights &&
		mihfs sign --private-key /share/key.pem \
			--signature /tmp/signed.json /tmp/model &&
		mihfs --root /tmp/signed.json --public-key /share/key.pub \
			/tmp/model /tmp/mnt
}

spoil()
{
	printf X | dd of=/tmp/model/weights bs=1 seek=1000000 conv=notrunc
}

refused()
{
	! cat /tmp/mnt/weights >/dev/null
}

tap_equal "nothing of it is there before" "" "$(found)"
tap_check "apt installs it and what it needs" install_package
tap_equal "it is installed" installed "$(installed)"
tap_empty "no library is missing" "$(ldd /usr/bin/mihfs | grep 'not found')"
tap_check "it runs" mihfs --version
tap_empty "no unit is enabled" "$(enabled_units)"
tap_check "it signs and mounts" serve
tap_check "it serves what was signed" cmp /tmp/model/weights /tmp/mnt/weights
tap_check "unmount" umount /tmp/mnt
tap_check "spoil a byte" spoil
tap_check "mount again" mihfs --root /tmp/signed.json \
	--public-key /share/key.pub /tmp/model /tmp/mnt
tap_check "it refuses what was not signed" refused
tap_check "unmount again" umount /tmp/mnt
tap_check "apt purges it" apt-get purge -y -qq mihfs
tap_empty "it is gone" "$(installed 2>/dev/null)"
tap_empty "nothing is left" "$(found)"
tap_done
