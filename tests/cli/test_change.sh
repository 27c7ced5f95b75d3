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
finish
