#!/bin/sh
# What sign, tree and digest find with a device is what the processor finds,
# also with one that is wrong: samples tell, and then the processor does it all.
real=${MIHFS:?}
MIHFS=${top_builddir:?}/mihfs_sim
. "${top_srcdir:?}/tests/cli/lib.sh"
. "${top_srcdir:?}/tests/lib/flat.sh"
make_keys
model=$work/model
device="--device sim:0 --gpu-memory 16M"
wrong="it gave a wrong digest"
trees="mth4k-sha256 mth4k-sha512 mth4k-sha3-256 blake3"

# marked FILE FIRST LAST - $MIHFS_SIM 0:marked errs at these MiB of a new file
marked() {
	python3 - "$@" <<'PYTHON' || exit 99
import sys

first, last = int(sys.argv[2]), int(sys.argv[3])
with open(sys.argv[1], "wb") as f:
    f.truncate((last + 1 << 20) + 4711)
    for mib in range(first, last + 1):
        f.seek(mib << 20)
        f.write(b"sim: hash wrongly %d" % mib)
PYTHON
}

# by COMMAND...: run the program with $device, or as $device says
by() {
	# shellcheck disable=SC2086
	"$MIHFS" "$@" $device "$model"
}

sign() {
	by sign --private-key "$key" --signature "$work/got.json" "$@"
}

# used: a device hashed, and samples were taken
used() {
	grep -q "[1-9][0-9]* pieces hashed by devices, [1-9]" "$err"
}

# once WHAT LINE: the last command said LINE, one time
once() {
	ok "$1" [ "$(grep -cF -e "$2" "$err")" -eq 1 ]
}

# signed WHAT: the bundle and its sidecar are what they should be
signed() {
	ok "$1: the sidecar is the processor's" \
		cmp "$work/got.json.tree" "$work/want-$tree.json.tree"
	expect 0 "$1: the bundle passes by the processor" "$MIHFS" verify \
		--device cpu --signature "$work/got.json" --public-key "$pub" \
		"$model"
}

# by_processor: $work/want... hold what is right
by_processor() {
	for tree in $trees; do
		expect 0 "$tree: signed by the processor" "$MIHFS" sign \
			--quiet --device cpu --private-key "$key" --tree \
			"$tree" --signature "$work/want-$tree.json" "$model"
		run "$MIHFS" digest --device cpu -a "$tree" "$model"
		mv "$out" "$work/want-$tree"
	done
	run "$MIHFS" digest --device cpu -a lthash16 "$model"
	mv "$out" "$work/want-lthash16"
}

# right_with WHAT: with $device, which is right, all is as it should be
right_with() {
	for tree in $trees; do
		expect 0 "$tree: signed with $1" sign --tree "$tree"
		ok "$tree: $1 was used" used
		ok "$tree: $1 was found right" grep -q "all equal" "$err"
		signed "$tree, with $1"
		expect 0 "$tree: digests with $1" by digest -a "$tree"
		ok "$tree: $1 was used for these" used
		ok "$tree: they are right" cmp "$out" "$work/want-$tree"
	done
}

# --- a device that is right ---------------------------------------------------

make_model "$model"
marked "$model/first" 0 0
marked "$model/later" 1 3
by_processor
right_with "a device"
expect 0 "a sum with a device" by digest -a lthash16
ok "it was used for the sum" used
ok "the sum is right" cmp "$out" "$work/want-lthash16"
tree=mth4k-sha256
device=
expect 0 "signed without a name of a device" sign
ok "none was used" [ ! -s "$err" ]
signed "without a name"

# --- one that errs about the first piece of a file ----------------------------

device="--device sim:0 --gpu-memory 16M"
export MIHFS_SIM=0:marked
for tree in $trees; do
	expect 0 "$tree: signed with a device that errs" sign --tree "$tree"
	once "$tree: it is found out" "sim:0 is out of use: $wrong"
	once "$tree: and all done again" "it did all of it once more"
	signed "$tree, with a device that errs"
	expect 0 "$tree: digests with it" by digest -a "$tree"
	once "$tree: found out for these" "sim:0 is out of use: $wrong"
	ok "$tree: they are right" cmp "$out" "$work/want-$tree"
done
expect 0 "a sum with it" by digest -a lthash16
once "found out for the sum" "sim:0 is out of use: $wrong"
ok "the sum is right" cmp "$out" "$work/want-lthash16"

# --- a real one ---------------------------------------------------------------

unset MIHFS_SIM
if "$real" doctor 2>/dev/null | grep -q "opencl:0"; then
	simulated=$MIHFS MIHFS=$real device="--device opencl:0"
	right_with opencl:0
	MIHFS=$simulated device="--device sim:0 --gpu-memory 16M"
else
	tests=$((tests + 1))
	echo "ok $tests - a real device # SKIP no opencl:0"
fi
export MIHFS_SIM=0:marked

# --- tree, for roots that are signed and for those that are not ---------------

for tree in $trees; do
	cp "$work/want-$tree.json" "$work/tree.json"
	expect 0 "$tree: the tree of a bundle" by tree \
		--signature "$work/tree.json"
	once "$tree: the device is found out" "is out of use"
	ok "$tree: the sidecar is right" \
		cmp "$work/tree.json.tree" "$work/want-$tree.json.tree"
done
flat=$work/flat
mkdir "$flat"
cp "$model/first" "$flat/weights.bin"
sign_flat "$flat" "$work/flat.json"
model=$flat
device="--device cpu"
expect 0 "a tree that nobody signed" by tree --signature "$work/flat.json"
mv "$work/flat.json.tree" "$work/flat-want"
device="--device sim:0 --gpu-memory 16M"
expect 0 "and by a device that errs" by tree --signature "$work/flat.json"
once "it is found out" "sim:0 is out of use: $wrong"
ok "and the sidecar right" cmp "$work/flat.json.tree" "$work/flat-want"
unset MIHFS_SIM
expect 0 "and by one that is right" by tree --signature "$work/flat.json"
ok "which was used" used
ok "and found right" grep -q "all equal" "$err"
ok "the sidecar is right too" cmp "$work/flat.json.tree" "$work/flat-want"

# --- one that errs elsewhere, or breaks down ----------------------------------

# Of 300 pieces none is a sample in one of 256 million runs.
model=$work/large
mkdir "$model"
marked "$model/weights.bin" 1 300
trees=mth4k-sha256 tree=mth4k-sha256
by_processor
export MIHFS_SIM=0:marked
expect 0 "sign, wrong in the middle" sign
once "sign, wrong in the middle: found out" "sim:0 is out of use: $wrong"
signed "sign, wrong in the middle"
for fault in open memory launch:40 hang:40 wrong wrong:20; do
	export MIHFS_SIM=0:$fault
	expect 0 "sign, $fault" sign
	once "sign, $fault: one line" "is out of use"
	signed "sign, $fault"
done

# Whichever files it gets, the first piece of each is a sample.
model=$work/many
mkdir "$model"
for i in $(seq 64); do
	marked "$model/$i" 0 0
done
unset MIHFS_SIM
by_processor
export MIHFS_SIM=1:marked
device="--device sim:0 --device sim:1 --gpu-memory 16M"
expect 0 "sign with two, one of which errs" sign
once "that one is named" "sim:1 is out of use: $wrong"
ok "and not the other" [ "$(grep -c "sim:0 is out" "$err")" -eq 0 ]
signed "with two"
unset MIHFS_SIM
finish
