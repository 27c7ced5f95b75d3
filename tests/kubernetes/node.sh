#!/bin/sh
# Pattern "node" without a cluster: one privileged server for all pods of a
# node, on a hostPath; pods wait for it in an init container without privileges,
# see it come and go, and share it.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"
# shellcheck source=tests/kubernetes/pods.sh
. "$top_srcdir/tests/kubernetes/pods.sh"

# The command line of contrib/kubernetes.
node() {
	pod_privileged "$MIHFS" mount --foreground --clear-dead --mkdir \
		--options=allow_other --log-format=json --memory=64M \
		--root="$bundle" --trust-dir="$trust" "$work/model" \
		"$vol/mini" >>"$log" 2>&1 &
	node_pid=$!
	pids="$pids $!"
}

# The init container "mihfs-ready".
ready() {
	(pod_unprivileged "$MIHFS" status --ready "$vol/mini")
}

# A pod that lives all the time: each time a file "go" appears it says whether
# it sees what was signed.
server() {
	# shellcheck disable=SC2016 # the inner shell expands it
	pod_unprivileged sh -c 'n=1
		while :; do
			until [ -e "$1/go.$n" ]; do sleep 0.05; done
			if diff -r "$2" "$3" >/dev/null 2>&1; then
				echo "$n whole"
			else
				echo "$n else"
			fi
			n=$((n + 1))
		done' sh "$work" "$work/model" "$vol/mini" >"$1" &
	pids="$pids $!"
}

go=0
ask() {
	go=$((go + 1))
	: >"$work/go.$go"
}

# both_see WHAT: so do both pods, in answer to the last question
both_see() {
	for told in "$work/first" "$work/second"; do
		pod_until grep -q "^$go " "$told" &&
			grep -qx "$go $1" "$told" || return 1
	done
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

mt_begin
command -v setpriv >/dev/null || mt_skip "no setpriv"
pod_begin
pod_image
pod_model

# A pod may be there before the server is.
server "$work/first"
check_status "an init container waits while there is no mount" 3 ready
ask
node
check "it goes on when the mount answers" pod_until ready
server "$work/second"
ask
check "a pod that came first and one that came later see the model" \
	both_see whole
check_equal "through one mount" "$(pod_mounts)" 1

# The DaemonSet is updated, on one node after the other.
kill -TERM "$node_pid"
wait "$node_pid"
check_equal "the server ends in order, though pods look" $? 0
check_equal "and leaves no mount" "$(pod_mounts)" 0
check_status "no pod starts meanwhile" 3 ready
ask
check "those that run see no model, and nothing else" both_see else
node
check "the next server comes" pod_until ready
ask
check "both pods see the model again" both_see whole

# It is killed.
kill -9 "$node_pid"
check "the server is killed" pod_until gone "$node_pid"
check_status "no pod starts on a dead mount" 3 ready
node
check "the next one clears it away" pod_until ready
check_equal "there is one mount" "$(pod_mounts)" 1
ask
check "and both pods see the model" both_see whole

# A model that was tampered with, for all pods alike.
kill -TERM "$node_pid"
wait "$node_pid"
printf X >>"$work/model/config.json"
node
wait "$node_pid"
check_equal "a file of another size: the server ends with status 1" $? 1
check_status "and no pod starts" 3 ready
check_equal "nothing is mounted" "$(pod_mounts)" 0
mt_end
