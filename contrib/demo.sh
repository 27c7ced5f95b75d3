#!/bin/bash
# What mihfs does, shown from an empty Debian 12 as root: build, sign a model,
# mount it, read it, change one byte behind its back, see it refused.
# Everything happens in one temporary folder, which is removed at the end.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)

say()
{
	printf '\n\033[1m* %s\033[0m\n' "$*"
}

# Show a command as a person would type it, then run it.
run()
{
	printf '  $ %s\n' "$*"
	"$@" 2>&1 | sed 's/^/    /'
	return "${PIPESTATUS[0]}"
}

clean_up()
{
	cd /
	if mountpoint -q "$demo/verified"; then
		umount "$demo/verified" 2>/dev/null ||
			umount -l "$demo/verified"
	fi
	rm -rf "$demo"
}

if [ "$(id -u)" != 0 ] || [ ! -c /dev/fuse ]; then
	echo "demo.sh: needs root and /dev/fuse" >&2
	exit 1
fi
demo=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-demo.XXXXXX")
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

say "Install what is needed and build"
"$top/contrib/deps.sh" build
[ -x "$top/configure" ] || (cd "$top" && ./autogen.sh >/dev/null 2>&1)
mkdir "$demo/build"
cd "$demo/build"
"$top/configure" -q >configure.log 2>&1 || {
	cat configure.log
	exit 1
}
make -s -j"$(nproc)" mihfs
mkdir "$demo/bin"
cp mihfs "$demo/bin"
PATH=$demo/bin:$PATH
cd "$demo"
run mihfs --version

say "A key pair, and a model of 48 MB in two files"
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
openssl ec -in key.pem -pubout -out key.pub 2>/dev/null
mkdir model verified
echo '{"model_type": "demo", "hidden_size": 384}' >model/config.json
for i in 1 2; do
	head -c 24000000 /dev/urandom >"model/model-0000$i-of-00002.safetensors"
done
run ls -l model

say "Sign it: one bundle that other OpenSSF Model Signing tools read too"
run mihfs sign --quiet --signature signed.json --private-key key.pem model
run mihfs inspect signed.json

say "Mount it: what is read through the mount is what was signed"
run mihfs --root signed.json --public-key key.pub model verified
run ls -l verified
run cmp model/model-00001-of-00002.safetensors \
	verified/model-00001-of-00002.safetensors
echo "    (equal)"

say "Somebody adds a file and changes one byte of the second shard"
echo 'import os; os.system("...")' >model/tokenizer.py
printf '\377' | dd of=model/model-00002-of-00002.safetensors bs=1 \
	seek=9999999 conv=notrunc status=none
printf '\000' | dd of=model/model-00002-of-00002.safetensors bs=1 \
	seek=10000000 conv=notrunc status=none
echo 3 >/proc/sys/vm/drop_caches

say "The added file does not exist in the mount"
if run cat verified/tokenizer.py; then exit 1; fi

say "The damaged 64 KiB are never returned; the reader gets an error"
if run cp verified/model-00002-of-00002.safetensors /dev/null; then exit 1; fi

say "The rest of that file is still served"
run cmp -n 9961472 model/model-00002-of-00002.safetensors \
	verified/model-00002-of-00002.safetensors
echo "    (the first 9961472 bytes are equal)"

say "A full check names what is wrong"
if run mihfs verify --quiet --signature signed.json --public-key key.pub \
	model; then exit 1; fi

say "A bundle that somebody touched is not mounted at all"
umount verified
sed 's/"sig": *"ME/"sig":"MF/' signed.json >forged.json
if run mihfs --root forged.json --public-key key.pub model verified; then
	exit 1
fi

say "Done. Everything lay in $demo and is removed now."
