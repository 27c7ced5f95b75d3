#!/bin/sh
# Files that change or vanish while they are read, and an impatient user.
. "${top_srcdir:?}/tests/cli/lib.sh"
make_keys
model=$work/model
sig=$work/signed.json
mkdir "$model"
# Sparse, so that reading takes a while and the disk does not.
truncate -s 1500M "$model/large"
printf x >"$model/small"

# start COMMAND...: run it in the background; true once it reads the large file
start() {
	"$@" >"$out" 2>"$err" </dev/null &
	child=$!
	for _ in $(seq 200); do
		find "/proc/$child/fd" -lname "*/large" 2>/dev/null |
			grep -q . && return 0
		sleep 0.02
	done
	return 1
}

nothing_left() {
	ok "$1: nothing is left behind" [ -z "$(find "$work" \
		-maxdepth 1 -name '*signed.json*')" ]
}

sign() {
	start "$MIHFS" sign --signature "$sig" --private-key "$key" "$model"
}

ok "sign begins to read" sign
printf x | dd of="$model/large" bs=1 seek=5 conv=notrunc 2>/dev/null
wait "$child"
code=$?
ok "written to while signing: exit code 3 (got $code)" [ "$code" -eq 3 ]
says "written to while signing: named" "large: changed while it was read"
nothing_left "written to while signing"

ok "sign begins to read again" sign
truncate -s 500M "$model/large"
wait "$child"
code=$?
ok "cut while signing: exit code 3 (got $code)" [ "$code" -eq 3 ]
says "cut while signing: named" "large: "
nothing_left "cut while signing"

truncate -s 1500M "$model/large"
ok "sign begins to read once more" sign
truncate -s 2G "$model/large"
wait "$child"
code=$?
ok "grown while signing: exit code 3 (got $code)" [ "$code" -eq 3 ]
says "grown while signing: named" "large: longer than expected"
nothing_left "grown while signing"

for signal in INT TERM HUP; do
	ok "sign begins to read before SIG$signal" sign
	kill -$signal "$child"
	wait "$child"
	code=$?
	ok "SIG$signal: exit code 3 (got $code)" [ "$code" -eq 3 ]
	one_line "SIG$signal"
	nothing_left "SIG$signal"
done

# The same after all is read, and a file system that fails at the last step:
# nothing is left of the new files, and the old ones are as they were.
truncate -s 1M "$model/large"

# traced INJECTION COMMAND...
traced() {
	injection=$1
	shift
	run strace -f -qq -o "$work/trace" -e trace=fsync,rename \
		-e inject="$injection" "$MIHFS" "$@"
}

resign() {
	traced "$1" sign --signature "$sig" --private-key "$key" "$model"
}

late_failures() {
	for how in signal=INT:when=1 signal=TERM:when=2; do
		resign "fsync:$how"
		ok "$1, $how: exit code 3 (got $code)" [ "$code" -eq 3 ]
		says "$1, $how: told" "interrupted"
		"$2" "$1, $how"
	done
	resign "rename:error=EIO:when=2"
	ok "$1, no rename: exit code 3 (got $code)" [ "$code" -eq 3 ]
	"$2" "$1, no rename"
}

as_before() {
	ok "$1: the bundle is as before" cmp "$sig" "$work/old.json"
	ok "$1: the sidecar is as before" cmp "$sig.tree" "$work/old.tree"
	ok "$1: and nothing else" [ "$(find "$work" -maxdepth 1 \
		-name 'signed.json*' | wc -l)" -eq 2 ]
}

# Not everywhere may one process trace another.
traced rename:error=EIO --version
if [ "$code" -eq 0 ]; then
	late_failures "first" nothing_left
	run "$MIHFS" sign --quiet --signature "$sig" --private-key "$key" \
		"$model"
	mv "$sig" "$work/old.json"
	mv "$sig.tree" "$work/old.tree"
	cp "$work/old.json" "$sig"
	cp "$work/old.tree" "$sig.tree"
	printf x >>"$model/large"
	late_failures "again" as_before
	# The bundle has its name: too late.
	resign "rename:signal=INT:when=2"
	ok "signal at the end: exit code 0 (got $code)" [ "$code" -eq 0 ]
	run "$MIHFS" verify --signature "$sig" --public-key "$pub" "$model"
	ok "signal at the end: signed (got $code)" [ "$code" -eq 0 ]
fi
finish
