#!/bin/sh
# TAP: every parser of untrusted bytes is fuzzed for a while, with seeds.
#
#	contrib/fuzz.sh [SECONDS]	(default: $MIHFS_FUZZ_SECONDS, or 60)
#
# Needs clang with its runtime libraries, and a built tree in $top_builddir: the
# hash cores come from there as they are, as they take minutes to instrument and
# parse nothing. The targets run side by side, each for SECONDS. A crash, a
# leak, undefined behaviour, 10 s for one input or 2 GiB of memory is a failure;
# the input then lies in $MIHFS_FUZZ_DIR (default: a folder that is removed).
# MIHFS_FUZZ_DIR also keeps the corpus from one run to the next.
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${top_srcdir:=$(dirname "$here")}" "${top_builddir:=$PWD}"
: "${MIHFS:=$top_builddir/mihfs}"
# shellcheck source=tests/lib/tap.sh
. "$top_srcdir/tests/lib/tap.sh"
top_srcdir=$(cd "$top_srcdir" && pwd)
top_builddir=$(cd "$top_builddir" && pwd)
export top_srcdir
seconds=${1:-${MIHFS_FUZZ_SECONDS:-60}}
fixtures=$top_srcdir/tests/fixtures
sanitize=address,undefined
flags="-g -O1 -w -fno-sanitize-recover=all -include $top_builddir/config.h
-I$top_builddir -I$top_srcdir/src -I$top_srcdir/tests"
targets='bundle certificate checkpoint keyless resource sidecar tensors'

dir=${MIHFS_FUZZ_DIR-}
if [ -z "$dir" ]; then
	dir=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-fuzz.XXXXXX") || exit 1
	trap 'rm -rf "$dir"' EXIT
fi
mkdir -p "$dir/objects" "$dir/work" && cd "$dir" || exit 1

# --- build ---------------------------------------------------------------

has_libfuzzer()
{
	echo 'int LLVMFuzzerTestOneInput(const char *d, long n)
	{ return !d && n; }' >probe.c &&
		clang -w -fsanitize=fuzzer,$sanitize probe.c -o probe
}

# One object for each source of the folders that are fuzzed, named by its path.
compile()
{
	rm -f objects/*
	# shellcheck disable=SC2086,SC2016
	(cd "$top_srcdir/src" &&
		find sig tree util verify/ahead/safetensors.c -name '*.c') |
		xargs -P "$(nproc)" -I '{}' sh -c 'top=$1 source=$2 && shift 2 &&
			clang "$@" -c "$top/src/$source" \
				-o "objects/$(echo "$source" | tr / -).o"' \
			sh "$top_srcdir" '{}' $flags \
			-fsanitize=fuzzer-no-link,$sanitize
}

# The paths of libhash.a stand in archives of their own, which it calls, and
# which call it.
link()
{
	# shellcheck disable=SC2086
	clang $flags -fsanitize=fuzzer,$sanitize \
		"$top_srcdir/tests/fuzz/fuzz_$1.c" objects/*.o \
		-Wl,--start-group "$top_builddir"/libhash*.a -Wl,--end-group \
		-lcrypto -ljansson -lxxhash -lpthread -o "fuzz_$1"
}

# --- seeds ---------------------------------------------------------------

seed_bundle()
{
	find "$fixtures" -name '*.sig' -exec cp --backup=numbered -t \
		"corpus.bundle" '{}' + &&
		python3 "$top_srcdir/tests/fuzz/seed_bundle.py" corpus.bundle \
			"$fixtures"/*/*.sig
}

# keyless_parts TARGET: each target gets all parts; most are none of its own
keyless_parts()
{
	python3 "$top_srcdir/tests/fuzz/seed_keyless.py" "corpus.$1" \
		"$fixtures"/keyless*/*.sig \
		"$fixtures"/keyless*/trusted_root.json
}

seed_certificate()
{
	keyless_parts certificate
}

seed_checkpoint()
{
	keyless_parts checkpoint
}

seed_keyless()
{
	keyless_parts keyless
}

seed_resource()
{
	python3 "$top_srcdir/tests/fuzz/seed_bundle.py" --resources \
		corpus.resource "$fixtures"/*/*.sig
}

seed_sidecar()
{
	for tree in mth4k-sha256 mth4k-sha512 blake3; do
		"$MIHFS" sign --quiet --tree "$tree" --signature work/signed.json \
			--private-key "$fixtures/key/p256.key.pem" \
			"$fixtures/key/model" || return
		mv work/signed.json.tree "corpus.sidecar/$tree"
	done
}

seed_tensors()
{
	printf 'AA%s{"__metadata__":{"format":"pt"},"a":{"dtype":"F32",%s},
		"b":{"data_offsets":[20,40],"shape":[]}}' 01234567 \
		'"shape":[5],"data_offsets":[0,20]' >corpus.tensors/two &&
		printf '@@%s"data_offsets":[ 7 , 9 ] "data_offsets":[8,70]' \
			01234567 >corpus.tensors/overlap
}

# --- run -----------------------------------------------------------------

options()
{
	case $1 in
	bundle) echo "-max_len=8192 -dict=$top_srcdir/tests/fuzz/bundle.dict" ;;
	resource) echo "-max_len=640 -dict=$top_srcdir/tests/fuzz/bundle.dict" ;;
	tensors) echo "-max_len=1024 -dict=$top_srcdir/tests/fuzz/tensors.dict" ;;
	*) echo "-max_len=16384" ;;
	esac
}

# start TARGET: in the background; its end is in TARGET.status
start()
{
	(
		# shellcheck disable=SC2046
		timeout -k 10 $((seconds + 120)) "./fuzz_$1" $(options "$1") \
			-max_total_time="$seconds" -timeout=10 \
			-rss_limit_mb=2048 -artifact_prefix="$dir/$1-" \
			-print_final_stats=1 -verbosity=1 "corpus.$1" \
			>"$1.log" 2>&1
		echo $? >"$1.status"
	) &
}

judge()
{
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$1.log")
	if [ "$(cat "$1.status")" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
		tap_ok "$1: $runs inputs in $seconds s"
	else
		tap_not_ok "$1: status $(cat "$1.status")" \
			"$(grep -vE '^#[0-9]' "$1.log" | tail -n 60)"
	fi
}

has_libfuzzer >probe.log 2>&1 || tap_skip_all "clang cannot link libFuzzer"
tap_check "the parsers compile" compile
for target in $targets; do
	mkdir -p "corpus.$target"
	tap_check "$target: links" link "$target"
	tap_check "$target: has seeds" "seed_$target"
done
for target in $targets; do start "$target"; done
wait
for target in $targets; do judge "$target"; done
tap_done
