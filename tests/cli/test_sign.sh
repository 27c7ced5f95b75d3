#!/bin/sh
# mihfs sign and tree: what they write, and that failure leaves nothing.
. "${top_srcdir:?}/tests/cli/lib.sh"
make_keys
model=$work/model
sig=$work/signed.json
make_model "$model"

sign() {
	"$MIHFS" sign --signature "$sig" --private-key "$key" "$@"
}

verify() {
	"$MIHFS" verify --signature "$sig" --public-key "$pub" "$@"
}

# nothing_left WHAT: neither bundle nor sidecar nor temporary file
nothing_left() {
	ok "$1: nothing is left behind" [ -z "$(find "$work" \
		-maxdepth 1 -name '*signed.json*')" ]
}

for tree in mth4k-sha256 mth4k-sha512 mth4k-sha3-256 blake3; do
	expect 0 "sign --tree $tree" sign --tree $tree "$model"
	expect 0 "verify after --tree $tree" verify "$model"
	expect 0 "inspect after --tree $tree" "$MIHFS" inspect --files "$sig"
	prints "$tree is what was signed" "  $tree "
	cp "$sig.tree" "$work/kept.tree"
	rm "$sig.tree"
	expect 0 "tree after --tree $tree" "$MIHFS" tree --signature "$sig" \
		"$model"
	ok "$tree: the sidecar is the same again" \
		cmp -s "$sig.tree" "$work/kept.tree"
	poke "$model/a/b/c/weights.bin" 1000000
	expect 1 "a flipped bit under $tree" verify "$model"
	says "its range under $tree" "bytes 983040-1048575 differ from the \
signed tree ($tree)"
	poke "$model/a/b/c/weights.bin" 1000000
done

# Other programs agree about the flat digests.
expect 0 "sign again" sign --json "$model"
prints "--json: files" '"files":9'
ok "--json: one line" [ "$(wc -l <"$out")" -eq 1 ]
run "$MIHFS" inspect --files "$sig"
prints "sha256 as sha256sum says" \
	"sha256 $(sha256sum <"$model/a/b/c/weights.bin" | cut -d' ' -f1)"
prints "inspect warns" "signature NOT checked"
run "$MIHFS" inspect --json "$sig"
prints "inspect --json warns" '"signature_checked":false'
prints "inspect --json names the tree" '"tree":"mth4k-sha256"'

# Left out, and remembered as left out.
echo secret >"$model/a/secret"
mkdir "$model/.git"
echo x >"$model/.git/HEAD"
expect 0 "sign --ignore-paths" sign --ignore-paths a/secret "$model"
expect 0 "signed ignore paths are honoured" verify "$model"
expect 0 "inspect" "$MIHFS" inspect "$sig"
prints "ignored path is signed" "ignored:  a/secret"
prints "ignored git path is signed" "ignored:  .git"
rm -r "$model/a/secret" "$model/.git"

# The bundle may lie in the model.
expect 0 "sign into the model" "$MIHFS" sign --signature "$model/signed.json" \
	--private-key "$key" "$model"
expect 0 "verify in the model" "$MIHFS" verify \
	--signature "$model/signed.json" --public-key "$pub" "$model"
run "$MIHFS" inspect --files "$model/signed.json"
prints "the bundle is left out" "ignored:  signed.json"
prints "the sidecar is left out" "ignored:  signed.json.tree"
rm "$model/signed.json" "$model/signed.json.tree"

# A single file.
expect 0 "sign one file" sign "$model/a/b/mib"
expect 0 "verify one file" verify "$model/a/b/mib"
prints "one file is one file" "verified 1 file,"
expect 1 "verify another file" verify "$model/a/group"

# Default name.
(cd "$work" && rm -f signed.json* && run "$MIHFS" sign --private-key "$key" \
	"$model")
ok "the default bundle is signed.json" [ -s "$sig" ]
ok "the default sidecar is signed.json.tree" [ -s "$sig.tree" ]

# Failure leaves nothing.
rm -f "$sig" "$sig.tree"
expect 2 "no key" "$MIHFS" sign "$model"
says "no key: told" "--private-key is missing"
expect 3 "no key file" "$MIHFS" sign --signature "$sig" \
	--private-key "$work/none.pem" "$model"
one_line "no key file"
expect 3 "a public key" "$MIHFS" sign --signature "$sig" \
	--private-key "$pub" "$model"
expect 2 "an unknown tree" sign --tree md5 "$model"
says "an unknown tree: the known ones" "mth4k-sha256, mth4k-sha512"
expect 3 "no such model" sign "$work/nowhere"
mkdir "$work/void"
expect 2 "an empty model" sign "$work/void"
says "an empty model: told" "no file to sign"
nothing_left "usage errors"

ln -s config.json "$model/a/link.json"
expect 3 "a symbolic link" sign "$model"
says "a symbolic link: named" "a/link.json: symbolic link"
nothing_left "a symbolic link"
expect 0 "--allow-symlinks" sign --allow-symlinks "$model"
expect 0 "signed links need no option" verify "$model"
rm "$sig" "$sig.tree"
ln -sfn .. "$model/a/link.json"
expect 3 "a link to a directory" sign --allow-symlinks "$model"
says "a link to a directory: told" "link to a directory"
ln -sfn /etc/hostname "$model/a/link.json"
expect 3 "a link out of the model" sign --allow-symlinks "$model"
says "a link out of the model: told" "leads out of the model"
rm "$model/a/link.json"
mkfifo "$model/a/fifo"
expect 2 "a FIFO" timeout 10 "$MIHFS" sign --signature "$sig" \
	--private-key "$key" "$model"
