#!/bin/sh
# The adapter for conformance suites: the protocol's two commands end as the
# protocol says.
. "${top_srcdir:?}/tests/cli/lib.sh"
export MIHFS
make_keys
model=$work/model sig=$work/out.sig
make_model "$model"

adapter() {
	bash "$top_srcdir/contrib/oms-conformance" "$@"
}

key_verify() {
	adapter verify-model --method key --model-path "$model" \
		--bundle "$sig" --public-key "$pub" "$@"
}

echo junk >"$model/left out"
expect 0 "sign-model" adapter sign-model --method key --model-path "$model" \
	--output-bundle "$sig" --private-key "$key" \
	--ignore-paths "$model/left out" --ignore-paths="$model/none"
ok "the bundle is there" [ -s "$sig" ]
expect 0 "verify-model" key_verify
expect 0 "verify-model, the left out path given" key_verify \
	--ignore-paths "$model/left out"
expect 1 "somebody else's key" adapter verify-model --method key \
	--model-path "$model" --bundle "$sig" --public-key "$other_pub"
echo more >"$model/extra"
expect 1 "a file that is not signed" key_verify
says "... is named" extra
expect 0 "--ignore-unsigned-files" key_verify --ignore-unsigned-files
rm "$model/extra"
poke "$model/a/group" 7
expect 1 "a changed file" key_verify
says "the file is named" a/group
poke "$model/a/group" 7

fixtures=$top_srcdir/tests/fixtures/key
expect 0 "another tool's bundle" adapter verify-model --method key \
	--model-path "$fixtures/model" --bundle "$fixtures/good-p384.sig" \
	--public-key "$fixtures/p384.pub.pem"
expect 1 "a bundle of another media type" adapter verify-model --method key \
	--model-path "$fixtures/model" --bundle "$fixtures/bad-media-type.sig" \
	--public-key "$fixtures/p256.pub.pem"


# Bundles of every version are verified, those of 0.2 too.
old=$top_srcdir/tests/fixtures/v0.2
expect 0 "a key's bundle of 0.2" adapter verify-model --method key \
	--model-path "$old/model" --bundle "$old/good-p384.sig" \
	--public-key "$old/p384.pub.pem"
expect 0 "a certificate's bundle of 0.2" adapter verify-model \
	--method certificate --model-path "$old/model" \
	--bundle "$old/good-certificate.sig" --cert-chain "$old/root.pem"
expect 1 "a bundle of 0.2 of another key" adapter verify-model --method key \
	--model-path "$old/model" --bundle "$old/good-p384.sig" \
	--public-key "$old/p256.pub.pem"

expect 2 "no command" adapter
expect 2 "no method" adapter verify-model --model-path "$model" \
	--bundle "$sig" --public-key "$pub"
expect 2 "no bundle" adapter verify-model --method key --model-path "$model"
expect 2 "an option of the other command" key_verify --private-key "$key"
expect 2 "an option without its value" key_verify --public-key
expect 2 "signing by identity" adapter sign-model --method sigstore \
	--model-path "$model" --output-bundle "$sig"
finish
