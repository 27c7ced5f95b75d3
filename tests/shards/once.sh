#!/bin/sh
# Shards seldom end where pages do: none is read again for its neighbour.
. "${top_srcdir:?}/tests/lib/mount.sh"
. "$top_srcdir/tests/lib/shards.sh"

# once NSHARDS - each byte of the shards was read for their proof, and but one
# group more at each end of a shard; what readers were given besides is not
# counted, nor how often the kernel asks
once()
{
	read_bytes=$(tr , '\n' <"$mnt/.mihfs/status.json" |
		sed -n 's/.*"shard_bytes": *\([0-9]*\).*/\1/p')
	echo "$read_bytes of $total bytes"
	[ "$read_bytes" -ge "$total" ] &&
		[ "$read_bytes" -le $((total + $1 * 2 * 65536)) ]
}

# read_at MIB - one group
read_at()
{
	dd if="$mnt/weights.bin" bs=65536 skip=$(($1 * 16)) count=1 \
		status=none >/dev/null
}

mt_begin
model=$work/model total=60000001
mkdir "$model"
mt_pattern "$total" 1 >"$model/weights.bin"

for size in 9000001 17000000 12582912; do
	sign_shards "$model" $size
	check "$size: mihfs tree" "$MIHFS" tree --quiet \
		--signature "$bundle" "$model"
	nshards=$((total / size + 1))
	mt_mount "$model"
	check "$size: all reads" cmp "$model/weights.bin" "$mnt/weights.bin"
	check "$size: no shard twice" once $nshards
	check "$size: unmounts" mt_umount

	# From the end to the begin, and inner shards first.
	mt_mount "$model"
	for mib in 56 8 40 24 48 32 16 0; do
		read_at $mib
	done
	check "$size: all reads, backwards" cmp "$model/weights.bin" \
		"$mnt/weights.bin"
	check "$size: no shard twice" once $nshards
	check "$size: unmounts" mt_umount
done
mt_end
