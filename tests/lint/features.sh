#!/bin/sh
# What configure found is what this job expects: a feature must not be lost
# in silence because a library was missing on the build machine.
#
# Runs where MIHFS_EXPECT_FEATURES names a file of expected lines; "*" as the
# value accepts any.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${top_builddir:=.}"
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

[ -n "${MIHFS_EXPECT_FEATURES-}" ] ||
	tap_skip_all "MIHFS_EXPECT_FEATURES is not set"
got=$top_builddir/config-features.txt
[ -f "$got" ] || {
	tap_not_ok "configure wrote config-features.txt"
	tap_done
}

# "SHA-NI hash path ..... yes" -> "SHA-NI hash path=yes"
pairs()
{
	sed -n 's/^\(.*[^ .]\) \.\.* \(.*\)$/\1=\2/p' "$1"
}

found=$(pairs "$got")
while IFS='=' read -r key value; do
	line=$(echo "$found" | grep -F "$key=")
	case $value in
	'*') tap_check "configure speaks of: $key" test -n "$line" ;;
	*) tap_equal "configure found: $key" "$key=$value" "$line" ;;
	esac
done <<EOF
$(pairs "$MIHFS_EXPECT_FEATURES")
EOF
while IFS='=' read -r key _; do
	tap_check "expected-features knows: $key" \
		grep -q "^$key \.\." "$MIHFS_EXPECT_FEATURES"
done <<EOF
$found
EOF
tap_done
