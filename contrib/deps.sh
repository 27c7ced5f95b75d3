#!/bin/sh
# Install what mihfs needs on Debian 12 (or another Debian with apt-get).
#
#	contrib/deps.sh [build|test|package|all]
#	contrib/deps.sh libfuse PREFIX
#
# build: to build, run and mount (default).  test: also what contrib/test.sh
# uses.  package: for contrib/ci.sh package.  all: also Valgrind and more for
# the other jobs of contrib/ci.sh.  libfuse: a newer libfuse (see libfuse.sh).
# Needs root only if something is missing; quick when nothing is.
set -eu

build_packages='build-essential autoconf automake pkg-config xz-utils
libfuse3-dev fuse3 libssl-dev openssl libjansson-dev libxxhash-dev
libcmocka-dev opencl-headers libseccomp-dev libmicrohttpd-dev'

# python3-torch computes the embedding of the real model; b3sum is the oracle
# for BLAKE3; PoCL is an OpenCL device that every machine can have; attr reads
# the extended attributes of a mount; zsh and fish have their completions tried;
# clang with its runtime library fuzzes the parsers.
test_packages='python3 python3-venv python3-pip python3-torch ca-certificates
attr b3sum pocl-opencl-icd mandoc shellcheck universal-ctags procps psmisc
zsh fish clang libclang-rt-dev'

package_packages='debhelper lintian debootstrap pkgconf'

desk_packages='clang-format-14 llvm valgrind git'

case ${1-build} in
build) wanted=$build_packages ;;
test) wanted="$build_packages $test_packages" ;;
package) wanted="$build_packages $package_packages" ;;
all)
	wanted="$build_packages $test_packages $package_packages $desk_packages"
	;;
libfuse) exec "$(dirname "$0")/libfuse.sh" "${2:?PREFIX is missing}" ;;
*)
	echo "usage: $0 [build|test|package|all] | libfuse PREFIX" >&2
	exit 2
	;;
esac

missing=
for package in $wanted; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) ||
		state=
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "deps.sh: run as root, or install:$missing" >&2
	exit 1
fi
echo "deps.sh: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
install() { apt-get install -y -qq --no-install-recommends $missing; }
# The package lists of a fresh machine are empty or old: fetch them on demand.
{ install || { apt-get update -qq && install; }; } >/dev/null
