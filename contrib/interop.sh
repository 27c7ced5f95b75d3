#!/bin/sh
# TAP: what mihfs signs, the reference implementation of OMS verifies; what
# that one signs, mihfs verifies, mounts and reads.
#
# model-signing comes from PyPI into $MIHFS_TEST_CACHE (default:
# ~/.cache/mihfs-test), in a virtual environment of its own.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/mount.sh
. "$here/../tests/lib/mount.sh"

oms_version=1.1.1
cache=${MIHFS_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mihfs-test}
venv=$cache/venv-oms

# It imports pyOpenSSL without asking for it.
fetch_venv()
{
	"$venv/bin/python" -c 'import sys, importlib.metadata, OpenSSL
sys.exit(importlib.metadata.version("model-signing") != sys.argv[1])' \
		"$oms_version" 2>/dev/null && return
	/usr/bin/python3 -m venv "$venv" &&
		"$venv/bin/pip" install -q "model-signing==$oms_version" \
			pyopenssl
}

# The other tool's command line, and its Python interface.
oms()
{
	timeout -k 5 120 "$venv/bin/model_signing" --log-level warning "$@"
}

api()
{
	timeout -k 5 120 "$venv/bin/python" "$here/interop.py" "$@"
}

oms_verifies()
{
	oms verify key --public_key "$pub" --signature "$bundle" "$@"
}

mihfs_verifies()
{
	"$MIHFS" verify --quiet --signature "$bundle" --public-key "$pub" "$@"
}

# A verifier must also say no: one byte more, and it is another model.
spoil()
{
	printf x >>"$model/config.json"
}

mend()
{
	printf '{"hidden_size": 384}\n' >"$model/config.json"
}

# same_files A B [NAME...]: equal but for the names
same_files()
{
	same_a=$1 same_b=$2
	shift 2
	for same_x in "$@"; do
		set -- "$@" --exclude="$same_x"
		shift
	done
	diff -r "$@" "$same_a" "$same_b"
}

# mounts_alike WHAT MODEL [OPTION...] - mount, compare, unmount
mounts_alike()
{
	alike_what=$1 alike_model=$2
	shift 2
	if mt_try_mount "$alike_model" "$@"; then
		check "$alike_what: the mount reads the same" \
			same_files "$alike_model" "$mnt" left-out .git
		check "$alike_what: unmounts" mt_umount
	else
		not_ok "$alike_what: mounts"
	fi
}

# served WHAT MODEL [OPTION...] - verified, refused when changed, mounted
served()
{
	check "$1: mihfs verifies it" mihfs_verifies "$2"
	spoil
	check_status "$1: mihfs refuses it when changed" 1 mihfs_verifies "$2"
	check_said "$1: and says which file" config.json
	mend
	mounts_alike "$@"
}

# --- what mihfs signs -----------------------------------------------------

ours()
{
	for curve in prime256v1 secp384r1 secp521r1; do
		openssl ecparam -name $curve -genkey -noout -out "$key" &&
			openssl ec -in "$key" -pubout -out "$pub" 2>/dev/null
		mt_sign "$model"
		check "ours, $curve, annotated: verified" oms_verifies "$model"
	done
	for tree in mth4k-sha512 mth4k-sha3-256; do
		mt_sign "$model" --tree $tree
		check "ours, $tree: verified" oms_verifies "$model"
	done
	spoil
	check_fails "ours: refused when changed" oms_verifies "$model"
	mend
	mt_sign "$model" --tree blake3
	check "ours, blake3, no annotations: verified through its interface" \
		api verify "$model" "$bundle" "$pub" blake3
	ours_left_out
	mt_sign "$work/one.bin"
	check "ours, a single file: mihfs verifies it" \
		mihfs_verifies "$work/one.bin"
}

ours_left_out()
{
	echo junk >"$model/left-out"
	mkdir "$model/.git" && echo git >"$model/.git/config"
	mt_sign "$model" --ignore-paths left-out
	check "ours, a file left out: verified" oms_verifies \
		--ignore-paths "$model/left-out" "$model"
	rm -r "$model/left-out" "$model/.git"
	mt_sign "$linked" --allow-symlinks
	check "ours, links followed: verified" oms_verifies --allow_symlinks \
		"$linked"
}

# --- what the other tool signs --------------------------------------------

oms_sign()
{
	rm -f "$bundle" "$bundle.tree"
	oms sign key --private_key "$key" --signature "$bundle" "$@"
}

theirs()
{
	check "theirs: signed" oms_sign "$model"
	served theirs "$model"
	check "theirs: mihfs tree makes a sidecar" "$MIHFS" tree --quiet \
		--signature "$bundle" "$model"
	mounts_alike "theirs with a sidecar" "$model"
	echo junk >"$model/left-out"
	mkdir "$model/.git" && echo git >"$model/.git/config"
	check "theirs, a file left out: signed" oms_sign \
		--ignore-paths "$model/left-out" "$model"
	served "theirs, a file left out" "$model"
	rm -r "$model/left-out" "$model/.git"
	check "theirs, links followed: signed" oms_sign --allow_symlinks \
		"$linked"
	check "theirs, links followed: mihfs verifies it" mihfs_verifies \
		"$linked"
	mounts_alike "theirs, links followed" "$linked" --allow-symlinks
	check "theirs, a single file: signed" oms_sign "$work/one.bin"
	single_served "theirs, a single file"
}

