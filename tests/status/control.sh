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

# manifest_is_right: path, size and digest, as files and attributes have them
manifest_is_right() {
	python3 -c "
import json, os, sys
for line in open('$control/manifest'):
    f = json.loads(line)
    path = os.path.join('$mnt', f['path'])
    get = lambda name: os.getxattr(path, 'user.mihfs.' + name).decode()
    assert os.stat(path).st_size == f['bytes'], f
    assert get('digest') == f['digest'], f
    assert get('algorithm') == f['algorithm'] and f['size_is_signed'], f"
}

failure_is_told() {
	python3 -c "
import json, sys
line, = [json.loads(x) for x in open('$control/failures')]
assert line['number'] == 1 and line['time'].endswith('Z'), line
assert (line['path'], line['offset'], line['length']) == ('sub/a', 65536, 4464)
assert len(line['expected']) == len(line['found']) == 64, line
assert line['expected'] != line['found'] and line['algorithm'], line
assert line['message'].startswith('sub/a: bytes 65536-69999 differ'), line"
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
	". ./failures ./manifest ./metrics ./status.json "
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
check_equal "the manifest has every file" "$(wc -l <"$control/manifest")" 12
check "and their digests are the signed ones" manifest_is_right
check_equal "nothing failed so far" "$(cat "$control/failures")" ""
printf X | dd of="$work/model/sub/a" bs=1 seek=66000 conv=notrunc 2>/dev/null
mt_drop_caches
cat "$mnt/sub/a" >/dev/null 2>&1
check "a refusal is told" failure_is_told
check_equal "to nobody but the owner" "$(stat -c %a "$control/failures")" 400
if command -v setpriv >/dev/null; then
	mt_umount
	mt_mount "$work/model" -o allow_other
	chmod 755 "$work"
	as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
	# shellcheck disable=SC2086
	check "others may see the status" $as_nobody cat "$control/status.json"
	# shellcheck disable=SC2086
	check_errno "but no failures" "Permission denied" \
		$as_nobody cat "$control/failures"
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
