#!/bin/sh
# One core at hashing, beside OpenSSL and b3sum in the same run.
#
#     make bench-hash        or:  hash_bench.sh [MIB [ROUNDS]]
#
# b3sum reads its file, so the row beside it is `mihfs digest` reading the same
# file from the page cache, on one core, the best round of each.
set -eu
mib=${1:-1024}
rounds=${2:-7}
MIHFS=${MIHFS:-./mihfs}
work=$(mktemp -d "${MIHFS_BENCH_DIR:-${TMPDIR:-/tmp}}/mihfs-hash.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# clock NAME COMMAND...: seconds of one run, on the first core
clock()
{
	name=$1
	shift
	from=$(date +%s%N)
	taskset -c 0 "$@" >/dev/null
	echo $(($(date +%s%N) - from)) >>"$work/$name"
}

best()
{
	sort -n "$work/$1" | head -n 1
}

mkdir "$work/model"
openssl enc -aes-128-ctr -nosalt -K 00000000000000000000000000000001 \
	-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
	head -c "$((mib * 1048576))" >"$work/model/weights"
# Out of the page cache and in again, in the large pieces of a file that was
# read, not in the small ones of one that has just been written.
sync "$work/model/weights"
dd of="$work/model/weights" oflag=nocache conv=notrunc count=0 2>/dev/null
cat "$work/model/weights" >/dev/null
"$MIHFS" bench "$work/model" | tee "$work/rates"
command -v b3sum >/dev/null || { echo "b3sum is not installed"; exit 0; }
i=0
while [ "$i" -lt "$rounds" ]; do
	clock b3sum b3sum --num-threads 1 "$work/model/weights"
	clock mihfs "$MIHFS" digest --quiet --algorithm blake3 \
		"$work/model/weights"
	i=$((i + 1))
done
memory=$(awk '$1 == "blake3" && $2 == "auto" { print $3 }' "$work/rates")
awk -v b="$(best b3sum)" -v m="$(best mihfs)" -v mib="$mib" -v mem="$memory" '
BEGIN {
	n = mib * 1048576
	printf "blake3, one core: b3sum --num-threads 1 of a warm file %.2f GB/s; ", n / b
	printf "mihfs bench %.2f (%.2fx), mihfs digest of the file %.2f (%.2fx)\n",
		mem, mem * b / n, n / m, b / m
}'
