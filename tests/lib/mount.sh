# tests/lib/mount.sh - what every test of a real mount begins with
#
#     . "$top_srcdir/tests/lib/mount.sh"
#     mt_begin 3                      # plan; skips without /dev/fuse
#     mt_model "$work/model"          # a small model of awkward names
#     mt_sign "$work/model"           # -> $bundle, signed with $key
#     mt_mount "$work/model"          # -> $mnt serves it; log in $log
#     check "file equals" cmp "$work/model/config.json" "$mnt/config.json"
#     mt_umount
#     mt_end
#
# Needs MIHFS (the program), root, and /dev/fuse. Nothing here sleeps: a mount
# says through a descriptor that it answers. Everything lies in $work and is
# unmounted and removed when the script ends, however it ends.

umask 022 # keys that a group may write to make mihfs say so
MIHFS=${MIHFS:-mihfs}
mt_n=0
mt_failed=0
mt_pid=

# mt_skip REASON - no test can run here; a failure where FUSE is required
mt_skip() {
	if [ "${MIHFS_REQUIRE_FUSE:-0}" = 1 ]; then
		echo "Bail out! $1, but MIHFS_REQUIRE_FUSE=1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

# mt_begin [PLAN] - make $work, $mnt and the key pair $key, $pub
mt_begin() {
	[ -c /dev/fuse ] || mt_skip "no /dev/fuse"
	[ "$(id -u)" = 0 ] || mt_skip "not root"
	(exec 3<>/dev/fuse) 2>/dev/null || mt_skip "/dev/fuse cannot be opened"
	[ -z "${1-}" ] || echo "1..$1"
	mt_planned=${1-}
	work=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-test.XXXXXX") || exit 1
	trap mt_cleanup EXIT
	trap 'exit 1' HUP INT TERM
	mnt=$work/mnt
	log=$work/log
	key=$work/key.pem
	pub=$work/key.pub
	bundle=$work/signed.json
	mkdir "$mnt"
	: >"$log"
	if ! openssl ecparam -name prime256v1 -genkey -noout -out "$key" \
		2>/dev/null ||
		! openssl ec -in "$key" -pubout -out "$pub" 2>/dev/null; then
		echo "Bail out! openssl cannot make a key"
		exit 1
	fi
}

# mt_end - the last line of a script; prints the plan if mt_begin did not
mt_end() {
	[ -n "$mt_planned" ] || echo "1..$mt_n"
	[ "$mt_failed" = 0 ] || exit 1
	exit 0
}

mt_cleanup() {
	mt_status=$?
	trap - EXIT HUP INT TERM
	[ -z "$mt_pid" ] || kill -9 "$mt_pid" 2>/dev/null
	# Everything mounted under $work, the innermost first.
	awk '{ print $5 }' /proc/self/mountinfo | grep -F "$work/" | sort -r |
		while read -r mt_m; do
			umount -l "$(printf '%b' "$mt_m")" 2>/dev/null
		done
	rm -rf "$work"
	exit "$mt_status"
}

# ok DESCRIPTION / not_ok DESCRIPTION - one TAP line
ok() {
	mt_n=$((mt_n + 1))
	echo "ok $mt_n - $1"
}

not_ok() {
	mt_n=$((mt_n + 1))
	mt_failed=1
	echo "not ok $mt_n - $1"
	[ ! -s "$log" ] || tail -n 20 "$log" | sed 's/^/# log: /'
}

# check DESCRIPTION COMMAND... - ok if the command succeeds within a minute
check() {
	mt_d=$1
	shift
	if mt_limit "$@" >"$work/out" 2>&1; then
		ok "$mt_d"
	else
		mt_rc=$?
		sed 's/^/# /' "$work/out" | head -n 20
		not_ok "$mt_d (status $mt_rc)"
	fi
}

# check_fails DESCRIPTION COMMAND... - ok if it fails, but not by the time limit
check_fails() {
	mt_d=$1
	shift
	mt_limit "$@" >"$work/out" 2>&1
	mt_rc=$?
	if [ "$mt_rc" != 0 ] && [ "$mt_rc" != 124 ] && [ "$mt_rc" != 137 ]; then
		ok "$mt_d"
	else
		sed 's/^/# /' "$work/out" | head -n 20
		not_ok "$mt_d (status $mt_rc)"
	fi
}

# check_status DESCRIPTION STATUS COMMAND... - ok if it exits with STATUS
check_status() {
	mt_d=$1
	mt_want=$2
	shift 2
	mt_limit "$@" >"$work/out" 2>&1
	mt_rc=$?
	if [ "$mt_rc" = "$mt_want" ]; then
		ok "$mt_d"
	else
		sed 's/^/# /' "$work/out" | head -n 20
		not_ok "$mt_d (status $mt_rc, not $mt_want)"
	fi
}

# check_equal DESCRIPTION GOT WANT
check_equal() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		printf '%s\n' "$2" | sed 's/^/# got:  /'
		printf '%s\n' "$3" | sed 's/^/# want: /'
		not_ok "$1"
	fi
}

