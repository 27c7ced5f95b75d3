#!/bin/sh
# Options: as words of the command line, and as fstab gives them.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

# usage DESCRIPTION WORDS
usage() {
	# shellcheck disable=SC2086 # WORDS are several
	check_status "$1" 2 "$MIHFS" mount --root "$bundle" \
		--public-key "$pub" $2 "$work/model" "$mnt"
}

# fstab TEXT: mount with nothing but "-o"; $mt_pid
fstab() {
	rm -f "$work/ready"
	mkfifo "$work/ready"
	"$MIHFS" mount -f --ready-fd 9 "$work/model" "$mnt" -o "$1" \
		9>"$work/ready" >>"$log" 2>&1 &
	mt_pid=$!
	read -r mt_line <"$work/ready"
}

mt_begin
mt_model "$work/model"
mt_sign "$work/model"

check_equal "--help is one page on stdout" \
	"$("$MIHFS" mount --help | head -n 1)" \
	"usage: mihfs mount --root FILE [options] MODEL MOUNTPOINT"
check_status "no --root" 2 "$MIHFS" mount "$work/model" "$mnt"
check_status "no mount point" 2 "$MIHFS" mount --root "$bundle" "$work/model"
usage "--serve=nonsense" --serve=nonsense
usage "--verify=nonsense" --verify=nonsense
usage "--stage-memory=nonsense" --stage-memory=nonsense
usage "--memory=1K" --memory=1K
usage "--log-level=loud" --log-level=loud
usage "--ready-fd of nothing" "--ready-fd 77"
usage "-o rw" "-o rw"
usage "-o allow_other,suid" "-o allow_other,suid"
check_status "--identity" 4 "$MIHFS" mount --root "$bundle" --identity me \
	--identity-provider https://example.org "$work/model" "$mnt"
check_status "-o nonsense" 3 "$MIHFS" mount --root "$bundle" \
	--public-key "$pub" -o nonsense "$work/model" "$mnt"
check_said "names the unknown option" "unknown option.*nonsense"
check_equal "an error is one line" "$(wc -l <"$work/out")" 1

check "words of fstab" fstab "defaults,_netdev,nofail,x-systemd.automount,\
ro,root=$bundle,public_key=$pub,allow_other,log-level=info"
check "the mount holds what was signed" diff -r "$work/model" "$mnt"
check "allow_other reached the kernel" \
	sh -c "grep -F ' $mnt ' /proc/mounts | grep -q allow_other"
check "it ends in order" mt_umount

mkdir "$work/a,b"
cp "$bundle" "$work/a,b/signed,.json"
cp "$bundle.tree" "$work/a,b/signed,.json.tree" 2>/dev/null
check "a comma in a path" fstab \
	"root=$work/a\\,b/signed\\,.json,public-key=$pub"
check "the mount holds what was signed" diff -r "$work/model" "$mnt"
mt_umount

check "underscores are hyphens" mt_try_mount "$work/model" \
	--on_mismatch=eio --log_format=json --log_level=debug
check_log "the log is JSON" '^{"time":".*","level":"info","event":"serving",'
mt_umount

mkdir "$work/trust"
cp "$pub" "$work/trust/us.pem"
check "a trust directory in the environment" sh -c \
	"MIHFS_TRUST_DIR='$work/trust' '$MIHFS' --root '$bundle' \
		'$work/model' '$mnt'"
check "the mount holds what was signed" diff -r "$work/model" "$mnt"
umount "$mnt"

check "--verify=mount serves a good model" mt_try_mount "$work/model" \
	--verify=mount
mt_umount
check_status "and reads with the devices that are named" 3 "$MIHFS" mount \
	--root "$bundle" --public-key "$pub" --verify=mount --device opencl:99 \
	"$work/model" "$mnt"
check_said "by the process that checks" "'mihfs verify' ended with status"
ln -s model "$work/-x"
# shellcheck disable=SC2016
check "--verify=mount takes a model whose name begins with '-'" \
	sh -c 'cd "$1" && "$MIHFS" mount --root "$2" --public-key "$3" \
		--verify=mount -- -x "$4"' - "$work" "$bundle" "$pub" "$mnt"
umount "$mnt"
cp "$work/model/weights.safetensors" "$work/good"
printf '\000\000\000\000' | dd of="$work/model/weights.safetensors" bs=1 \
	seek=4000000 conv=notrunc 2>/dev/null
check_status "and refuses a bad one" 1 "$MIHFS" mount --root "$bundle" \
	--public-key "$pub" --verify=mount "$work/model" "$mnt"
check_said "and names file and range" "^weights.safetensors: bytes 3997696-"
cp "$work/good" "$work/model/weights.safetensors"

printf 'print(1)\n' >"$work/model/unsigned.py"
check_status "--unsigned=deny" 1 "$MIHFS" mount --root "$bundle" \
	--public-key "$pub" --unsigned=deny "$work/model" "$mnt"
check_said "names the file" "^unsigned.py: "
rm "$work/model/unsigned.py"

# as_user COMMAND...: user 65534 where /dev/fuse is for everybody, and nothing is
# said in fuse.conf
as_user() {
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c '
		mount -t tmpfs none "$1" && mknod -m 666 "$1/fuse" c 10 229 &&
		mount --bind "$1/fuse" /dev/fuse &&
		mount --bind /dev/null /etc/fuse.conf && shift &&
		exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	' sh "$work/dev" "$@"
}

if command -v setpriv >/dev/null && [ -e /etc/fuse.conf ] &&
	[ -u "$(command -v fusermount3)" ]; then
	mkdir "$work/dev" "$work/theirs"
	chown 65534 "$work/theirs"
	chmod -R a+rX "$work"
	check_status "a user may not let others in" 3 as_user "$MIHFS" mount \
		--root "$bundle" --public-key "$pub" -o allow_other \
		"$work/model" "$work/theirs"
	check_said "and hears what that needs" \
		"theirs: .*user_allow_other in /etc/fuse.conf"
fi

if command -v python3 >/dev/null; then
	cat >"$work/listen.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
open(sys.argv[2], "w").close()
print(s.recv(512).decode().split("\n")[0])
PY
	mkfifo "$work/bound"
	python3 "$work/listen.py" "$work/socket" "$work/bound" \
		>"$work/heard" &
	listener=$!
	cat "$work/bound" >/dev/null
	export NOTIFY_SOCKET="$work/socket"
	mt_mount "$work/model"
	unset NOTIFY_SOCKET
	wait "$listener"
	check_equal "a supervisor is told" "$(cat "$work/heard")" READY=1
	mt_umount
fi
mt_end
