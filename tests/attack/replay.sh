#!/bin/sh
# The access patterns of model loaders, each compared byte by byte.
set -u
# shellcheck source=tests/lib/mount.sh
. "$(dirname "$0")/../lib/mount.sh"
replay=${top_builddir:-.}/replay
mt_begin
model=$work/model
mkdir "$model"
mt_pattern 100000003 1 >"$model/weights.bin"
mt_sign "$model"

# relay: the lines of replay as results of this script
relay()
{
	while read -r verdict line; do
		case $verdict in
		ok) ok "${line#* - }" ;;
		not) not_ok "${line#* - }" ;;
		'#') echo "# $line" ;;
		esac
	done
}

mt_mount "$model"
timeout -k 5 300 "$replay" "$mnt/weights.bin" "$model/weights.bin" \
	>"$work/replay"
status=$?
relay <"$work/replay"
check_equal "every pattern came to an end" "$status" 0

# What replay says is worth something only if it would notice: all patterns but
# those that take samples or a part.
cp "$model/weights.bin" "$work/other"
"${top_builddir:-.}/probe" flip "$work/other" 50000000
check_equal "replay notices a wrong byte" \
	"$(timeout -k 5 300 "$replay" "$mnt/weights.bin" "$work/other" |
		grep -c '^not ok')" 15
mt_umount
mt_end
