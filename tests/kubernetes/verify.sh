#!/bin/sh
# Pattern "verify" without a cluster: an init container without any privilege
# checks the whole model, and its exit status lets the pod start or not.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"
# shellcheck source=tests/kubernetes/pods.sh
. "$top_srcdir/tests/kubernetes/pods.sh"

# The command line of contrib/kubernetes.
init() {
	(pod_unprivileged "$MIHFS" verify --quiet --signature="$bundle" \
		--trust-dir="$trust" "$work/model")
}

mt_begin
command -v setpriv >/dev/null || mt_skip "no setpriv"
pod_begin
pod_image
pod_model

check_status "a model that is as signed lets the pod start" 0 init
cp "$work/model/weights.safetensors" "$work/good"
printf '\000\000\000\000' | dd of="$work/model/weights.safetensors" bs=1 \
	seek=4000000 conv=notrunc 2>/dev/null
check_status "one wrong byte does not" 1 init
check_said "and is named" "^weights.safetensors: bytes "
cp "$work/good" "$work/model/weights.safetensors"
printf 'print(1)\n' >"$work/model/modeling.py"
check_status "nor does a file that was not signed" 1 init
check_said "and is named" "^modeling.py: "
rm "$work/model/modeling.py"
mv "$trust/release.pem" "$trust/release.txt"
check_status "nor a ConfigMap without a key" 4 init
openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null |
	openssl ec -pubout -out "$trust/other.pem" 2>/dev/null
chmod a+r "$trust/other.pem"
check_status "nor a stranger's" 1 init
mv "$trust/release.txt" "$trust/release.pem"
check_status "all put right, it starts" 0 init
mt_end
