#!/bin/sh
# Models signed by certificate and keyless: mounted for the right signer only.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

mt_begin
fix=$(cd "$top_srcdir/tests/fixtures" && pwd)

# Words of trust; what follows comes last and so counts.
certificate() {
	method=cert
	set -- --certificate-chain "$fix/cert/root.pem" "$@"
	mount_fixture "$@"
}

keyless() {
	method=keyless
	set -- --trusted-root "$fix/keyless/trusted_root.json" \
		--identity-provider https://issuer.mihfs.test "$@"
	mount_fixture "$@"
}

mount_fixture() {
	"$MIHFS" mount --root "$fix/$method/good.sig" "$@" \
		"$fix/$method/model" "$mnt"
}

# serves WHAT: the mount of the last method holds its model, then ends
serves() {
	check "$1: the mount holds what was signed" \
		diff -r "$fix/$method/model" "$mnt"
	check "$1: and ends" umount "$mnt"
}

check "a certificate" certificate --verify=mount
method=cert
serves "a certificate"
check "a named certificate" certificate --certificate-name "model signer"
serves "a named certificate"
check_status "another name" 1 certificate --certificate-name somebody
check_said "names the step" "certificate name: expected 'somebody'"
check_status "a key instead" 4 "$MIHFS" mount --root "$fix/cert/good.sig" \
	--public-key "$pub" "$fix/cert/model" "$mnt"
check_said "names what is missing" "no certificate chain is trusted"

check "an identity" keyless --identity release@mihfs.test --verify=mount
method=keyless
serves "an identity"
check "an expression, through fstab" keyless -o 'identity-regex=.*@mihfs[.]test'
serves "an expression, through fstab"
check_status "another identity" 1 keyless --identity somebody@mihfs.test
check_said "names the step" "identity: expected 'somebody@mihfs.test'"
mt_end
