#!/bin/sh
# What does it cost to be watched?
#
#     make bench-status   or:  status_bench.sh [MIB [ROUNDS]]
#
# One file in the page cache, read through a fresh mount each time: by itself,
# and while somebody reads status.json and metrics ten times a second. Rounds
# alternate, and the median of the ratios counts. Needs root and /dev/fuse.
set -eu
mib=${1:-2048}
rounds=${2:-9}
# shellcheck source=contrib/bench/lib.sh
. "$(dirname "$0")/lib.sh"

# scrape: ten times a second, until it is ended; says when it has begun
scrape()
{
	exec python3 -c '
import sys, time
def look():
    for name in sys.argv[2:]:
        with open(sys.argv[1] + "/.mihfs/" + name, "rb") as file:
            file.read()
look()
print("watching", flush=True)
while True:
    time.sleep(0.1)
    look()' "$work/mnt" status.json metrics
}

# measure NAME: one cold read; with NAME "watched" somebody watches
measure()
{
	start mihfs
	watcher=
	if [ "$1" = watched ]; then
		scrape >"$work/ready" &
		watcher=$!
		read -r line <"$work/ready"
	fi
	clock "$1" read "$work/mnt/weights"
	[ -z "$watcher" ] || kill "$watcher"
	[ -z "$watcher" ] || wait "$watcher" 2>/dev/null || true
	stop
}

prepare
i=0
while [ "$i" -lt "$rounds" ]; do
	if [ $((i % 2)) = 0 ]; then
		measure alone
		measure watched
	else
		measure watched
		measure alone
	fi
	i=$((i + 1))
done
paste "$work/times/alone" "$work/times/watched" |
	awk '{ print $2 / $1 }' | sort -n >"$work/ratios"
awk -v mib="$mib" -v alone="$(best alone)" -v watched="$(best watched)" '
	{ ratio[NR] = $1 }
	END {
		printf "best: alone %.3f s, watched %.3f s (%.2f GB/s)\n",
			alone, watched, mib * 1048576 / 1e9 / watched
		printf "watched/alone: best to best %.4f, median %.4f of %d\n",
			watched / alone, ratio[int((NR + 1) / 2)], NR
	}' "$work/ratios"
