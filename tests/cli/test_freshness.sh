#!/bin/sh
# An old but rightly signed model is refused when the operator asks for a newer
# one: by its digest, or by a time that the signature proves.
. "${top_srcdir:?}/tests/cli/lib.sh"
dir=$top_srcdir/tests/fixtures
mkdir "$work/mnt"

# keyless NAME OPTION...: of keyless/good, the authority says 09:26:55Z and the
# log a second later
keyless() {
	name=$1
	shift
	run "$MIHFS" verify --quiet --signature "$dir/$name.sig" \
		--trusted-root "$dir/${name%/*}/trusted_root.json" \
		--identity release@mihfs.test \
		--identity-provider https://issuer.mihfs.test "$@" \
		"$dir/${name%/*}/model"
}

# passes WHAT OPTION... / refused WHAT WORDS OPTION...: keyless/good.sig
passes() {
	what=$1
	shift
	keyless keyless/good "$@"
	ok "$what: passes" [ "$code" -eq 0 ]
}

refused() {
	what=$1 words=$2
	shift 2
	keyless keyless/good "$@"
	ok "$what: refused" [ "$code" -eq 1 ]
	says "$what: says why" "keyless/good.sig: $words"
	one_line "$what"
}

# --- times ----------------------------------------------------------------

passes "the very second" --min-time 2026-03-14T09:26:55Z
passes "the day" --min-time 2026-03-14
passes "another zone" --min-time 2026-03-14T10:26:55+01:00
passes "both" --min-time 2026-01-01 --max-age 100000d
refused "a second later" "time of signing: expected 2026-03-14T09:26:56Z or \
later (--min-time), found 2026-03-14T09:26:55Z" --min-time 2026-03-14T09:26:56Z
refused "the next day" "time of signing: expected 2026-03-15T00:00:00Z" \
	--min-time 2026-03-15
refused "an age" "time of signing: expected " --max-age 1s
says "an age: the option is named" "or later (--max-age), found 2026-03-14T"
refused "the age counts beside the time" "time of signing: expected " \
	--min-time 2026-01-01 --max-age 1m
age=$((($(date +%s) - 1773480416) / 3600))
passes "an hour more than its age" --max-age $((age + 1))h
refused "an hour less" "time of signing: expected" --max-age $((age - 1))h
for name in keyless/good-tsa-time keyless-kinds/good-v2-hashedrekord; do
	keyless "$name" --min-time 2026-03-14
	ok "$name: the authority's time passes" [ "$code" -eq 0 ]
	keyless "$name" --min-time 2099-01-01
	ok "$name: the authority's time is refused" [ "$code" -eq 1 ]
	says "$name: says which" "found 2026-"
done
keyless keyless/bad-set-time --min-time 2026-01-01
ok "a forged time is not compared" [ "$code" -eq 1 ]
ok "a forged time is told of as such" grep -qv "min-time" "$err"

for bad in 14.3.2026 2026-02-30 2026-03-14T09:26:56 2026-03-14T "" yesterday; do
	keyless keyless/good --min-time "$bad"
	ok "'$bad' is no time" [ "$code" -eq 2 ]
done
for bad in 90 d 90y 1d2h -1d 9999999999d 1.5d ""; do
	keyless keyless/good "--max-age=$bad"
	ok "'$bad' is no age" [ "$code" -eq 2 ]
done

# --- methods that prove no time ---------------------------------------------

for option in --min-time=2020-01-01 --max-age=100000d; do
	expect 1 "key, $option" "$MIHFS" verify --signature \
		"$dir/key/good-p256.sig" --public-key "$dir/key/p256.pub.pem" \
		$option "$dir/key/model"
	says "key, $option: says why" "time of signing: none is proven by a \
signature with a key"
	expect 1 "certificate, $option" "$MIHFS" verify --signature \
		"$dir/cert/good.sig" --certificate-chain "$dir/cert/root.pem" \
		$option "$dir/cert/model"
	says "certificate, $option: says why" "time of signing: none is proven"
	expect 1 "mount, $option" "$MIHFS" mount -f --root \
		"$dir/key/good-p256.sig" --public-key "$dir/key/p256.pub.pem" \
		$option "$dir/key/model" "$work/mnt"
	says "mount, $option: says why" "time of signing: none is proven"
done

# --- the digest ---------------------------------------------------------------

root=$("$MIHFS" inspect "$dir/key/good-p256.sig" | sed -n 's/^root: *//p')
other=sha256:$(printf '%064d' 0)

# by_digest CODE WHAT DIGEST: for verify and tree
by_digest() {
	expect "$1" "verify, $2" "$MIHFS" verify --quiet --signature \
		"$dir/key/good-p256.sig" --public-key "$dir/key/p256.pub.pem" \
		--expect-digest "$3" "$dir/key/model"
	expect "$1" "tree, $2" "$MIHFS" tree --quiet --signature \
		"$dir/key/good-p256.sig" --output "$work/tree" \
		--expect-digest "$3" "$dir/key/model"
}

by_digest 0 "the digest as inspect prints it" "$root"
by_digest 0 "without its name" "${root#sha256:}"
by_digest 0 "in capitals" "$(printf %s "${root#sha256:}" | tr a-f A-F)"
rm -f "$work/tree"
by_digest 1 "another" "$other"
says "another: both are named" \
	"model digest: expected $other, found $root"
ok "no sidecar is made" [ ! -e "$work/tree" ]
by_digest 2 "one digit short" "${root%?}"
by_digest 2 "one digit more" "${root}0"
by_digest 2 "another hash" "sha512:${root#sha256:}"
expect 1 "mount, another" "$MIHFS" mount -f --root "$dir/key/good-p256.sig" \
	--public-key "$dir/key/p256.pub.pem" --expect-digest "$other" \
	"$dir/key/model" "$work/mnt"
says "mount, another: both are named" "expected $other, found $root"
expect 1 "the digest alone is not enough" "$MIHFS" verify --signature \
	"$dir/key/good-p256.sig" --public-key "$dir/key/other-p256.pub.pem" \
	--expect-digest "$root" "$dir/key/model"
says "the digest alone is not enough: the key is named" "key: expected sha256:"

# --- for programs ---------------------------------------------------------

keyless keyless/good --json
prints "--json tells the time that is proven" \
	'"signed_at":"2026-03-14T09:26:55Z"'
keyless keyless/good --json --min-time 2099-01-01
prints "but not of what is refused" '"signed_at":null'
run "$MIHFS" verify --json --signature "$dir/key/good-p256.sig" \
	--public-key "$dir/key/p256.pub.pem" "$dir/key/model"
ok "a key's signature passes" [ "$code" -eq 0 ]
prints "and proves no time" '"signed_at":null'
finish
