#!/bin/sh
# Do what the Dockerfile says without a container engine: its RUN lines in a
# bare Debian, then use what would be the image, from within. TAP.
#
#	contrib/container/check.sh BASE
#
# BASE is as in contrib/chroot.sh. Needs root, a mirror and /dev/fuse. What an
# engine does by itself (COPY, USER, ENTRYPOINT, layers) is not run here.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"

if [ "${1-}" != --within ]; then
	share=$(mktemp -d) || exit 1
	trap 'rm -rf "$share"' EXIT
	mkdir "$share/src"
	tar -C "$top_srcdir" --exclude=./.git --exclude='*.o' -cf - . |
		tar -C "$share/src" -xf - || exit 1
	"$top_srcdir/contrib/chroot.sh" "$1" "$share" \
		sh /share/src/contrib/container/check.sh --within
	exit
fi

# --- what follows runs in the bare system -------------------------------
# shellcheck source=tests/lib/tap.sh
. /share/src/tests/lib/tap.sh
cd / || exit 1
ln -s /share/src /src
dockerfile=/src/contrib/container/Dockerfile

# Instructions that this check does not know, or hosts of registries.
strange()
{
	grep -vE \
		-e '^(#|$)' -e '^ARG BASE=[a-z0-9:.-]+$' \
		-e '^FROM (\$\{BASE\} AS build|scratch)$' \
		-e '^(COPY|RUN) ' -e '^USER 65534:65534$' \
		-e '^(ENTRYPOINT|CMD) \[".*"\]$' "$dockerfile"
}

# One RUN line after the other, as an engine would.
run_lines()
{
	sed -n 's/^RUN //p' "$dockerfile" >/tmp/lines
	while read -r line; do
		echo "+ $line"
		sh -c "$line" </dev/null || return
	done </tmp/lines
}

# inside USER COMMAND...: with the image as the whole file system
inside()
{
	user=$1
	shift
	chroot --userspec="$user" /image /usr/bin/mihfs "$@"
}

# Libraries whose own needs are not in the image: none, if the program runs
# with every symbol bound at once.
unbound()
{
	LD_BIND_NOW=1 inside 65534:65534 --version 2>&1 | grep -v '^mihfs '
}

prepare_model()
{
	mkdir -p /image/m/model /image/m/mnt /image/dev /image/proc
	mount --bind /dev /image/dev && mount -t proc proc /image/proc &&
		seq 200000 >/image/m/model/weights &&
		openssl ecparam -name prime256v1 -genkey -noout \
			-out /image/m/key.pem &&
		openssl ec -in /image/m/key.pem -pubout \
			-out /image/etc/mihfs/trust.d/key.pem
	chown -R 65534:65534 /image/m
}

tap_empty "the Dockerfile has nothing strange" "$(strange)"
tap_check "its RUN lines succeed" run_lines
tap_empty "every symbol is found" "$(unbound)"
tap_empty "no shell, no setuid" "$(find /image -type f \
	\( -perm /6000 -o -name sh -o -name bash -o -name dash \))"
tap_check "a model and a key" prepare_model
tap_check "nobody signs" inside 65534:65534 sign --private-key /m/key.pem \
	--signature /m/signed.json /m/model
tap_check "nobody verifies" inside 65534:65534 verify \
	--signature /m/signed.json /m/model
tap_check "root mounts" inside 0:0 --root /m/signed.json /m/model /m/mnt
tap_check "the mount serves" cmp /image/m/model/weights /image/m/mnt/weights
tap_check "unmount" umount /image/m/mnt
umount /image/proc
rm -r /image/m
find /image -xdev -type f -size +0 -exec du -k {} + | sed 's/^/# KiB /'
tap_done
