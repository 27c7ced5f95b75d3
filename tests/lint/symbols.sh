#!/bin/sh
# Every global of lib<folder>.a begins with mih_<folder>_; in util, where the
# files are small libraries of their own, with mih_<file>_.
set -u
: "${top_builddir:=.}"
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
cd "$top_builddir" || exit 1
command -v nm >/dev/null || tap_skip_all "nm is not installed"

# Names that the tool chain adds begin with two underscores.
globals()
{
	nm -A -P -g --defined-only "$1" 2>/dev/null |
		sed -n 's/^.*\[\([^]]*\)\.o\]: \([^ ]*\) .*/\1 \2/p' |
		grep -v ' __'
}

strays()
{
	globals "$1" | while read -r object symbol; do
		prefix=$2
		[ "$2" = util ] && prefix=${object##*_a-}
		case $symbol in
		mih_"$prefix"_* | mih_"$prefix") ;;
		*) echo "$1 ($object): $symbol lacks mih_${prefix}_" ;;
		esac
	done
}

found=
for archive in lib*.a; do
	[ -f "$archive" ] || continue
	found=yes
	folder=${archive#lib}
	folder=${folder%.a}
	tap_empty "globals of $archive carry their folder's name" \
		"$(strays "$archive" "$folder")"
done
[ -n "$found" ] || tap_not_ok "there are archives to look at"
tap_done
