#!/bin/sh
# Where the lines of a mount go, and what they hold: JSON, the journal, syslog.
# In a mount namespace of its own, where /run and /dev are what the test wants.
: "${top_srcdir:=$(dirname "$0")/../..}"
if [ -z "${MIHFS_LOG_NAMESPACE-}" ]; then
	export top_srcdir MIHFS_LOG_NAMESPACE=1
	[ "$(id -u)" = 0 ] && unshare -m --propagation slave true 2>/dev/null &&
		exec unshare -m --propagation slave sh "$0"
	echo "1..0 # SKIP no mount namespace can be made"
	exit 0
fi
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"
command -v python3 >/dev/null || mt_skip "no python3"

# listen SOCKET FILE: keep all datagrams
listen() {
	python3 - "$1" "$2" "$work/bound" <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
out = open(sys.argv[2], "wb", buffering=0)
open(sys.argv[3], "w").close()
while True:
    out.write(s.recv(1 << 18))
PY
	listeners="${listeners-} $!"
	cat "$work/bound" >/dev/null
}

flip() {
	printf '\000\000\000\000' | dd of="$work/model/weights.safetensors" \
		bs=1 seek=4000000 conv=notrunc 2>/dev/null
}

# until_said PATTERN FILE
until_said() {
	# shellcheck disable=SC2016 # the inner shell expands it
	timeout 10 sh -c 'until grep -aq -e "$1" "$2"; do sleep 0.05; done' \
		sh "$1" "$2"
}

mt_begin
mkfifo "$work/bound"
mt_model "$work/model"
mt_sign "$work/model"
cp "$work/model/weights.safetensors" "$work/good"

# --- JSON --------------------------------------------------------------------
mt_mount "$work/model" --log-format=json
flip
check_fails "wrong bytes are refused" cat "$mnt/weights.safetensors"
cat >"$work/look.py" <<'PY'
import json, sys
events = {}
for line in open(sys.argv[1]):
    event = json.loads(line)
    assert event["time"].endswith("Z"), event
    events.setdefault(event["event"], []).append(event)
(refusal,) = events["refusal"]
assert refusal["level"] == "error"
assert refusal["mount"] == sys.argv[2]
assert refusal["path"] == "weights.safetensors"
assert refusal["offset"] == 3997696 and refusal["length"] == 65536
assert refusal["algorithm"] == "mth4k-sha256"
assert len(refusal["expected"]) == len(refusal["found"]) == 64
assert refusal["expected"] != refusal["found"]
assert refusal["message"].startswith("weights.safetensors: bytes 3997696-")
assert len(events["serving"]) == 1 and len(events["sandbox"]) == 1
(audit,) = events.get("audit") or [None]
if audit:
    assert audit["path"] == refusal["path"]
    assert "op=refuse" in audit["message"]
print("audit record in", "this log" if audit else "the kernel's audit")
PY
check "the fields of a refusal" python3 "$work/look.py" "$log" "$mnt"
sed 's/^/# /' "$work/out"
cp "$work/good" "$work/model/weights.safetensors"
# shellcheck disable=SC2016 # the inner shell expands it
check "healed" timeout 30 sh -c 'until cat "$1" >/dev/null 2>&1; do
	sleep 0.1; done' sh "$mnt/weights.safetensors"
check_log "is an event too" '"event":"healed"'

# --- the level, while it runs ------------------------------------------------
signal() {
	env kill -s "$1" "$mt_pid"
}
signal RTMIN+22
check "SIGRTMIN+22 is heard" until_said "debug lines from now on" "$log"
check "SIGTERM ends the mount as before" mt_umount
check_log "and there is a debug line about it" '"level":"debug"'
mt_mount "$work/model"
signal RTMIN+22
check "SIGRTMIN+22 is heard" until_said "debug lines from now on" "$log"
signal RTMIN+23
check "SIGRTMIN+23 too" until_said "debug lines no more" "$log"
mt_umount
check_equal "and there is no debug line any more" \
	"$(grep -c 'mihfs: debug: ' "$log")" 0
export MIHFS_LOG_LEVEL=error
mt_mount "$work/model"
mt_umount
check_equal "MIHFS_LOG_LEVEL=error leaves nothing to say" \
	"$(wc -c <"$log")" 0
check_status "a level that does not exist" 2 env MIHFS_LOG_LEVEL=loud \
	"$MIHFS" mount --root "$bundle" --public-key "$pub" "$work/model" "$mnt"
unset MIHFS_LOG_LEVEL

# --- the journal -------------------------------------------------------------
mount -t tmpfs tmpfs /run || mt_skip "/run cannot be covered"
mkdir -p /run/systemd/journal
listen /run/systemd/journal/socket "$work/journal"
JOURNAL_STREAM=$(stat -c %d:%i "$log")
export JOURNAL_STREAM
mt_mount "$work/model"
check_equal "a stderr that is the journal gets no lines" "$(wc -c <"$log")" 0
check "the journal does" until_said "serving $work/model" "$work/journal"
flip
check_fails "wrong bytes are refused" cat "$mnt/weights.safetensors"
check "with fields, from within the sandbox" \
	until_said 'MIHFS_OFFSET=3997696' "$work/journal"
check "and a priority" grep -aqx 'PRIORITY=3' "$work/journal"
mt_umount
unset JOURNAL_STREAM
cp "$work/good" "$work/model/weights.safetensors"

: >"$work/journal"
# A daemon keeps a stderr that is a file, so it gets none.
daemon() {
	"$MIHFS" --root "$bundle" --public-key "$pub" "$work/model" "$mnt" \
		2>/dev/null
}
daemon
check "a daemon's lines go to the journal" \
	until_said "serving $work/model" "$work/journal"
umount "$mnt"

# --- syslog ------------------------------------------------------------------
rm /run/systemd/journal/socket
listen /run/log "$work/syslog"
mkdir "$work/dev" && mount -t tmpfs tmpfs "$work/dev" &&
	for node in fuse null zero urandom; do
		cp -a /dev/$node "$work/dev/"
	done && ln -s /run/log "$work/dev/log" && mount --move "$work/dev" /dev
daemon
check "without one to syslog" until_said "serving $work/model" "$work/syslog"
flip
check_fails "wrong bytes are refused" cat "$mnt/weights.safetensors"
check "which syslog hears from within the sandbox" \
	until_said 'bytes 3997696-4063231 differ' "$work/syslog"
umount "$mnt"
# shellcheck disable=SC2086
kill $listeners
mt_end
