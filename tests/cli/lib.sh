# tests/cli/lib.sh - what the tests of the commands share; sourced, not run.
#
# Each test calls `expect CODE COMMAND...`, looks at $out and $err, and ends
# with `finish`. Output is TAP. No set -e: a failed check is a "not ok" line.

: "${MIHFS:?}" "${top_srcdir:?}"
work=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
out=$work/.out err=$work/.err
LC_ALL=C
export LC_ALL
unset MIHFS_TRUST_DIR
tests=0

# ok WHAT COMMAND...: one test point
ok() {
	what=$1
	shift
	tests=$((tests + 1))
	if "$@"; then
		echo "ok $tests - $what"
	else
		echo "not ok $tests - $what"
		sed 's/^/# out: /' "$out"
		sed 's/^/# err: /' "$err"
	fi
}

# run COMMAND...: its exit code in $code, its output in $out and $err
run() {
	"$@" >"$out" 2>"$err" </dev/null
	code=$?
}

# expect CODE WHAT COMMAND...: run, and compare the exit code
expect() {
	want=$1
	what=$2
	shift 2
	run "$@"
	ok "$what: exit code $want (got $code)" [ "$code" -eq "$want" ]
}

# says WHAT TEXT: stderr holds TEXT
says() {
	ok "$1" grep -qF -e "$2" "$err"
}

# prints WHAT TEXT: stdout holds TEXT
prints() {
	ok "$1" grep -qF -e "$2" "$out"
}

# one_line WHAT: stderr is exactly one line, stdout nothing
one_line() {
	ok "$1: one line on stderr" [ "$(wc -l <"$err")" -eq 1 ]
	ok "$1: nothing on stdout" [ ! -s "$out" ]
}

finish() {
	echo "1..$tests"
}
