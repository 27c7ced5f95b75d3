# tests/cli/lib.sh - what the tests of the commands share; sourced, not run.
#
# Each test calls `expect CODE COMMAND...`, looks at $out and $err, and ends
# with `finish`. Output is TAP. No set -e: a failed check is a "not ok" line.

: "${MIHFS:?}" "${top_srcdir:?}"
umask 022 # keys that a group may write to make mihfs say so
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

# make_keys: $key and $pub, and $other_pub of somebody else
make_keys() {
	# shellcheck disable=SC2034
	key=$work/key.pem pub=$work/key.pub other_pub=$work/other.pub
	for name in key other; do
		openssl ecparam -name prime256v1 -genkey -noout \
			-out "$work/$name.pem" &&
			openssl ec -in "$work/$name.pem" -pubout \
				-out "$work/$name.pub" 2>/dev/null || exit 99
	done
}

# pattern BYTES: so many bytes that differ from place to place
pattern() {
	seq 1 $(($1 / 4 + 1)) | head -c "$1"
}

# make_model DIR: empty, tiny and larger files, nested, with awkward names
make_model() {
	mkdir -p "$1/a/b/c" &&
		: >"$1/empty" &&
		printf x >"$1/one byte" &&
		printf '{}' >"$1/a/config.json" &&
		pattern 65536 >"$1/a/group" &&
		pattern 65537 >"$1/a/b/group+1" &&
		pattern 1048576 >"$1/a/b/mib" &&
		pattern 9500000 >"$1/a/b/c/weights.bin" &&
		printf y >"$1/$(printf 'new\nline')" &&
		printf z >"$1/$(printf 'na\303\257ve')" || exit 99
}

# poke FILE OFFSET: change the byte there
poke() {
	byte=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1)
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
