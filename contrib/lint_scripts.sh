#!/bin/sh
# TAP: every shell script passes shellcheck, every C file is as clang-format
# would write it. What is not installed is skipped.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../tests/lib/tap.sh"
cd "$top_srcdir" || exit 1

scripts()
{
	find contrib tests .ci autogen.sh -type f \
		\( -name '*.sh' -o -path .ci/run \) | sort
}

unformatted()
{
	find src tests contrib -name '*.[ch]' | sort | while read -r file; do
		clang-format-14 --dry-run -Werror "$file" 2>/dev/null ||
			echo "$file: run clang-format-14 -i on it"
	done
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
if command -v clang-format-14 >/dev/null; then
	tap_empty "C files are formatted" "$(unformatted)"
else
	tap_skip "C files are formatted" "clang-format-14 is not installed"
fi
tap_done
