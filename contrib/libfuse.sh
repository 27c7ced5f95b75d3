#!/bin/sh
# Build a newer libfuse than the system has, into a folder of its own, as a
# library that is linked statically. Debian 12 has libfuse 3.14; mapping files
# that are read past the page cache, and passthrough, came with 3.17.
#
#	contrib/libfuse.sh PREFIX
#	./configure PKG_CONFIG_PATH=PREFIX/lib/pkgconfig
#
# The source is the package "fuse3" of a newer Debian (MIHFS_LIBFUSE_SUITE,
# trixie unless said otherwise) from wherever this machine's apt gets Debian
# itself; apt checks it against that suite's signed index. A PREFIX that holds
# the library already is left as it is. Needs root for missing build tools only.
set -eu
[ $# = 1 ] || { echo "usage: $0 PREFIX" >&2; exit 2; }
suite=${MIHFS_LIBFUSE_SUITE:-trixie}
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
[ ! -e "$prefix/lib/pkgconfig/fuse3.pc" ] || exit 0

work=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-libfuse.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail()
{
	[ ! -s "$work/log" ] || tail -n 20 "$work/log" >&2
	echo "libfuse.sh: $*" >&2
	exit 1
}
# quietly STEP COMMAND...: what it prints is shown only if it fails.
quietly()
{
	step=$1
	shift
	"$@" >"$work/log" 2>&1 || fail "cannot $step"
}

export DEBIAN_FRONTEND=noninteractive
missing=
for package in dpkg-dev meson ninja-build gcc; do
	dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
		grep -qx installed || missing="$missing $package"
done
# shellcheck disable=SC2086
[ -z "$missing" ] || quietly "install$missing" \
	apt-get install -y -qq --no-install-recommends $missing

# Where Debian itself comes from here: the archive that has the main suite.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
	"Codename: $codename" "Label: Debian" | sort -u | head -n 1)
[ -n "$archive" ] || fail "no source for $codename among this machine's apt sources"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keyring ] || fail "$keyring: not there; install debian-archive-keyring"

# An apt of its own: neither the machine's lists nor its sources change.
mkdir -p "$work/lists/partial" "$work/source"
echo "deb-src [signed-by=$keyring] $archive $suite main" >"$work/sources.list"
chmod 755 "$work" "$work/lists"
own_apt()
{
	apt-get -o Dir::Etc::SourceList="$work/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$work/lists" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o APT::Sandbox::User=root "$@"
}
quietly "read the index of $suite" own_apt update
cd "$work/source"
quietly "fetch the source of fuse3 from $suite" \
	own_apt source --download-only fuse3
quietly "unpack the source of fuse3" \
	dpkg-source --require-valid-signature=no -x ./*.dsc "$work/fuse3"
quietly "configure libfuse" meson setup "$work/build" "$work/fuse3" \
	--prefix="$prefix" --libdir=lib --buildtype=release \
	-Ddefault_library=static -Dexamples=false -Dtests=false -Dutils=false
quietly "build libfuse" ninja -C "$work/build"
# Installed elsewhere and moved, so that a half-written folder is never taken
# for a finished one.
quietly "install libfuse" env DESTDIR="$work/image" ninja -C "$work/build" install
cp -a "$work/image$prefix/include" "$prefix/"
rm -rf "$prefix/lib.new"
cp -a "$work/image$prefix/lib" "$prefix/lib.new"
mv "$prefix/lib.new" "$prefix/lib"
version=$(sed -n 's/^Version: //p' "$prefix/lib/pkgconfig/fuse3.pc")
echo "libfuse $version is in $prefix"
