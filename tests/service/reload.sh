#!/bin/sh
# SIGHUP: another signed version takes the place of the one that is served, or
# nothing changes at all. Who holds something open goes on with what it was.
: "${top_srcdir:=$(dirname "$0")/../..}"
: "${top_builddir:=.}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

answers=0

# reload PATTERN: send SIGHUP and wait for the one line that ends it
reload() {
	answers=$((answers + 1))
	kill -HUP "$mt_pid" || return 1
	wait_answers && grep 'reloaded[,:]' "$log" | tail -n 1 | grep -q "$1"
}

wait_answers() {
	tries=0
	while [ "$(grep -c 'reloaded[,:]' "$log")" -lt "$answers" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return 1
		sleep 0.05
	done
}

# use N: version N at once for whoever looks again
use() {
	ln -s "v$1" "$work/next" && mv -T "$work/next" "$work/model" &&
		cp "$work/v$1.json" "$work/next.json" &&
		mv "$work/next.json" "$bundle" &&
		cp "$work/v$1.json.tree" "$work/next.tree" &&
		mv "$work/next.tree" "$bundle.tree"
}

sign_as() {
	"$MIHFS" sign --quiet --signature "$work/v$1.json" --private-key \
		"${2:-$key}" "$work/v$1" 2>>"$log" || exit 1
}

number() {
	stat -c %i "$mnt/$1"
}

same() {
	diff -r "$work/v$1" "$mnt"
}

# Each thread that serves has a /dev/fuse of its own; there are as many as a
# busy machine takes.
open_fds() {
	find "/proc/$mt_pid/fd" -mindepth 1 ! -lname /dev/fuse | wc -l
}

mt_begin
mt_model "$work/v1"
sign_as 1
cp -a "$work/v1" "$work/v2"
mt_pattern 5000003 33 >"$work/v2/weights.safetensors"
printf '{"hidden_size": 768}\n' >"$work/v2/config.json"
rm "$work/v2/empty"
mkdir -p "$work/v2/new/deeper"
printf added >"$work/v2/new/deeper/file"
rm -r "$work/v2/sub"
printf 'a file now' >"$work/v2/sub"
sign_as 2

use 1
mt_mount "$work/model"
check "the first version is served" same 1
check_fails "what only the second has is not there" stat "$mnt/new"
weights=$(number weights.safetensors)
group=$(number one-group)
exec 7<"$mnt/weights.safetensors"
head -c 1000000 <&7 >"$work/read"
exec 6<"$mnt/sub/deeper/tensor.bin"

use 2
check "SIGHUP makes it reload" reload "reloaded: root [0-9a-f]\{64\}, signed"
check "every byte and name is of the second version then" same 2
check "a name that did not exist before does" \
	cmp "$work/v2/new/deeper/file" "$mnt/new/deeper/file"
check_fails "one that did does not" stat "$mnt/empty"
check_equal "a folder became a file" "$(cat "$mnt/sub")" "a file now"
check_equal "an unchanged file keeps its inode" "$(number one-group)" "$group"
check "a changed file has another" test \
	"$(number weights.safetensors)" != "$weights"
check "and a time of its own" test \
	"$(stat -c %Y "$mnt/weights.safetensors")" -gt 1000000
check_equal "an unchanged one has not" \
	"$(stat -c %Y "$mnt/one-group")" 0
cat <&7 >>"$work/read"
check "an open file goes on as what it was" \
	cmp "$work/v1/weights.safetensors" "$work/read"
cat <&6 >"$work/read"
check "and so does one whose folder is gone" \
	cmp "$work/v1/sub/deeper/tensor.bin" "$work/read"
check_equal "it can still be asked about" "$(stat -L -c %s "/proc/$$/fd/6")" \
	100000

# Somebody has it open still, so there are two.
"$MIHFS" status --json "$mnt" >"$work/status" 2>/dev/null
check "status shows both versions" test \
	"$(grep -o '"current": *[a-z]*' "$work/status" | wc -l)" = 2
check "and what came of the reload" grep -q '"done": *1' "$work/status"
exec 6<&- 7<&-

# What did not change stays in the page cache: its bytes are not read again.
printf 'XXXX' | dd of="$work/v2/one-group" conv=notrunc 2>/dev/null
check "an unchanged file is still in the page cache" \
	cmp "$work/v1/one-group" "$mnt/one-group"
cp "$work/v1/one-group" "$work/v2/one-group"

# Readers and listings while two versions take turns.
"$top_builddir/swap_readers" "$mnt" "$work/v1" "$work/v2" "$work/go" \
	>"$work/counts" 2>&1 &
readers=$!
wrong=0
for n in 1 2 1 2 1 2 1 2 1 2; do
	use "$n"
	reload "reloaded: " && cmp -s "$work/v$n/weights.safetensors" \
		"$mnt/weights.safetensors" && [ "$(ls "$work/v$n")" = "$(ls "$mnt")" ] ||
		wrong=$((wrong + 1))
done
check_equal "what is opened after a reload is new, ten times" $wrong 0
: >"$work/go"
wait $readers
check_equal "all that was read and listed meanwhile was whole, of one version" \
	$? 0
sed 's/^/# /' "$work/counts"

# Whatever is wrong with the new version, the old one stays.
openssl ecparam -name prime256v1 -genkey -noout -out "$work/other.pem" \
	2>/dev/null
cp -a "$work/v1" "$work/v3"
sign_as 3 "$work/other.pem"
use 3
check "a stranger's signature is refused" reload "not reloaded, .*key"
use 1
head -c 1000 "$work/v1.json" >"$bundle"
check "a broken bundle is refused" reload "not reloaded, root .*signed.json"
check "status says why" sh -c \
	"'$MIHFS' status '$mnt' | grep -q 'refused.*signed.json'"
rm "$bundle"
check "a missing bundle is refused" reload "not reloaded, .*No such file"
use 1
mv "$work/v1/one-byte" "$work/one-byte"
check "a missing file is refused" reload "not reloaded, .*one-byte: signed but"
printf yy >"$work/v1/one-byte"
check "and one of another size" reload "not reloaded, .*one-byte: 2 bytes"
mv "$work/one-byte" "$work/v1/one-byte"
mv "$pub" "$work/key.gone"
check "nobody to trust: refused" reload "not reloaded, .*key.pub"
openssl ec -in "$work/other.pem" -pubout -out "$pub" 2>/dev/null
check "somebody else to trust: refused" reload "not reloaded, "
use 2
check "all that time the second version was served" same 2
use 3
check "trust is read again as well" reload "reloaded: "
check "the stranger's version is served" same 3
mv "$work/key.gone" "$pub"
use 2
check "and back" reload "reloaded: "
check "to the second version" same 2

# Earlier versions are held by open files only, and not without limit.
before=$(open_fds)
for n in 1 2 1 2 1 2 1 2; do
	eval "exec $((n + 2))<\"$mnt/config.json\""
	use "$n"
	reload "reloaded: " || break
done
check "eight reloads, two versions held" same 2
exec 3<&- 4<&-
use 1
check "another one" reload "reloaded: "
use 2
check "and another" reload "reloaded: "
# The kernel tells of a close when it likes.
no_more_than() {
	tries=0
	until [ "$(open_fds)" -le "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || return 1
		sleep 0.05
	done
}
check "no descriptor is left behind" no_more_than "$before"
check "its readers are not disturbed by the end" mt_umount

# Held open by many.
use 1
mt_mount "$work/model"
answers=0
holders=
for n in 2 1 2 1 2 1 2 1; do
	mkfifo "$work/hold"
	sh -c 'read -r x <"$1"' sh "$work/hold" <"$mnt/config.json" &
	holders="$holders $!"
	exec 5<"$mnt/config.json"
	use "$n"
	reload "reloaded: " || break
	rm "$work/hold"
done
exec 5<&-
check "eight earlier versions can be held open" test "$answers" = 8
use 2
check "a ninth is refused" reload "not reloaded, .*8 earlier versions"
# shellcheck disable=SC2086
kill $holders
# shellcheck disable=SC2086
wait $holders 2>/dev/null
reloads_at_last() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		reload "reloaded: " && return 0
		sleep 0.5
	done
	return 1
}
check "until their readers have ended" reloads_at_last
check "and all is as signed" same 2
mt_umount

# The daemon has left its folder; relative paths are still right.
(cd "$work" && "$MIHFS" mount --root signed.json --public-key key.pub \
	model "$mnt" 2>>"$log")
use 1
kill -HUP "$(pgrep -o -f -- "--public-key key.pub model $mnt\$")"
tries=0
while ! cmp -s "$work/v1/config.json" "$mnt/config.json" && [ $tries -lt 200 ]
do
	tries=$((tries + 1))
	sleep 0.05
done
check "a daemon with relative paths reloads" same 1
umount "$mnt"

# What --verify=mount promises holds for each version; and an end amid a reload.
use 1
mt_mount "$work/model" --verify=mount
answers=0
use 2
check "--verify=mount reads all of the new version first" \
	reload 'reloaded: root'
check "and serves it" same 2
use 1
check "and of the next one" reload 'reloaded: root'
use 2
printf X | dd of="$work/v2/weights.safetensors" conv=notrunc 2>/dev/null
check "which it refuses if a byte is wrong" \
	reload "not reloaded, .*: not as signed"
check_log "the log says where" "weights.safetensors: bytes .* differ"
check "and serves what it did" same 1
kill -HUP "$mt_pid"
check "SIGTERM ends it amid a reload" mt_umount

# A mount hides the model beneath it; it must not serve itself.
use 1
mnt=$work/v1
mt_mount "$work/model"
answers=0
check "what the mount itself hides is not reloaded" \
	reload "not reloaded, .*v1: hidden by the mount itself"
check "and still served" cmp "$work/v2/one-group" "$mnt/one-group"
check "until the end" mt_umount
mt_end
