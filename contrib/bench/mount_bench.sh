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
MIHFS=${MIHFS:-./mihfs}
bin=${MIHFS_BENCH_BIN:-.}
work=$(mktemp -d "${MIHFS_BENCH_DIR:-${TMPDIR:-/tmp}}/mihfs-bench.XXXXXX")
pid=

cleanup()
{
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	umount -l "$work/mnt" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

prepare()
{
	mkdir "$work/model" "$work/mnt" "$work/times"
	mkfifo "$work/ready"
	openssl enc -aes-128-ctr -nosalt -K 00000000000000000000000000000001 \
		-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
		head -c "$((mib * 1048576))" >"$work/model/weights"
	openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"
	openssl ec -in "$work/key.pem" -pubout -out "$work/key.pub" 2>/dev/null
	"$MIHFS" sign --quiet --private-key "$work/key.pem" \
		--signature "$work/signed.json" "$work/model"
	cat "$work/model/weights" >/dev/null
}

# start mihfs|copy: a fresh mount that answers
start()
{
	case $1 in
	mihfs)
		"$MIHFS" mount -f --ready-fd 9 --log-level warning \
			--root "$work/signed.json" \
			--public-key "$work/key.pub" \
			"$work/model" "$work/mnt" 9>"$work/ready" &
		;;
	copy)
		"$bin/copy_server" "$work/model" "$work/mnt" >"$work/ready" &
		;;
	esac
	pid=$!
	read -r line <"$work/ready"
	[ "$line" = READY=1 ]
}

stop()
{
	kill "$pid"
	wait "$pid"
	pid=
}

# clock NAME ARGUMENT...: one run of the reader
clock()
{
	name=$1
	shift
	"$bin/reader" "$@" >>"$work/times/$name"
}

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

best()
{
	sort -n "$work/times/$1" | head -n 1
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
