#!/bin/sh
# The bundle and the sidecar are changed: a bundle that is not exactly what was
# signed is refused; a sidecar can cost time, never a wrong byte.
set -u
# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
attack_begin
# More than one coarse node: pages of 8 MiB.
mt_pattern 20000001 4 >"$model/large.bin"
cp "$model/large.bin" "$pristine"
mt_sign "$model"
cp "$bundle" "$work/signed.good"
cp "$bundle.tree" "$work/tree.good"

# member_offset NAME - where the text of that JSON member begins
member_offset()
{
	grep -obaE "\"$1\": *\"" "$bundle" | head -n 1 |
		awk -F: '{ print $1 + length($0) - length($1) - 1 }'
}

# change_char OFFSET - another character of the base64 alphabet
change_char()
{
	change_to=A
	[ "$(dd if="$bundle" bs=1 skip="$1" count=1 status=none)" != A ] ||
		change_to=B
	printf %s "$change_to" | dd of="$bundle" bs=1 seek="$1" conv=notrunc \
		status=none
}

for member in payload sig; do
	at=$(member_offset $member)
	for step in 0 9 50; do
		cp "$work/signed.good" "$bundle"
		change_char $((at + step))
		check_refused "$member, character $step changed" "signed.json"
	done
done

# A payload that is well-formed, and says something else than was signed.
cp "$work/signed.good" "$bundle"
sed -n 's/.*"payload": *"\([^"]*\)".*/\1/p' "$bundle" | base64 -d >"$work/payload"
check "the payload can be taken apart" grep -q weights.bin "$work/payload"
for edit in 's/weights\.bin/weights.bim/' 's/"size": *5000003/"size":5000002/' \
	's/mth4k-sha256/mth4k-sha512/'; do
	sed "$edit" "$work/payload" | base64 -w 0 >"$work/edited"
	awk -v new="$(cat "$work/edited")" '{
		sub(/"payload": *"[^"]*"/, "\"payload\": \"" new "\"")
		print
	}' "$work/signed.good" >"$bundle"
	check "the payload differs after $edit" sh -c \
		"! cmp -s '$bundle' '$work/signed.good'"
	check_refused "payload edited by $edit" "signed.json"
done

head -c 300 "$work/signed.good" >"$bundle"
check_refused "bundle cut short" "signed.json"
: >"$bundle"
check_refused "bundle emptied" "signed.json"
cp "$work/signed.good" "$bundle"
openssl ecparam -name prime256v1 -genkey -noout -out "$work/other.pem" 2>/dev/null
cp "$pub" "$work/pub.good"
openssl ec -in "$work/other.pem" -pubout -out "$pub" 2>/dev/null
check_refused "signed by somebody else" "signed.json"
cp "$work/pub.good" "$pub"
check_status "no trust anchor at all: status 4" 4 env MIHFS_TRUST_DIR="$work/none" \
	"$MIHFS" mount -f --root "$bundle" "$model" "$mnt"
check "nothing of all that was left mounted" sh -c "! mountpoint -q '$mnt'"

# --- the sidecar ------------------------------------------------------------

# field OFFSET - a little-endian 64-bit number of the sidecar
field()
{
	od -An -tu8 -j "$1" -N 8 "$work/tree.good" | tr -d ' '
}

# section N FIELD - where section N begins (8), how long it is (16)
section()
{
	field $((40 + 40 * $1 + $2))
}

# served NAME - with this sidecar, every byte is right; the log says something
served()
{
	if mt_try_mount "$model"; then
		check_intact "$1: every byte served is right"
		check_log "$1: the log tells of it" \
			"signed.json.tree\|tree file"
		mt_umount
	else
		not_ok "$1: mounted"
	fi
}

tree=$bundle.tree
flip_tree()
{
	cp "$work/tree.good" "$tree"
	"$probe" flip "$tree" "$1"
}

mt_mount "$model"
check_intact "with its sidecar: every byte served is right"
check_equal "a good sidecar: no warning" "$(grep -c 'signed.json.tree' "$log")" 0
mt_umount

for place in "magic 0" "version 8" "flags 12" "length 16" "checksum 240"; do
	# shellcheck disable=SC2086
	set -- $place
	flip_tree "$2"
	served "a bit in the sidecar's $1"
done
# check_unread NAME - weights.bin cannot be read, and what came was right
check_unread()
{
	timeout -k 5 60 cat "$mnt/weights.bin" >"$work/got" 2>/dev/null
	check_equal "$1: reading fails" $? 1
	check "$1: no wrong byte came before" cmp -n "$(wc -c <"$work/got")" \
		"$pristine/weights.bin" "$work/got"
}

# scribble N - other bytes all over section N
scribble()
{
	mt_pattern "$(section "$1" 16)" 99 | dd of="$tree" bs=64k \
		oflag=seek_bytes seek="$(section "$1" 8)" conv=notrunc \
		status=none
}

i=0
for name in index paths coarse fine hints; do
	len=$(section $i 16)
	[ "$len" != 0 ] || continue
	flip_tree $(($(section $i 8) + len / 2))
	case $name in
	index | paths) served "a bit in the sidecar's $name" ;;
	*)
		# A node that nobody needed is not missed.
		mt_mount "$model"
		check_intact "a bit in the sidecar's $name: all right bytes"
		mt_umount
		;;
	esac
	cp "$work/tree.good" "$tree"
	scribble $i
	if [ $name = hints ]; then
		# Nothing reads the hints of a file that has a tree.
		mt_mount "$model"
		check_intact "garbage as the sidecar's hints: all right bytes"
		mt_umount
	else
		served "garbage as the sidecar's $name"
	fi
	i=$((i + 1))
done

cp "$work/tree.good" "$tree"
mt_mount "$model"
for i in 0 1 2 3; do scribble $i; done
check_intact "a sidecar overwritten under the mount: all right bytes"
mt_umount
cp "$work/tree.good" "$tree"
mt_mount "$model"
: >"$tree"
check_intact "a sidecar emptied under the mount: all right bytes"
mt_umount

cp "$work/tree.good" "$tree"
truncate -s $(($(wc -c <"$tree") / 2)) "$tree"
served "a sidecar cut in half"
: >"$tree"
served "an empty sidecar"
cp "$work/tree.good" "$tree"
truncate -s +1000 "$tree"
served "a sidecar with bytes behind its end"

# A sidecar that is whole in itself, of a model with the same paths and sizes.
cp -r "$model" "$work/evil"
"$probe" flip "$work/evil/weights.bin" 70000
"$MIHFS" sign --quiet --signature "$work/evil.json" --private-key "$key" \
	"$work/evil" 2>>"$log"
cp "$work/evil.json.tree" "$tree"
served "the sidecar of another model"
cp "$work/evil/weights.bin" "$model/weights.bin"
mt_mount "$model"
check_unread "another model's bytes with its sidecar"
mt_umount
restore

rm "$tree"
mt_mount "$model"
check_intact "without a sidecar: every byte served is right"
mt_umount
"$probe" flip "$model/weights.bin" 70000
mt_mount "$model"
check_unread "damage without a sidecar"
mt_umount
mt_end
