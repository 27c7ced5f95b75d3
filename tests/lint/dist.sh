#!/bin/sh
# What belongs to the tree is in the tarball: a file that no local.mk names
# would be missed only by those who build from a release.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}" "${top_builddir:=.}"
# shellcheck source=tests/lib/tap.sh
. "$top_srcdir/tests/lib/tap.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES # of the make that runs this

# The names that "make dist" packs, relative to the top.
packed()
{
	# shellcheck disable=SC2016
	printf 'include Makefile\nmihfs-print:\n\t@echo %s\n' \
		'$(DISTFILES:$(srcdir)/%=%)' |
		make -s -C "$top_builddir" --no-print-directory -f - mihfs-print |
		tr ' ' '\n'
}

# No products of a build that was made within the tree.
present()
{
	(cd "$top_srcdir" && find src tests contrib doc data m4 -type f \
		! -path '*/.deps/*' ! -path '*/__pycache__/*' \
		! -name '*.o' ! -name '*.log' ! -name '*.trs' \
		! -name .dirstamp ! -name '*.in')
}

# A folder that is packed brings what is in it.
unpacked()
{
	present | awk -v list="$1" '
		BEGIN { n = split(list, f, "\n"); while (n) is[f[n--]] = 1 }
		{
			for (path = $0; path != ""; )
				if (path in is)
					next
				else if (!sub(/\/[^\/]*$/, "", path))
					path = ""
			print
		}'
}

names=$(packed)
tap_check "the makefile names what it packs" test -n "$names"
tap_empty "every file is packed" "$(unpacked "$names")"
tap_done
