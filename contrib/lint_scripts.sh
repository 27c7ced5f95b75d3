#!/bin/sh
# TAP: every shell script passes shellcheck; skipped where that is missing.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../tests/lib/tap.sh"
cd "$top_srcdir" || exit 1

scripts()
{
	find contrib tests .ci autogen.sh -type f \
		\( -name '*.sh' -o -path .ci/run -o -name oms-conformance \) | sort
}

if command -v shellcheck >/dev/null; then
	for script in $(scripts); do
		# What is sourced has no first line that names a shell.
		dialect='-s sh'
		if head -n 1 "$script" | grep -q '^#!'; then dialect=; fi
		# shellcheck disable=SC2086
		tap_check "shellcheck $script" shellcheck -x $dialect "$script"
	done
else
	tap_skip "shellcheck" "shellcheck is not installed"
fi
tap_done
