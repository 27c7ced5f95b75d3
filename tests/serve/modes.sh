#!/bin/sh
# The three ways of serving: what readers get, what they get of bad bytes, and
# what becomes of a way that is not possible here.
#
# MIHFS_EXPECT_SERVE=1: this build and kernel know all three.
# shellcheck disable=SC2016 # inner shells expand $1
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

# fell_back: the log says that this mount serves through the cache after all.
fell_back() {
	grep -q "serving through .* cache instead" "$log"
}

# flip FILE OFFSET: change one byte; twice is as if never.
flip() {
	python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); b = f.read(1)
    f.seek(int(sys.argv[2])); f.write(bytes([b[0] ^ 1]))' "$1" "$2"
}

# mapped FILE SIGNED: read through a shared and a private mapping.
mapped() {
	python3 -c 'import mmap, sys
want = open(sys.argv[2], "rb").read()
with open(sys.argv[1], "rb") as f:
    for flags in mmap.MAP_SHARED, mmap.MAP_PRIVATE:
        with mmap.mmap(f.fileno(), 0, flags=flags, prot=mmap.PROT_READ) as m:
            assert m[:] == want' "$1" "$2"
}

# together FILE SIGNED: eight readers at once, every second one by a mapping.
together() {
	python3 - "$1" "$2" <<'EOF'
import mmap, sys, threading
want = open(sys.argv[2], "rb").read()
bad = []
def read(i):
    with open(sys.argv[1], "rb", 0) as f:
        if i % 2:
            got = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:]
        else:
            got = b"".join(iter(lambda: f.read(100003), b""))
    if got != want:
        bad.append(i)
threads = [threading.Thread(target=read, args=(i,)) for i in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
sys.exit(bool(bad))
EOF
}

# without_server FILE SIGNED: an open file is read whole while the server
# sleeps: only the kernel can have served that.
without_server() {
	python3 - "$1" "$2" "$mt_pid" <<'EOF'
import os, signal, sys
want = open(sys.argv[2], "rb").read()
pid = int(sys.argv[3])
f = open(sys.argv[1], "rb", 0)
os.kill(pid, signal.SIGSTOP)
signal.alarm(20)
try:
    sys.exit(f.read(len(want) + 1) != want)
finally:
    os.kill(pid, signal.SIGCONT)
EOF
}

# privileged: has the server CAP_SYS_ADMIN, though it is confined?
privileged() {
	set -- "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$mt_pid/status")"
	if grep -q "sandbox: " "$log" && [ $((0x$1 & 0x200000)) != 0 ]; then
		echo yes
	else
		echo no
	fi
}

mt_begin
command -v python3 >/dev/null || mt_skip "no python3"
mt_model "$work/model"
mt_pattern 40000007 11 >"$work/model/large"
mt_sign "$work/model"
large=$work/model/large

for how in cache direct stage; do
	: >"$log"
	mt_mount "$work/model" --serve=$how --stage-memory=64M
	check "$how: readers get what was signed" diff -r "$work/model" "$mnt"
	check "$how: so do mappings" mapped "$mnt/large" "$large"
	check "$how: and many readers at once" together "$mnt/large" "$large"
	if [ $how = stage ] && ! fell_back; then
		check "stage: the kernel serves, not the daemon" \
			without_server "$mnt/large" "$large"
		check "stage: and the status counts what is staged" \
			grep -q '"stage_bytes": *[1-9]' "$mnt/.mihfs/status.json"
	fi
	fell_back || check "$how: the status says so of each file" sh -c \
		'"$MIHFS" status "$1" | grep -q "^  by $2  *large, "' sh "$mnt" $how
	if [ "${MIHFS_EXPECT_SERVE-}" = 1 ]; then
		check_fails "$how is possible here" fell_back
	elif [ $how != cache ] && fell_back; then
		check_fails "$how: nothing is staged in vain" \
			sh -c 'ls -l "/proc/$1/fd" | grep mihfs-stage' sh \
			"$mt_pid"
		check_log "$how: what it lacks is in the log" \
			"serve=$how needs [a-zA-Z]"
		# A build with sanitizers has no sandbox unless it is told.
		! grep -q "needs a build" "$log" ||
			grep -q "sandbox: off" "$log" || check_equal \
			"$how: no privilege is kept for it" "$(privileged)" no
	fi
	mt_umount
