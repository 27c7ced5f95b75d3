# tests/kubernetes/pods.sh - containers of one pod, made with unshare(1)
#
#     . "$top_srcdir/tests/lib/mount.sh"
#     . "$top_srcdir/tests/kubernetes/pods.sh"
#     mt_begin
#     pod_begin                       # $vol: a volume of the pod
#     pod_image reader.py             # and $MIHFS is in $image as well
#     pod_sidecar COMMAND... &        # sees the mount that comes
#
# What Kubernetes calls mountPropagation is what mount(8) calls shared
# (Bidirectional) and slave (HostToContainer). Each container has a mount
# namespace of its own; the test's own namespace stands for the node.

# shellcheck disable=SC2154 # of mount.sh
# pod_begin - $vol, an emptyDir; $socks, another one
pod_begin() {
	vol=$work/vol
	socks=$work/socks
	mkdir "$vol" "$socks"
	chmod 777 "$vol" "$socks"
	chmod 755 "$work"
	if ! mount --bind "$vol" "$vol" || ! mount --make-rshared "$vol"; then
		echo "Bail out! no shared mount can be made here"
		exit 1
	fi
	pids=
	# shellcheck disable=SC2154
	trap 'rc=$?; pod_kill; (exit $rc); mt_cleanup' EXIT
}

# pod_model - a signed model in $work/model; $trust, a ConfigMap with its key
#
# Every user of a container may read all of it.
pod_model() {
	mt_model "$work/model"
	mt_sign "$work/model"
	trust=$work/trust
	mkdir "$trust"
	# shellcheck disable=SC2154
	mv "$pub" "$trust/release.pem"
	# shellcheck disable=SC2154
	chmod -R a+rX "$work/model" "$bundle" "$bundle.tree" "$trust"
}

# pod_image [FILE...] - $image: what every user of a container may read and run
#
# The tree may have been unpacked and built where user 65534 has no way in.
pod_image() {
	image=$work/image
	set -- "$(command -v "$MIHFS")" "$@"
	if ! mkdir -m 755 "$image" || ! install -m 755 "$@" "$image"; then
		echo "Bail out! cannot copy what the containers run"
		exit 1
	fi
	MIHFS=$image/${1##*/}
}

pod_kill() {
	for pod_pid in $pids; do
		kill -9 "$pod_pid" 2>/dev/null
	done
	wait
}

# pod_privileged COMMAND... - securityContext.privileged, Bidirectional
pod_privileged() {
	exec unshare -m --propagation unchanged "$@"
}

# pod_unprivileged COMMAND... - runAsNonRoot, drop ALL, no new privileges,
# readOnlyRootFilesystem, no /dev/fuse, HostToContainer
pod_unprivileged() {
	# shellcheck disable=SC2016 # the inner shell expands it
	exec unshare -m --propagation slave sh -c '
		mount --bind /dev/null /dev/fuse &&
		mount -o bind,remount,ro / &&
		exec setpriv --reuid 65534 --regid 65534 --clear-groups \
			--inh-caps=-all --bounding-set=-all --no-new-privs "$@"
	' sh "$@"
}

# pod_until COMMAND... - what a startup probe does: again until it succeeds,
# for at most 30 seconds
pod_until() {
	pod_tries=0
	while [ "$pod_tries" -lt 600 ]; do
		if "$@" >/dev/null 2>&1; then
			return 0
		fi
		pod_tries=$((pod_tries + 1))
		sleep 0.05
	done
	return 1
}

# pod_mounts - how many mihfs mounts the node sees on the volume
pod_mounts() {
	grep -F " $vol/" /proc/self/mountinfo | grep -c ' fuse.mihfs '
}
