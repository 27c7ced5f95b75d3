#!/bin/sh
# From the command line to the end of a mount, in every way it can begin and
# end.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

mounted() {
	grep -qF " $mnt " /proc/self/mountinfo
}

not_mounted() {
	! mounted
}

# daemon [ARGUMENT...]: the plain command, in the background mode; the FIFO
# $work/alive ends when the server does.
daemon() {
	mt_limit "$MIHFS" --root "$bundle" --public-key "$pub" "$@" \
		"$work/model" "$mnt" 8>"$work/alive"
}

mt_begin
mt_model "$work/model"
mt_sign "$work/model"
mkfifo "$work/alive"

# In the foreground.
mt_mount "$work/model"
check "the mount holds what was signed" diff -r "$work/model" "$mnt"
check_log "the log says what is served" "serving $work/model on $mnt: 12 files"
check_equal "readahead is raised" \
	"$(cat "/sys/class/bdi/$(stat -c %Hd:%Ld "$mnt")/read_ahead_kb")" 16384
check_status "a second mount on it is refused" 3 "$MIHFS" mount \
	--root "$bundle" --public-key "$pub" "$work/model" "$mnt"
check_said "and the refusal names the first" "already serves $work/model"
check "SIGTERM ends it with status 0" mt_umount
check "and the mount point is free" not_mounted

mt_mount "$work/model"
kill -s INT "$mt_pid"
wait "$mt_pid"
check_equal "SIGINT ends it with status 0" $? 0
mt_pid=
check "and the mount point is free again" not_mounted

# A signal that means nothing to users must not make it deaf to the others.
mt_mount "$work/model"
kill -s USR1 "$mt_pid"
kill -s TERM "$mt_pid"
# shellcheck disable=SC2016 # the inner shell expands it
check "SIGTERM ends it after a stray SIGUSR1" timeout 20 sh -c \
	'while grep -qF " $1 " /proc/self/mountinfo; do sleep 0.1; done' sh "$mnt"
not_mounted || kill -s KILL "$mt_pid"
wait "$mt_pid"
check_equal "with status 0" $? 0
mt_pid=

# Readers do not hold it back.
mt_mount "$work/model"
exec 7<"$mnt/weights.safetensors"
before=$(date +%s)
check "SIGTERM ends a mount with an open file" mt_umount
check "at once" test $(($(date +%s) - before)) -lt 10
check "and the mount point is free" not_mounted
check_fails "the open file gives errors now" dd bs=64k skip=40 count=1 <&7
exec 7<&-

mt_mount "$work/model"
check "umount(8) works" umount "$mnt"
wait "$mt_pid"
check_equal "and ends the server with status 0" $? 0
mt_pid=

# In the background.
cat "$work/alive" >/dev/null &
check "the plain command mounts" daemon
check "and the mount answers when it returns" \
	cmp "$work/model/config.json" "$mnt/config.json"
check "umount(8) works here too" umount "$mnt"
wait $!
exec 6<>"$work/alive"
out=$(daemon 2>&1)
check_equal "the daemon keeps no pipe open" "$?:$out" 0:
exec 6<&-
umount "$mnt"

# A server that was killed.
mt_mount "$work/model"
cat "$mnt/config.json" >/dev/null
kill -9 "$mt_pid"
wait "$mt_pid" 2>/dev/null
mt_pid=
check_status "a dead mount in the way is an error" 3 "$MIHFS" mount \
	--root "$bundle" --public-key "$pub" "$work/model" "$mnt"
check_said "which is named, with its cure" \
	"dead file system.*umount -l $mnt"
check "the cure works" umount -l "$mnt"
check "and the next mount too" mt_try_mount "$work/model"
mt_umount

# What never gets as far as a mount.
check_status "a missing mount point" 3 "$MIHFS" mount --root "$bundle" \
	--public-key "$pub" "$work/model" "$work/none"
check_status "a mount point that is a file" 3 "$MIHFS" mount \
	--root "$bundle" --public-key "$pub" "$work/model" "$bundle"
check_status "nobody trusted" 4 env MIHFS_TRUST_DIR="$work/none" "$MIHFS" \
	mount --root "$bundle" "$work/model" "$mnt"
openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null |
	openssl ec -pubout -out "$work/other.pub" 2>/dev/null
check_status "somebody else trusted" 1 "$MIHFS" mount --root "$bundle" \
	--public-key "$work/other.pub" "$work/model" "$mnt"
mv "$work/model/one-byte" "$work/one-byte"
check_status "a missing file" 1 "$MIHFS" mount --root "$bundle" \
	--public-key "$pub" "$work/model" "$mnt"
check_said "is named" "^one-byte: "
mv "$work/one-byte" "$work/model/one-byte"
check_status "a missing bundle" 3 "$MIHFS" mount --root "$work/none" \
	--public-key "$pub" "$work/model" "$mnt"
check "nothing was mounted by any of them" not_mounted

# Stop at the first wrong byte.
mt_mount "$work/model" --on-mismatch=stop
printf '\000\000\000\000' | dd of="$work/model/weights.safetensors" bs=1 \
	seek=4000000 conv=notrunc 2>/dev/null
check_fails "wrong bytes are not served" cat "$mnt/weights.safetensors"
wait "$mt_pid"
check_equal "--on-mismatch=stop ends the mount with status 1" $? 1
mt_pid=
check "and the mount point is free" not_mounted
check_log "the log names the file" "weights.safetensors: bytes "
mt_end
