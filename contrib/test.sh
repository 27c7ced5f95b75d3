#!/bin/bash
# Everything that is tested, on a fresh Debian 12 as root: installs what is
# needed, builds a copy of this tree elsewhere, runs `make check` with real
# mounts, then signs and serves a real model, and exchanges signatures with the
# reference implementation of OpenSSF Model Signing, and fuzzes the parsers for
# a minute (MIHFS_FUZZ_SECONDS: longer).
#
#	contrib/test.sh
#
# The last line is always "N passed, N failed, N skipped". The status is 0
# only if nothing failed and, where mounts are possible, none was skipped.
# MIHFS_TEST_DIR=DIR keeps the build and all logs in DIR.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
passed=0 failed=0 skipped=0
dir=${MIHFS_TEST_DIR-}
if [ -z "$dir" ]; then
	dir=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-check.XXXXXX") || exit 1
	trap 'rm -rf "$dir"' EXIT
fi
mkdir -p "$dir/build" || exit 1
dir=$(cd "$dir" && pwd)
src=$dir/src build=$dir/build

say()
{
	printf '== %s\n' "$*"
}

# step NAME COMMAND...: quiet unless it fails; a failure counts as one.
step()
{
	local name=$1 log=$dir/$1.log
	shift
	say "$name"
	"$@" >"$log" 2>&1 && return
	tail -n 60 "$log"
	say "$name failed"
	failed=$((failed + 1))
	finish
}

# The files that belong to the tree, wherever it was built before.
copy_source()
{
	rm -rf "$src"
	mkdir -p "$src"
	if git -C "$top" rev-parse >/dev/null 2>&1; then
		git -C "$top" -c safe.directory='*' ls-files -z --cached \
			--others --exclude-standard |
			tar -C "$top" --null --ignore-failed-read -T - -cf - |
			tar -C "$src" -xf -
	else
		tar -C "$top" --exclude='./build*' --exclude='*.o' -cf - . |
			tar -C "$src" -xf -
	fi
}

prepare()
{
	cd "$src" && ./autogen.sh && cd "$build" &&
		"$src/configure" -q --enable-werror && make -s -j"$(nproc)"
}

# What a machine without nvcc and OpenCL headers builds.
# Without devices, and with the libfuse of a newer suite: that of Debian 12 does
# not know all ways of serving.
prepare_plain()
{
	local libfuse=$dir/libfuse
	mkdir -p "$dir/plain" && "$top/contrib/deps.sh" libfuse "$libfuse" &&
		cd "$dir/plain" && "$src/configure" -q --enable-werror \
		--without-cuda --without-opencl \
		PKG_CONFIG_PATH="$libfuse/lib/pkgconfig" &&
		make -s -j"$(nproc)" all check TESTS=
}

# at_least 6.9: is this Linux that new?
at_least()
{
	printf '%s\n' "$1" "$(uname -r)" | sort -CV
}

check_plain()
{
	local tests
	tests=$(cd "$src" && echo tests/serve/*.sh tests/mount/*.sh \
		tests/attack/replay.sh)
	if at_least 6.9; then
		export MIHFS_EXPECT_SERVE=1
	fi
	make -C "$dir/plain" -k check VERBOSE=0 TESTS="$tests" >"$dir/plain.log" 2>&1
	grep -E '^# (TOTAL|PASS|SKIP|FAIL|ERROR|XPASS)' "$dir/plain.log"
}

# Results of one TAP log that Automake's driver has judged (.trs).
count()
{
	local trs=$1 p f s
	p=$(grep -cE '^:test-result: (PASS|XFAIL)' "$trs")
	f=$(grep -cE '^:test-result: (FAIL|ERROR|XPASS)' "$trs")
	s=$(grep -c '^:test-result: SKIP' "$trs")
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$f" != 0 ]; then
		say "${trs%.trs}.log"
		grep -vE '^ok |^PASS: ' "${trs%.trs}.log" | tail -n 80
	elif [ "$p" = 0 ] && [ "$s" != 0 ] && mount_test_lost "$trs"; then
		say "$trs: skipped, though this host can mount"
		failed=$((failed + 1))
	fi
}

mount_test_lost()
{
	[ "$(id -u)" = 0 ] && [ -c /dev/fuse ] &&
		[[ $1 = */mount/* || $1 = */serve/* || $1 = */kubernetes/* ]]
}

# stage NAME SCRIPT: a script outside `make check` that speaks TAP.
stage()
{
	local out=$build/stages/$1
	say "$1"
	mkdir -p "$build/stages"
	(cd "$build" && sh "$src/build-aux/tap-driver.sh" --test-name "$1" \
		--log-file "$out.log" --trs-file "$out.trs" \
		--color-tests no --enable-hard-errors yes \
		--expect-failure no -- "$src/$2") </dev/null | grep -v ^PASS
	[ -s "$out.trs" ] || : >"$out.trs"
	grep -q ^:test-result: "$out.trs" ||
		echo ":test-result: ERROR $1" >>"$out.trs"
}

finish()
{
	local trs
	while IFS= read -r trs; do
		count "$trs"
	done < <(find "$build" "$dir/plain" -name '*.trs' | sort)
	printf '%d passed, %d failed, %d skipped\n' $passed $failed $skipped
	[ $failed = 0 ]
	exit
}

export MIHFS=$build/mihfs top_srcdir=$src top_builddir=$build
export MIHFS_EXPECT_FEATURES=$src/tests/lint/expected-features
# Where a mount is possible, a test that cannot mount has failed; and readers
# race a writer for as long as the promise says.
if [ "$(id -u)" = 0 ] && [ -c /dev/fuse ]; then
	export MIHFS_REQUIRE_FUSE=1
fi
export MIHFS_STRESS_SECONDS=${MIHFS_STRESS_SECONDS:-30}

find "$build" "$dir/plain" -name '*.trs' -delete 2>/dev/null
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	step packages "$top/contrib/deps.sh" test
fi
step copy copy_source
step build prepare
step build-plain prepare_plain
say "make check"
make -C "$build" -k check VERBOSE=0 >"$dir/check.log" 2>&1
check_status=$?
grep -E '^# (TOTAL|PASS|SKIP|FAIL|ERROR|XPASS)' "$dir/check.log"
# A make that stopped before it ran the tests leaves nothing to count.
if [ $check_status != 0 ] && ! grep -q '^# TOTAL' "$dir/check.log"; then
	tail -n 60 "$dir/check.log"
	failed=$((failed + 1))
fi
say "make check with a newer libfuse"
(check_plain)
stage scripts contrib/lint_scripts.sh
stage real-model contrib/real_model.sh
stage recipes contrib/recipes_check.sh
stage interop contrib/interop.sh
stage kubernetes contrib/kubernetes/check.sh
stage fuzz contrib/fuzz.sh
finish
