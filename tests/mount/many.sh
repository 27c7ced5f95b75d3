#!/bin/sh
# A hundred thousand files are all there, and memory stays small. How long it
# takes is measured by make bench-scale.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

count=${MIHFS_TEST_FILES:-100000}

mt_begin
mkdir -p "$work/model"
awk -v n="$count" -v dir="$work/model" 'BEGIN {
	for (i = 0; i < n; i++) {
		if (i % 1000 == 0) {
			at = dir "/" sprintf("part-%04d", i / 1000)
			system("mkdir " at)
		}
		f = at "/" sprintf("sample-%06d.json", i)
		print "{\"n\": " i "}" >f
		close(f)
	}
}'
mt_sign "$work/model"
before=$(date +%s%N)
mt_mount "$work/model" --log-level=warning
took_ms=$((($(date +%s%N) - before) / 1000000))
echo "# mounted $count files in $took_ms ms"
check_equal "every file is there" "$(find "$mnt" -type f | wc -l)" "$count"
check_equal "and none was skipped or doubled" \
	"$(cd "$mnt" && find . | LC_ALL=C sort | cksum)" \
	"$(cd "$work/model" && find . | LC_ALL=C sort | cksum)"
check "a folder in the middle" diff -r "$work/model/part-0000" \
	"$mnt/part-0000"
last=$(cd "$work/model" && find . -type f | LC_ALL=C sort | tail -n 1)
check "the last file" cmp "$work/model/$last" "$mnt/$last"
peak_kb=$(awk '/^VmHWM:/ { print $2 }' "/proc/$mt_pid/status")
echo "# peak memory $((peak_kb / 1024)) MiB"
# 256 MiB and the cache budget of 256 MiB; sanitizers need more.
check "memory is bounded" test "$peak_kb" -lt \
	$((512 * 1024 * ${MIHFS_MEMORY_FACTOR:-1}))
check "it ends in order" mt_umount
mt_end
