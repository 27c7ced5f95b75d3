#!/bin/sh
# The units, as systemd sees them.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${top_builddir:=.}"
: "${MIHFS:=$top_builddir/mihfs}"
# shellcheck source=tests/lib/tap.sh
. "$top_srcdir/tests/lib/tap.sh"

# 0: nothing is open, 100: nothing is closed. Most of what is missing would give
# the service a mount namespace of its own.
EXPOSURE_MAX=42

command -v systemd-analyze >/dev/null || tap_skip_all "no systemd-analyze"
work=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-units.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# As installed, but with the program of this build.
unit="$work/mihfs@x.service"
sed "s|^ExecStart=[^ ]*|ExecStart=$MIHFS|" \
	"$top_builddir/contrib/systemd/mihfs@.service" >"$unit"
cp "$top_srcdir/contrib/systemd/models-llama.mount" "$work/"

verified()
{
	systemd-analyze verify --man=no "$1" 2>&1 |
		grep -F "$(basename "$1")"
}

exposure()
{
	systemd-analyze security --offline=true --no-pager \
		--threshold="$EXPOSURE_MAX" "$unit"
}

tap_check "the service is made" test -s "$unit"
tap_empty "systemd has nothing to say about the service" "$(verified "$unit")"
tap_empty "nor about the mount" \
	"$(verified "$work/models-llama.mount")"
tap_check "the service is closed as far as a mount can be" exposure

# What the service gets by itself must never hide the mount.
namespaces='ProtectSystem|ProtectHome|PrivateTmp|PrivateDevices|PrivateMounts'
namespaces="$namespaces|ProtectKernel[A-Za-z]*|ProtectControlGroups|ProtectProc"
namespaces="$namespaces|ProcSubset|MountFlags|[A-Za-z]*Paths|PrivateIPC"
tap_empty "nothing in it makes a namespace of mounts" \
	"$(grep -E "^($namespaces)=" "$unit")"
tap_done
