#!/bin/sh
# TAP: what doc/recipes says about loading from a mount, as far as the loaders'
# own packages or their access patterns can be had: transformers, diffusers,
# safetensors and gguf from PyPI, PyTorch from Debian. They load small models
# without a network, once from the folder and once from its mount.
#
# The packages go into $MIHFS_TEST_CACHE (default: ~/.cache/mihfs-test).
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/mount.sh
. "$here/../tests/lib/mount.sh"

# The newest of each that works with Debian's PyTorch 1.13.
packages='transformers==4.38.2 diffusers==0.27.2 huggingface_hub==0.25.2
safetensors==0.8.0 gguf==0.19.0'
cache=${MIHFS_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mihfs-test}
venv=$cache/venv-recipes

fetch_packages()
{
	[ "$(cat "$venv/packages" 2>/dev/null)" = "$packages" ] && return
	/usr/bin/python3 -m venv --system-site-packages "$venv" || return
	# shellcheck disable=SC2086
	"$venv/bin/pip" install -q $packages &&
		echo "$packages" >"$venv/packages"
}

# load WHAT FOLDER: offline, with the writable folders beside the model
load()
{
	unshare --net env HF_HUB_OFFLINE=1 HF_HOME="$work/home" \
		HF_MODULES_CACHE="$modules" PYTHONDONTWRITEBYTECODE=1 \
		TOKENIZERS_PARALLELISM=false timeout -k 5 120 \
		"$venv/bin/python" -W ignore "$here/recipes_check.py" "$1" "$2"
}

# same WHAT: loaded from the folder and from the mount, with the same weights
same()
{
	raw=$(load "$1" "$model") || return
	mounted=$(load "$1" "$mnt") || return
	echo "raw $raw, mounted $mounted"
	[ -n "$raw" ] && [ "$raw" = "$mounted" ]
}

spoil()
{
	size=$(stat -c %s "$1")
	printf '\377\377\377\377' | dd of="$1" bs=1 seek=$((size / 2)) \
		conv=notrunc status=none
}

mt_begin
modules=$work/modules
mkdir -p "$cache" "$work/home" "$work/model"
check "the packages are there" fetch_packages
"$venv/bin/pip" list 2>/dev/null | grep -iE \
	'^(transformers|diffusers|huggingface|safetensors|gguf) ' | sed 's/^/# /'
model=$work/model
check "small models" load make "$model"
mt_sign "$model"
echo 'raise SystemExit("not signed")' >"$model/own/extra.py"
mt_mount "$model"

check "transformers: sharded safetensors" same transformers
check "transformers: code that comes with the model" same own_code
check "diffusers: a pipeline" same diffusers
check "gguf: the reader maps the file" same gguf
check "vLLM, SGLang: lazy, tensor by tensor" same mmap
check "vLLM: prefetch" same prefetch
check "vLLM eager, SGLang without mmap: whole files" same eager
check "safetensors: the pread backend" same pread
check "two ranks with their slices" same ranks
check_fails "code that was not signed is not there" \
	cat "$mnt/own/extra.py"
modules=$mnt/modules
check_fails "code needs a writable HF_MODULES_CACHE" load own_code "$mnt"
modules=$work/modules
check_errno "vLLM's npcache cannot write into the model" \
	"Read-only file system" \
	mkdir "$mnt/llama/np"
check "unmount" mt_umount

spoil "$model/model.gguf"
for shard in "$model"/llama/*.safetensors "$model"/diffusers/unet/*.safetensors
do
	spoil "$shard"
done
mt_mount "$model"
check_status "transformers: wrong bytes end it by SIGBUS" 135 \
	load transformers "$mnt"
check_status "diffusers: by SIGBUS" 135 load diffusers "$mnt"
check_status "gguf: by SIGBUS" 135 load gguf "$mnt"
check_status "without mmap: by an exception" 1 load eager "$mnt"
check_said "which says so" 'Input/output error'
check "unmount again" mt_umount
mt_end
