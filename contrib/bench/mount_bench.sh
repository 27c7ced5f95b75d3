#!/bin/sh
# How fast is a verified mount beside an unverified server of the same build?
#
#     make bench        or:  mount_bench.sh [MIB [ROUNDS]]
#
# One file in the page cache, signed; each round mounts anew, so that nothing
# is left in the mount's own cache. The best round of each counts, since other
# work on the machine only ever takes time. Needs root and /dev/fuse.
set -eu
mib=${1:-1024}
rounds=${2:-5}
randoms=500
# shellcheck source=contrib/bench/lib.sh
. "$(dirname "$0")/lib.sh"

round()
{
	for how in read mmap; do
		clock "raw.$how" "$how" "$work/model/weights"
		for server in mihfs copy; do
			start "$server"
			clock "$server.$how" "$how" "$work/mnt/weights"
			[ "$how" != read ] ||
				clock "$server.again" read "$work/mnt/weights"
			stop
		done
	done
	clock raw.again read "$work/model/weights"
	clock raw.random random "$work/model/weights" "$randoms"
	for server in mihfs copy; do
		start "$server"
		clock "$server.random" random "$work/mnt/weights" "$randoms"
		stop
	done
}

# row TITLE TEST UNITS UNIT
row()
{
	awk -v title="$1" -v m="$(best "mihfs.$2")" -v c="$(best "copy.$2")" \
		-v r="$(best "raw.$2")" -v units="$3" -v unit="$4" 'BEGIN {
		if (unit == "us")
			printf "%-22s %9.1f %9.1f %9.1f %-5s %9.2f %9.2f\n",
				title, m / units, c / units, r / units, unit,
				m / c, m / r
		else
			printf "%-22s %9.2f %9.2f %9.2f %-5s %9.2f %9.2f\n",
				title, units / m, units / c, units / r, unit,
				c / m, r / m
	}'
}

prepare
i=0
while [ "$i" -lt "$rounds" ]; do
	round
	i=$((i + 1))
done
[ "$randoms" -le "$mib" ] || randoms=$mib
gb=$(awk -v mib="$mib" 'BEGIN { print mib * 1048576 / 1e9 }')
us=$(awk -v n="$randoms" 'BEGIN { print n * 1e-6 }')
echo "$mib MiB in the page cache, best of $rounds rounds, $(nproc) cores"
printf '%-22s %9s %9s %9s %-5s %9s %9s\n' test mihfs copying raw '' \
	mihfs/cop mihfs/raw
row "read, cold mount" read "$gb" GB/s
row "mmap, cold mount" mmap "$gb" GB/s
row "read again" again "$gb" GB/s
row "random 4 KiB, cold" random "$us" us
