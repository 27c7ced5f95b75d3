#!/bin/sh
# mihfs bench: rows and figures are there; how good they are is not tested here.
. "${top_srcdir:?}/tests/cli/lib.sh"
mkdir "$work/model"
pattern 300000 >"$work/model/file"

expect 0 "bench" "$MIHFS" bench --buffer 64K
prints "a table" "GB/s"
for name in mth4k-sha256 mth4k-sha512 mth4k-sha3-256 blake3; do
	ok "a row of $name" grep -qE "^$name +[a-z0-9]+ +[0-9.]+" "$out"
done
expect 0 "bench of a model" "$MIHFS" bench --buffer 64K "$work/model"
ok "the verify rate" grep -qE "^verify, warm: [0-9.]+ GB/s with " "$out"
expect 0 "bench --json" "$MIHFS" bench --json --buffer 64K "$work/model"
ok "bench --json: one line" [ "$(wc -l <"$out")" -eq 1 ]
prints "bench --json: the bytes" '"bytes":300000'
expect 3 "bench of nothing" "$MIHFS" bench --buffer 64K "$work/nowhere"
for size in 1K 5G x 64Q -1 1. 99999999999999999999; do
	expect 2 "--buffer $size" "$MIHFS" bench --buffer=$size
	one_line "--buffer $size"
done
for size in 65536 64k 64KiB 0.0625M 64KB 65536B; do
	expect 0 "--buffer $size" "$MIHFS" bench --json --buffer=$size
done
finish
