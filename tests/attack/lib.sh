# tests/attack/lib.sh - what the attacks share; sourced, not run
# shellcheck shell=sh

# shellcheck source=tests/lib/mount.sh
. "$(dirname "$0")/../lib/mount.sh"

group=65536
probe=${top_builddir:-.}/probe

# attack_begin - a model of one file of 77 groups (the last one short), two
# files of one size and a small one; signed; $pristine is a copy that stays.
attack_begin()
{
	mt_begin
	model=$work/model
	pristine=$work/pristine
	mkdir "$model" "$model/sub"
	nbytes=5000003
	mt_pattern $nbytes 1 >"$model/weights.bin"
	mt_pattern 200000 2 >"$model/twin-a.bin"
	mt_pattern 200000 3 >"$model/sub/twin-b.bin"
	printf '{"layers": 6}\n' >"$model/config.json"
	cp -r "$model" "$pristine"
	mt_sign "$model"
	cp "$bundle" "$work/signed.good"
	cp "$bundle.tree" "$work/tree.good"
}

# restore - the model, the bundle and the sidecar as they were signed
restore()
{
	rm -rf "$model"
	cp -r "$pristine" "$model"
	cp "$work/signed.good" "$bundle"
	cp "$work/tree.good" "$bundle.tree"
}

# scan HOW FILE - the ranges of the mounted FILE that fail; HOW: pages or map
#
# "WRONG" lines are bytes that differ: there must never be any.
scan()
{
	timeout -k 5 100 "$probe" "$1" "$mnt/$2" "$pristine/$2" 2>&1 ||
		echo "status $?"
}

# bad_groups FIRST [LAST] - what scan says when these groups of weights.bin fail
bad_groups()
{
	bad_end=$(((${2-$1} + 1) * group))
	[ "$bad_end" -le "$nbytes" ] || bad_end=$nbytes
	echo "bad $(($1 * group))-$((bad_end - 1))"
}

# eventually SECONDS COMMAND... - succeeds within that time
eventually()
{
	until_when=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$until_when" ] || return 1
		sleep 0.2
	done
}

# check_refused NAME PATTERN - the mount is refused with status 1 and one line
# that matches
check_refused()
{
	if mt_try_mount "$model"; then
		not_ok "$1: refused"
		mt_umount
	else
		check_equal "$1: refused" "$mt_rc" 1
		check_log "$1: the line names it" "$2"
	fi
}

# check_intact NAME - every file of the mount reads as it was signed
check_intact()
{
	check "$1" timeout -k 5 60 diff -r "$pristine" "$mnt"
}
