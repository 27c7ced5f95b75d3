#!/bin/sh
# What many small files cost: each figure beside the limit that it must keep.
#
#     make bench-many        or:  many_bench.sh [FILES...]
#
# Needs root, /dev/fuse, and 4 GB of disk for a million files.
set -eu
[ $# -gt 0 ] || set -- 100000 1000000
MIHFS=${MIHFS:-./mihfs}
bin=${MIHFS_BENCH_BIN:-.}
work=$(mktemp -d "${MIHFS_BENCH_DIR:-${TMPDIR:-/var/tmp}}/mihfs-many.XXXXXX")

cleanup()
{
	umount -l "$work/mnt" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# timed COMMAND...: run it quietly; seconds in $took, peak MiB in $peak
timed()
{
	from=$(date +%s%N)
	"$@" >"$work/out" 2>&1 || {
		cat "$work/out" >&2
		exit 1
	}
	took=$(($(date +%s%N) - from))
	took=$((took / 1000000000)).$(printf %03d $((took / 1000000 % 1000)))
}

row()
{
	printf '%-34s %10s %10s\n' "$1" "$2" "${3:--}"
}

# limits FILES: the seconds that verify and mount may take
limits()
{
	verify_limit='' mount_limit='' peak_limit=''
	[ "$1" -gt 1000000 ] || verify_limit=20 mount_limit=20 peak_limit=1536
	[ "$1" -gt 100000 ] || verify_limit=1.5 mount_limit=3
}

serve()
{
	timed "$MIHFS" --root "$work/m.json" --public-key "$work/key.pub" \
		--log-level warning "$work/m" "$work/mnt"
	pid=$(pgrep -n -f "$work/m.json")
	peak=$(awk '/^VmHWM/ { printf "%d", $2 / 1024 }' "/proc/$pid/status")
	umount "$work/mnt"
	tail --pid="$pid" -f /dev/null
}

measure()
{
	limits "$1"
	"$bin/many_files" "$1" "$work/m"
	timed "$MIHFS" sign --quiet --private-key "$work/key.pem" \
		--signature "$work/m.json" "$work/m"
	row "$1 files: sign, s" "$took"
	timed "$bin/large_bundle" verify "$work/key.pub" "$work/m.json"
	row "$1 files: bundle alone, s" "$took" "$verify_limit"
	timed "$MIHFS" verify --quiet --signature "$work/m.json" \
		--public-key "$work/key.pub" "$work/m"
	[ "$1" -le 100000 ] || verify_limit='' # of the bundle, not of its files
	row "$1 files: mihfs verify, s" "$took" "$verify_limit"
	serve
	row "$1 files: mount, s" "$took" "$mount_limit"
	row "$1 files: mount, peak MiB" "$peak" "$peak_limit"
	rm -rf "$work/m" "$work/m.json" "$work/m.json.tree"
}

mkdir "$work/mnt"
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"
openssl ec -in "$work/key.pem" -pubout -out "$work/key.pub" 2>/dev/null
row figure measured limit
for n; do
	measure "$n"
done
