#!/bin/sh
# The hidden control folder of a mount.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

control=$mnt/.mihfs

# many_opens N: more open files at once than the folder allows
many_opens() {
	python3 -c "
import errno, sys
files = []
try:
    for i in range($1):
        files.append(open(sys.argv[1]))
except OSError as e:
    sys.exit(0 if e.errno == errno.ENFILE and len(files) == 64 else 1)
sys.exit(1)" "$control/status.json"
}

# same_text FILE: what one open shows does not change while others read
same_text() {
	python3 -c "
import sys
a = open(sys.argv[1])
first = a.read(7)
open(sys.argv[2], 'rb').read()
rest = a.read()
a.seek(0)
sys.exit(0 if a.read() == first + rest else 1)" "$1" "$mnt/one-group"
}

mt_begin
control=$mnt/.mihfs
mt_model "$work/model"
mt_sign "$work/model"
mt_mount "$work/model"

check_equal "it is not listed" "$(find "$mnt" -name '.mihfs*')" ""
check_equal "but it is there" "$(stat -c '%F %a %h' "$control")" \
	"directory 555 2"
check_equal "and lists its own files" \
	"$(cd "$control" && find . | LC_ALL=C sort | tr '\n' ' ')" \
	". ./metrics ./status.json "
check_errno "no others are in it" "No such file" cat "$control/nothing"
check_equal "a file is for all who may come in" \
	"$(stat -c '%F %a' "$control/status.json")" "regular empty file 444"
check "the status is one JSON object" \
	python3 -m json.tool "$control/status.json"
check "it stays as it was opened" same_text "$control/status.json"
check "a reader cannot open more and more" many_opens 100
check "and others can once these are closed" cat "$control/status.json"
check_errno "nobody writes there" "Read-only file system" \
	sh -c ": >'$control/status.json'"
check_errno "or makes files" "Read-only file system" touch "$control/new"
if command -v getfattr >/dev/null; then
	check_equal "it has no attributes" \
		"$(getfattr --absolute-names -d "$control/status.json")" ""
	check_errno "not one" "No such attribute" \
		getfattr -n user.mihfs.status "$control"
fi
exec 8<"$control/status.json"
check "a mount ends in order while such a file is open" mt_umount
exec 8<&-

# What was signed is served as it was signed, whatever its name.
mkdir "$work/model/.mihfs"
printf '{"ready": true}' >"$work/model/.mihfs/status.json"
mt_sign "$work/model"
mt_mount "$work/model"
check_equal "a signed folder of that name is served instead" \
	"$(cat "$control/status.json")" '{"ready": true}'
check_log "the log says so" "has a signed .mihfs of its own"
check_status "and a probe does not believe it" 3 \
	"$MIHFS" status --ready "$mnt"
check_said "with the reason" "signed .mihfs of its own"
mt_umount
rm -r "$work/model/.mihfs"
printf file >"$work/model/.mihfs"
mt_sign "$work/model"
mt_mount "$work/model"
check_equal "a signed file of that name too" "$(cat "$control")" file
mt_umount
mt_end
