#!/bin/sh
# How long a mount takes and how much memory it holds: one sparse file of 1 TiB,
# and 100,000 files.
#
#     make bench-scale        or:  scale_bench.sh [GIB [FILES]]
#
# Needs root, /dev/fuse, and room for the sidecar (0.5 GB per TiB).
set -eu
gib=${1:-1024}
files=${2:-100000}
MIHFS=${MIHFS:-./mihfs}
bin=${MIHFS_BENCH_BIN:-.}
work=$(mktemp -d "${MIHFS_BENCH_DIR:-${TMPDIR:-/tmp}}/mihfs-scale.XXXXXX")

cleanup()
{
	umount -l "$work/mnt" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# now: milliseconds
now()
{
	echo $(($(date +%s%N) / 1000000))
}

peak()
{
	awk '/^VmHWM/ { printf "%d", $2 / 1024 }' "/proc/$1/status"
}

# serve NAME READER...: mount $work/NAME, run the reader, print a row
serve()
{
	name=$1
	shift
	from=$(now)
	"$MIHFS" --root "$work/$name.json" --public-key "$work/key.pub" \
		--log-level warning "$work/$name" "$work/mnt" 2>"$work/log"
	took=$(($(now) - from))
	pid=$(pgrep -n -f "$work/$name.json")
	fresh=$(peak "$pid")
	"$@"
	printf '%-22s %12d %14d %18d\n' "$name" "$took" "$fresh" "$(peak "$pid")"
	umount "$work/mnt"
}

read_huge()
{
	"$bin/reader" random "$work/mnt/zeros" 20000 >/dev/null
	dd if="$work/mnt/zeros" of=/dev/null bs=1M count=2048 \
		skip=$((gib * 512)) 2>/dev/null
}

read_many()
{
	find "$work/mnt" -type f -exec cat {} + >/dev/null
}

mkdir "$work/mnt" "$work/many"
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"
openssl ec -in "$work/key.pem" -pubout -out "$work/key.pub" 2>/dev/null
"$bin/huge_model" "$gib" "$work/key.pem" "$work/huge"
seq "$files" | (cd "$work/many" && mkdir $(seq 0 99) &&
	awk '{ f = $1 % 100 "/file-" $1; print "line", $1 > f; close(f) }')
"$MIHFS" sign --quiet --private-key "$work/key.pem" \
	--signature "$work/many.json" "$work/many"
printf '%-22s %12s %14s %18s\n' model 'mount, ms' 'peak MiB then' \
	'peak MiB after use'
serve huge read_huge
serve many read_many
echo "huge: one sparse file of $gib GiB, 20,000 random reads of 4 KiB and 2 GiB"
echo "in a row; many: $files files, each opened and read; 256 MiB of cache"