done

# Bad bytes: EIO where they are; staged, and with --verify=open, no open file.
flip "$large" 20000000
: >"$log"
mt_mount "$work/model" --serve=direct
check_errno "direct: a bad group is EIO" "Input/output error" \
	dd if="$mnt/large" of=/dev/null bs=4096 skip=4882 count=1
check "direct: its neighbours are served" \
	cmp -n 19000000 "$large" "$mnt/large"
check_log "direct: the log says which" "large: bytes 19988480-20054015 differ"
mt_umount

for how in stage open; do
	: >"$log"
	case $how in
	stage) set -- --serve=stage --stage-memory=64M --verify=open ;;
	open) set -- --verify=open ;;
	esac
	mt_mount "$work/model" "$@"
	check_errno "$how: a bad file is not opened" "Input/output error" \
		dd if="$mnt/large" of=/dev/null bs=4096 count=1
	check_equal "$how: one line says why" \
		"$(grep -c 'large: bytes .* differ' "$log")" 1
	check "$how: other files are served" \
		cmp "$work/model/weights.safetensors" "$mnt/weights.safetensors"
	flip "$large" 20000000
	check "$how: repaired, it is opened again" timeout 30 sh -c \
		'until cmp -s "$1" "$2"; do sleep 0.1; done' sh \
		"$large" "$mnt/large"
	flip "$large" 20000000
	mt_umount
done
flip "$large" 20000000

# A budget that is too small for one file does not keep it from being read.
: >"$log"
mt_mount "$work/model" --serve=stage --stage-memory=16M
check "a file over the budget is served" cmp "$large" "$mnt/large"
check "and those that fit one after the other" diff -r "$work/model" "$mnt"
for _ in 1 2 3; do
	head -c 1 "$mnt/large" >/dev/null
done
fell_back || check_equal "one line of the log names what was not staged" \
	"$(grep -c 'large: not staged, it does not fit the budget' "$log")" 1
mt_umount

# Root of its own user namespace may mount, but hand nothing to the kernel.
in_namespace() {
	unshare -Urm sh -c '"$MIHFS" mount --foreground --root "$1" \
		--public-key "$2" --serve=stage --sandbox=off "$3" "$4" 2>"$5" &
	tries=0
	until [ -e "$4/large" ] || [ $tries = 200 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
	cmp "$3/large" "$4/large" && cmp "$3/one-group" "$4/one-group" &&
		cmp "$3/sub/a" "$4/sub/a"
	end=$?
	ls -l "/proc/$!/fd" >"$5.fds"
	kill $!
	wait
	exit $end' sh "$bundle" "$pub" "$work/model" "$mnt" "$log"
}

if unshare -Urm true 2>/dev/null; then
	: >"$log"
	check "without privileges stage serves all the same" in_namespace
	check_equal "it says so once" "$(grep -c 'instead$' "$log")" 1
	check "and stages no more than the first file" \
		[ "$(grep -c mihfs-stage "$log.fds")" -le 1 ]
	check "and the library nothing besides" \
		[ "$(grep -c passthrough_open "$log")" -eq 0 ]
fi

# An open that takes long lets go of its caller: a gibibyte and more of zeros,
# checked whole.
mkdir "$work/sparse"
truncate -s 3G "$work/sparse/zeros"
mt_sign "$work/sparse"
mt_mount "$work/sparse" --verify=open
cat "$mnt/zeros" >/dev/null 2>&1 &
reader=$!
check "the open is under way" timeout 20 sh -c \
	'until [ "$(cat "/proc/$1/comm")" = cat ]; do :; done; sleep 0.2' \
	sh $reader
kill -s TERM $reader
check "its caller can be ended" timeout 5 sh -c \
	'while kill -0 "$1" && [ "$(ps -o stat= -p "$1")" != Z ]; do
		sleep 0.05
	done' sh $reader
wait $reader 2>/dev/null
check "SIGTERM ends the mount meanwhile" mt_umount

mt_end
