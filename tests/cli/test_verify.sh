#!/bin/sh
# mihfs verify: everything that is wrong is named, each with its exit code.
. "${top_srcdir:?}/tests/cli/lib.sh"
make_keys
model=$work/model
sig=$work/signed.json
make_model "$model"

verify() {
	"$MIHFS" verify --signature "$sig" --public-key "$pub" "$@"
}

expect 0 "sign" "$MIHFS" sign --signature "$sig" --private-key "$key" "$model"
expect 0 "verify" verify "$model"
prints "the summary counts files" "verified 9 files"
prints "the signer is named" "signed by key sha256:"
expect 0 "verify --quiet" verify --quiet "$model"
ok "--quiet says nothing" [ ! -s "$out" ] && ok "... nowhere" [ ! -s "$err" ]
ln -s "$model" "$work/link"
expect 0 "the model may be reached through a link" verify "$work/link"

# Whom to trust.
expect 1 "somebody else's key" "$MIHFS" verify --signature "$sig" \
	--public-key "$other_pub" "$model"
one_line "somebody else's key"
expect 0 "one of two keys" "$MIHFS" verify --signature "$sig" \
	--public-key "$other_pub" --public_key "$pub" "$model"
expect 4 "no key file" "$MIHFS" verify --signature "$sig" \
	--public-key "$work/none.pub" "$model"
says "no key file is named" "none.pub"
expect 4 "an empty trust directory" env MIHFS_TRUST_DIR="$work/trust" \
	"$MIHFS" verify --signature "$sig" "$model"
one_line "an empty trust directory"
says "... and what to do" "--public-key FILE"
mkdir "$work/trust"
cp "$pub" "$work/trust/k.pem"
expect 0 "MIHFS_TRUST_DIR" env MIHFS_TRUST_DIR="$work/trust" \
	"$MIHFS" verify --signature "$sig" "$model"
expect 0 "--trust-dir" "$MIHFS" verify --signature "$sig" \
	--trust-dir "$work/trust" "$model"
ok "nothing to warn of" [ ! -s "$err" ]
for mode in 775 1777; do
	chmod $mode "$work/trust"
	expect 0 "a trust directory of mode $mode" "$MIHFS" verify --quiet \
		--signature "$sig" --trust-dir "$work/trust" "$model"
	says "its mode $mode: told" "$work/trust: not only its owner may write"
	one_line "its mode $mode"