# single_served WHAT - one.bin, which the other tool calls "."
single_served()
{
	check "$1: mihfs verifies it" mihfs_verifies "$work/one.bin"
	if mt_try_mount "$work/one.bin"; then
		check "$1: the mount reads the same" \
			cmp "$work/one.bin" "$mnt/one.bin"
		check "$1: unmounts" mt_umount
	else
		not_ok "$1: mounts"
	fi
}

# single_by WHAT HASH SHARD_SIZE - through its Python interface
single_by()
{
	rm -f "$bundle" "$bundle.tree"
	check "$1: signed" api sign "$work/one.bin" "$bundle" "$key" "$2" "$3"
	single_served "$1"
}

# theirs_by WHAT HASH SHARD_SIZE - through its Python interface
theirs_by()
{
	rm -f "$bundle" "$bundle.tree"
	check "$1: signed" api sign "$model" "$bundle" "$key" "$2" "$3"
	served "$1" "$model"
	check "$1: mihfs tree makes a sidecar" "$MIHFS" tree --quiet \
		--signature "$bundle" "$model"
	mounts_alike "$1 with a sidecar" "$model"
}

# --- certificates -----------------------------------------------------------

# new_certificate NAME ISSUER EXTENSION... - $work/NAME.pem with its key
new_certificate()
{
	new_name=$1 new_issuer=$2
	shift 2
	printf '%s\n' "$@" >"$work/extensions"
	openssl ecparam -name prime256v1 -genkey -noout \
		-out "$work/$new_name.key" &&
		openssl req -new -key "$work/$new_name.key" \
			-subj "/CN=$new_name" -out "$work/request" &&
		if [ "$new_issuer" = "$new_name" ]; then
			openssl x509 -req -in "$work/request" -days 2 \
				-signkey "$work/$new_name.key" \
				-extfile "$work/extensions" \
				-out "$work/$new_name.pem"
		else
			openssl x509 -req -in "$work/request" -days 2 \
				-CA "$work/$new_issuer.pem" \
				-CAkey "$work/$new_issuer.key" \
				-CAcreateserial -extfile "$work/extensions" \
				-out "$work/$new_name.pem"
		fi
}

new_chain()
{
	new_certificate root root basicConstraints=critical,CA:TRUE \
		keyUsage=critical,keyCertSign &&
		new_certificate middle root basicConstraints=critical,CA:TRUE \
			keyUsage=critical,keyCertSign &&
		new_certificate leaf middle keyUsage=critical,digitalSignature
}

mihfs_verifies_certificate()
{
	"$MIHFS" verify --quiet --signature "$bundle" \
		--certificate-chain "$work/$1.pem" "$model"
}

certificates()
{
	check "a root, an intermediate and a leaf" new_chain
	rm -f "$bundle" "$bundle.tree"
	check "ours, by certificate: signed" "$MIHFS" sign --quiet \
		--signature "$bundle" --private-key "$work/leaf.key" \
		--signing-certificate "$work/leaf.pem" \
		--certificate-chain "$work/middle.pem" "$model"
	check "ours, by certificate: verified" oms verify certificate \
		--certificate_chain "$work/root.pem" --signature "$bundle" \
		"$model"
	rm -f "$bundle" "$bundle.tree"
	check "theirs, by certificate: signed" oms sign certificate \
		--signature "$bundle" --private_key "$work/leaf.key" \
		--signing_certificate "$work/leaf.pem" \
		--certificate_chain "$work/middle.pem" "$model"
	check "theirs, by certificate: mihfs verifies it" \
		mihfs_verifies_certificate root
	check_status "theirs, by certificate: mihfs refuses another anchor" 1 \
		mihfs_verifies_certificate other
}

# --- what neither may take ----------------------------------------------------

changed()
{
	for kind in statement bundle keyless; do
		check "each part of a $kind, changed: refused as there" \
			timeout -k 5 300 "$venv/bin/python" \
			"$here/interop_mutants.py" "$kind" "$MIHFS" \
			"$here/../tests/fixtures" "$work"
	done
}

mt_begin
mkdir -p "$cache"
check "model-signing $oms_version is there" fetch_venv
[ "$mt_failed" = 0 ] || mt_end
model=$work/model
mt_model "$model"
linked=$work/linked
mkdir "$linked"
mt_pattern 200000 8 >"$linked/real"
ln -s real "$linked/link"
mt_pattern 100000 9 >"$work/one.bin"

ours
theirs
theirs_by "theirs, blake2b" blake2 0
theirs_by "theirs, blake3" blake3 0
new_certificate other other basicConstraints=critical,CA:TRUE >/dev/null 2>&1
certificates
changed
single_by "theirs, a single file by blake3" blake3 0
single_by "theirs, a single file in shards" sha256 65537
# An empty file has no shard: mihfs cannot show what nothing vouches for.
rm "$model/empty"
theirs_by "theirs, shards" sha256 1000003
theirs_by "theirs, blake2b in shards" blake2 262144
mt_end