# check_errno DESCRIPTION ERRNO COMMAND... - fails, and says the errno's text
# (in the C locale), as most tools do: "Input/output error"
check_errno() {
	mt_d=$1
	mt_want=$2
	shift 2
	if LC_ALL=C mt_limit "$@" >"$work/out" 2>&1; then
		not_ok "$mt_d (it succeeded)"
	elif grep -q "$mt_want" "$work/out"; then
		ok "$mt_d"
	else
		sed 's/^/# /' "$work/out" | head -n 20
		not_ok "$mt_d (not \"$mt_want\")"
	fi
}

# check_said DESCRIPTION PATTERN - the last checked command's output matches
check_said() {
	if grep -q -e "$2" "$work/out"; then
		ok "$1"
	else
		sed 's/^/# /' "$work/out" | head -n 20
		not_ok "$1"
	fi
}

# check_log DESCRIPTION PATTERN - the mount's log has a line that matches
check_log() {
	if grep -q -e "$2" "$log"; then
		ok "$1"
	else
		not_ok "$1"
	fi
}

# Functions run as they are, programs under a time limit.
mt_limit() {
	case $(command -v "$1") in
	/*) timeout -k 5 60 "$@" ;;
	*) "$@" ;;
	esac
}

# mt_pattern BYTES SEED - that many bytes, no two 64 KiB groups alike
mt_pattern() {
	openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$2")" \
		-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
		head -c "$1"
}

# mt_model DIR - files of every awkward size and name
mt_model() {
	mkdir -p "$1/sub/deeper" &&
		printf '{"hidden_size": 384}\n' >"$1/config.json" &&
		: >"$1/empty" &&
		printf x >"$1/one-byte" &&
		mt_pattern 65536 1 >"$1/one-group" &&
		mt_pattern 65537 2 >"$1/group-and-one" &&
		mt_pattern 5000003 3 >"$1/weights.safetensors" &&
		mt_pattern 300000 4 >"$1/name with spaces" &&
		printf nl >"$1/new
line" &&
		printf utf8 >"$1/Gewichte-größer-模型.bin" &&
		mt_pattern 70000 5 >"$1/sub/a" &&
		mt_pattern 10 6 >"$1/sub-b" &&
		mt_pattern 100000 7 >"$1/sub/deeper/tensor.bin"
}

# mt_sign MODEL [OPTION...] - sign with $key into $bundle, sidecar beside it
mt_sign() {
	mt_dir=$1
	shift
	"$MIHFS" sign --quiet --signature "$bundle" --private-key "$key" "$@" \
		"$mt_dir" 2>>"$log" || {
		sed 's/^/# log: /' "$log"
		echo "Bail out! cannot sign $mt_dir"
		exit 1
	}
}

# mt_try_mount MODEL [OPTION...] - serve on $mnt; fails if it does not answer
#
# Runs in the foreground mode, as a child of the script: $mt_pid. The program
# closes the FIFO without a word when it gives up, so nothing waits for long.
mt_try_mount() {
	mt_dir=$1
	shift
	rm -f "$work/ready" # an earlier server may not have closed its end yet
	mkfifo "$work/ready"
	: >"$log"
	"$MIHFS" mount -f --ready-fd 9 --root "$bundle" --public-key "$pub" \
		"$@" "$mt_dir" "$mnt" 9>"$work/ready" >>"$log" 2>&1 &
	mt_pid=$!
	if read -r mt_line <"$work/ready" && [ "$mt_line" = READY=1 ]; then
		return 0
	fi
	wait "$mt_pid"
	mt_rc=$?
	mt_pid=
	return "$mt_rc"
}

# mt_mount MODEL [OPTION...] - the same, but a failure ends the script
mt_mount() {
	mt_try_mount "$@" || {
		sed 's/^/# log: /' "$log"
		echo "Bail out! cannot mount (status $mt_rc)"
		exit 1
	}
}

# mt_umount - end the mount by SIGTERM; its exit status
mt_umount() {
	[ -n "$mt_pid" ] || return 0
	kill -TERM "$mt_pid"
	wait "$mt_pid"
	mt_rc=$?
	mt_pid=
	return "$mt_rc"
}

# mt_drop_caches - the next read of any file reaches its file system
mt_drop_caches() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}
