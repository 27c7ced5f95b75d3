#!/bin/sh
# What model signing 0.2 wrote: refused, unless both words are given.
. "${top_srcdir:?}/tests/cli/lib.sh"
dir=$top_srcdir/tests/fixtures/v0.2
type=application/vnd.in-toto+json
zero=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# cases NAME TRUST...: one bundle by the tool itself, with and without the words
cases() {
	name=$1 bundle=$dir/good-$1.sig
	shift
	expect 1 "$name, the mount, without a word" "$MIHFS" mount -f \
		--root "$bundle" "$@" "$dir/model" "$work/mnt"
	says "$name, the mount: the option is named" --compat-v0.1
	set -- --signature "$bundle" "$@"
	expect 1 "$name, without a word" "$MIHFS" verify "$@" "$dir/model"
	one_line "$name, without a word"
	says "$name: the option is named" "only taken with --compat-v0.1"
	expect 1 "$name, the statement alone" "$MIHFS" verify --compat-v0.1 \
		"$@" "$dir/model"
	says "$name: that option too" "only taken with --compat-v0.2"
	expect 1 "$name, the encoding alone" "$MIHFS" verify --compat-v0.2 \
		"$@" "$dir/model"
	says "$name: the statement is missed" --compat-v0.1
	expect 0 "$name, both" "$MIHFS" verify --compat-v0.1 --compat_v0.2 \
		"$@" "$dir/model"
	expect 1 "$name, another model" "$MIHFS" verify --compat-v0.1 \
		--compat-v0.2 "$@" "$work/model"
	says "$name, another model: the file is named" config.json
}

cp -R "$dir/model" "$work/model"
chmod -R u+w "$work/model"
echo '{"layers": 3}' >"$work/model/config.json"
mkdir "$work/mnt"
cases p256 --public-key "$dir/p256.pub.pem"
cases p384 --public-key "$dir/p384.pub.pem"
cases certificate --certificate-chain "$dir/root.pem"
expect 1 "another key" "$MIHFS" verify --compat-v0.1 --compat-v0.2 \
	--signature "$dir/good-p256.sig" --public-key "$dir/p384.pub.pem" \
	"$dir/model"
says "another key: the step is named" "signature: not made by"
run "$MIHFS" inspect "$dir/good-p256.sig"
prints "inspect says what it is" "model signing 0.2"
expect 0 "tree needs no word" "$MIHFS" tree --quiet \
	--signature "$dir/good-p256.sig" --output "$work/p256.tree" "$dir/model"
expect 0 "... and the sidecar fits" "$MIHFS" verify --quiet --compat-v0.1 \
	--compat-v0.2 --signature "$dir/good-p256.sig" --tree "$work/p256.tree" \
	--public-key "$dir/p256.pub.pem" "$dir/model"

# --- statements of our own, rightly encoded, as that version did keyless -----

make_keys

# sign STATEMENT: $bundle, over DSSE's own encoding
sign() {
	printf %s "$1" >"$work/payload"
	{
		printf 'DSSEv1 28 %s %d ' "$type" "$(wc -c <"$work/payload")"
		cat "$work/payload"
	} >"$work/pae"
	openssl dgst -sha256 -sign "$key" -out "$work/der" "$work/pae"
	bundle=$work/own.sig
	cat >"$bundle" <<EOF
{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
 "verificationMaterial": {"publicKey": {"hint": ""}},
 "dsseEnvelope": {"payload": "$(openssl base64 -A -in "$work/payload")",
  "payloadType": "$type",
  "signatures": [{"sig": "$(openssl base64 -A -in "$work/der")"}]}}
EOF
}

# statement SUBJECT [PREDICATE [TYPE]]
statement() {
	printf '{"_type":"https://in-toto.io/Statement/v1","subject":[%s],' "$1"
	printf '"predicateType":"https://model_signing/%s",' "${3:-Digests/v0.1}"
	printf '"predicate":%s}' "${2:-"{}"}"
}

# subject NAME [MORE]: of an empty file
subject() {
	printf '{"name":"%s","digest":{"sha256":"%s"}%s}' "$1" $zero "${2-}"
}

verify_own() {
	run "$MIHFS" verify --quiet --signature "$bundle" --public-key "$pub" \
		--compat-v0.1 "$work/own"
}

# refused WHAT WORDS STATEMENT
refused() {
	sign "$3"
	verify_own
	ok "$1: refused" [ "$code" -eq 1 ]
	says "$1: says why" "$2"
}

mkdir "$work/own"
: >"$work/own/a"
: >"$work/own/b"
sign "$(statement "$(subject a),$(subject b)")"
verify_own
ok "a right statement, rightly encoded, needs one word" [ "$code" -eq 0 ]
run "$MIHFS" verify --quiet --signature "$bundle" --public-key "$pub" \
	"$work/own"
ok "... but that one" [ "$code" -eq 1 ]
sign "$(statement "$(subject a)")"
verify_own
ok "a file too many" [ "$code" -eq 1 ]
says "a file too many: named" "b: not signed"
refused "no subject" "is empty" "$(statement '')"
refused "a file twice" "appears twice" "$(statement "$(subject a),$(subject a)")"
refused "a way out" "'..' component" "$(statement "$(subject ../a)")"
refused "another digest" "not 'file-sha256'" "$(statement "$(subject a \
	',"annotations":{"actual_hash_algorithm":"file-blake2"}')")"
refused "a predicate with a meaning" "predicate.ignore is unknown" \
	"$(statement "$(subject a)" '{"ignore":["b"]}')"
refused "another old predicate" "predicateType is" \
	"$(statement "$(subject a)" '{}' ShardDigests/v0.1)"
finish
