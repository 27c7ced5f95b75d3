#!/bin/sh
# mihfs status: words, JSON, probes, and mounts that do not answer.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

# field EXPRESSION: of the status of $mnt, as Python sees it
field() {
	"$MIHFS" status --json "$mnt" |
		python3 -c "import json, sys; s = json.load(sys.stdin); print($1)"
}

# hung_is_told LIMIT: a mount that is stopped does not hold up a probe, nor
# whoever waits for the end of what the probe prints
hung_is_told() {
	kill -STOP "$mt_pid"
	timeout "$1" sh -c "'$MIHFS' status --ready --timeout 0.5 '$mnt' 2>&1 |
		cat" >"$work/out"
	hung=$?
	kill -CONT "$mt_pid"
	[ "$hung" = 0 ] && grep -q 'no answer within 0.5 s' "$work/out"
}

mt_begin
mt_model "$work/model"
mt_sign "$work/model"

check_status "a folder without a mount is not ready" 3 \
	"$MIHFS" status --ready "$mnt"
check_said "with the reason" "no mihfs is mounted here"
check_status "nor is a place that does not exist" 3 \
	"$MIHFS" status --ready "$work/nowhere"
check_status "a probe needs a mount point" 2 "$MIHFS" status --ready
check_status "a time limit is a number" 2 \
	"$MIHFS" status --timeout soon "$mnt"

mt_mount "$work/model"
check "a mount is ready" "$MIHFS" status --ready "$mnt"
check_equal "and the probe says nothing" "$(cat "$work/out")" ""
check "also by a link" sh -c \
	"ln -s '$mnt' '$work/link' && '$MIHFS' status --ready '$work/link'"
check_status "a folder of the mount is no mount point" 3 \
	"$MIHFS" status --ready "$mnt/sub"
check "it is in the list" sh -c \
	"'$MIHFS' status | grep -qxF '$work/model on $mnt'"
check "as JSON too" sh -c \
	"'$MIHFS' status --json | grep -qF '\"mountpoint\":\"$mnt\"'"

check_equal "nothing was read yet" "$(field 's["status"]')" unverified
check_equal "it names the process" "$(field 's["pid"]')" "$mt_pid"
check_equal "and what it serves" \
	"$(field 's["generations"][0]["model"], s["bundle"]')" \
	"$work/model $bundle"
check_equal "and how many files" \
	"$(field 's["generations"][0]["files"]["total"]')" 12
cat "$mnt/one-group" >/dev/null
check_equal "one file was read" \
	"$(field 's["status"], s["generations"][0]["files"]["verified"]')" \
	"partial 1"
check_equal "and how its bytes got to the reader" \
	"$(field '[(f["path"], f["by"]) for f in s["generations"][0]["served"]]')" \
	"[('one-group', 'cache')]"
check_equal "its bytes are counted" \
	"$(field 's["counters"]["verified_bytes"]')" 65536
check_status "so far all is right" 0 "$MIHFS" status "$mnt"
check_said "in words" "^signed by    key "
check_said "and figures" "^files        12 .*: 1 verified"
check_said "and each opened file" "^  by cache   one-group, 64.0 KiB verified"

check_status "there is one way to show it" 2 \
	"$MIHFS" status --json --watch "$mnt"
check_status "watching goes on" 124 timeout 4 \
	"$MIHFS" status --watch --interval 0.3 "$mnt"
check_equal "with headings and lines" \
	"$(head -n 2 "$work/out" | awk '{ print $1, $2 }' | tr '\n' ' ')" \
	"verified verified/s 64.0 KiB "

check "a mount that hangs is told of in time" hung_is_told 10
check "and is ready again when it goes on" "$MIHFS" status --ready "$mnt"

printf X | dd of="$work/model/sub/a" bs=1 seek=66000 conv=notrunc 2>/dev/null
mt_drop_caches
cat "$mnt/sub/a" >/dev/null 2>&1
check_status "a bad file ends it with 1" 1 "$MIHFS" status "$mnt"
check_said "and is named" "^  failed     sub/a"
check_equal "as JSON too" \
	"$(field 's["generations"][0]["failed"][0]["path"]')" sub/a
check "a probe is still content: the mount answers" \
	"$MIHFS" status --ready "$mnt"

kill -9 "$mt_pid"
wait "$mt_pid" 2>/dev/null
mt_pid=
check_status "a dead mount is not ready" 3 "$MIHFS" status --ready "$mnt"
check_said "with the way out" "dead file system.*umount -l"
mt_end
