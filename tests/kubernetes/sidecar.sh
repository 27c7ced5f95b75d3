#!/bin/sh
# Pattern "sidecar" without a cluster: a privileged native sidecar mounts into
# a volume of the pod, with propagation; the main container reads; the sidecar
# is killed, restarted and stopped, its keys come from volumes of a ConfigMap.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"
# shellcheck source=tests/kubernetes/pods.sh
. "$top_srcdir/tests/kubernetes/pods.sh"

# The command line of contrib/kubernetes.
sidecar() {
	pod_privileged "$MIHFS" mount -f --clear-dead --mkdir -o allow_other \
		--root "$conf/signed.json" --tree "$bundle.tree" \
		--trust-dir "$conf" "$@" "$source" "$vol/model" \
		>>"$log" 2>&1 &
	sidecar_pid=$!
	pids="$pids $!"
}

# securityContext of the main container: another user, no capability.
in_main() {
	unshare -m --propagation slave setpriv --reuid 65534 --regid 65534 \
		--clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

ready() {
	"$MIHFS" status --ready "$vol/model"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# config_map DIR FILE...: a volume as the kubelet makes it, whose names are
# links into ..data, itself a link that is replaced as a whole.
config_map() {
	map=$1
	shift
	mkdir -p "$map/..2026_11_23_07_00_00.1" && cp "$@" "$map/..2026_11_23_07_00_00.1" &&
		ln -s ..2026_11_23_07_00_00.1 "$map/..data" || return 1
	for name in "$@"; do
		ln -s "..data/${name##*/}" "$map/${name##*/}"
	done
}

config_map_update() {
	mkdir "$1/..2" && cp "$2" "$1/..2" && cp -n "$1"/..data/* "$1/..2" &&
		ln -s ..2 "$1/..data_tmp" && mv -T "$1/..data_tmp" "$1/..data"
}

wants() {
	(cd "$work/model" && sha256sum weights.safetensors big | sort) |
		sed 's/  / /'
}

mt_begin
command -v setpriv >/dev/null || mt_skip "no setpriv"
[ -x /usr/bin/python3 ] || mt_skip "no /usr/bin/python3"
pod_begin
pod_image "$top_srcdir/tests/kubernetes/reader.py"
mt_model "$work/model"
mt_pattern 33554432 11 >"$work/model/big"
mt_sign "$work/model"
conf=$work/config
mv "$pub" "$work/release.pem"
pub=$work/release.pem
source=$work/model
config_map "$conf" "$bundle" "$pub"
chmod -R a+rX "$work/model"

check_status "not ready before it is there" 3 ready
sidecar
check "the startup probe succeeds, with bundle and key from ..data" \
	pod_until ready
check "the main container reads what was signed" in_main \
	diff -r "$work/model" "$vol/model"
check_fails "and cannot write" in_main touch "$vol/model/new"

# Killed under readers, and restarted by the kubelet. Between the dead mount and
# the next one there is a moment without either.
in_main /usr/bin/python3 "$image/reader.py" --gap "$work/stop" \
	"$vol/model/weights.safetensors" "$vol/model/big" >"$work/read" 2>&1 &
reader=$!
check "readers begin" pod_until grep -q "rounds begin" "$work/read"
for round in 1 2 3; do
	sleep 0.5
	kill -9 "$sidecar_pid"
	check "round $round: the sidecar is killed" pod_until gone "$sidecar_pid"
	check_status "round $round: the probe notices" 3 ready
	check_fails "round $round: nobody reads the bare folder" ls "$vol/model"
	sidecar
	check "round $round: the next one takes its place" pod_until ready
	check_equal "round $round: the dead mount is gone" "$(pod_mounts)" 1
done
: >"$work/stop"
wait $reader
check_equal "the readers end in order" $? 0
check_equal "and have got every byte right" \
	"$(grep -v ^rounds "$work/read" | sort)" "$(wants)"
check "though they met errors" grep -q 'rounds .* errors [1-9]' "$work/read"
sed 's/^/# /' "$work/read"

# preStop of a sidecar that does not answer: the container has no umount(8).
kill -STOP "$sidecar_pid"
check "preStop frees the volume, though nobody answers" \
	"$MIHFS" umount "$vol/model"
check_equal "really" "$(pod_mounts)" 0
kill -CONT "$sidecar_pid"
wait "$sidecar_pid"
check_equal "and the server ends with status 0" $? 0
check_status "preStop of what is not there" 3 "$MIHFS" umount "$vol/model"
check_status "preStop of what is not ours" 3 "$MIHFS" umount "$vol"

# SIGTERM with a file open in the main container.
sidecar
check "another sidecar" pod_until ready
exec 7<"$vol/model/big"
before=$(date +%s)
kill -TERM "$sidecar_pid"
wait "$sidecar_pid"
check_equal "SIGTERM ends it with status 0" $? 0
check "in bounded time" test $(($(date +%s) - before)) -lt 10
check_equal "and no mount stays in the volume" "$(pod_mounts)" 0
exec 7<&-
check "which can be removed" rmdir "$vol/model"

# The model volume may be a link, as that of KServe's modelcars is.
ln -s "/proc/$$/root$work/model" "$work/modelcar"
source=$work/modelcar
sidecar
check "a model behind a link into /proc is served" pod_until ready
check "as it is" in_main diff -r "$work/model" "$vol/model"
kill -TERM "$sidecar_pid"
wait "$sidecar_pid"
source=$work/model

# Another key in the ConfigMap: what it does not vouch for is not mounted.
openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null |
	openssl ec -pubout -out "$work/new.pub" 2>/dev/null
mkdir "$work/update" && cp "$work/new.pub" "$work/update/release.pem"
check "the ConfigMap is updated" config_map_update "$conf" "$work/update/release.pem"
sidecar
wait "$sidecar_pid"
check_equal "a sidecar that finds another key ends with status 1" $? 1
check_equal "and nothing is mounted" "$(pod_mounts)" 0
mt_end
