# shellcheck shell=sh disable=SC2154
# contrib/bench/lib.sh - what every measurement of a mount begins with
#
#	mib=1024
#	. "$(dirname "$0")/lib.sh"
#	prepare			# a signed file of $mib MiB in the page cache
#	start mihfs [OPTION...]	# a fresh mount on $work/mnt that answers: $pid
#	clock NAME read FILE	# one run of the reader, kept under NAME
#	stop
#	best NAME		# the shortest of NAME, in seconds
#
# Needs root and /dev/fuse. Everything is unmounted and removed at the end.

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

# folders: what a model, its mount and its clocks need
folders()
{
	mkdir "$work/model" "$work/mnt" "$work/times"
	mkfifo "$work/ready"
	openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"
	openssl ec -in "$work/key.pem" -pubout -out "$work/key.pub" 2>/dev/null
}

# random_bytes SEED BYTES: the same ones each time
random_bytes()
{
	openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$1")" \
		-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
		head -c "$2"
}

sign_model()
{
	"$MIHFS" sign --quiet --private-key "$work/key.pem" \
		--signature "$work/signed.json" "$@" "$work/model"
}

prepare()
{
	folders
	random_bytes 1 "$((mib * 1048576))" >"$work/model/weights"
	sign_model
	cat "$work/model/weights" >/dev/null
}

# start mihfs|copy [OPTION...]: a fresh mount that answers
start()
{
	server=$1
	shift
	case $server in
	mihfs)
		"$MIHFS" mount -f --ready-fd 9 --log-level warning \
			--root "$work/signed.json" \
			--public-key "$work/key.pub" "$@" \
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

best()
{
	sort -n "$work/times/$1" | head -n 1
}
