#!/bin/sh
# Metrics that leave the mount: a file that is replaced, and HTTP on this host.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

exposition=$top_srcdir/tests/status/exposition.py

# fetch WHERE [METHOD [PATH]]: by HTTP; prints the status line and the body
fetch() {
	python3 - "$@" <<'PYTHON'
import http.client
import socket
import sys

where, method, path = (sys.argv[1:] + ["GET", "/metrics"][len(sys.argv) - 2:])
if where.startswith("/"):
    connection = http.client.HTTPConnection("localhost", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(where)
else:
    connection = http.client.HTTPConnection(where, timeout=10)
connection.request(method, path)
response = connection.getresponse()
print(response.status, file=sys.stderr)
sys.stdout.write(response.read().decode())
PYTHON
}

# free_port: one that nobody listens on
free_port() {
	python3 -c "import socket
s = socket.socket()
s.bind(('127.0.0.1', 0))
print(s.getsockname()[1])"
}

# status_line WHERE METHOD PATH
status_line() {
	{ fetch "$@" >/dev/null; } 2>&1
}

# grows: the file is replaced, and each time it is whole
grows() {
	first=$(stat -c %i "$work/out.d/mihfs.prom")
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		python3 "$exposition" "$work/out.d/mihfs.prom" || return 1
		[ "$(stat -c %i "$work/out.d/mihfs.prom")" = "$first" ] ||
			return 0
		sleep 0.2
	done
	return 1
}

mt_begin
command -v python3 >/dev/null || mt_skip "no python3"
mt_model "$work/model"
mt_sign "$work/model"
mkdir "$work/out.d"

check_status "an interval is a number" 2 "$MIHFS" mount --root "$bundle" \
	--public-key "$pub" --metrics-interval often "$work/model" "$mnt"
check_status "the file's folder must exist" 3 "$MIHFS" mount --root "$bundle" \
	--public-key "$pub" --metrics-file "$work/no/file" "$work/model" "$mnt"

cd "$work" || exit 1
mt_mount "$work/model" --metrics-file out.d/mihfs.prom --metrics-interval 0.2
check "the file is replaced, always whole" grows
cat "$mnt/one-group" >/dev/null
mt_umount
check_equal "the last one has the sums of all" "$(python3 "$exposition" \
	"$work/out.d/mihfs.prom" --value mihfs_verified_bytes_total)" 65536
check_equal "nothing else is left in its folder" "$(ls "$work/out.d")" \
	mihfs.prom
check_equal "everybody may read it" \
	"$(stat -c %a "$work/out.d/mihfs.prom")" 644

if ! grep -q '^metrics by HTTP .* yes' \
	"${top_builddir:-.}/config-features.txt"; then
	check_status "without libmicrohttpd there is no HTTP" 2 \
		"$MIHFS" mount --root "$bundle" --public-key "$pub" \
		--metrics-listen "unix:$work/socket" "$work/model" "$mnt"
	mt_end
fi
for where in 0.0.0.0:9000 192.0.2.1:9000 '[::]:9000'; do
	check_status "other hosts are refused: $where" 2 "$MIHFS" mount \
		--root "$bundle" --public-key "$pub" --metrics-listen "$where" \
		"$work/model" "$mnt"
	check_said "with the reason" "reached by other hosts"
done
for where in here 127.0.0.1:0 127.0.0.1:99999 '[::1:9' unix:; do
	check_fails "no place to listen: $where" "$MIHFS" mount \
		--root "$bundle" --public-key "$pub" --metrics-listen "$where" \
		"$work/model" "$mnt"
done

mt_mount "$work/model" --metrics-listen "unix:$work/socket"
check_equal "the socket is for owner and group" \
	"$(stat -c '%F %a' "$work/socket")" "socket 660"
fetch "$work/socket" >"$work/page" 2>/dev/null
check "HTTP by a Unix socket" python3 "$exposition" "$work/page"
check_equal "there is nothing else" "$(status_line "$work/socket" GET /)" 404
check_fails "and nothing to send there" fetch "$work/socket" POST /metrics
kill -9 "$mt_pid"
wait "$mt_pid" 2>/dev/null
umount -l "$mnt"
mt_mount "$work/model" --metrics-listen "unix:$work/socket"
check "a socket left behind is no obstacle" fetch "$work/socket"
mt_umount
: >"$work/file"
check_fails "any other file is" "$MIHFS" mount --root "$bundle" \
	--public-key "$pub" --metrics-listen "unix:$work/file" \
	"$work/model" "$mnt"
check "and is not removed" test -e "$work/file"

port=$(free_port)
mt_mount "$work/model" --metrics-listen "127.0.0.1:$port" --sandbox on
fetch "127.0.0.1:$port" >"$work/page" 2>/dev/null
check "HTTP by a loopback address" python3 "$exposition" "$work/page"
check_equal "HEAD too" "$(status_line "127.0.0.1:$port" HEAD /metrics)" 200
mt_umount
check_fails "it ends with the mount" fetch "127.0.0.1:$port"
mt_end
