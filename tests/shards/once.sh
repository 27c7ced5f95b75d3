#!/bin/sh
# Shards seldom end where pages do: none is read again for its neighbour.
. "${top_srcdir:?}/tests/lib/mount.sh"
. "$top_srcdir/tests/lib/shards.sh"

# disk_bytes - what the mount has read of the model's files
disk_bytes()
{
	tr , '\n' <"$mnt/.mihfs/status.json" |
		sed -n 's/.*"disk_bytes": *\([0-9]*\).*/\1/p'
}

# read_at MIB - one group
read_at()
{
	dd if="$mnt/weights.bin" bs=65536 skip=$(($1 * 16)) count=1 \
		status=none >/dev/null
}

mt_begin
model=$work/model nbytes=60000001
mkdir "$model"
mt_pattern $nbytes 1 >"$model/weights.bin"

# Once to prove the shards, once to answer the reader; and one group for each
# end of a shard.
for size in 9000001 17000000 12582912; do
	sign_shards "$model" $size
	check "$size: mihfs tree" "$MIHFS" tree --quiet \
		--signature "$bundle" "$model"
	limit=$((2 * nbytes + (nbytes / size + 1) * 2 * 65536))
	mt_mount "$model"
	check "$size: all reads" cmp "$model/weights.bin" "$mnt/weights.bin"
	check "$size: no shard twice" [ "$(disk_bytes)" -le $limit ]
	check "$size: unmounts" mt_umount

	# From the end to the begin, and inner shards first.
	mt_mount "$model"
	for mib in 56 8 40 24 48 32 16 0; do
		read_at $mib
	done
	check "$size: all reads, backwards" cmp "$model/weights.bin" \
		"$mnt/weights.bin"
	check "$size: no shard twice" [ "$(disk_bytes)" -le $limit ]
	check "$size: unmounts" mt_umount
done
mt_end