says "a FIFO: named" "a/fifo: not a regular file"
rm "$model/a/fifo"
: >"$model/$(printf 'bad\377name')"
expect 2 "a name that is no UTF-8" sign "$model"
rm "$model/$(printf 'bad\377name')"
nothing_left "what cannot be signed"
expect 3 "no folder for the bundle" "$MIHFS" sign \
	--signature "$work/no/where.json" --private-key "$key" "$model"

# The bundle's own name is taken: the new sidecar must go again.
mkdir "$sig"
expect 3 "the bundle cannot be written" sign "$model"
rmdir "$sig"
nothing_left "the bundle cannot be written"

# Encrypted keys.
openssl ec -aes256 -passout pass:secret -in "$key" -out "$work/enc.pem" \
	2>/dev/null
expect 0 "--password" "$MIHFS" sign --signature "$sig" \
	--private-key "$work/enc.pem" --password secret "$model"
expect 0 "verify after --password" verify "$model"
mkdir "$work/long"
# So long that no load lets it end before it has been looked at.
truncate -s 64G "$work/long/zeros"
"$MIHFS" sign --quiet --signature "$work/long.json" \
	--private-key "$work/enc.pem" --password secret "$work/long" &
signer=$!
# shellcheck disable=SC2016 # the inner shell expands it
ok "a signer forgets the password of its command line" timeout 20 sh -c '
	while tr "\0" "\n" <"$1" | grep -qx secret; do sleep 0.01; done' \
	sh "/proc/$signer/cmdline"
ok "while it still signs" kill -0 $signer
ok "and leaves no core dump" [ "$(awk '/core file/ { print $5 $6 }' \
	"/proc/$signer/limits")" = 00 ]
kill $signer
wait $signer
rm -r "$work/long"
rm "$sig" "$sig.tree"
expect 3 "a wrong password" "$MIHFS" sign --signature "$sig" \
	--private-key "$work/enc.pem" --password wrong "$model"
one_line "a wrong password"
expect 3 "no password and no terminal" setsid "$MIHFS" sign \
	--signature "$sig" --private-key "$work/enc.pem" "$model"
nothing_left "no password"

# At a terminal, which must show again what is typed, however it ends.
if python3 -c 'import os, termios; os.openpty()' 2>/dev/null; then
	for how in "" INT TERM HUP QUIT TSTP; do
		run python3 -B "$top_srcdir/tests/cli/terminal.py" "$how" \
			"$MIHFS" sign --quiet --signature "$sig" \
			--private-key "$work/enc.pem" "$model"
		ok "asked for a password, ${how:-answered}" [ "$code" -eq 0 ]
		rm -f "$sig" "$sig.tree"
	done
fi

# Certificates: one that is its own anchor will do.
new_certificate() {
	openssl req -x509 -new -key "$key" -subj "/CN=$1" -days 2 \
		-addext "keyUsage=critical,$1" -out "$work/$1.pem" 2>/dev/null
}
new_certificate digitalSignature
new_certificate keyAgreement
rm -f "$sig" "$sig.tree"
expect 0 "--signing-certificate" sign \
	--signing-certificate "$work/digitalSignature.pem" "$model"
expect 0 "verify with that certificate" "$MIHFS" verify --signature "$sig" \
	--certificate-chain "$work/digitalSignature.pem" "$model"
prints "... says who signed" "signed by certificate 'CN=digitalSignature'"
expect 4 "verify with the bare key" verify "$model"
rm "$sig" "$sig.tree"
expect 3 "a certificate for another use" sign \
	--signing-certificate "$work/keyAgreement.pem" "$model"
says "... is told" "certificate usage: "
nothing_left "a certificate for another use"
expect 3 "a certificate for another key" sign --signing-certificate \
	"$top_srcdir/tests/fixtures/cert/root.pem" "$model"
says "... is told" "not for this private key"
expect 2 "a chain without certificate" sign --certificate-chain "$key" "$model"
nothing_left "a chain without certificate"

# tree checks what it reads.
expect 0 "sign once more" sign "$model"
rm "$sig.tree"
poke "$model/a/group" 7
expect 1 "tree over a changed file" "$MIHFS" tree --signature "$sig" "$model"
says "tree names it" "a/group: differs from what the bundle states"
ok "tree leaves no sidecar" [ ! -e "$sig.tree" ]
rm "$model/a/group"
expect 1 "tree over a missing file" "$MIHFS" tree --signature "$sig" "$model"
says "tree names the missing one" "a/group: missing"
pattern 65536 >"$model/a/group"
expect 0 "tree --output" "$MIHFS" tree --signature "$sig" \
	--output "$work/other.tree" --json "$model"
prints "tree --json" '"ok":true'
ok "tree --output is where it is" [ -s "$work/other.tree" ]
finish
