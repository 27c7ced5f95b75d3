#!/bin/sh
# A bundle whose files have different trees, and some none: one sidecar holds
# the layers of all, and nothing in the bundle is believed while it is made.
. "${top_srcdir:?}/tests/lib/mount.sh"
type=application/vnd.in-toto+json

# digest ALGORITHM FILE
digest()
{
	"$MIHFS" digest -a "$1" "$model/$2" | cut -d ' ' -f 1
}

# resource FILE [TREE [ROOT]]
resource()
{
	printf '{"name":"%s","algorithm":"sha256","digest":"%s"' "$1" \
		"$(digest sha256 "$1")"
	[ -z "${2-}" ] || printf ',"annotations":{"mihfs":{"tree":"%s",
"root":"%s","size":%d}}' "$2" "${3:-$(digest "$2" "$1")}" \
		"$(wc -c <"$model/$1")"
	printf '}'
}

# sign_resources RESOURCE,... - by openssl alone
sign_resources()
{
	root=$(printf %s "$1" | grep -o '"digest":"[0-9a-f]*"' |
		cut -d '"' -f 4 | tr -d '\n' | sed 's/../\\x&/g' |
		xargs -0 printf '%b' | sha256sum)
	{
		printf '{"_type":"https://in-toto.io/Statement/v1",'
		printf '"subject":[{"name":"m","digest":{"sha256":"%s"}}],' \
			"${root%% *}"
		printf '"predicateType":"%s","predicate":{"serialization":' \
			https://model_signing/signature/v1.0
		printf '{"method":"files","hash_type":"sha256",'
		printf '"allow_symlinks":false},"resources":[%s]}}' "$1"
	} >"$work/payload"
	{
		printf 'DSSEv1 28 %s %d ' $type "$(wc -c <"$work/payload")"
		cat "$work/payload"
	} | openssl dgst -sha256 -sign "$key" -out "$work/sig" &&
		cat >"$bundle" <<END
{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",
"verificationMaterial":{"publicKey":{"hint":""}},
"dsseEnvelope":{"payload":"$(base64 -w 0 "$work/payload")",
"payloadType":"$type","signatures":[{"sig":"$(base64 -w 0 "$work/sig")"}]}}
END
}

tree()
{
	"$MIHFS" tree --quiet --signature "$bundle" "$model"
}

mt_begin
model=$work/model
mkdir "$model"
i=0
for name in none mth4k-sha256 mth4k-sha512 mth4k-sha3-256 blake3; do
	i=$((i + 1))
	mt_pattern 9000000 $i >"$model/$name"
	mt_pattern 70000 $((i + 10)) >"$model/$name-small"
	: >"$model/$name-empty"
done
all=
for name in none mth4k-sha256 mth4k-sha512 mth4k-sha3-256 blake3; do
	with=$name
	[ $name != none ] || with=
	for file in $name $name-small $name-empty; do
		all=$all${all:+,}$(resource "$file" $with)
	done
done
sign_resources "$all"
check "verified" "$MIHFS" verify --quiet --signature "$bundle" \
	--public-key "$pub" "$model"
check "mihfs tree" tree
check "verified with its sidecar" "$MIHFS" verify --quiet \
	--signature "$bundle" --public-key "$pub" "$model"
mt_mount "$model"
check "all of it reads" diff -r "$model" "$mnt"
check "unmounts" mt_umount
for name in mth4k-sha256 mth4k-sha512 mth4k-sha3-256 blake3; do
	mt_mount "$model"
	tail -c 1000 "$model/$name" >"$work/wanted"
	tail -c 1000 "$mnt/$name" >"$work/end"
	check "$name: the end reads" cmp "$work/wanted" "$work/end"
	check_equal "$name: the sidecar let it read a part" \
		"$(getfattr --only-values -n user.mihfs.status "$mnt/$name" \
			2>/dev/null)" partial
	check "unmounts" mt_umount
done

# A root that is not of the file is found while the sidecar is made.
rm "$bundle.tree"
sign_resources "$(resource none),$(resource blake3 mth4k-sha512 \
	"$(digest mth4k-sha512 mth4k-sha512)")"
check_status "a wrong root" 1 tree
check_said "is told by name" "blake3: differs from what the bundle states"
check_fails "and no sidecar is left" test -e "$bundle.tree"
mt_end
