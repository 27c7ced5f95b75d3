#!/bin/sh
# What "make install" puts down, "make uninstall" takes away, folders too.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}" "${top_builddir:=.}"
# shellcheck source=tests/lib/tap.sh
. "$top_srcdir/tests/lib/tap.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES # of the make that runs this
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# make_quietly ARGUMENT...
make_quietly()
{
	make -s -C "$top_builddir" --no-print-directory "$@"
}

# The variable NAME of the Makefile, as configured.
configured()
{
	# shellcheck disable=SC2016
	printf 'include Makefile\nmihfs-print:\n\t@echo $(%s)\n' "$1" |
		make -s -C "$top_builddir" --no-print-directory -f - mihfs-print
}

# missing FOLDER: what a user looks for is not missing
missing()
{
	for file in bin/mihfs share/man/man1/mihfs.1 \
		share/man/man1/mihfs-sign.1 share/man/man5/mihfs-bundle.5 \
		share/mihfs/trusted_root.json share/doc/mihfs/README \
		share/bash-completion/completions/mihfs \
		share/zsh/site-functions/_mihfs \
		share/fish/vendor_completions.d/mihfs.fish; do
		[ -f "$1/$file" ] || echo "$file"
	done
}

# rest FOLDER: files, and folders that only mihfs would have made
rest()
{
	find "$1" ! -type d -o -name mihfs | sort
}

prefix=$dir/prefix
tap_check "make install" make_quietly install prefix="$prefix"
tap_empty "all of it is there" "$(missing "$prefix")"
tap_check "the program runs" "$prefix/bin/mihfs" --version
: >"$prefix/bin/other"
tap_check "make uninstall" make_quietly uninstall prefix="$prefix"
tap_equal "only what others put there is left" "$prefix/bin/other" \
	"$(rest "$prefix")"

prefix=$dir/dest$(configured prefix)
tap_check "make install with DESTDIR" make_quietly install DESTDIR="$dir/dest"
tap_empty "all of it is there too" "$(missing "$prefix")"
tap_check "make uninstall with DESTDIR" \
	make_quietly uninstall DESTDIR="$dir/dest"
tap_empty "nothing is left there" "$(rest "$dir/dest")"
tap_done