done
chmod 755 "$work/trust"
for file in "$work/trust"/*.pem; do
	chmod 666 "$file"
done
expect 0 "a key of mode 666 in it" "$MIHFS" verify --quiet \
	--signature "$sig" --trust-dir "$work/trust" "$model"
says "the key's mode: told" ".pem: not only its owner may write"
chmod 644 "$work/trust"/*.pem
chmod 664 "$pub"
expect 0 "a key of mode 664" verify --quiet "$model"
says "the key's mode: told" "$pub: not only its owner may write"
one_line "the key's mode"
chmod 644 "$pub"
expect 2 "--trust-dir and --public-key" verify --trust-dir "$work/trust" \
	"$model"

# Certificates and identities.
expect 4 "a chain that is not there" "$MIHFS" verify --signature "$sig" \
	--certificate-chain "$work/none.pem" "$model"
says "the chain is named" "none.pem"
for word in --certificate-chain --crl --certificate-name --certificate-eku \
	--identity --identity-regex --identity-provider --trust-config \
	--trusted-root; do
	expect 2 "$word and a key" verify $word x "$model"
	says "$word and a key: choose" "choose one kind of trust"
done
expect 2 "--identity alone" "$MIHFS" verify --identity x "$model"
says "... names what is missing" "--identity-provider is missing"
expect 2 "--crl alone" "$MIHFS" verify --crl x "$model"
says "... names what is missing" "go with --certificate-chain"
expect 2 "--log-fingerprints and a key" verify --log-fingerprints "$model"
fix=$top_srcdir/tests/fixtures
certificate()
{
	"$MIHFS" verify --signature "$fix/cert/good.sig" \
		--certificate-chain "$fix/cert/$1" --log-fingerprints \
		--certificate-name "$2" "$fix/cert/model"
}
expect 0 "a certificate" certificate root.pem "model signer"
says "... with fingerprints" "certificate 0 sha256:"
expect 1 "another root" certificate other-root.pem "model signer"
says "... names the step" "certificate chain"
expect 1 "another name" certificate root.pem "somebody"
says "... names the step" "certificate name"
keyless()
{
	"$MIHFS" verify --signature "$fix/keyless/good.sig" \
		--trusted-root "$fix/keyless/trusted_root.json" \
		--identity-provider https://issuer.mihfs.test "$@" \
		"$fix/keyless/model"
}
expect 0 "an identity" keyless --identity release@mihfs.test
expect 0 "an expression" keyless --identity-regex '.*@mihfs[.]test'
expect 1 "another identity" keyless --identity somebody@mihfs.test
says "... names the step" "identity: expected 'somebody@mihfs.test', found"
expect 2 "a bad expression" keyless --identity-regex '('

# The command line.
expect 2 "no model" verify
one_line "no model"
expect 2 "two models" verify "$model" "$model"
expect 2 "unknown option" verify --frobnicate "$model"
says "unknown option is named" "--frobnicate"
expect 2 "option without value" "$MIHFS" verify "$model" --signature
says "option without value is named" "--signature needs a value"
expect 2 "flag with value" verify --quiet=yes "$model"
says "flag with value is named" "takes no value"
expect 3 "no model there" verify "$work/nowhere"
expect 3 "no bundle there" "$MIHFS" verify --signature "$work/none.json" \
	--public-key "$pub" "$model"
says "no bundle is named" "none.json"
echo '{' >"$work/bad.json"
expect 1 "malformed bundle" "$MIHFS" verify --signature "$work/bad.json" \
	--public-key "$pub" "$model"
one_line "malformed bundle"

# Each kind of difference.
poke "$model/a/b/c/weights.bin" 4200000
expect 1 "a flipped bit" verify "$model"
one_line "a flipped bit"
says "the range is named" "a/b/c/weights.bin: bytes 4194304-4259839 differ \
from the signed tree (mth4k-sha256)"
poke "$model/a/b/c/weights.bin" 4260000
poke "$model/a/b/c/weights.bin" 9499999
run verify "$model"
says "neighbours are one range" "weights.bin: bytes 4194304-4325375 differ"
says "the last range ends with the file" "weights.bin: bytes 9437184-9499999"
ok "two ranges, two lines" [ "$(wc -l <"$err")" -eq 2 ]
mv "$sig.tree" "$work/kept.tree"
expect 1 "without the sidecar" verify "$model"
one_line "without the sidecar"
says "without the sidecar: no range" "a/b/c/weights.bin: differs from the \
signed tree (mth4k-sha256)"
expect 1 "--tree" verify --tree "$work/kept.tree" "$model"
says "--tree: the range again" "bytes 4194304-4325375"
cp "$work/kept.tree" "$sig.tree"
# a sidecar whose layers do not fit the root must not be quoted
poke "$sig.tree" 5000
run verify "$model"
ok "a bad sidecar changes no verdict" [ "$code" -eq 1 ]
poke "$sig.tree" 5000
for at in 4200000 4260000 9499999; do
	poke "$model/a/b/c/weights.bin" $at
done
expect 0 "all put back" verify "$model"

rm "$model/empty"
printf xy >"$model/one byte"
: >"$model/a/config.json"
echo more >"$model/a/extra"
poke "$model/a/group" 0
expect 1 "five files at once" verify "$model"
says "missing" "empty: missing"
says "longer" "one byte: longer than signed"
says "shorter" "a/config.json: shorter than signed"
says "extra" "a/extra: not signed"
says "changed" "a/group: bytes 0-65535 differ"
ok "five lines" [ "$(wc -l <"$err")" -eq 5 ]
run verify --json "$model"
ok "--json: exit code 1" [ "$code" -eq 1 ]
prints "--json: not ok" '"ok":false'
prints "--json: path" '"path":"a/extra"'
ok "--json: one line" [ "$(wc -l <"$out")" -eq 1 ]
: >"$model/empty"
printf x >"$model/one byte"
printf '{}' >"$model/a/config.json"
poke "$model/a/group" 0
expect 1 "only the extra file" verify "$model"
one_line "only the extra file"
expect 0 "--ignore-unsigned-files" verify --ignore-unsigned-files "$model"
expect 0 "--ignore_unsigned_files" verify --ignore_unsigned_files "$model"
expect 0 "--ignore-paths relative" verify --ignore-paths a/extra "$model"
expect 0 "--ignore-paths ./" verify --ignore-paths ./a//extra "$model"
expect 0 "--ignore-paths absolute" verify --ignore-paths "$model/a/extra" \
	"$model"
# Other tools want paths as seen from where one stands.
near() {
	(cd "$work" && "$MIHFS" verify --signature "$sig" --public-key "$pub" \
		--ignore-paths "$@")
}
expect 0 "--ignore-paths with the model in front" near model/a/extra model
expect 0 "--ignore-paths with ./model in front" near model//a/extra ./model/
expect 0 "--ignore-paths with the way to the model" near \
	"../${work##*/}/model/a/extra" "../${work##*/}/model"
expect 1 "--ignore-paths with another folder in front" near mod/a/extra model
expect 1 "--ignore-paths is no prefix" verify --ignore-paths a/ext "$model"
rm "$model/a/extra"

mkdir "$model/.git"
echo x >"$model/.git/HEAD"
expect 0 ".git is left out" verify "$model"
expect 0 "--no-ignore-git-paths takes back nothing that is signed" \
	verify --no-ignore-git-paths "$model"
rm -r "$model/.git"
mv "$sig" "$work/kept.json"
expect 0 "sign --no-ignore-git-paths" "$MIHFS" sign --signature "$sig" \
	--private-key "$key" --no-ignore-git-paths "$model"
mkdir "$model/.git"
echo x >"$model/.git/HEAD"
expect 0 ".git is left out without being signed so" verify "$model"
expect 1 "--no-ignore-git-paths" verify --no-ignore-git-paths "$model"
says "--no-ignore-git-paths: named" ".git/HEAD: not signed"
rm -r "$model/.git"
mv "$work/kept.json" "$sig"

rm "$model/a/group"
mkdir "$model/a/group"
expect 1 "a directory for a file" verify "$model"
says "a directory for a file: named" "a/group: not a regular file"
rmdir "$model/a/group"
mkfifo "$model/a/group"
expect 1 "a FIFO for a file" timeout 10 "$MIHFS" verify --signature "$sig" \
	--public-key "$pub" "$model"
says "a FIFO for a file: named" "a/group: not a regular file"
rm "$model/a/group"
pattern 65536 >"$work/elsewhere"
ln -s "$work/elsewhere" "$model/a/group"
expect 1 "a link for a file" verify "$model"
says "a link for a file: named" "a/group: symbolic link"
expect 1 "a link out of the model" verify --allow-symlinks "$model"
rm "$model/a/group"
pattern 65536 >"$model/a/real"
ln -s real "$model/a/group"
expect 0 "a link within the model" verify --allow-symlinks \
	--ignore-paths a/real "$model"
rm "$model/a/group"
mv "$model/a/real" "$model/a/group"

if [ "$(id -u)" -ne 0 ]; then
	chmod 0 "$model/a/group"
	expect 3 "an unreadable file" verify "$model"
	says "an unreadable file: named" "a/group: Permission denied"
	chmod 644 "$model/a/group"
fi
expect 0 "all put back again" verify "$model"
# A FIFO that nobody writes to is empty.
mkfifo "$work/fifo.json"
expect 1 "a FIFO for a bundle does not hang" timeout 20 "$MIHFS" verify \
	--signature "$work/fifo.json" --public-key "$pub" "$model"
says "a FIFO for a bundle: named" "fifo.json: "
finish
