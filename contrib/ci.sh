#!/bin/bash
# One gate by name, the same for continuous integration and a desk.
#
#	contrib/ci.sh JOB...
#
#	test          contrib/test.sh, everything a person would run
#	werror-gcc    gcc, warnings are errors, make check
#	werror-clang  the same with clang
#	asan          AddressSanitizer and UBSan, unit and mount tests
#	tsan          ThreadSanitizer, unit and mount tests
#	valgrind      unit tests under Valgrind
#	fuzz          contrib/fuzz.sh, MIHFS_FUZZ_SECONDS long
#	no-devices    --without-cuda --without-opencl
#	distcheck     make distcheck
#	package       the Debian package and the image, built and used
#	lint          the linters under tests/lint
#	scripts       shellcheck
#	format        every C file is as clang-format-14 would write it
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1}
# A mount that is ended by force leaves its threads to the kernel: no leak.
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:report_thread_leaks=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export MIHFS_STRESS_SECONDS=${MIHFS_STRESS_SECONDS:-5}

# build [CONFIGURE ARGUMENT...]: in a folder of its own, which is removed.
build()
{
	dir=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-ci.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	[ -x "$top/configure" ] || (cd "$top" && ./autogen.sh)
	cd "$dir"
	"$top/configure" -q "$@"
	make -s -j"$(nproc)"
}

check()
{
	if ! make -s check >check.log 2>&1; then
		grep -E '^(FAIL|ERROR|# )|error:' check.log || tail -n 60 check.log
		return 1
	fi
	grep '^# ' check.log
}

job()
{
	case $1 in
	test) "$top/contrib/test.sh" ;;
	werror-gcc)
		build --enable-werror CC=gcc
		check
		;;
	werror-clang)
		build --enable-werror CC=clang
		check
		;;
	asan)
		export MIHFS_MEMORY_FACTOR=4 # what was freed stays for a while
		build --enable-werror --enable-sanitizers=address,undefined \
			CFLAGS='-O1 -g'
		check
		;;
	tsan)
		export MIHFS_MEMORY_FACTOR=4
		build --enable-werror --enable-sanitizers=thread CFLAGS='-O1 -g'
		check
		;;
	valgrind)
		build CFLAGS='-O1 -g'
		valgrind_check
		;;
	fuzz)
		build
		results=$("$top/contrib/fuzz.sh")
		echo "$results"
		! echo "$results" | grep -q '^not ok'
		;;
	no-devices)
		build --enable-werror --without-cuda --without-opencl
		check
		;;
	distcheck)
		build
		make -s distcheck
		;;
	package) package_check ;;
	lint)
		build
		make -s lint
		;;
	scripts) scripts_check ;;
	format) format_check ;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
		return 2
		;;
	esac
}

# The unit tests are the programs; scripts would only check the shell.
valgrind_check()
{
	make -s check TESTS=
	for program in test_*; do
		if [ ! -x "$program" ]; then continue; fi
		valgrind -q --error-exitcode=99 --leak-check=full \
			"./$program" >valgrind.log 2>&1 || {
			cat valgrind.log
			return 1
		}
	done
}

# Root, a mirror and /dev/fuse: see contrib/deps.sh package.
package_check()
{
	dir=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-ci.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	"$top/contrib/debian/build.sh" "$dir" >"$dir/build.log" 2>&1 || {
		tail -n 60 "$dir/build.log"
		return 1
	}
	"$top/contrib/debian/try.sh" "$dir/base" \
		"$dir"/mihfs_*_"$(dpkg --print-architecture)".deb |
		tee "$dir/results"
	"$top/contrib/container/check.sh" "$dir/base" | tee -a "$dir/results"
	! grep -q '^not ok' "$dir/results"
}

scripts_check()
{
	results=$(sh "$top/contrib/lint_scripts.sh")
	echo "$results" | tail -n 1
	! echo "$results" | grep -A20 '^not ok'
}

format_check()
{
	cd "$top"
	# Tables of vectors keep the layout of their source.
	find src tests contrib -name '*.[ch]' ! -name vectors.c -exec \
		clang-format-14 --dry-run -Werror {} +
}

[ $# -gt 0 ] || set -- help
for name in "$@"; do
	echo "== $name"
	(job "$name")
done
