#!/bin/sh
# The three ways of serving beside the raw file: one reader and several at
# once, by read(2) and by mapping, right after mounting and again.
#
#     make bench-serve        or:  serve_bench.sh [MIB [ROUNDS [READERS]]]
#
# One file in the page cache. The best round of each counts, since other work
# on the machine only ever takes time. Needs root, /dev/fuse, and for direct
# and stage a build with libfuse 3.17; else these rows are those of the cache,
# which the warnings of the mount say.
set -eu
mib=${1:-1024}
rounds=${2:-3}
readers=${3:-$(nproc)}
# shellcheck source=contrib/bench/lib.sh
. "$(dirname "$0")/lib.sh"

# together NAME N HOW FILE: N readers at once, from their start to their end,
# so that an open which verifies the whole file counts
together()
{
	begun=$(date +%s%N)
	pids=
	for _ in $(seq "$2"); do
		"$bin/reader" "$3" "$4" >/dev/null &
		pids="$pids $!"
	done
	for reader in $pids; do
		wait "$reader"
	done
	echo "$begun $(date +%s%N)" |
		awk '{ printf "%.6f\n", ($2 - $1) / 1e9 }' >>"$work/times/$1"
}

# measure NAME FILE: a file nobody has read, then the same again
measure()
{
	together "$1.read" 1 read "$2"
	clock "$1.again" read "$2"
	clock "$1.mmap" mmap "$2"
	together "$1.readers" "$readers" read "$2"
	together "$1.mappers" "$readers" mmap "$2"
}

prepare
i=0
while [ "$i" -lt "$rounds" ]; do
	measure raw "$work/model/weights"
	for how in cache direct stage; do
		start mihfs --serve=$how --memory="$((mib + 64))M" \
			--stage-memory="$((mib + 64))M"
		measure $how "$work/mnt/weights"
		stop
	done
	i=$((i + 1))
done

# row TITLE TEST COPIES: how often the file was read
row()
{
	awk -v title="$1" -v gb="$(awk -v mib="$mib" -v n="$3" \
		'BEGIN { print n * mib * 1048576 / 1e9 }')" \
		-v raw="$(best "raw.$2")" -v cache="$(best "cache.$2")" \
		-v direct="$(best "direct.$2")" -v stage="$(best "stage.$2")" \
		'BEGIN {
		printf "%-26s %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f\n",
			title, gb / raw, gb / cache, gb / direct, gb / stage,
			raw / cache, raw / direct, raw / stage
	}'
}

echo "$mib MiB in the page cache, best of $rounds rounds, $(nproc) cores; GB/s"
printf '%-26s %8s %8s %8s %8s %8s %8s %8s\n' test raw cache direct stage \
	cache/r direct/r stage/r
row "first read, open included" read 1
row "read again" again 1
row "mmap after that" mmap 1
row "$readers readers at once" readers "$readers"
row "$readers mappings at once" mappers "$readers"
