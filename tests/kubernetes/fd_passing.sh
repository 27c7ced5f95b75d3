#!/bin/sh
# Pattern "fd-passing" without a cluster: a privileged helper mounts, a sidecar
# without any privilege serves, the main container reads; either side is
# killed and comes back.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"
# shellcheck source=tests/kubernetes/pods.sh
. "$top_srcdir/tests/kubernetes/pods.sh"

helper() {
	pod_privileged "$MIHFS" fd-helper --socket "$socks/fd" \
		--allow-uid 65534 --mkdir "$@" "$vol/model" >>"$work/helper.log" \
		2>&1 &
	helper_pid=$!
	pids="$pids $!"
}

sidecar() {
	pod_unprivileged "$MIHFS" mount -f --root "$bundle" \
		--public-key "$pub" "$work/model" "unix:$socks/fd" \
		>>"$log" 2>&1 &
	sidecar_pid=$!
	pids="$pids $!"
}

# As the main container sees it.
in_main() {
	# shellcheck disable=SC2016
	unshare -m --propagation slave setpriv --reuid 65534 --regid 65534 \
		--clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

serves() {
	cmp "$work/model/config.json" "$vol/model/config.json"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

wants() {
	(cd "$work/model" && sha256sum weights.safetensors big | sort) |
		sed 's/  / /'
}

reads_all() {
	in_main /usr/bin/python3 "$image/reader.py" "$work/stop" \
		"$vol/model/weights.safetensors" "$vol/model/big"
}

mt_begin
command -v setpriv >/dev/null || mt_skip "no setpriv"
[ -x /usr/bin/python3 ] || mt_skip "no /usr/bin/python3"
pod_begin
pod_image "$top_srcdir/tests/kubernetes/reader.py"
mt_model "$work/model"
mt_pattern 33554432 11 >"$work/model/big"
mt_sign "$work/model"
chmod -R a+rX "$work/model" "$bundle" "$bundle.tree" "$pub"
: >"$work/helper.log"

# The sidecar may start first: it waits for the helper.
sidecar
helper
check "the sidecar serves, though it started first" pod_until serves
# shellcheck disable=SC2016
check "its startup probe succeeds in its own container" sh -c \
	'. "$1" && pod_unprivileged "$2" status --ready "$3"' sh \
	"$top_srcdir/tests/kubernetes/pods.sh" "$MIHFS" "$vol/model"
check_equal "the sidecar has no capability" \
	"$(grep -cE '^Cap(Prm|Eff|Bnd|Inh):[[:space:]]*0*[^0[:space:]]' \
		"/proc/$sidecar_pid/status")" 0
check_equal "and is user 65534" \
	"$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$sidecar_pid/status")" \
	"65534 65534 65534"
check_equal "the helper has two capabilities: SYS_ADMIN, DAC_OVERRIDE" \
	"$(awk '/^CapEff:/ { print $2 }' "/proc/$helper_pid/status")" \
	0000000000200002
check_equal "the helper keeps no copy of the descriptor" \
	"$(find "/proc/$helper_pid/fd" -lname /dev/fuse | wc -l)" 0
check "the main container reads what was signed" in_main \
	diff -r "$work/model" "$vol/model"
check_equal "the mount is ro,nosuid,nodev" \
	"$(grep -F " $vol/model " /proc/self/mountinfo |
		cut -d' ' -f6 | cut -d, -f1-3)" ro,nosuid,nodev
bdi=/sys/class/bdi/$(stat -c %Hd:%Ld "$vol/model")/read_ahead_kb
check "the helper raises the readahead" pod_until grep -qx 16384 "$bdi"

# Who may not.
check_status "another user is refused" 3 setpriv --reuid 65533 --clear-groups \
	"$MIHFS" mount -f --root "$bundle" --public-key "$pub" "$work/model" \
	"unix:$socks/fd"
