#!/bin/sh
# mihfs doctor: every section speaks, problems come with what to do, and the
# exit code says whether a mount can work.
. "${top_srcdir:?}/tests/cli/lib.sh"

run "$MIHFS" doctor
ok "exit code 0 or 3" [ "$code" = 0 -o "$code" = 3 ]
for section in kernel fuse devices limits sandbox mounts; do
	ok "section $section" grep -qx "$section" "$out"
done
prints "the kernel's release" "$(uname -r)"
ok "libfuse" grep -qE '^  libfuse +3\.' "$out"
ok "a measured rate" grep -qE '^  mth4k-sha256 +[a-z0-9]+, [0-9.]+ GB/s' "$out"
ok "open files" grep -qE '^  open_files +([0-9]+|no limit)$' "$out"
ok "Landlock" grep -qE '^  landlock ' "$out"
ok "nothing on stderr" [ ! -s "$err" ]

text_code=$code
run "$MIHFS" doctor --json
ok "--json: the same exit code" [ "$code" = "$text_code" ]
ok "--json: one line" [ "$(wc -l <"$out")" -eq 1 ]
if command -v python3 >/dev/null; then
	cp "$out" "$work/json"
	cat >"$work/look.py" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
for section in "kernel fuse devices limits sandbox mounts".split():
    assert isinstance(d[section], dict), section
assert d["ok"] == (sys.argv[2] == "0")
assert d["ok"] != any(p["fatal"] for p in d["problems"])
for p in d["problems"]:
    assert p["section"] in d and ": " in p["text"], p
PY
	expect 0 "--json: parses, with all its members" \
		python3 "$work/look.py" "$work/json" "$text_code"
fi
expect 2 "doctor takes no operand" "$MIHFS" doctor something
one_line "doctor takes no operand"

# A host on which nothing can be mounted, and what a user sees.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	# shellcheck disable=SC2016 # the inner shell expands it
	run unshare -m --propagation slave sh -c '
		mount -t tmpfs tmpfs /dev && exec "$MIHFS" doctor'
	ok "without /dev/fuse: exit code 3 (got $code)" [ "$code" = 3 ]
	prints "and what to do" "!! /dev/fuse is missing: modprobe fuse"
	run env PATH=/nowhere "$MIHFS" doctor
	prints "without fusermount3" "only root can mount: apt-get install fuse3"
fi
if [ "$(id -u)" = 0 ] && [ -c /dev/fuse ] && unshare -m true 2>/dev/null; then
	make_keys
	make_model "$work/model"
	mkdir "$work/mnt"
	"$MIHFS" sign --quiet --private-key "$key" \
		--signature "$work/signed.json" "$work/model"
	"$MIHFS" mount -f --root "$work/signed.json" --public-key "$pub" \
		--ready-fd 3 "$work/model" "$work/mnt" 3>"$work/ready" \
		2>/dev/null &
	server=$!
	# shellcheck disable=SC2016
	timeout 20 sh -c 'until [ -s "$1" ]; do sleep 0.05; done' sh \
		"$work/ready"
	run "$MIHFS" doctor
	ok "a mount is listed" grep -qE "^  $work/mnt +answers, from " "$out"
	kill -STOP $server
	run "$MIHFS" doctor
	ok "one that hangs does not hang the doctor" \
		grep -qE "^  $work/mnt +does not answer" "$out"
	kill -KILL $server
	wait $server 2>/dev/null
	run "$MIHFS" doctor
	ok "a dead one is told" grep -qE "^  $work/mnt +dead, from " "$out"
	prints "and how to clear it" "mihfs umount $work/mnt"
	umount -l "$work/mnt"
fi
finish
