#!/bin/sh
# Build the Debian package of this tree in a scratch folder, and let lintian
# judge it.
#
#	contrib/debian/build.sh [FOLDER]
#
# FOLDER (default: the working directory) receives the packages. Needs
# debhelper, lintian and what contrib/deps.sh installs. The tests of the tree
# are not run again unless DEB_BUILD_OPTIONS is set, perhaps to nothing.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
result=$(cd "${1:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-deb.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-nocheck}"

[ -x "$top/configure" ] || (cd "$top" && ./autogen.sh)
mkdir "$scratch/dist"
cd "$scratch/dist"
"$top/configure" -q --without-cuda
make -s dist-xz
version=$(sed -n 's/^mihfs (\(.*\)-[^-]*).*/\1/p' "$top/contrib/debian/changelog")
[ -f "mihfs-$version.tar.xz" ] || {
	echo "build.sh: contrib/debian/changelog is not of this version" >&2
	exit 1
}
mv "mihfs-$version.tar.xz" "$scratch/mihfs_$version.orig.tar.xz"

cd "$scratch"
tar -xf "mihfs_$version.orig.tar.xz"
cp -R "mihfs-$version/contrib/debian" "mihfs-$version/debian"
rm "mihfs-$version/debian/build.sh" "mihfs-$version/debian/try.sh"
(cd "mihfs-$version" && dpkg-buildpackage -us -uc)
cp ./*.deb ./*.dsc ./*.changes ./*.buildinfo ./*.tar.* "$result"
lintian --fail-on error,warning --allow-root ./*.changes
