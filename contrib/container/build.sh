#!/bin/sh
# Fill a folder with the whole file system of an image: mihfs and the closure
# of its libraries. The Dockerfile runs it in a stage that has what
# contrib/deps.sh installs.
#
#	contrib/container/build.sh FOLDER
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
image=$(cd "$1" && pwd)

[ -x "$top/configure" ] || (cd "$top" && ./autogen.sh)
build=$(mktemp -d)
cd "$build"
# Devices are found at run time; an image with drivers can be built on this one.
"$top/configure" -q --prefix=/usr --sysconfdir=/etc --without-cuda \
	--with-bash-completion-dir=no --with-zsh-completion-dir=no \
	--with-fish-completion-dir=no
make -s -j"$(nproc)"
make -s install-strip DESTDIR="$image"
rm -rf "$build" "$image/usr/share/man" "$image/usr/share/doc"

# The loader names itself without an arrow.
ldd "$image/usr/bin/mihfs" |
	awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' |
	xargs cp -L --parents -t "$image"

# Public keys are put into trust.d, models and bundles where one likes.
mkdir -p "$image/etc/mihfs/trust.d" "$image/tmp"
chmod 1777 "$image/tmp"
echo 'nobody:x:65534:65534:nobody:/:/nonexistent' >"$image/etc/passwd"
echo 'nobody:x:65534:' >"$image/etc/group"
