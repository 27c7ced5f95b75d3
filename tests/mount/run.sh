#!/bin/sh
# mihfs run: a command that finds the verified model where the model was, as
# root and as a user without privileges.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

# run [OPTION...] -- COMMAND...
run() {
	"$MIHFS" run --root "$bundle" --public-key "$pub" --log-level warning \
		"$@" 2>"$work/err"
}

# as_user COMMAND...: user 65534 on a host whose /dev/fuse is for everybody, as
# distributions have it
as_user() {
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c '
		mount -t tmpfs none "$1" && mknod -m 666 "$1/fuse" c 10 229 &&
		mount --bind "$1/fuse" /dev/fuse && shift &&
		exec setpriv --reuid 65534 --regid 65534 --clear-groups \
			--inh-caps=-all --bounding-set=-all "$@"
	' sh "$work/dev" "$@"
}

user_run() {
	as_user "$MIHFS" run --root "$bundle" --public-key "$pub" "$@" \
		2>"$work/err"
}

not_mounted() {
	! grep -q " $work/.* fuse.mihfs " /proc/self/mountinfo
}

said() {
	cat "$work/err" >>"$work/out"
	grep -q -e "$1" "$work/err" || {
		sed 's/^/# /' "$work/err"
		return 1
	}
}

until_file() {
	tries=0
	while [ ! -s "$1" ] && [ "$tries" -lt 600 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
	test -s "$1"
}

mt_begin
mkdir "$work/dev"
mt_model "$work/model"
mt_sign "$work/model"
cp -r "$work/model" "$work/good"
echo unsigned >"$work/model/unsigned"
chmod -R a+rX "$work"

for who in run user_run; do
	if [ $who = user_run ] && ! as_user unshare -Um true; then
		ok "$who # SKIP no user namespaces here"
		continue
	fi
	check "$who: the command finds the model, without the unsigned file" \
		$who "$work/model" -- diff -r "$work/good" "$work/model"
	check_equal "$who: \$MIHFS_MOUNT says where" \
		"$($who "$work/model" -- printenv MIHFS_MOUNT)" "$work/model"
	check "$who: it reads what is typed, not what the mount prints" test \
		"$(echo typed | $who "$work/model" -- cat)" = typed
	check "$who: from a folder in the model, it is in the mount" eval \
		"(cd '$work/model' && $who . -- sh -c '! test -e unsigned')"
	mkdir -p "$work/at"
	check "$who: --at mounts it elsewhere" $who --at "$work/at" \
		"$work/model" -- cmp "$work/good/one-group" "$work/at/one-group"
	for code in 0 1 77; do
		$who "$work/model" -- sh -c "exit $code"
		check_equal "$who: exit code $code" $? $code
	done
	$who "$work/model" -- sh -c 'kill -KILL $$'
	check_equal "$who: a command killed by SIGKILL" $? 137
	$who "$work/model" -- "$work/none"
	check_equal "$who: a command that does not exist" $? 127
	check "$who: is named" said "none: No such file"
	$who "$work/model" -- "$bundle"
	check_equal "$who: a command that is no program" $? 126
	check "$who: options of the command are its own" $who "$work/model" -- \
		ls -l "$work/model/config.json"
	check "$who: nothing was ever mounted outside" not_mounted
done

if as_user unshare -Um true; then
	# shellcheck disable=SC2016
	check_equal "a user stays the same, with no capability" \
		"$(user_run "$work/model" -- sh -c \
			'id -u; awk "/^CapEff/ { print \$2 }" /proc/self/status')" \
		"65534
0000000000000000"
fi

# Signals go to the command.
rm -f "$work/started"
# shellcheck disable=SC2016
run "$work/model" -- sh -c 'trap "echo got it; exit 9" TERM
	echo yes >"$1"; while :; do sleep 0.1; done' sh "$work/started" \
	>"$work/told" &
pid=$!
check "a command runs" until_file "$work/started"
kill -TERM "$(pgrep -P $pid mihfs || echo $pid)"
wait $pid
check_equal "SIGTERM reaches it, and its code comes back" "$?:$(cat "$work/told")" \
	"9:got it"

# The server goes first.
rm -f "$work/started"
printf '\000\000\000\000' | dd of="$work/model/weights.safetensors" bs=1 \
	seek=4000000 conv=notrunc 2>/dev/null
# shellcheck disable=SC2016
run --on-mismatch=stop "$work/model" -- sh -c 'echo yes >"$1"
	cat "$2" >/dev/null; sleep 60' sh "$work/started" \
	"$work/model/weights.safetensors" &
pid=$!
before=$(date +%s)
wait $pid
check_equal "a server that stops ends the command, with its own code" $? 1
check "at once" test $(($(date +%s) - before)) -lt 15
check "and it is said why" said "ended before the command"
check "and which bytes were wrong" said "weights.safetensors: bytes "

# Who may write above can put another folder there.
run "$work/model" -- true
check_equal "a model in a safe folder is served" "$(cat "$work/err")" ""
mkdir "$work/open"
chmod 777 "$work/open"
cp -r "$work/good" "$work/open/model"
run "$work/open/model" -- touch "$work/ran"
check_equal "one that others may replace is refused" $? 3
check "before the command runs" test ! -e "$work/ran"
check "and the folder is named" said "$work/open: others may write here \
.* $work/open/model;"
run --at "$work/dev" "$work/open/model" -- true
check_equal "elsewhere it is served" $? 0
chmod 1777 "$work/open"
run "$work/open/model" -- true
check_equal "and where others may not rename it" $? 0
chown 65534 "$work/open"
run "$work/open/model" -- true
check "an owner counts as others" said "$work/open: others may write"
rm -r "$work/open"

# A folder that the command may not enter is none that it has to leave.
mkdir -m 700 "$work/closed"
(cd "$work/closed" && user_run --at "$work/dev" "$work/good" -- true)
check_equal "a folder that is closed to the user stays the current one" $? 0

# What cannot begin.
run "$work/none" -- true
check_equal "a model that is missing" $? 3
run "$work/model/config.json" -- true
check_equal "a model that is a file needs --at" $? 3
check "which is said" said "say with --at"
printf x >>"$work/model/config.json"
run "$work/model" -- touch "$work/ran"
check_equal "a model of wrong sizes runs nothing" $? 1
check "really nothing" test ! -e "$work/ran"
"$MIHFS" run --root "$bundle" --public-key "$pub" "$work/model" \
	2>"$work/err"
check_equal "no command is wrong usage" $? 2
cp "$work/good/config.json" "$work/model/config.json"

# Where it is forbidden.
unshare -m sh -c "mount --bind /dev/null /dev/fuse && exec setpriv \
	--reuid 65534 --clear-groups $MIHFS run --root $bundle \
	--public-key $pub $work/model -- true" 2>"$work/err"
check_equal "a /dev/fuse that is none" $? 3
setpriv --reuid 65534 --clear-groups sh -c 'test -w /dev/fuse' || {
	setpriv --reuid 65534 --clear-groups "$MIHFS" run --root "$bundle" \
		--public-key "$pub" "$work/model" -- true 2>"$work/err"
	check_equal "a /dev/fuse that is not for us" $? 3
	check "is said in clear words" said "/dev/fuse: Permission denied; it must"
}
if unshare -Ur true 2>/dev/null; then
	# shellcheck disable=SC2016
	unshare -Urm sh -c 'echo 0 >/proc/sys/user/max_user_namespaces
		mount --bind /dev/null /dev/fuse
		exec setpriv --inh-caps=-all --bounding-set=-sys_admin "$@"' sh \
		"$MIHFS" run --root "$bundle" --public-key "$pub" \
		"$work/model" -- true 2>"$work/err"
	check_equal "no namespaces" $? 3
	check "are a clear word, too" said "forbidden here.*max_user_namespaces"
	check "with the way out" said "mihfs fd-helper"
fi
mt_end