check_said "by the permissions of the socket" "Permission denied"
check_status "root is refused too, unless allowed" 3 "$MIHFS" mount -f \
	--root "$bundle" --public-key "$pub" "$work/model" "unix:$socks/fd"
check_said "in clear words" "refuses: user 0 may not serve"
check_status "a second server is refused" 3 setpriv --reuid 65534 \
	--clear-groups "$MIHFS" mount -f --root "$bundle" --public-key "$pub" \
	"$work/model" "unix:$socks/fd"
check_said "in clear words, too" "process $sidecar_pid serves already"
check "and the first one still serves" serves
/usr/bin/python3 - "$socks/fd" <<'EOF'
import socket
import sys
for i in range(200):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(sys.argv[1])
        s.recv(8192)
EOF
check "who knocks again and again does not fill the log" \
	test "$(grep -c "is refused" "$work/helper.log")" -lt 130
check_status "a second helper is refused" 3 "$MIHFS" fd-helper \
	--socket "$socks/fd" "$vol/model"
check_said "since one listens" "another helper listens here"
check_status "so is one with another socket" 3 "$MIHFS" fd-helper \
	--socket "$socks/other" "$vol/model"
check_said "since one serves there" "already serves fd-helper:$socks/fd"

# Whoever the mount is for may have been there first.
mkdir "$work/elsewhere" "$work/elsewhere/below"
ln -s "$work/elsewhere" "$vol/link"
for place in link link/below; do
	check_status "a link on the way is refused, $place" 3 "$MIHFS" \
		fd-helper --socket "$socks/link" --wait 0 --mkdir "$vol/$place"
	check_said "and named" "$place: a symbolic link is on the way"
done

# The helper dies: nobody notices.
kill -9 "$helper_pid"
check "the helper is gone" pod_until gone "$helper_pid"
mt_drop_caches
check "readers do not notice" in_main cmp "$work/model/big" "$vol/model/big"
helper
check "another helper takes the socket over" pod_until test -S "$socks/fd"
check "and leaves the mount alone" serves

# The sidecar dies under readers, by force and in order, again and again.
reads_all >"$work/read" 2>&1 &
reader=$!
check "readers begin" pod_until grep -q "rounds begin" "$work/read"
for sig in KILL TERM KILL; do
	sleep 0.5
	kill -s $sig "$sidecar_pid"
	check "a sidecar ends by SIG$sig within its grace period" \
		pod_until gone "$sidecar_pid"
	check_fails "nobody reads the bare folder meanwhile" \
		ls "$vol/model"
	sidecar
	check "the next one serves" pod_until serves
	check_equal "in place of the dead mount, not on top of it" \
		"$(pod_mounts)" 1
done
: >"$work/stop"
wait $reader
check_equal "the readers end in order" $? 0
check_equal "and have got every byte right" \
	"$(grep -v ^rounds "$work/read" | sort)" "$(wants)"
check "though they met errors" grep -q 'rounds .* errors [1-9]' "$work/read"
sed 's/^/# /' "$work/read"

# Wrong bytes stay what they are, whoever serves.
kill -9 "$sidecar_pid"
printf '\000\000\000\000' | dd of="$work/model/big" bs=1 seek=30000000 \
	conv=notrunc 2>/dev/null
sidecar
check "a sidecar serves a model with wrong bytes" pod_until serves
check_errno "which give EIO" "Input/output error" \
	in_main cat "$vol/model/big"

# The end of the pod: first the sidecar, then the helper.
kill -TERM "$sidecar_pid"
check "the sidecar ends" pod_until gone "$sidecar_pid"
before=$(date +%s)
kill -TERM "$helper_pid"
wait "$helper_pid"
check_equal "the helper ends with status 0" $? 0
check "at once" test $(($(date +%s) - before)) -lt 5
check_equal "and leaves no mount" "$(pod_mounts)" 0
check "nor a socket" test ! -e "$socks/fd"

# A helper that is to wait for so long only.
helper --wait 1
wait "$helper_pid"
check_equal "--wait ends a helper that nobody needs" $? 0
mt_end
